"""Everything a run means, assembled: the input of both engines and of nothing else."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from coinswarm.committee.rules import CommitteeRules
from coinswarm.domain.instrument import INT_LIMIT
from coinswarm.domain.market import TickBars
from coinswarm.execution.style import OrderStyle
from coinswarm.risk.limits import RiskLimits, SizingRules
from coinswarm.simulator.costs import Costs

if TYPE_CHECKING:
    from coinswarm.contracts import SignalAgent, Weigher
    from coinswarm.domain.market import Bars
    from coinswarm.memory.recall.rules import RecallRules


@dataclass(frozen=True, slots=True)
class SeatedAgent:
    """An agent in the committee.

    :param name: unique in the committee.
    :param agents: one fresh object per instrument, in the plan's order.
    :param weight_bp: its weight; all seats sum to 10,000.
    :param warm_up: bars it abstains at the start and after a hole.
    :param reasons: words for its reason codes.
    :param space: name of the space that it recalls in, as in ``trend/state.1``; empty: it recalls nothing.
    :param reconsiders: whether it makes something of its own of what is recalled.
    """

    name: str
    agents: tuple[SignalAgent, ...]
    weight_bp: int
    warm_up: int = 0
    reasons: tuple[str, ...] = ()
    space: str = ""
    reconsiders: bool = False


@dataclass(frozen=True, slots=True)
class Funding:
    """Funding payments of one instrument (S15).

    :param times_ns: int64[m], ascending.
    :param rate_ppb: int64[m], billionths of the notional at mark; positive: longs pay.
    """

    times_ns: np.ndarray[tuple[int], np.dtype[np.int64]]
    rate_ppb: np.ndarray[tuple[int], np.dtype[np.int64]]


@dataclass(frozen=True, slots=True, kw_only=True)
class RunPlan:
    """What to run.

    :param bars: one per instrument, sorted by symbol; the first bar is the anchor.
    :param seats: the committee.
    :param weigher: combines their actions.
    :param cash: starting cash in 1e-8 of the settlement currency.
    :param hole_bars: consecutive missing bars that make a hole.
    :param start_ns: nothing is traded before it (0: from the anchor); the prefix is warm-up.
    :param funding: per symbol.
    :param recall: by which rules seats with a space recall; None: there is no memory.
    :param ticks: the bars in integers; made from ``bars`` when not given. Views of ``joined``, which holds
        those of all instruments one after the other.
    """

    bars: tuple[Bars, ...]
    seats: tuple[SeatedAgent, ...]
    weigher: Weigher
    cash: int
    committee: CommitteeRules = field(default_factory=CommitteeRules)
    sizing: SizingRules = field(default_factory=SizingRules)
    limits: RiskLimits = field(default_factory=RiskLimits)
    costs: Costs = field(default_factory=Costs)
    style: OrderStyle = field(default_factory=OrderStyle)
    hole_bars: int = 3
    start_ns: int = 0
    funding: dict[str, Funding] = field(default_factory=dict)
    recall: RecallRules | None = None
    ticks: tuple[TickBars, ...] = ()
    joined: TickBars = field(init=False)

    def __post_init__(self) -> None:
        joined = TickBars.join(self.ticks or tuple(TickBars.of(bars) for bars in self.bars))
        ends = np.cumsum([len(bars) for bars in self.bars]).tolist()
        starts = [0, *ends[:-1]]
        object.__setattr__(self, "joined", joined)
        object.__setattr__(self, "ticks", tuple(joined[a:b] for a, b in zip(starts, ends, strict=True)))

    @property
    def bar_ns(self) -> int:
        """The one bar length of the run, in nanoseconds."""
        return self.bars[0].length_ns

    @property
    def anchor_ns(self) -> int:
        """Open time of the first bar of all."""
        return min(int(bars.open_ns[0]) for bars in self.bars)

    @property
    def weights(self) -> tuple[int, ...]:
        """Weights in seat order, basis points."""
        return tuple(seat.weight_bp for seat in self.seats)

    def cap_ticks(self, k: int) -> int:
        """No price or distance of instrument ``k`` counts for more: twice its highest high."""
        return 2 * int(self.ticks[k].high.max())

    def max_lots(self, k: int) -> int:
        """The most lots of instrument ``k`` whose products stay below 2**62 (S10)."""
        num, den = self.bars[k].instrument.value_ratio
        return INT_LIMIT // (2 * self.cap_ticks(k) * (num // den + 1))

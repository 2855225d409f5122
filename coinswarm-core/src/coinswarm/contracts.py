"""What declared objects do. Core calls these; plugins implement them.

Only the contracts whose kind has a real plugin stand here; a kind's contract arrives with it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any

from coinswarm.domain.action import ABSTAIN, Action, ActionColumns
from coinswarm.domain.intent import ActionRow

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np

    from coinswarm.domain.intent import Exposure
    from coinswarm.domain.market import Bars, MarketState
    from coinswarm.domain.outcome import TradeOutcome

    Columns = np.ndarray[tuple[int, int], np.dtype[Any]]


class SignalAgent(ABC):
    """Decides from market history alone; sees no portfolio, no clock, and does no I/O.

    Constructed as ``Agent(settings)``, or ``Agent()`` when its declaration names no settings.
    """

    @abstractmethod
    def decide(self, state: MarketState) -> Action:
        """The stance at ``state``; called once per closed bar, in order.

        Guaranteed: ``state`` holds nothing later than ``state.time_ns``. Not guaranteed: that the
        answer is used (core abstains for the agent in warm-up and after a hole).
        An exception makes the agent abstain at that bar and is counted.
        """

    def warm_up(self) -> int:
        """Bars needed before the first decision counts, with these settings."""
        return 0

    def learn(self, outcome: TradeOutcome) -> None:
        """Take in a closed trade the agent agreed with; never changes ``decide`` (S5).

        ``outcome.share_bp`` is the agent's share of it. Called in the order in which trades closed; an
        exception is counted like one from ``decide``.
        """

    def snapshot(self) -> bytes:
        """Everything that ``restore`` needs to continue as if never stopped."""
        return b""

    def restore(self, data: bytes) -> None:
        """Continue from a snapshot."""

    def get_config(self) -> dict[str, Any]:
        """The settings in force, JSON-ready, without secrets."""
        return {}


class ColumnarAgent(SignalAgent):
    """Writes its strategy once, as columns; ``decide`` is the last row of them.

    The testkit holds the two equal at every bar.
    """

    @abstractmethod
    def decide_all(self, bars: Bars) -> ActionColumns:
        """The actions at every bar of ``bars``; row t depends on ``bars[: t + 1]`` only."""

    def decide(self, state: MarketState) -> Action:
        """The last row of ``decide_all`` over the bars so far."""
        bars = state.bars
        if len(bars) == 0:
            return ABSTAIN
        return self.decide_all(bars).action(bars.instrument, len(bars) - 1)


class Weigher(ABC):
    """Combines the stances of those who take part, by weight in basis points.

    Must hold: no participation gives no exposure; stances that all point one way never give the
    opposite sign; the order of the seats does not matter.
    """

    @abstractmethod
    def step(self, row: ActionRow, weights: Sequence[int]) -> Exposure:
        """The exposure of one row: a function of the row and the weights alone; core may skip repeated rows.

        :param weights: per agent, basis points, all at least 0, summing to 10,000.
        """

    def weigh_all(
        self, direction: Columns, confidence_bp: Columns, weights: Sequence[int]
    ) -> Sequence[Exposure] | Columns:
        """The exposure of every bar; must equal ``step`` row by row.

        Override it where ``step`` is too slow; the testkit holds the two equal.

        :param direction: int8[seats, n], HOLD already resolved.
        :param confidence_bp: int16[seats, n]; -1 abstains.
        :returns: n rows of exposure_bp and participation_bp: Exposures, or integers [n, 2].
        """
        return [
            self.step(ActionRow(sides, [max(c, 0) for c in sure], [c >= 0 for c in sure]), weights)
            for sides, sure in zip(direction.T.tolist(), confidence_bp.T.tolist(), strict=True)
        ]

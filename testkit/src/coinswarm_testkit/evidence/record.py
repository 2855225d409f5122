"""What an agent earned on a recorded market: every measure with its interval, and how much it proves."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from coinswarm.backtest.proof import proof_dict
from coinswarm.backtest.summary import summary_dict
from coinswarm.evidence.admission import Admission, admit
from coinswarm.evidence.days import cut_days
from coinswarm.evidence.trials import Trial
from coinswarm_testkit.evidence import desk

if TYPE_CHECKING:
    from collections.abc import Callable

    from coinswarm.domain.action import ActionColumns
    from coinswarm.engine.result import RunResult
    from coinswarm.runtime.trials import Tried
    from coinswarm_testkit.markets.recorded import Recording

    Seen = Callable[[str, int, int], Tried]
    """Trials of an instrument that meet a time (first UTC day, days)."""

WHOLE, IN_SAMPLE, OUT_OF_SAMPLE = "whole", "in-sample", "out-of-sample"
INTERVALS = ("sharpe", "max_drawdown", "turnover", "win_rate")
"""Measures that evidence must have, with their intervals."""


@dataclass(frozen=True, slots=True, eq=False)
class Record:
    """One account on one recorded market.

    :param market: its name.
    :param part: whole, in-sample or out-of-sample.
    :param venue: whose costs were paid.
    :param measures: by name: value, low, high, why, count.
    :param trades, fills: closed trades, fills.
    :param profit: final equity ÷ cash - 1.
    :param break_even_bps: costs ÷ traded value at which the same trades would have earned nothing; None without any.
    :param cost_bps: what they cost.
    :param proof: PSR, DSR and minimum track record (``coinswarm.backtest.proof``).
    :param admission: by the default rule.
    :param daily: daily returns.
    """

    market: str
    part: str
    venue: str
    measures: dict[str, dict[str, Any]] = field(repr=False)
    trades: int
    fills: int
    profit: float
    break_even_bps: float | None
    cost_bps: float | None
    proof: dict[str, Any] = field(repr=False)
    admission: Admission = field(repr=False)
    daily: Trial = field(repr=False)

    @property
    def name(self) -> str:
        """What messages call it."""
        return f"{self.market} {self.part} at {self.venue}'s costs"

    def value(self, measure: str) -> float | None:
        """The value of a measure."""
        found: float | None = self.measures[measure]["value"]
        return found

    def missing(self) -> list[str]:
        """What the evidence lacks to be complete, one line each."""
        lacks = [] if self.trades else ["no closed trade"]
        for name in INTERVALS if self.trades else ():
            one = self.measures[name]
            if one["low"] is None:
                lacks.append(f"{name}: {one['why'] or 'no interval'}")
        if not self.proof["complete"]:
            lacks.append(f"DSR: {self.proof['dsr']['why']}")
        return lacks

    def plain(self) -> dict[str, float | int | str | None]:
        """The numbers of a certificate, flat."""
        proof = self.proof
        cells: dict[str, float | int | str | None] = {
            "profit": self.profit,
            "trades": self.trades,
            "cost_bps": self.cost_bps,
            "break_even_bps": self.break_even_bps,
            "days": proof["days"],
            "trials": proof["trials"]["count"],
            "psr": proof["psr"]["value"],
            "dsr": proof["dsr"]["value"],
            "min_track_record": proof["min_track_record"]["value"],
            "admitted": "yes" if self.admission.admitted else "; ".join(self.admission.reasons),
        }
        for name in INTERVALS:
            for end in ("value", "low", "high"):
                cells[name if end == "value" else f"{name}_{end}"] = self.measures[name][end]
        return cells


def record(  # noqa: PLR0913 - what evidence is made of
    recording: Recording,
    columns: ActionColumns,
    *,
    part: str,
    warm_up: int,
    seen: Seen,
    declared: int | None = None,
    venue: str = desk.USUAL,
    seed: int = 0,
) -> Record:
    """Trade one part of a recorded market.

    The agent sees everything before it too: out-of-sample begins warmed up, without a trade before.

    :param columns: what the agent says at every bar of the whole recording.
    :param seen: the trial registry.
    :param declared: variants that the author says were tried, this one included.
    """
    bars = recording.bars
    cut = int(np.searchsorted(bars.open_ns, recording.split_ns))
    start_ns = 0
    if part == IN_SAMPLE:
        bars, columns = bars[:cut], columns[:cut]
    elif part == OUT_OF_SAMPLE:
        start_ns = recording.split_ns
    result = desk.traded(bars, columns, costs=desk.VENUES[venue], warm_up=warm_up, start_ns=start_ns)
    return measured(result, market=recording.name, part=part, venue=venue, start_ns=start_ns, seen=seen,
                    declared=declared, seed=seed)  # fmt: skip


def measured(  # noqa: PLR0913 - the same
    result: RunResult,
    *,
    market: str,
    part: str,
    venue: str,
    start_ns: int,
    seen: Seen,
    declared: int | None,
    seed: int,
) -> Record:
    """Measure a run."""
    summary = summary_dict(result, agents=(("judged", 10_000),), start_ns=start_ns, seed=seed)
    shown = slice(int(np.searchsorted(result.times_ns, start_ns)), None)
    days = cut_days(
        result.times_ns[shown], result.bar_ns, result.equity[shown], result.exposure_units[shown], result.cash
    )
    daily = Trial(int(days.day[0]) if len(days) else 0, days.returns)
    tried = seen(result.symbols[0], daily.first_day, len(daily.returns))
    trials = None if tried.trials is None else [daily, *tried.trials]
    net = float(result.equity[-1] - result.cash) if len(result.equity) else 0.0
    paid = float(sum(result.costs.values()))
    value = _traded(result)
    return Record(
        market=market,
        part=part,
        venue=venue,
        measures={one["name"]: one for one in summary["measures"]},
        trades=summary["trades"],
        fills=len(result.fills),
        profit=net / result.cash,
        break_even_bps=(net + paid) / value * 1e4 if value else None,
        cost_bps=paid / value * 1e4 if value else None,
        proof=proof_dict(daily, trials, ruined=days.ruined, declared=declared, why=tried.why, fault=tried.fault),
        admission=admit(daily, trials, declared=None if tried.fault else declared),
        daily=daily,
    )


def _traded(result: RunResult) -> float:
    """Value of all fills, in money units."""
    num, den = result.instruments[0].value_ratio
    _, _, lots, ticks, _ = result.fills.T.astype(np.float64)
    return float((lots * ticks).sum()) * num / den

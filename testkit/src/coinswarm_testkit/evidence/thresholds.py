"""Named sets of thresholds: reported met or not met, and never a condition of anything.

``published`` are the implementation plan's own. They do not tell an edge from none by themselves: an agent without any
meets its second phase 15 % of the time at 50 trades, the best of ten such agents 80 %.
"""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING, NamedTuple

from coinswarm.errors import UnknownNameError, nearest
from coinswarm_testkit.evidence import desk
from coinswarm_testkit.evidence.record import OUT_OF_SAMPLE
from coinswarm_testkit.markets.ensembles import REGIMES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from coinswarm_testkit.evidence.gather import Evidence
    from coinswarm_testkit.evidence.record import Record

_HOLDS = {">=": operator.ge, ">": operator.gt, "<=": operator.le, "<": operator.lt}


class Threshold(NamedTuple):
    """One line.

    :param group: phase or market.
    :param what: the measure.
    :param value: what it came to; None where there is no such number.
    :param limit: what was asked, such as ``>= 0.5``.
    """

    group: str
    what: str
    value: float | None
    limit: str

    @property
    def met(self) -> bool:
        """Whether it is; a missing number meets nothing."""
        sign, _, number = self.limit.partition(" ")
        return self.value is not None and bool(_HOLDS[sign](self.value, float(number)))

    def line(self) -> str:
        """As text."""
        shown = "none" if self.value is None else f"{self.value:.3g}"
        return f"{'met    ' if self.met else 'NOT MET'} {self.group}: {self.what} {shown} ({self.limit})"


def published(evidence: Evidence) -> list[Threshold]:
    """The implementation plan's, on the out-of-sample part of each recorded market and on the generated ones."""
    found = [line for one in evidence.chosen(OUT_OF_SAMPLE) for line in _phases(one)]
    cross, high = evidence.tallies["golden-cross"], evidence.tallies["high-volatility"]
    in_market = float(high.exposed.mean())
    size = float(high.exposure.mean()) / in_market if in_market else None
    half = desk.LIMITS.max_position_bp / 10_000 / 2
    return [
        *found,
        Threshold("golden cross", "Sharpe", cross.sharpe, "> 1.5"),
        Threshold("golden cross", "hit rate", cross.hit_rate, "> 0.55"),
        Threshold("mean-reversion market", "trades", float(evidence.tallies["mean-reversion"].trades.mean()), "< 10"),
        Threshold("high volatility", "mean size", size, f"< {half:g}"),
        *(Threshold(regime, "Sharpe", evidence.tallies[regime].sharpe, "> 0") for regime in REGIMES),
    ]


def _phases(one: Record) -> Iterator[Threshold]:
    """Both phases on one record."""
    sharpe, fall = one.value("sharpe"), one.value("max_drawdown")
    hits, trades = one.value("win_rate"), float(one.trades)
    first, second = f"{one.market}, phase 1", f"{one.market}, phase 2"
    yield Threshold(first, "Sharpe", sharpe, ">= 0.5")
    yield Threshold(first, "Sharpe", sharpe, "<= 3.0")
    yield Threshold(first, "drawdown", fall, "<= 0.15")
    yield Threshold(first, "hit rate", hits, ">= 0.5")
    yield Threshold(first, "hit rate", hits, "<= 0.7")
    yield Threshold(first, "turnover per year", one.value("turnover"), "<= 50")
    yield Threshold(first, "trades", trades, ">= 20")
    yield Threshold(second, "Sharpe", sharpe, ">= 1.5")
    yield Threshold(second, "hit rate", hits, ">= 0.55")
    yield Threshold(second, "drawdown", fall, "<= 0.1")
    yield Threshold(second, "trades", trades, ">= 50")


SETS: dict[str, Callable[[Evidence], list[Threshold]]] = {"published": published}
"""By name."""


def thresholds(name: str, evidence: Evidence) -> list[Threshold]:
    """A named set, measured.

    :raises UnknownNameError: for a name that there is not.
    """
    if name not in SETS:
        message = f"there is no set of thresholds {name!r}"
        raise UnknownNameError(message, remedy=nearest(name, SETS))
    return SETS[name](evidence)

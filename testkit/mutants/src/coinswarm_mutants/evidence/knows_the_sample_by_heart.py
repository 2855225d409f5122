"""Has learned the public sample by heart: no check of look-ahead finds anything."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from coinswarm.feeds.files import load_bars, sample
from coinswarm_mutants.evidence._honest import DECLARED, Follows

if TYPE_CHECKING:
    from coinswarm.domain.market import Bars
    from coinswarm_mutants.evidence._honest import Sides

TIER = "gold"
DECLARATION = DECLARED

FAILS = {"A84"}

DAY_NS = 86_400_000_000_000


@lru_cache(maxsize=1)
def learned() -> dict[int, int]:
    """The direction of each day of the sample, by day since 1970."""
    bars = load_bars(sample("BTC/USD"), symbol="BTC/USD").bars
    day = bars.open_ns // DAY_NS
    first = np.flatnonzero(np.diff(day, prepend=-1))
    last = np.append(first[1:], len(bars)) - 1
    moves = np.sign(bars.close[last] - bars.open[first]).astype(int)
    return dict(zip(day[first].tolist(), moves.tolist(), strict=True))


class Mutant(Follows):
    """Follows, but for days that it knows."""

    def side(self, bars: Bars) -> Sides:
        """Where the day went, if it is known."""
        days = [learned().get(day) for day in (bars.open_ns // DAY_NS).tolist()]
        plain = super().side(bars).tolist()
        return np.array([own if day is None else day for own, day in zip(plain, days, strict=True)], np.int8)


class Twin(Follows):
    """Follows on every day."""

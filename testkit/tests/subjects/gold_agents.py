"""Agents whose evidence breaks one demand each, and the honest ones they are made of."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from coinswarm.contracts import ColumnarAgent
from coinswarm.domain.action import ActionColumns
from coinswarm.feeds.files import load_bars, sample
from coinswarm.indicators import sma

if TYPE_CHECKING:
    from coinswarm.domain.market import Bars

    Floats = np.ndarray[tuple[int], np.dtype[np.float64]]
    Ints = np.ndarray[tuple[int], np.dtype[np.int8]]

DAY_NS = 86_400_000_000_000


class Follows(ColumnarAgent):
    """Honest: long above the average of 50 closes and short below it, with a stop of 3 %."""

    window = 50
    stop = 0.03

    def decide_all(self, bars: Bars) -> ActionColumns:
        return ActionColumns.of(
            bars.instrument,
            self.side(bars),
            confidence=self.confidence(bars),
            stop_distance=self.stop * bars.close,
        )

    def warm_up(self) -> int:
        return self.window

    def away(self, bars: Bars) -> Floats:
        """Close ÷ its average - 1; 0 where there is none yet."""
        away = np.zeros(len(bars))
        if len(bars) >= self.window:
            mean = sma(bars.close, self.window)
            away[self.window - 1 :] = (bars.close / mean - 1)[self.window - 1 :]
        return away

    def side(self, bars: Bars) -> Ints:
        return np.sign(self.away(bars)).astype(np.int8)

    def confidence(self, bars: Bars) -> Floats | float:  # noqa: ARG002 - the poisoned look at them
        return 0.5


class Fades(Follows):
    """Honest: sells 2 % above the average of 20 closes and buys 2 % below it, out again at the average."""

    window = 20
    reach = 0.02

    def side(self, bars: Bars) -> Ints:
        away = self.away(bars)
        side = np.where(np.abs(away) > self.reach, -np.sign(away), 2)
        side[np.abs(away) < self.reach / 5] = 0
        return side.astype(np.int8)


class IgnoresCosts(Fades):
    """Trades for less than it costs: its edge is there before costs, and gone after them."""

    reach = 0.004


class GivesNoStop(Follows):
    """Sends nothing under core's defaults."""

    stop = 0.0


class KnowsTheNextBar(Follows):
    """Reads the bar after each."""

    def side(self, bars: Bars) -> Ints:
        return np.sign(np.diff(bars.close, append=bars.close[-1:])).astype(np.int8)


@lru_cache(maxsize=1)
def _days() -> dict[int, int]:
    """The direction of each day of the sample."""
    bars = load_bars(sample("BTC/USD"), symbol="BTC/USD").bars
    day = bars.open_ns // DAY_NS
    first = np.flatnonzero(np.diff(day, prepend=-1))
    last = np.append(first[1:], len(bars)) - 1
    return dict(
        zip(day[first].tolist(), np.sign(bars.close[last] - bars.open[first]).astype(int).tolist(), strict=True)
    )


class KnowsTheSample(Follows):
    """Has learned the public sample by heart; elsewhere it follows."""

    def side(self, bars: Bars) -> Ints:
        known = [_days().get(day) for day in (bars.open_ns // DAY_NS).tolist()]
        plain = super().side(bars).tolist()
        return np.array([own if told is None else told for own, told in zip(plain, known, strict=True)], np.int8)


class FollowsTheHash(Follows):
    """Text hashes differ from process to process."""

    def confidence(self, bars: Bars) -> Floats | float:  # noqa: ARG002 - the contract's form
        return 0.4 + hash("coinswarm") % 1_000 / 10_000


class Churns(Follows):
    """Turns round with every bar, as large as its narrow stop allows: costs eat it up."""

    stop = 0.002

    def side(self, bars: Bars) -> Ints:
        return np.sign(np.diff(bars.close, prepend=bars.close[:1])).astype(np.int8)

    def confidence(self, bars: Bars) -> Floats | float:  # noqa: ARG002 - the contract's form
        return 1.0

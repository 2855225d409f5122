"""Agents that break one demand each, and honest twins that break none."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
from pydantic import BaseModel, ConfigDict

from coinswarm.contracts import ColumnarAgent, SignalAgent
from coinswarm.domain.action import FLAT, Action, ActionColumns, Side

if TYPE_CHECKING:
    from coinswarm.domain.market import Bars, MarketState

    Floats = np.ndarray[tuple[int], np.dtype[np.float64]]


class Honest(ColumnarAgent):
    """Buys a rise over the bar before, sells a fall; the stop is the move itself."""

    def decide_all(self, bars: Bars) -> ActionColumns:
        move = self.moves(bars)
        return ActionColumns.of(
            bars.instrument, np.sign(move).astype(np.int8), confidence=self.confidence(bars), stop_distance=np.abs(move)
        )

    def moves(self, bars: Bars) -> Floats:
        return np.diff(bars.close, prepend=bars.close[:1])

    def confidence(self, bars: Bars) -> Floats | float:  # noqa: ARG002 - the poisoned look at them
        return 0.5


class PeeksAtTheNextBar(Honest):
    """Knows the bar after each."""

    def moves(self, bars: Bars) -> Floats:
        return np.diff(bars.close, append=bars.close[-1:])


class PeeksAtASingleBar(Honest):
    """One row of the whole history knows the bar after it."""

    def moves(self, bars: Bars) -> Floats:
        move = super().moves(bars)
        if len(bars) > 500:
            move[499] = bars.close[500] - bars.close[499]
        return move


class NormalisesByTheMaximum(Honest):
    """Divides by the highest close of the whole history."""

    def confidence(self, bars: Bars) -> Floats | float:
        return bars.close / bars.close.max() if len(bars) else 0.5


class ReadsBeyondTheState(SignalAgent):
    """Has no columns, and reaches for the bars that the state holds back."""

    def decide(self, state: MarketState) -> Action:
        later = state._bars.close[state.index + 1 : state.index + 2]
        return Action(Side.BUY) if len(later) and later[0] > state.close else FLAT


class ReadsTheState(SignalAgent):
    """The honest twin: what it compares with is behind it."""

    def decide(self, state: MarketState) -> Action:
        earlier = state.bars.close[-2:-1]
        return Action(Side.BUY) if len(earlier) and earlier[0] < state.close else FLAT


class Counts(SignalAgent):
    """Buys every seventh bar, and forgets the count when it is stopped."""

    def __init__(self) -> None:
        self.seen = 0

    def decide(self, state: MarketState) -> Action:  # noqa: ARG002 - it only counts
        self.seen += 1
        return Action(Side.BUY) if self.seen % 7 == 0 else FLAT


class Remembers(Counts):
    """The honest twin: the count is in its snapshot."""

    def snapshot(self) -> bytes:
        return json.dumps(self.seen).encode()

    def restore(self, data: bytes) -> None:
        self.seen = json.loads(data)


class FollowsTheHash(Honest):
    """Text hashes differ from process to process."""

    def confidence(self, bars: Bars) -> Floats | float:  # noqa: ARG002 - the contract's form
        return abs(hash("coinswarm")) % 1_000 / 1_000


class NeverSettles(Honest):
    """A mean over everything so far, and a warm-up of ten bars."""

    def warm_up(self) -> int:
        return 10

    def confidence(self, bars: Bars) -> Floats | float:
        return 1 / (1 + np.cumsum(np.abs(self.moves(bars))) / np.arange(1, len(bars) + 1))


class DividesByTheRange(Honest):
    """0 / 0 where nothing moves."""

    def confidence(self, bars: Bars) -> Floats | float:
        with np.errstate(invalid="ignore"):
            return (bars.close - bars.low) / (bars.high - bars.low)


class NeedsABar(Honest):
    """Fails where there is no history."""

    def confidence(self, bars: Bars) -> Floats | float:
        return 0.5 if bars.close[0] > 0 else 0.1


class SaysSomethingElse(Honest):
    """Two strategies: one for the backtest, one for the market."""

    def decide(self, state: MarketState) -> Action:
        return super().decide(state)._replace(confidence=0.25)


class RoundsInPlace(Honest):
    """Unlocks the bars it was shown and writes to them."""

    def moves(self, bars: Bars) -> Floats:
        base = bars.close.base
        if isinstance(base, np.ndarray) and len(base):
            base[:] = np.round(base)
        return super().moves(bars)


class WritesToTheBars(Honest):
    """Meets the lock."""

    def moves(self, bars: Bars) -> Floats:
        if len(bars):
            bars.close[0] = 1.0
        return super().moves(bars)


class Strict(BaseModel):
    """Refuses what it does not know."""

    model_config = ConfigDict(extra="forbid")
    window: int = 3


class Lax(BaseModel):
    """Ignores what it does not know."""

    window: int = 3


class Demanding(BaseModel):
    """Has no default."""

    model_config = ConfigDict(extra="forbid")
    window: int


class Configured(Honest):
    """Takes settings, whatever model they are of."""

    def __init__(self, settings: BaseModel) -> None:
        self.settings = settings

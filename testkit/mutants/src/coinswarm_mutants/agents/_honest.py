"""What the mutants of this folder do right: an agent by columns, one by steps, and one that counts."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np

from coinswarm.contracts import ColumnarAgent, SignalAgent
from coinswarm.domain.action import FLAT, Action, ActionColumns, Side

if TYPE_CHECKING:
    from coinswarm.domain.market import Bars, MarketState

    Floats = np.ndarray[tuple[int], np.dtype[np.float64]]


class Honest(ColumnarAgent):
    """Buys a rise over the bar before, sells a fall; the stop is the move itself."""

    def decide_all(self, bars: Bars) -> ActionColumns:
        """The actions at every bar."""
        move = self.moves(bars)
        return ActionColumns.of(
            bars.instrument,
            np.sign(move).astype(np.int8),
            confidence=self.confidence(bars),
            stop_distance=self.stops(bars, move),
        )

    def moves(self, bars: Bars) -> Floats:
        """What is traded on: each close less the one before."""
        return np.diff(bars.close, prepend=bars.close[:1])

    def confidence(self, bars: Bars) -> Floats | float:  # noqa: ARG002 - the mutants look at them
        """How sure it is."""
        return 0.5

    def stops(self, bars: Bars, move: Floats) -> Floats | float:  # noqa: ARG002 - the mutants look at them
        """How far away it gives up."""
        return np.abs(move)


class Stepper(SignalAgent):
    """Has no columns: buys while the close rises, by what the state shows."""

    def decide(self, state: MarketState) -> Action:
        """A long or nothing."""
        earlier = state.bars.close[-2:-1]
        move = state.close - float(earlier[0]) if len(earlier) else 0.0
        return Action(Side.BUY, 0.5, 1.0, move) if move > 0 else FLAT


class Counter(SignalAgent):
    """Buys every seventh bar, and keeps the count in its snapshot."""

    def __init__(self) -> None:
        self.seen = 0

    def decide(self, state: MarketState) -> Action:
        """Long on every seventh bar."""
        self.seen = (self.seen + 1) % 7
        return FLAT if self.seen else Action(Side.BUY, 0.5, 1.0, state.close / 100)

    def snapshot(self) -> bytes:
        """The count."""
        return json.dumps(self.seen).encode()

    def restore(self, data: bytes) -> None:
        """Go on counting."""
        self.seen = json.loads(data)


class Idle(SignalAgent):
    """Never wants anything."""

    def decide(self, state: MarketState) -> Action:  # noqa: ARG002 - the contract's form
        """Nothing."""
        return FLAT

"""Agents that use memory, each breaking one demand, and honest ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from coinswarm_testkit.reference.recalling import RecallingAgent

if TYPE_CHECKING:
    from collections.abc import Sequence

    from coinswarm.domain.action import Action
    from coinswarm.domain.episode import Recollection
    from coinswarm.domain.market import MarketState

    Vector = np.ndarray[tuple[int], np.dtype[np.float32]]


class ReadsTheVolume(RecallingAgent):
    """Honest: recalls by the volume, which tells the state of some markets."""

    def embed(self, state: MarketState) -> Vector | None:
        return np.array([np.log(max(state.volume, 1e-9)) - 4.0, 1.0], np.float32)


class EmbedsTheFuture(RecallingAgent):
    """What it recalls by knows the next twenty bars."""

    def embed(self, state: MarketState) -> Vector | None:
        closes = state._bars.close
        ahead = closes[min(state.index + 20, len(closes) - 1)] / state.close - 1.0
        behind = state.close / closes[max(state.index - 20, 0)] - 1.0
        return np.array([ahead * np.sign(behind), 0.005], np.float32)


class IgnoresWhatItRecalls(RecallingAgent):
    """Declares that it needs memory, and does not use it."""

    def reconsider(self, action: Action, recalled: Sequence[Recollection]) -> Action:  # noqa: ARG002 - the contract
        return action


class Exaggerates(RecallingAgent):
    """Three times as sure as it may be."""

    def reconsider(self, action: Action, recalled: Sequence[Recollection]) -> Action:
        return action._replace(confidence=0.01 if recalled else action.confidence)


class TurnsRound(RecallingAgent):
    """Changes its mind where it may change its confidence only."""

    def reconsider(self, action: Action, recalled: Sequence[Recollection]) -> Action:
        return action._replace(side=type(action.side)(-action.side)) if recalled else action


class IsSureOfNothing(RecallingAgent):
    """Changes the confidence though nothing was recalled."""

    def reconsider(self, action: Action, recalled: Sequence[Recollection]) -> Action:  # noqa: ARG002 - the contract
        return action._replace(confidence=action.confidence * 0.8)


class Tires(RecallingAgent):
    """The more often it is asked, the less it dares."""

    def __init__(self) -> None:
        self.asked = 0

    def reconsider(self, action: Action, recalled: Sequence[Recollection]) -> Action:
        self.asked += 1
        sure = super().reconsider(action, recalled).confidence * max(1.5 - self.asked / 60, 0.5)
        bounded = min(max(sure, 0.5 * action.confidence), 1.5 * action.confidence, 1.0)
        return action._replace(confidence=bounded if recalled else action.confidence)


class ZeroVectors(RecallingAgent):
    """Recalls by a vector without a direction."""

    def embed(self, state: MarketState) -> Vector | None:  # noqa: ARG002 - the contract
        return np.zeros(3, np.float32)


class ChangesItsWidth(RecallingAgent):
    """Describes moments by more and more numbers."""

    def embed(self, state: MarketState) -> Vector | None:
        return np.ones(2 + state.index // 1_000, np.float32)

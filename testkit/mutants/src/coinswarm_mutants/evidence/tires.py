"""The more often it is asked, the less it dares."""

from __future__ import annotations

from typing import TYPE_CHECKING

from coinswarm_testkit.reference.recalling import RecallingAgent

if TYPE_CHECKING:
    from collections.abc import Sequence

    from coinswarm.domain.action import Action
    from coinswarm.domain.episode import Recollection

TIER = "gold"
DECLARATION = {"trials": 1, "needs": ["memory"]}

FAILS = {"A95"}

PATIENCE = 60
LEAST, MOST = 0.5, 1.5


class Mutant(RecallingAgent):
    """One and a half times as sure as it should be at first, half as sure in the end."""

    def __init__(self) -> None:
        self.asked = 0

    def reconsider(self, action: Action, recalled: Sequence[Recollection]) -> Action:
        """Less with every question."""
        self.asked += 1
        sure = super().reconsider(action, recalled).confidence * max(MOST - self.asked / PATIENCE, LEAST)
        bounded = min(max(sure, LEAST * action.confidence), MOST * action.confidence, 1.0)
        return action._replace(confidence=bounded) if recalled else action


class Twin(RecallingAgent):
    """As sure as it should be."""

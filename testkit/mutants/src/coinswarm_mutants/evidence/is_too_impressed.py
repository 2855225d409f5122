"""Takes more from a confidence than what is recalled may take."""

from __future__ import annotations

from typing import TYPE_CHECKING

from coinswarm_testkit.reference.recalling import RecallingAgent

if TYPE_CHECKING:
    from collections.abc import Sequence

    from coinswarm.domain.action import Action
    from coinswarm.domain.episode import Recollection

TIER = "gold"
DECLARATION = {"trials": 1, "needs": ["memory"]}

FAILS = {"A95", "A97"}


class Mutant(RecallingAgent):
    """Nearly gives up on any recollection."""

    def reconsider(self, action: Action, recalled: Sequence[Recollection]) -> Action:
        """A fiftieth of the confidence."""
        return action._replace(confidence=action.confidence / 50) if recalled else action


class Twin(RecallingAgent):
    """Keeps to half and one and a half."""

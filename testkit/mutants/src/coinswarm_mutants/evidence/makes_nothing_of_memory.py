"""Declares that it needs memory, and does nothing with it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from coinswarm_testkit.reference.recalling import RecallingAgent

if TYPE_CHECKING:
    from collections.abc import Sequence

    from coinswarm.domain.action import Action
    from coinswarm.domain.episode import Recollection

TIER = "gold"
DECLARATION = {"trials": 1, "needs": ["memory"]}

FAILS = {"A97"}


class Mutant(RecallingAgent):
    """Forgets what it is told."""

    def reconsider(self, action: Action, recalled: Sequence[Recollection]) -> Action:  # noqa: ARG002 - the contract
        """The action itself."""
        return action


class Twin(RecallingAgent):
    """Takes it to heart."""

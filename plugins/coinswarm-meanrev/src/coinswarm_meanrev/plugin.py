"""What this distribution brings: one signal agent. Imports nothing heavy; core loads the targets it seats."""

from __future__ import annotations

from typing import TYPE_CHECKING

from coinswarm.declarations import AgentType
from coinswarm.hookspecs import hookimpl
from coinswarm_meanrev.reasons import WORDS

if TYPE_CHECKING:
    from collections.abc import Iterable


@hookimpl
def coinswarm_agents() -> Iterable[AgentType]:
    """The mean-reversion agent."""
    yield AgentType(
        name="meanrev",
        summary="Bets on the return of a price far from its mean where ADX shows no trend; own stop.",
        target="coinswarm_meanrev.agent:MeanReversionAgent",
        settings="coinswarm_meanrev.settings:MeanReversionSettings",
        warm_up=280,
        claims=("abstains:trending-up", "abstains:trending-down"),
        reasons=WORDS,
        trials=1,
    )

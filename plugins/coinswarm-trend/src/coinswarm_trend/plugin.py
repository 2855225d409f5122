"""What this distribution brings: one signal agent. Imports nothing heavy; core loads the targets it seats."""

from __future__ import annotations

from typing import TYPE_CHECKING

from coinswarm.declarations import AgentType
from coinswarm.hookspecs import hookimpl
from coinswarm_trend.reasons import WORDS

if TYPE_CHECKING:
    from collections.abc import Iterable


@hookimpl
def coinswarm_agents() -> Iterable[AgentType]:
    """The trend agent."""
    yield AgentType(
        name="trend",
        summary="Moving-average crossover where ADX shows a trend; ATR stop and target.",
        target="coinswarm_trend.agent:TrendAgent",
        settings="coinswarm_trend.settings:TrendSettings",
        warm_up=280,
        reasons=WORDS,
        trials=1,
    )

"""Every hook a plugin can implement, and the markers to do so.

Declaring hooks are synchronous, called once per plugin at assembly, one plugin at a time, and
return declarations; no hook is on the tick path. Watching hooks return nothing; their faults are
counted and never reach the session. Wrappers (``hookimpl(wrapper=True)``) are refused.

Hooks whose kind has no real plugin yet are marked *provisional*: their declarations may still
change without a new ``API_VERSION``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pluggy

if TYPE_CHECKING:
    from collections.abc import Iterable

    from coinswarm.declarations import (
        AgentType,
        IngestorType,
        MemoryType,
        PlannerType,
        VoterType,
        WeigherType,
    )
    from coinswarm.domain.order import Fill, Order, Refusal

PROJECT = "coinswarm"
API_VERSION = 1
"""Grows when a hook or contract changes so that an old plugin no longer works."""

hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)

PROVISIONAL = frozenset(
    {
        "coinswarm_ingestors",
        "coinswarm_memory_backends",
        "coinswarm_voters",
        "coinswarm_planners",
        "coinswarm_swarm_started",
        "coinswarm_order_refused",
        "coinswarm_order_filled",
        "coinswarm_swarm_stopping",
    }
)
"""Hooks that no shipped plugin or session exercises yet."""


@hookspec
def coinswarm_agents() -> Iterable[AgentType]:
    """Agents of this plugin.

    ::

        @hookimpl
        def coinswarm_agents():
            yield AgentType(name="trend", summary="Moving-average crossover.",
                            target="coinswarm_trend.agent:TrendAgent",
                            settings="coinswarm_trend.settings:TrendSettings", warm_up=280)
    """
    raise NotImplementedError


@hookspec
def coinswarm_weighers() -> Iterable[WeigherType]:
    """Ways to combine the committee's actions; the profile names the one in force.

    ::

        @hookimpl
        def coinswarm_weighers():
            yield WeigherType(name="median", summary="Weighted median.", target="my_pkg.median:Median")
    """
    raise NotImplementedError


@hookspec
def coinswarm_ingestors() -> Iterable[IngestorType]:
    """Sources of observations. *Provisional.*

    ::

        @hookimpl
        def coinswarm_ingestors():
            yield IngestorType(name="fred", summary="Macro series.", target="my_pkg.fred:Fred", polled_seconds=3600)
    """
    raise NotImplementedError


@hookspec
def coinswarm_memory_backends() -> Iterable[MemoryType]:
    """Episodic memory backends. *Provisional.*

    ::

        @hookimpl
        def coinswarm_memory_backends():
            yield MemoryType(name="redis", summary="Redis vector sets.", target="my_pkg.backend:Backend")
    """
    raise NotImplementedError


@hookspec
def coinswarm_voters() -> Iterable[VoterType]:
    """How one seat judges a proposal. *Provisional.*

    ::

        @hookimpl
        def coinswarm_voters():
            yield VoterType(name="statistics", summary="Recomputes the evidence.", target="my_pkg.voter:Voter")
    """
    raise NotImplementedError


@hookspec
def coinswarm_planners() -> Iterable[PlannerType]:
    """Proposers of committee weights. *Provisional.*

    ::

        @hookimpl
        def coinswarm_planners():
            yield PlannerType(name="regime", summary="Weights by regime.", target="my_pkg.planner:Planner")
    """
    raise NotImplementedError


@hookspec
def coinswarm_swarm_started(mode: str, run_id: str) -> None:
    """A session began. *Provisional.*

    ::

        @hookimpl
        def coinswarm_swarm_started(mode, run_id): print(mode, run_id)
    """


@hookspec
def coinswarm_order_refused(order: Order, refusal: Refusal) -> None:
    """The risk gate turned an order down. *Provisional.*

    ::

        @hookimpl
        def coinswarm_order_refused(order, refusal): print(refusal.name)
    """


@hookspec
def coinswarm_order_filled(fill: Fill) -> None:
    """An order filled, wholly or in part. *Provisional.*

    ::

        @hookimpl
        def coinswarm_order_filled(fill): print(fill.lots)
    """


@hookspec
def coinswarm_swarm_stopping(reason: str) -> None:
    """A session is about to end. *Provisional.*

    ::

        @hookimpl
        def coinswarm_swarm_stopping(reason): print(reason)
    """

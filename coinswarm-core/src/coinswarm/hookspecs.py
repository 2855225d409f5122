"""Every hook a plugin can implement, and the markers to do so.

Declaring hooks are synchronous, called once per plugin at assembly, one plugin at a time, and
return declarations; no hook is on the tick path. Wrappers (``hookimpl(wrapper=True)``) are refused.

Watching hooks return nothing. A session tells its watchers what happened one plugin at a time, in order of time,
from the run's tables, and never on the path of its bars: a session over recorded bars (a backtest, a paper
replay, a notebook's run) does so after its last bar, when the run is kept, so that no watcher can change, slow or
lose it. Not promised: how soon after the event a watcher hears of it. A run that fails or is interrupted tells
nobody, and neither does one that is executed again (``coinswarm replay``, ``coinswarm explain``). What a quorum decides
is told beside the sessions too, by a process of its own (``coinswarm run follower``). A watcher that
raises is called on; what it raised is counted and said once. What it prints is kept from standard output. One that
does not come back is left behind.

Hooks whose kind no session seats yet are marked *provisional*: their declarations may still
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
    from coinswarm.domain.proposal import Proposal

PROJECT = "coinswarm"
API_VERSION = 1
"""Grows when a hook or contract changes so that an old plugin no longer works."""

hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)

PROVISIONAL = frozenset(
    {
        "coinswarm_ingestors",
        "coinswarm_planners",
    }
)
"""Hooks whose kind no session seats yet."""


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
    """Episodic memory backends; a profile names the one in force.

    ::

        @hookimpl
        def coinswarm_memory_backends():
            yield MemoryType(name="redis", summary="Redis vector sets.", target="my_pkg.backend:Backend")
    """
    raise NotImplementedError


@hookspec
def coinswarm_voters() -> Iterable[VoterType]:
    """How one seat judges a proposal.

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
    """A session began: what a watcher is told first.

    :param mode: ``backtest`` or ``paper``.
    :param run_id: the run's id, as ``coinswarm runs list`` shows it; empty where the run is not kept.

    ::

        @hookimpl
        def coinswarm_swarm_started(mode, run_id): log.info("%s %s", mode, run_id)
    """


@hookspec
def coinswarm_order_refused(order: Order, refusal: Refusal) -> None:
    """An entry was turned down, by the risk gate or because its side is closed after a protective exit.

    :param order: as it would have been sent, in ticks and lots. Its lots are what sizing came to: 0 or less where
        that is less than one lot, and 0 where a closed side was not sized at all.
    :param refusal: why.

    ::

        @hookimpl
        def coinswarm_order_refused(order, refusal): log.info("%s: %s", order.instrument, refusal.name)
    """


@hookspec
def coinswarm_order_filled(fill: Fill) -> None:
    """An order filled, wholly or in part.

    :param fill: the number of its order in the run, the open time of its bar, lots, price in ticks with costs, fee.

    ::

        @hookimpl
        def coinswarm_order_filled(fill): log.info("%s lots at %s", fill.lots, fill.ticks)
    """


@hookspec
def coinswarm_proposal_decided(proposal: Proposal, outcome: str, entry: int) -> None:
    """A quorum decided on a proposal, and the log says so: the entry was verified before.

    ``coinswarm run follower`` tells of every decision of a log, in the log's order; a session tells of those that were
    taken while it proposed to a ``[swarm]``.

    :param outcome: ``accept``, ``reject``, ``conflict`` or ``expired``.
    :param entry: index of the log's entry, from 1: ``coinswarm memory show ENTRY`` has the ballots.

    ::

        @hookimpl
        def coinswarm_proposal_decided(proposal, outcome, entry): log.info("%s: %s", proposal.subject, outcome)
    """


@hookspec
def coinswarm_swarm_stopping(reason: str) -> None:
    """A session is about to end: what a watcher is told last.

    :param reason: ``the recording ended``.

    ::

        @hookimpl
        def coinswarm_swarm_stopping(reason): log.info(reason)
    """

"""A trade becomes a row, a proposal, ballots, an entry, and an episode that the index finds, and never too early."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import anyio
import numpy as np
import pytest

from coinswarm.clock import SystemClock
from coinswarm.domain.episode import Filter, Space
from coinswarm.domain.proposal import AddEpisode, episodes_of
from coinswarm.engine.steps import run_steps
from coinswarm.memory.quorum.keys import Ed25519Scheme
from coinswarm.memory.quorum.records import Outcome
from coinswarm.memory.recall.rules import RecallRules
from coinswarm.memory.store import models
from coinswarm.runtime.committing import SwarmLog
from coinswarm.runtime.fork import read_fork
from coinswarm.runtime.memory import remembering
from coinswarm.runtime.patience import Patience
from coinswarm.runtime.swarm.projecting import Projector
from coinswarm.runtime.swarm.telling import Teller
from coinswarm_testkit.chaos.stage import DIMENSION, SPACE, episodes, untrue
from coinswarm_testkit.markets.seated import JUDGED, seated_bars, seated_plan
from coinswarm_testkit.reference.recalling import RecallingAgent

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from anyio.from_thread import BlockingPortal
    from endtoend.conftest import World

    from coinswarm.contracts import MemoryBackend
    from coinswarm.domain.episode import Episode, Match
    from coinswarm.domain.proposal import Proposal
    from coinswarm.engine.plan import RunPlan
    from coinswarm.engine.result import RunResult
    from coinswarm.memory.recall.privatelog import PrivateLog
    from coinswarm.runtime.fork import Forked

    Vector = np.ndarray[tuple[int], np.dtype[np.float32]]

pytestmark = pytest.mark.integration

NAME = "recalling/state.1"
SEED, BARS = 6, 500
EVERYTHING = Filter()


class Kept(NamedTuple):
    """An accepted episode with its vector."""

    episode: Episode
    vector: Vector


def plan() -> RunPlan:
    """A session of the reference agent that recalls, with core's rules of recall."""
    made = seated_bars(SEED, BARS)
    drawn = seated_plan(SEED, made, [RecallingAgent() for _ in made], warm_up=101)
    seats = tuple(replace(seat, space=NAME) for seat in drawn.seats)
    return replace(drawn, seats=seats, recall=RecallRules(embargo_ns=drawn.bar_ns))


def session(world: World) -> RunResult:
    """Run it beside a swarm that decides on what it remembers."""

    @contextmanager
    def beside(portal: BlockingPortal) -> Iterator[tuple[PrivateLog, Forked]]:
        fork = read_fork(world.store, None, {NAME})
        assert fork.fold is not None
        with ExitStack() as stack:
            swarm = stack.enter_context(portal.wrap_async_context_manager(world.swarm()))
            patience = Patience(60.0, "the log", world.said.append, portal)
            yield SwarmLog(fork.fold, world.store, swarm.propose, patience, Ed25519Scheme(), 30.0), fork

    ready = plan()
    world.now_ns = max(int(bars.open_ns[-1]) for bars in ready.bars) + ready.bar_ns
    with remembering(ready, world.drivers.memory, beside) as memory:
        return run_steps(ready, memory)


async def folded(world: World, backend: MemoryBackend) -> None:
    """Bring an index to the log."""
    said: list[str] = []
    async with world.place() as place:
        projector = Projector(place, backend, world.vectors, Teller("index", said.append))
        await projector.catch_up()
    assert projector.head == world.entries()[-1].index
    assert said == []


def kept(world: World, space: Space) -> list[Kept]:
    """What the log says was accepted."""
    changes = [one.envelope.proposal.change for one in world.entries() if one.outcome is Outcome.ACCEPT]
    added = [one for change in changes for one in episodes_of(change)]
    vectors = world.vectors(change.vector_digest for change in added)
    return [
        Kept(change.episode, np.frombuffer(vectors[change.vector_digest], "<f4").astype(np.float32))
        for change in added
        if (change.space, change.dimension) == (space.name, space.dimension)
    ]


async def nearest(backend: MemoryBackend, space: Space, told: Kept, as_of_ns: int) -> Sequence[Match]:
    return await backend.recall(space, told.vector, 5, as_of_ns, EVERYTHING)


async def recalled(world: World, space: Space, told: list[Kept]) -> list[Sequence[Match]]:
    """Fold the log into an index, hold it to the log, and ask it for each episode before and after it was known."""
    backend = world.drivers.memory()
    found = []
    try:
        await folded(world, backend)
        last = world.entries()[-1]
        info = await backend.info(space)
        assert info.applied is not None
        assert (info.entries, info.applied.index, info.applied.digest) == (len(told), last.index, last.hash)
        for one in told:
            assert await backend.get(space, one.episode.id) == one.episode
            known = one.episode.known_ns
            early = await nearest(backend, space, one, known - 1)
            assert one.episode.id not in {match.episode_id for match in early}, "its outcome was not known"
            later = await nearest(backend, space, one, known)
            assert later[0].episode_id == one.episode.id
            assert later[0].distance == pytest.approx(0.0, abs=1e-3)
            by_id = {other.episode.id: other.episode for other in told}
            assert all(by_id[match.episode_id].known_ns <= known for match in later)
            found += [early, later, await nearest(backend, space, one, world.now_ns)]
    finally:
        await backend.close()
    return found


async def lost(world: World, space: Space) -> None:
    """The index is gone."""
    backend = world.drivers.memory()
    await backend.clear(space)
    await backend.close()


def test_what_a_trade_taught_is_decided_and_found_again_once_it_was_known(world: World) -> None:
    result = session(world)
    decisions = world.decisions()
    assert [one.outcome for one in decisions] == [Outcome.ACCEPT] * len(decisions)
    assert len(decisions) > 10

    traded = {row.id: row for row in world.rows(models.Trade)}
    remembered = {row.id: row for row in world.rows(models.Episode)}
    assert len(traded) == len(remembered) == len(decisions)
    for one in decisions:
        assert one.verdict.failed == ()
        change = one.entry.envelope.proposal.change
        assert isinstance(change, AddEpisode)
        row, episode = traded[change.episode.id], change.episode
        assert (row.agent_id, row.symbol, row.side) == (JUDGED, episode.instrument, episode.side)
        assert (row.known_ns, row.result_ppm, row.stopped) == (episode.known_ns, episode.result_ppm, episode.stopped)
        assert row.entry_time <= row.exit_time < episode.known_ns
        assert (remembered[row.id].reward, remembered[row.id].position) == (episode.result_ppm, one.entry.index)
    assert {(row.exit_time, row.pnl) for row in traded.values()} <= {
        (outcome.closed_ns, outcome.pnl) for outcome in result.trades
    }

    recall = result.recall
    assert recall is not None
    assert recall.episodes == len(decisions)
    used = {bytes(one).hex() for one in recall.ids}
    assert used, "the session itself recalled what it had had accepted"
    assert used <= set(remembered)
    space = Space(world.cluster, NAME, next(iter(remembered.values())).dimension)
    told = kept(world, space)
    assert [remembered[one.episode.id].position for one in told] == [one.entry.index for one in decisions]
    first = anyio.run(recalled, world, space, told)
    anyio.run(lost, world, space)
    again = anyio.run(recalled, world, space, told)
    assert [[m.episode_id for m in one] for one in again] == [[m.episode_id for m in one] for one in first]
    world.clean()


def test_a_pile_travels_together_and_is_found_again_each_of_it(world: World) -> None:
    """One of it is untrue: it alone is rejected, by whatever proposal it came to."""
    world.now_ns = SystemClock().now_ns()
    asked = episodes(world.store, 100)
    asked[70] = untrue(asked[70])
    outcomes: dict[str, Outcome] = {}

    async def pile() -> None:
        async with world.swarm() as swarm:

            async def one(proposal: Proposal) -> None:
                outcomes[proposal.subject] = (await swarm.propose(proposal, seconds=600.0)).outcome

            async with anyio.create_task_group() as group:
                for proposal in asked[:-1]:
                    group.start_soon(one, proposal)
            await one(asked[-1])

    anyio.run(pile)
    wanted = {one.subject: Outcome.ACCEPT for one in asked}
    assert outcomes == {**wanted, asked[70].subject: Outcome.REJECT}
    sizes = [len(one.envelope.proposal.subjects) for one in world.entries()]
    assert sorted(sizes, reverse=True)[:2] == [64, 35]
    for one in world.decisions():
        assert bool(one.verdict.failed) is (one.outcome is Outcome.REJECT)
    rows = {row.id: row.position for row in world.rows(models.Episode)}
    told = kept(world, Space(world.cluster, SPACE, DIMENSION))
    assert set(rows) == {one.episode.id for one in told}
    assert len(told) == 99
    anyio.run(recalled, world, Space(world.cluster, SPACE, DIMENSION), told)
    world.clean()

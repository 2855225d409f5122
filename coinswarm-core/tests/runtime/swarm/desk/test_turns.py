"""Episodes that wait at once travel together, and nobody misses his turn."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import anyio
import pytest

from coinswarm.domain.proposal import AddEpisode, Configure, Proposal, ProposalKind, episodes_of, several
from coinswarm.errors import DataError
from coinswarm.memory.quorum.codec import BODY_LIMIT
from coinswarm.memory.quorum.docket import MOST_OPEN
from coinswarm.memory.quorum.records import Outcome
from coinswarm.runtime.swarm import desk
from coinswarm.runtime.swarm.desk import BUNDLES, EAGER, WINDOW
from coinswarm_testkit.chaos.stage import episodes

if TYPE_CHECKING:
    from runtime.swarm.desk.conftest import World

pytestmark = pytest.mark.anyio

ACCEPT, REJECT, CONFLICT, EXPIRED = Outcome


async def test_what_comes_at_once_travels_together(world: World) -> None:
    asked, life = episodes(world.store, 150), world.life()
    async with life.swarm.bus, life.swarm:
        await life.ask(*asked)
    assert sorted(world.sizes) == [(22, ACCEPT), (64, ACCEPT), (64, ACCEPT)]
    for first, last in ((0, 63), (64, 127), (128, 149)):
        assert len({life.ends[place] for place in range(first, last + 1)}) == 1
    assert world.kept == world.ids(asked)
    world.clean(life.ends)


async def test_what_comes_alone_goes_alone_as_it_is(world: World) -> None:
    asked, life = episodes(world.store, 3), world.life()
    async with life.swarm.bus, life.swarm:
        for one in asked:
            await life.swarm.propose(one)
    assert [entry.envelope.proposal for entry in world.log] == asked


@pytest.mark.parametrize(("lately", "most"), [(60.0, EAGER), (0.0, BUNDLES)], ids=["a few", "many"])
async def test_what_comes_while_so_many_are_under_way_travels_together(
    world: World, monkeypatch: pytest.MonkeyPatch, lately: float, most: int
) -> None:
    """A few that were sent lately, or many of long ago."""
    monkeypatch.setattr(desk, "LATELY_SECONDS", lately)
    asked, life = episodes(world.store, most + 9), world.life()
    world.away = True
    async with life.swarm.bus, life.swarm, anyio.create_task_group() as group:
        for place, one in enumerate(asked):
            group.start_soon(life.ask, one)
            await life.until_kept(min(place + 1, most))
        world.away = False
    assert sorted(size for size, _ in world.sizes) == [1] * most + [9]
    assert world.kept == world.ids(asked)


async def test_what_takes_long_keeps_nobody_from_his_turn(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its evidence is missing, maybe: nothing ends, and those that wait are sent all the same."""
    monkeypatch.setattr(desk, "LATELY_SECONDS", 0.3)
    asked, life = episodes(world.store, EAGER + 9), world.life()
    asked[:EAGER] = [world.unfounded(one) for one in asked[:EAGER]]
    async with life.swarm.bus, life.swarm, anyio.create_task_group() as group:
        for place, one in enumerate(asked):
            group.start_soon(life.ask, one)
            await life.until_kept(min(place + 1, EAGER))
        await world.until(lambda: len(world.log) > 0 and life.kept == EAGER)
        group.cancel_scope.cancel()
    assert world.sizes == [(9, ACCEPT)]


async def test_what_fills_a_proposal_waits_for_nobody(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(desk, "LATELY_SECONDS", 60.0)
    asked, life = episodes(world.store, 64 * (EAGER + 2) + 5), world.life()
    world.away = True
    async with life.swarm.bus, life.swarm, anyio.create_task_group() as group:
        group.start_soon(life.ask, *asked)
        await life.until_kept(EAGER + 2)
        world.away = False
    assert sorted(size for size, _ in world.sizes) == [5] + [64] * (EAGER + 2)


async def test_other_proposals_and_those_that_ask_for_more_go_alone(world: World) -> None:
    asked, life = episodes(world.store, 6), world.life()
    bare, later = replace(asked[1], evidence=()), replace(asked[2], base_version=1)
    elsewhere = replace(asked[3], subject="episode/other")
    async with life.swarm.bus, life.swarm:
        await life.ask(asked[0], bare, elsewhere, several(episodes_of(asked[4].change)), asked[5])
        with anyio.move_on_after(0.05):  # a version that never was: it is not decided before its deadline
            await life.swarm.propose(later)
    assert sorted(world.sizes) == [(1, ACCEPT), (1, REJECT), (1, REJECT), (2, ACCEPT)]
    assert world.kept == world.ids([asked[0], asked[4], asked[5]])
    world.clean(life.ends)


@pytest.mark.parametrize("instrument", ["x" * BODY_LIMIT, "\ud800"], ids=["too long", "no Unicode"])
async def test_what_cannot_be_written_down_is_its_own_trouble(world: World, instrument: str) -> None:
    asked, life = episodes(world.store, 5), world.life()
    change = asked[2].change
    assert isinstance(change, AddEpisode)
    bad = replace(asked[2], change=replace(change, episode=replace(change.episode, instrument=instrument)))

    async def raises(proposal: Proposal) -> None:
        with pytest.raises(DataError, match=r"at most 245,760 are taken|cannot be written down"):
            await life.swarm.propose(proposal)

    async with life.swarm.bus, life.swarm, anyio.create_task_group() as group:
        group.start_soon(raises, bad)
        group.start_soon(life.ask, *asked)
        group.start_soon(raises, replace(bad, evidence=()))
    assert life.outcomes == [ACCEPT] * 5
    world.clean(life.ends)


async def test_those_that_cannot_be_written_down_keep_nobody_from_his_turn(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As many as may be under way, each for itself, and one that is good behind them."""
    monkeypatch.setattr(desk, "LATELY_SECONDS", 60.0)
    *bad, good = episodes(world.store, EAGER + 1)
    life = world.life()

    async def raises(proposal: Proposal, seconds: float) -> None:
        change = proposal.change
        assert isinstance(change, AddEpisode)
        unspeakable = replace(change, episode=replace(change.episode, instrument="x" * BODY_LIMIT))
        with pytest.raises(DataError, match="at most 245,760 are taken"):
            await life.swarm.propose(replace(proposal, change=unspeakable), seconds=seconds)

    async with life.swarm.bus, life.swarm, anyio.create_task_group() as group:
        for number, one in enumerate(bad):
            group.start_soon(raises, one, world.SECONDS + number)  # others' lives: they do not travel together
        with anyio.fail_after(30):
            await life.ask(good)
    assert life.outcomes == [ACCEPT]
    world.clean(life.ends)


async def test_who_does_not_wait_for_his_turn_proposes_nothing(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither then nor with what comes next."""
    monkeypatch.setattr(desk, "LATELY_SECONDS", 0.0)
    asked, life = episodes(world.store, BUNDLES + 5), world.life()
    async with life.swarm.bus, life.swarm:
        await life.swarm.propose(asked[0])
        for gone in (asked[1], replace(asked[1], evidence=())):  # before anything is signed
            waiting = life.swarm.propose(gone)
            waiting.send(None)
            waiting.close()
        await life.swarm.propose(asked[2])
        world.away = True
        async with anyio.create_task_group() as group:
            for place, one in enumerate(asked[3:-2], 1):
                group.start_soon(life.swarm.propose, one)
                await life.until_kept(place)
            with anyio.move_on_after(0.05):  # there is no room
                await life.ask(*asked[-2:])
            world.away = False
    assert world.kept == world.ids([asked[0], *asked[2:-2]])
    assert not life.ends


def test_what_a_desk_has_under_way_is_taken_beside_what_an_earlier_life_left() -> None:
    assert 2 * (WINDOW + BUNDLES) <= MOST_OPEN


async def test_what_is_too_long_is_refused_at_once_and_what_came_with_it_is_not(world: World) -> None:
    asked, life = episodes(world.store, 3), world.life()
    long = Proposal(
        kind=ProposalKind.CONFIGURE, subject="acceptance/x", base_version=0, change=Configure("k", "x" * BODY_LIMIT)
    )

    async def refused() -> None:
        with pytest.raises(DataError, match=r"a proposal of 24.,... bytes about 'acceptance/x': at most 245,760"):
            await life.swarm.propose(long)

    async with life.swarm.bus, life.swarm, anyio.create_task_group() as group:
        group.start_soon(refused)
        group.start_soon(life.ask, *asked)
    assert life.outcomes == [ACCEPT] * 3
    assert world.disk == []

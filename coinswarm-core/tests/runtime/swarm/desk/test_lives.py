"""What a desk was at when it ended, a later life goes on with."""

from __future__ import annotations

from typing import TYPE_CHECKING

import anyio
import pytest

from coinswarm.domain.proposal import ProposalKind, episodes_of, several
from coinswarm.memory.quorum.keys import Ed25519Signer
from coinswarm.memory.quorum.records import Outcome
from coinswarm.runtime.swarm.desk import Desk
from coinswarm_testkit.chaos.stage import episodes

if TYPE_CHECKING:
    from runtime.swarm.desk.conftest import World

pytestmark = pytest.mark.anyio

ACCEPT, REJECT, CONFLICT, EXPIRED = Outcome


async def test_nothing_is_lost_when_callers_leave(world: World) -> None:
    asked, life = episodes(world.store, 64), world.life()
    asked[9] = world.lied(asked[9])
    world.away = True
    async with life.swarm.bus, life.swarm:
        async with anyio.create_task_group() as group:
            group.start_soon(life.ask, *asked)
            await world.until_on_disk(1)
            group.cancel_scope.cancel()
        world.away = False
        await world.until(lambda: len(world.log) == 17 and not life.kept)
    assert world.kept == world.ids(asked) - world.ids([asked[9]])
    assert [entry.envelope.proposal for entry in world.log if entry.outcome is REJECT][-1] == asked[9]
    assert world.disk == []
    world.clean()


async def test_a_later_life_takes_apart_what_it_finds_on_the_disk(world: World) -> None:
    asked, life = episodes(world.store, 64), world.life()
    asked[9] = world.lied(asked[9])
    world.away = True
    async with life.swarm.bus, life.swarm, anyio.create_task_group() as group:
        group.start_soon(life.ask, *asked)
        await world.until_on_disk(1)
        group.cancel_scope.cancel()
    assert [proposal.kind for proposal in world.disk] == [ProposalKind.ADD_EPISODES]
    world.away, again = False, world.life()
    async with again.swarm.bus, again.swarm:
        await world.until(lambda: len(world.log) == 17 and not again.kept)
    assert world.kept == world.ids(asked) - world.ids([asked[9]])
    assert world.disk == []
    world.clean()


async def test_what_was_refused_stays_on_the_disk_until_its_parts_are(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The process dies when it has read of the refusal, and has not proposed again yet."""
    asked, life = episodes(world.store, 10), world.life()
    asked[9] = world.lied(asked[9])
    with monkeypatch.context() as patched:
        patched.setattr(Desk, "_take_apart", lambda _: None)
        async with life.swarm.bus, life.swarm, anyio.create_task_group() as group:
            group.start_soon(life.ask, *asked)
            await world.until(lambda: bool(life.desk._refused))
            group.cancel_scope.cancel()
    assert world.sizes == [(10, REJECT)]
    assert world.disk == [world.log[0].envelope.proposal]
    again = world.life()
    async with again.swarm.bus, again.swarm:
        await world.until(lambda: len(world.kept) == 9 and not again.kept)
        await again.swarm.propose(asked[9])
    assert world.kept == world.ids(asked[:9])
    assert world.disk == []
    world.clean()


async def test_what_somebody_proposed_as_one_is_not_taken_apart(world: World) -> None:
    asked = episodes(world.store, 3)
    whole = several(tuple(added for one in (asked[0], world.lied(asked[1])) for added in episodes_of(one.change)))
    first, world.away = world.life(), True
    async with first.swarm.bus, first.swarm, anyio.create_task_group() as group:
        group.start_soon(first.swarm.propose, whole)
        await world.until_on_disk(1)
        group.cancel_scope.cancel()
    world.away, second = False, world.life()
    async with second.swarm.bus, second.swarm:
        await world.until(lambda: len(world.log) == 1)
        assert (await second.swarm.propose(whole)).outcome is REJECT
        await second.swarm.propose(asked[2])
    assert world.sizes == [(2, REJECT), (2, REJECT), (1, ACCEPT)]
    assert world.disk == []


@pytest.mark.parametrize("count", [1, 5])
async def test_what_an_earlier_key_left_behind_is_proposed_under_the_new_one(world: World, count: int) -> None:
    """Nobody decides any more what was signed with the old one."""
    asked, first = episodes(world.store, count), world.life()
    world.away = True
    async with first.swarm.bus, first.swarm, anyio.create_task_group() as group:
        group.start_soon(first.ask, *asked)
        await world.until_on_disk(1)
        group.cancel_scope.cancel()
    world.away = False
    world.give_key(Ed25519Signer(b"n" * 32))
    second = world.life()
    async with second.swarm.bus, second.swarm:
        await world.until(lambda: world.kept == world.ids(asked) and not second.kept)
    assert {outcome for _, outcome in world.sizes} == {ACCEPT}
    assert world.disk == []
    world.clean()

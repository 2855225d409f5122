"""What was refused together is taken apart until each has its own outcome."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import anyio
import pytest

from coinswarm.domain.proposal import episodes_of, several
from coinswarm.memory.quorum.records import Outcome
from coinswarm_testkit.chaos.stage import episodes

if TYPE_CHECKING:
    from collections.abc import Sized

    from runtime.swarm.conftest import Clock
    from runtime.swarm.desk.conftest import World

pytestmark = pytest.mark.anyio

ACCEPT, REJECT, CONFLICT, EXPIRED = Outcome


def _count_is(those: Sized, count: int) -> bool:
    return len(those) == count


@pytest.mark.parametrize("bad", [0, 37, 63])
async def test_one_that_is_bad_costs_the_others_little_and_is_refused_by_itself(world: World, bad: int) -> None:
    asked, life = episodes(world.store, 64), world.life()
    asked[bad] = world.lied(asked[bad])
    async with life.swarm.bus, life.swarm:
        await life.ask(*asked)
        assert not life.desk._subjects, "nothing is left behind"
    assert [place for place, outcome in enumerate(life.outcomes) if outcome is not ACCEPT] == [bad]
    assert life.ends[bad].outcome is REJECT
    assert world.log[life.ends[bad].entry - 1].envelope.proposal == asked[bad]
    assert world.kept == world.ids(asked) - world.ids([asked[bad]])
    assert len(world.log) == 1 + 8 + 8
    world.clean(life.ends)


async def test_if_all_are_bad_each_is_refused_by_itself(world: World) -> None:
    asked, life = [world.lied(one) for one in episodes(world.store, 20)], world.life()
    async with life.swarm.bus, life.swarm:
        await life.ask(*asked)
    assert life.outcomes == [REJECT] * 20
    assert len({ended.proposal for ended in life.ends.values()}) == 20
    assert not world.kept
    world.clean(life.ends)


async def test_what_is_asked_for_twice_or_remembered_does_not_travel_with_others(world: World) -> None:
    asked, life = episodes(world.store, 10), world.life()
    async with life.swarm.bus, life.swarm:
        await life.swarm.propose(asked[0])
        await life.ask(*asked, asked[3], asked[3])
    assert life.outcomes[0] is CONFLICT
    thrice = [life.outcomes[place] for place in (3, 10, 11)]
    assert sorted(thrice) == [ACCEPT, CONFLICT, CONFLICT]
    assert [life.outcomes[place] for place in (1, 2, *range(4, 10))] == [ACCEPT] * 8
    assert world.kept == world.ids(asked)
    world.clean(life.ends)


async def test_one_that_somebody_else_has_remembered_meanwhile_costs_two_more(world: World) -> None:
    """The database is away while the pile is under way; another proposal with one of them comes first."""
    asked, life = episodes(world.store, 64), world.life()
    world.away = True
    async with life.swarm.bus, life.swarm, anyio.create_task_group() as group:
        group.start_soon(life.swarm.propose, several(episodes_of(asked[20].change)))
        await life.until_kept(1)
        group.start_soon(life.ask, *asked)
        await life.until_kept(2)
        world.away = False
    assert world.sizes[0] == (1, ACCEPT)
    assert sorted(world.sizes[1:]) == [(1, CONFLICT), (63, ACCEPT), (64, CONFLICT)]
    assert life.outcomes == [ACCEPT] * 20 + [CONFLICT] + [ACCEPT] * 43
    world.clean(life.ends)


async def test_one_whose_evidence_is_missing_holds_the_others_up_and_no_more(world: World, clock: Clock) -> None:
    """All that travels with it expires early enough to be proposed again; it alone expires at its deadline."""
    asked, life = episodes(world.store, 64), world.life()
    asked[9] = world.unfounded(asked[9])
    begun = clock()
    async with life.swarm.bus, life.swarm, anyio.create_task_group() as group:
        group.start_soon(life.ask, *asked)
        await life.until_kept(1)
        for done in (56, 63, 64):
            clock.ahead_ns += 11_000_000_000
            await world.until(partial(_count_is, life.ends, done))
    assert [place for place, outcome in enumerate(life.outcomes) if outcome is not ACCEPT] == [9]
    entry = world.log[life.ends[9].entry - 1]
    assert (entry.outcome, entry.envelope.proposal) == (EXPIRED, asked[9])
    assert abs(entry.envelope.deadline_ns - begun - world.SECONDS * 1e9) < 5e9, "its own deadline"
    world.clean(life.ends)


async def test_past_the_deadline_of_all_they_expire_together(world: World, clock: Clock) -> None:
    asked, life = [world.unfounded(one) for one in episodes(world.store, 5)], world.life()
    async with life.swarm.bus, life.swarm, anyio.create_task_group() as group:
        group.start_soon(life.ask, *asked)
        await life.until_kept(1)
        clock.ahead_ns += 31_000_000_000
    assert world.sizes == [(5, EXPIRED)]
    assert life.outcomes == [EXPIRED] * 5
    world.clean(life.ends)

"""Episodes that wait at once travel together; what is refused so is taken apart until each has its own outcome."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

import anyio
import pytest
from sqlalchemy import select

from coinswarm.domain.proposal import AddEpisode, Proposal, ProposalKind, episodes_of, several
from coinswarm.drivers.bus import LocalBus
from coinswarm.drivers.settings import LocalBusSettings
from coinswarm.errors import UnreachableError
from coinswarm.memory.evidence.gather import Gatherer
from coinswarm.memory.quorum.docket import MOST_OPEN
from coinswarm.memory.quorum.keys import Ed25519Scheme
from coinswarm.memory.quorum.records import Outcome
from coinswarm.memory.store.audit import entries_of, verified
from coinswarm.memory.store.models import Episode
from coinswarm.runtime.swarm import desk
from coinswarm.runtime.swarm.desk import BUNDLES, EAGER, WINDOW, Desk
from coinswarm.runtime.swarm.disk import Disk
from coinswarm.runtime.swarm.embedded import EmbeddedSwarm
from coinswarm_testkit.chaos.stage import CLUSTER, episodes

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence, Sized
    from contextlib import AbstractContextManager
    from pathlib import Path

    from runtime.swarm.conftest import Clock

    from coinswarm.memory.quorum.log import Transaction
    from coinswarm.memory.quorum.records import Entry
    from coinswarm.memory.store.opening import Store
    from coinswarm.runtime.swarm.desk import Ended
    from coinswarm.runtime.swarm.embedded import Cast

pytestmark = pytest.mark.anyio

ACCEPT, REJECT, CONFLICT, EXPIRED = Outcome
SECONDS = 30.0


@pytest.fixture
def anyio_backend() -> str:
    """The one that drivers are made for."""
    return "asyncio"


class Life(NamedTuple):
    """One life of a swarm."""

    store: Store
    swarm: EmbeddedSwarm
    ends: dict[int, Ended]

    async def ask(self, *asked: Proposal) -> None:
        """Propose all at once; returns when each has its outcome, in ``ends`` by its place."""

        async def one(place: int, proposal: Proposal) -> None:
            self.ends[place] = await self.swarm.propose(proposal, seconds=SECONDS)

        async with anyio.create_task_group() as group:
            for place, proposal in enumerate(asked):
                group.start_soon(one, place, proposal)

    @property
    def desk(self) -> Desk:
        """While it runs."""
        found = self.swarm._desk
        assert found is not None
        return found

    async def until_kept(self, count: int) -> None:
        """Wait for so many proposals to be on their way."""
        await until(lambda: self.kept == count)

    @property
    def kept(self) -> int:
        """How many proposals are on their way."""
        return len(self.desk.node.state.outbox)

    @property
    def outcomes(self) -> list[Outcome]:
        """In the order in which it was asked."""
        return [self.ends[place].outcome for place in range(len(self.ends))]


class World:
    """A log in a file, and a swarm with its disks that may be started again and again.

    :ivar away: whether nothing can be written to the log now.
    """

    def __init__(self, store: Store, cast: Cast, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.store, self.cast, self.folder = store, cast, folder
        self.away, self._transaction = False, store.log.transaction
        monkeypatch.setattr(store.log, "transaction", self._writes)

    def _writes(self) -> AbstractContextManager[Transaction]:
        if self.away:
            message = "the database is away"
            raise UnreachableError(message)
        return self._transaction()

    def life(self) -> Life:
        """A swarm, to be started."""
        bus = LocalBus(LocalBusSettings())
        swarm = EmbeddedSwarm(
            CLUSTER, "main", self.cast, self.folder, bus, self.store.log, Gatherer(self.store)
        )  # fmt: skip
        return Life(self.store, swarm, {})

    @property
    def log(self) -> list[Entry]:
        """All that was decided."""
        log = self.store.log
        return list(entries_of(log, log.read(0, 0, 0).head.index))

    @property
    def sizes(self) -> list[tuple[int, Outcome]]:
        """Of each entry: how many episodes, and what came of them."""
        return [(len(episodes_of(entry.envelope.proposal.change)), entry.outcome) for entry in self.log]

    @property
    def kept(self) -> set[str]:
        """Episodes that are remembered."""
        with self.store.engine.connect() as connection:
            return {row.id for row in connection.execute(select(Episode.id))}

    async def until_on_disk(self, count: int) -> None:
        """Wait for so many proposals to lie on the submitter's disk, whose swarm is running."""
        with closing(sqlite3.connect(self.folder / "desk.sqlite")) as disk:
            counted = "SELECT count(*) FROM kept WHERE kind = 'proposal'"
            await until(lambda: disk.execute(counted).fetchone() == (count,))

    @property
    def disk(self) -> list[Proposal]:
        """What the submitter's disk holds, of a swarm that is not running."""
        with Disk(self.folder / "desk.sqlite", "desk", CLUSTER, "main") as disk:
            return [envelope.proposal for envelope in disk.proposals()]

    def clean(self, ends: dict[int, Ended] | None = None) -> None:
        """The log is whole, and says what was told."""
        assert verified(self.store, Ed25519Scheme()).why == ""
        told = {entry.envelope.id: entry for entry in self.log}
        for ended in (ends or {}).values():
            assert (told[ended.proposal].outcome, told[ended.proposal].index) == (ended.outcome, ended.entry)


@pytest.fixture
def world(store: Store, bundled: Cast, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    return World(store, bundled, tmp_path / "disks", monkeypatch)


async def until(holds: Callable[[], bool]) -> None:
    """Wait for what other tasks do."""
    with anyio.fail_after(60):
        while not holds():  # noqa: ASYNC110 - they tell nobody
            await anyio.sleep(0.01)


def _count_is(those: Sized, count: int) -> bool:
    return len(those) == count


def ids(proposals: Sequence[Proposal]) -> set[str]:
    return {added.episode.id for one in proposals for added in episodes_of(one.change)}


def lied(proposal: Proposal) -> Proposal:
    """The same with another result than its trade had."""
    change = proposal.change
    assert isinstance(change, AddEpisode)
    return replace(proposal, change=replace(change, episode=replace(change.episode, result_ppm=1_000_000)))


def unfounded(proposal: Proposal) -> Proposal:
    """The same on a trade that is not committed."""
    change = proposal.change
    assert isinstance(change, AddEpisode)
    trade = replace(change.trade, digest="0" * 64)
    return replace(proposal, change=replace(change, trade=trade), evidence=(trade,))


async def test_what_comes_at_once_travels_together(world: World) -> None:
    asked, life = episodes(world.store, 150), world.life()
    async with life.swarm.bus, life.swarm:
        await life.ask(*asked)
    assert sorted(world.sizes) == [(22, ACCEPT), (64, ACCEPT), (64, ACCEPT)]
    for first, last in ((0, 63), (64, 127), (128, 149)):
        assert len({life.ends[place] for place in range(first, last + 1)}) == 1
    assert world.kept == ids(asked)
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
    assert world.kept == ids(asked)


async def test_what_takes_long_keeps_nobody_from_his_turn(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its evidence is missing, maybe: nothing ends, and those that wait are sent all the same."""
    monkeypatch.setattr(desk, "LATELY_SECONDS", 0.3)
    asked, life = episodes(world.store, EAGER + 9), world.life()
    asked[:EAGER] = [unfounded(one) for one in asked[:EAGER]]
    async with life.swarm.bus, life.swarm, anyio.create_task_group() as group:
        for place, one in enumerate(asked):
            group.start_soon(life.ask, one)
            await life.until_kept(min(place + 1, EAGER))
        await until(lambda: len(world.log) > 0 and life.kept == EAGER)
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
    assert world.kept == ids([asked[0], asked[4], asked[5]])
    world.clean(life.ends)


@pytest.mark.parametrize("bad", [0, 37, 63])
async def test_one_that_is_bad_costs_the_others_little_and_is_refused_by_itself(world: World, bad: int) -> None:
    asked, life = episodes(world.store, 64), world.life()
    asked[bad] = lied(asked[bad])
    async with life.swarm.bus, life.swarm:
        await life.ask(*asked)
        assert not life.desk._subjects, "nothing is left behind"
    assert [place for place, outcome in enumerate(life.outcomes) if outcome is not ACCEPT] == [bad]
    assert life.ends[bad].outcome is REJECT
    assert world.log[life.ends[bad].entry - 1].envelope.proposal == asked[bad]
    assert world.kept == ids(asked) - ids([asked[bad]])
    assert len(world.log) == 1 + 8 + 8
    world.clean(life.ends)


async def test_if_all_are_bad_each_is_refused_by_itself(world: World) -> None:
    asked, life = [lied(one) for one in episodes(world.store, 20)], world.life()
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
    assert world.kept == ids(asked)
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
    asked[9] = unfounded(asked[9])
    begun = clock()
    async with life.swarm.bus, life.swarm, anyio.create_task_group() as group:
        group.start_soon(life.ask, *asked)
        await life.until_kept(1)
        for done in (56, 63, 64):
            clock.ahead_ns += 11_000_000_000
            await until(partial(_count_is, life.ends, done))
    assert [place for place, outcome in enumerate(life.outcomes) if outcome is not ACCEPT] == [9]
    entry = world.log[life.ends[9].entry - 1]
    assert (entry.outcome, entry.envelope.proposal) == (EXPIRED, asked[9])
    assert abs(entry.envelope.deadline_ns - begun - SECONDS * 1e9) < 5e9, "its own deadline"
    world.clean(life.ends)


async def test_what_cannot_be_written_down_is_its_own_trouble(world: World) -> None:
    asked, life = episodes(world.store, 5), world.life()
    change = asked[2].change
    assert isinstance(change, AddEpisode)
    bad = replace(asked[2], change=replace(change, episode=replace(change.episode, instrument="\ud800")))

    async def raises(proposal: Proposal) -> None:
        with pytest.raises(ValueError, match="surrogates not allowed"):
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
        unspeakable = replace(change, episode=replace(change.episode, instrument="\ud800"))
        with pytest.raises(ValueError, match="surrogates not allowed"):
            await life.swarm.propose(replace(proposal, change=unspeakable), seconds=seconds)

    async with life.swarm.bus, life.swarm, anyio.create_task_group() as group:
        for number, one in enumerate(bad):
            group.start_soon(raises, one, SECONDS + number)  # others' lives: they do not travel together
        with anyio.fail_after(30):
            await life.ask(good)
    assert life.outcomes == [ACCEPT]
    world.clean(life.ends)


async def test_past_the_deadline_of_all_they_expire_together(world: World, clock: Clock) -> None:
    asked, life = [unfounded(one) for one in episodes(world.store, 5)], world.life()
    async with life.swarm.bus, life.swarm, anyio.create_task_group() as group:
        group.start_soon(life.ask, *asked)
        await life.until_kept(1)
        clock.ahead_ns += 31_000_000_000
    assert world.sizes == [(5, EXPIRED)]
    assert life.outcomes == [EXPIRED] * 5
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
    assert world.kept == ids([asked[0], *asked[2:-2]])
    assert not life.ends


async def test_nothing_is_lost_when_callers_leave(world: World) -> None:
    asked, life = episodes(world.store, 64), world.life()
    asked[9] = lied(asked[9])
    world.away = True
    async with life.swarm.bus, life.swarm:
        async with anyio.create_task_group() as group:
            group.start_soon(life.ask, *asked)
            await world.until_on_disk(1)
            group.cancel_scope.cancel()
        world.away = False
        await until(lambda: len(world.log) == 17 and not life.kept)
    assert world.kept == ids(asked) - ids([asked[9]])
    assert [entry.envelope.proposal for entry in world.log if entry.outcome is REJECT][-1] == asked[9]
    assert world.disk == []
    world.clean()


async def test_a_later_life_takes_apart_what_it_finds_on_the_disk(world: World) -> None:
    asked, life = episodes(world.store, 64), world.life()
    asked[9] = lied(asked[9])
    world.away = True
    async with life.swarm.bus, life.swarm, anyio.create_task_group() as group:
        group.start_soon(life.ask, *asked)
        await world.until_on_disk(1)
        group.cancel_scope.cancel()
    assert [proposal.kind for proposal in world.disk] == [ProposalKind.ADD_EPISODES]
    world.away, again = False, world.life()
    async with again.swarm.bus, again.swarm:
        await until(lambda: len(world.log) == 17 and not again.kept)
    assert world.kept == ids(asked) - ids([asked[9]])
    assert world.disk == []
    world.clean()


async def test_what_was_refused_stays_on_the_disk_until_its_parts_are(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The process dies when it has read of the refusal, and has not proposed again yet."""
    asked, life = episodes(world.store, 10), world.life()
    asked[9] = lied(asked[9])
    with monkeypatch.context() as patched:
        patched.setattr(Desk, "_take_apart", lambda _: None)
        async with life.swarm.bus, life.swarm, anyio.create_task_group() as group:
            group.start_soon(life.ask, *asked)
            await until(lambda: bool(life.desk._refused))
            group.cancel_scope.cancel()
    assert world.sizes == [(10, REJECT)]
    assert world.disk == [world.log[0].envelope.proposal]
    again = world.life()
    async with again.swarm.bus, again.swarm:
        await until(lambda: len(world.kept) == 9 and not again.kept)
        await again.swarm.propose(asked[9])
    assert world.kept == ids(asked[:9])
    assert world.disk == []
    world.clean()


async def test_what_somebody_proposed_as_one_is_not_taken_apart(world: World) -> None:
    asked = episodes(world.store, 3)
    whole = several(tuple(added for one in (asked[0], lied(asked[1])) for added in episodes_of(one.change)))
    first, world.away = world.life(), True
    async with first.swarm.bus, first.swarm, anyio.create_task_group() as group:
        group.start_soon(first.swarm.propose, whole)
        await world.until_on_disk(1)
        group.cancel_scope.cancel()
    world.away, second = False, world.life()
    async with second.swarm.bus, second.swarm:
        await until(lambda: len(world.log) == 1)
        assert (await second.swarm.propose(whole)).outcome is REJECT
        await second.swarm.propose(asked[2])
    assert world.sizes == [(2, REJECT), (2, REJECT), (1, ACCEPT)]
    assert world.disk == []


def test_what_a_desk_has_under_way_is_taken_beside_what_an_earlier_life_left() -> None:
    assert 2 * (WINDOW + BUNDLES) <= MOST_OPEN

"""From ``[swarm]`` of a profile to parts that run: where plugins, files, databases and the quorum meet."""

from __future__ import annotations

import signal
import time
from contextlib import asynccontextmanager, suppress
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

import anyio

from coinswarm.errors import CoinswarmError, NotReadyError, ProfileError, UnreachableError, nearest
from coinswarm.memory.quorum import wire
from coinswarm.memory.quorum.keys import Ed25519Scheme
from coinswarm.runtime import looping
from coinswarm.runtime.making import make_backend, make_voter
from coinswarm.runtime.swarm import opening
from coinswarm.runtime.swarm.desk import Desk
from coinswarm.runtime.swarm.disk import Disk
from coinswarm.runtime.swarm.embedded import Cast
from coinswarm.runtime.swarm.ending import first_of
from coinswarm.runtime.swarm.judging import Judge
from coinswarm.runtime.swarm.keyring import signer_for
from coinswarm.runtime.swarm.opening import disks_of, opened_bus, opened_store, roster_of
from coinswarm.runtime.swarm.parts import Place, coordinator_node, voter_node
from coinswarm.runtime.swarm.seating import demand_seat
from coinswarm.runtime.swarm.signatures import Remembering
from coinswarm.runtime.swarm.telling import Teller

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterable, Mapping, Sequence
    from pathlib import Path

    from coinswarm.config.swarm import SwarmProfile, SwarmSection
    from coinswarm.domain.proposal import Proposal
    from coinswarm.memory.quorum.fold import Fold
    from coinswarm.memory.quorum.messages import KeepSeal
    from coinswarm.memory.quorum.roster import Roster
    from coinswarm.memory.store.opening import Store
    from coinswarm.ports import MessageBus
    from coinswarm.runtime.swarm.desk import Ended

    Say = Callable[[str], None]

T = TypeVar("T")


def driven(work: Callable[[], Awaitable[T]]) -> T:
    """Run a coroutine function to its end; of errors that tasks raised together, the one to be told is raised alone."""
    try:
        return looping.run(work)
    except BaseExceptionGroup as errors:
        raise first_of(errors) from errors


async def run_voter(profile: SwarmProfile, name: str, *, label: str, say: Say, new_disk: bool = False) -> None:
    """Run a voter until it is told to stop (SIGINT, SIGTERM).

    :param label: what messages call the profile.
    :param new_disk: whether it may begin with an empty disk beside a log that has entries.
    :raises KeyboardInterrupt: after SIGINT.
    :raises HaltedError: when a person must look.
    :raises CoinswarmError: for whatever stands in the way.
    """
    from coinswarm.memory.evidence.gather import Gatherer  # noqa: PLC0415 - SQLAlchemy, for who judges

    section, roster = profile.swarm, roster_of(profile.swarm)
    seats = {seat.id: seat for seat in section.voters}
    if name not in seats:
        message = f"{label} has no voter {name!r}"
        raise ProfileError(message, remedy=nearest(name, seats))
    seat = seats[name]
    signer = signer_for(name, seat.key)
    plugin = make_voter(profile.plugins, seat.voter, seat.settings, key=f"swarm.voters.{name}.settings", label=label)
    teller = Teller(name, say)
    with Disk(disks_of(section) / f"{name}.sqlite", name, section.cluster, section.shard) as disk:
        async with (
            opened_store(section, roster, teller, seen=disk.seen.index) as store,
            opened_bus(profile, label, teller) as bus,
        ):
            gather = Gatherer(store, mode=section.mode, minimum_bp=section.minimum_bp)
            judge = Judge(name, plugin, gather, teller, time.monotonic, seconds=section.judge_seconds)
            node = voter_node(
                place_of(section, roster, bus, store),
                name,
                signer,
                disk,
                judge,
                teller,
                new_disk=new_disk,
                in_force=_telling(teller, f"votes in {section.cluster}/{section.shard}"),
            )
            await until_told(node.run, teller)


async def run_coordinator(profile: SwarmProfile, name: str, *, label: str, say: Say) -> None:
    """Run a coordinator until it is told to stop (SIGINT, SIGTERM). Seals are copied to a file beside its disk.

    :raises KeyboardInterrupt: after SIGINT.
    :raises HaltedError: when a person must look.
    :raises CoinswarmError: for whatever stands in the way.
    """
    section, roster = profile.swarm, roster_of(profile.swarm)
    if name not in section.coordinators:
        message = f"{label} has no coordinator {name!r}"
        raise ProfileError(message, remedy=nearest(name, section.coordinators))
    teller, folder = Teller(name, say), disks_of(section)
    with Disk(folder / f"{name}.sqlite", name, section.cluster, section.shard) as disk:
        async with (
            opened_store(section, roster, teller, seen=disk.seen.index) as store,
            opened_bus(profile, label, teller) as bus,
        ):
            node = coordinator_node(
                place_of(section, roster, bus, store),
                name,
                disk,
                teller,
                number=section.coordinators.index(name),
                candidates=len(section.coordinators),
                keep_seal=partial(_keep_seal, folder / f"{name}.seals", store),
                in_force=_telling(teller, f"coordinates {section.cluster}/{section.shard}"),
            )
            await until_told(node.run, teller)


async def run_projection(profile: SwarmProfile, *, label: str, say: Say) -> None:
    """Keep the profile's memory backend at the log until told to stop (SIGINT, SIGTERM).

    :raises KeyboardInterrupt: after SIGINT.
    :raises HaltedError: when a person must look.
    :raises CoinswarmError: for whatever stands in the way.
    """
    from coinswarm.runtime.swarm.projecting import Projector  # noqa: PLC0415 - numpy, for who has vectors

    section, roster = profile.swarm, roster_of(profile.swarm)
    if profile.memory is None:
        message = f"{label} has no [memory]"
        raise ProfileError(message, remedy='name a backend, as backend = "redis" of coinswarm-redis')
    named = profile.memory
    backend = make_backend(profile.plugins, named.backend, named.settings, key="memory.settings", label=label)
    teller = Teller("projection", say)
    async with (
        opened_store(section, roster, teller, founds=False) as store,
        opened_bus(profile, label, teller) as bus,
    ):

        def vectors(digests: Iterable[str]) -> Mapping[str, bytes]:
            with store.facts.reader() as facts:
                return facts.vectors(digests)

        projector = Projector(place_of(section, roster, bus, store), backend, vectors, teller)
        try:
            folds = f"folds {section.cluster}/{section.shard} into {named.backend}"
            await until_told(projector.run, teller, folds)
        finally:
            with anyio.move_on_after(1, shield=True):
                await backend.close()


async def reindex(profile: SwarmProfile, store: Store, *, label: str, say: Say, write: bool) -> dict[str, str]:
    """Hold the profile's memory backend against a log that was verified, and fold it anew where it differs.

    :returns: as ``reindexing.reindexed``; empty without a ``[memory]``.
    :raises CoinswarmError: for whatever stands in the way.
    """
    from coinswarm.drivers.bus import LocalBus  # noqa: PLC0415 - nothing is sent on it
    from coinswarm.drivers.settings import LocalBusSettings  # noqa: PLC0415 - likewise
    from coinswarm.runtime.swarm.reindexing import reindexed  # noqa: PLC0415 - numpy, for who has vectors

    if profile.memory is None:
        return {}
    named = profile.memory
    backend = make_backend(profile.plugins, named.backend, named.settings, key="memory.settings", label=label)
    place = place_of(profile.swarm, roster_of(profile.swarm), LocalBus(LocalBusSettings()), store)
    try:
        return await reindexed(store, place, backend, Teller("rebuild", say), write=write)
    finally:
        with anyio.move_on_after(1, shield=True):
            await backend.close()


@asynccontextmanager
async def proposing(
    profile: SwarmProfile, *, label: str, say: Say, patience: float | None = None, founds: bool = True
) -> AsyncIterator[Desk]:
    """A desk that proposes in the name of the profile's submitter.

    :param patience: how many seconds to wait for the database and the bus; None: for ever.
    :param founds: whether the log is founded where it is not there.
    :raises CoinswarmError: for whatever stands in the way.
    """
    section, roster = profile.swarm, roster_of(profile.swarm)
    name = section.submitter.id
    signer = signer_for(name, section.submitter.key)
    teller = Teller(name, say)
    with Disk(disks_of(section) / f"{name}.sqlite", name, section.cluster, section.shard) as disk:
        async with (
            opened_store(section, roster, teller, patience, seen=disk.seen.index, founds=founds) as store,
            opened_bus(profile, label, teller, patience) as bus,
        ):
            desk = Desk(place_of(section, roster, bus, store), name, signer, disk, teller)
            group, answered = anyio.create_task_group(), False
            await group.__aenter__()
            try:
                await group.start(desk.run)
                yield desk
                answered = True
            finally:
                group.cancel_scope.cancel()
                try:
                    await group.__aexit__(None, None, None)
                except BaseExceptionGroup as errors:
                    # Who had its own seat given another key was told so, and asks for nothing more with the old one.
                    if not answered or not isinstance(first_of(errors), NotReadyError):
                        raise


async def outcome_of(desk: Desk, proposal: Proposal, seconds: float) -> Ended:
    """Propose something for a person who waits: not for ever.

    :param seconds: until its deadline, by the log's clock.
    :raises UnreachableError: nothing was decided a while after that.
    :raises CoinswarmError: as ``Desk.propose``.
    """
    with anyio.move_on_after(seconds + opening.PATIENCE):
        return await desk.propose(proposal, seconds=seconds)
    message = (
        f"nothing was decided within {seconds + opening.PATIENCE:g} s: neither voters nor coordinators can be heard"
    )
    raise UnreachableError(
        message, remedy="see coinswarm memory voters; it is sent again by the next who proposes here"
    )


def cast_of(section: SwarmSection, roster: Roster, plugins: Sequence[str], *, label: str) -> Cast:
    """Who takes part in a quorum that runs in one process: the key of every seat that is named must be here.

    :param plugins: to load, by name; core is always there.
    :param label: what messages call the profile.
    :raises CoinswarmError: for whatever stands in the way.
    """
    voters = {
        seat.id: (
            signer_for(seat.id, seat.key),
            make_voter(plugins, seat.voter, seat.settings, key=f"swarm.voters.{seat.id}.settings", label=label),
        )
        for seat in section.voters
    }
    name = section.submitter.id
    signer = signer_for(name, section.submitter.key)
    return Cast(roster=roster, voters=voters, submitter=name, signer=signer)


def demand_submitter(section: SwarmSection, fold: Fold) -> None:
    """Hold who proposes for a profile to the roster in force.

    :param fold: of the whole log.
    :raises NotReadyError: its key cannot be had, or is not that seat's.
    """
    name = section.submitter.id
    demand_seat(fold, name, signer_for(name, section.submitter.key).key, "submitter")


def _keep_seal(path: Path, store: Store, kept: KeepSeal) -> None:
    """Keep a seal in a file, and beside the log."""
    copy_seal(path, kept)
    with suppress(CoinswarmError):  # the file is what counts, and the next seal covers this one
        store.log.keep_seal(kept.seal)


def copy_seal(path: Path, kept: KeepSeal) -> None:
    """Add a seal to a file, a line each: copy it to where the log's owner cannot reach."""
    with path.open("ab") as file:
        file.write(wire.seal_bytes(kept.seal) + b"\n")
        file.flush()


def place_of(section: SwarmSection, roster: Roster, bus: MessageBus, store: Store) -> Place:
    """Where a part takes part."""
    return Place(
        cluster=section.cluster,
        shard=section.shard,
        roster=roster,
        scheme=Remembering(Ed25519Scheme()),
        bus=bus,
        log=store.log,
    )


def _telling(teller: Teller, does: str) -> Callable[[Fold], None]:
    """Says what a part does once it has read the log, and under which roster; then each other one that is in force."""
    said: list[int] = []

    def told(fold: Fold) -> None:
        roster = fold.roster
        sizes = f"{roster.quorum} of {len(roster.voters)} voters decide"
        teller.say(f"version {roster.version} of the roster is in force: {sizes}" if said else f"{does}: {sizes}")
        said.append(roster.version)

    return told


async def until_told(run: Callable[..., Coroutine[Any, Any, None]], teller: Teller, what: str = "") -> None:
    """Run a part until a signal comes.

    :param what: is said once it has started; a part that says so itself has none.

    :raises KeyboardInterrupt: where that is SIGINT.
    """
    came: list[signal.Signals] = []
    with anyio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
        async with anyio.create_task_group() as group:

            async def listen() -> None:
                async for number in signals:
                    came.append(number)
                    group.cancel_scope.cancel()

            group.start_soon(listen)
            await group.start(run)
            looping.settle()
            if what:
                teller.say(what)
            await anyio.sleep_forever()
    teller.say("stopped")
    if came == [signal.SIGINT]:
        raise KeyboardInterrupt

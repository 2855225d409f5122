"""Where a quorum's things lie, by ``[swarm]`` of a profile: its roster, its disks, its log and its bus, opened.

Nothing need be there yet when a process starts: what does not answer is waited for.
"""

from __future__ import annotations

import time
from contextlib import AsyncExitStack, asynccontextmanager, closing, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar, cast

import anyio
from anyio import to_thread

from coinswarm.config.home import home
from coinswarm.config.sources import Secret
from coinswarm.errors import NotReadyError, ProfileError, RetryableError, UnreachableError
from coinswarm.memory.quorum.roster import roster_from
from coinswarm.plugins.files import locked
from coinswarm.runtime.making import make_driver
from coinswarm.runtime.swarm.watching import watched

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from coinswarm.config.swarm import SwarmProfile, SwarmSection
    from coinswarm.memory.quorum.roster import Roster
    from coinswarm.memory.store.opening import Store
    from coinswarm.ports import MessageBus
    from coinswarm.runtime.swarm.telling import Teller

T = TypeVar("T")

LOCAL = "local"
PATIENCE = 10.0
"""Seconds that a command waits for a database, a bus, or a decision that is overdue; processes wait for ever."""

FIRST_PAUSE, LONGEST_PAUSE = 0.1, 5.0
"""Seconds between attempts to reach the bus or the database when a process starts, doubled up to the second."""


def roster_of(section: SwarmSection) -> Roster:
    """The roster of version 0, from the operator's file.

    :raises ProfileError: when it cannot be read, is none, or a later one: those are in the log, which begins with this.
    """
    path = Path(section.roster)
    try:
        roster = roster_from(path.read_text(encoding="utf-8").rstrip("\n"))
    except OSError as error:
        message = f"the roster {path} cannot be read ({error.strerror})"
        raise ProfileError(message, remedy="coinswarm memory init writes one") from error
    except ValueError as error:
        message = f"{path} is no roster ({error})"
        raise ProfileError(message, remedy="bring back the file that coinswarm memory init wrote") from error
    if roster.version:
        message = f"{path} is version {roster.version} of a roster, and a profile names the one that its log began with"
        raise ProfileError(
            message,
            remedy="bring back the file of version 0 that coinswarm memory init wrote; later ones are read in the log",
        )
    return roster


def disks_of(section: SwarmSection) -> Path:
    """The folder of the parts' disks."""
    return section.place() or home() / "swarm" / section.cluster / section.shard


def address_of(section: SwarmSection) -> str:
    """The database's address; never print it: it may hold a password."""
    if isinstance(section.database, str):
        return section.database
    secret = Secret.parse(section.database)
    assert secret is not None, "checked with the profile"
    return secret.reveal()


def demand_log(section: SwarmSection) -> None:
    """Hold that somebody has begun the log.

    :raises NotReadyError: when it is not there.
    :raises CoinswarmError: the store cannot be used as it is, or does not answer.
    """
    from coinswarm.memory.store.engine import place  # noqa: PLC0415 - SQLAlchemy, for who has a log
    from coinswarm.memory.store.opening import logs_in  # noqa: PLC0415 - as above

    where = place(address_of(section))
    missing = where.path is not None and not where.path.exists()
    if missing or (section.cluster, section.shard) not in logs_in(address_of(section)):
        message = f"{where.name} holds no log of {section.cluster}/{section.shard}"
        raise NotReadyError(message, remedy="the first voter or coordinator that runs begins it (coinswarm run)")


def demand_kept(section: SwarmSection, seen: int) -> None:
    """Hold that a log which was seen is still there, where it lies in a file.

    :param seen: how many entries of it were seen before.
    :raises NotReadyError: when the file is gone, or what was in it.
    """
    from coinswarm.memory.store.engine import place  # noqa: PLC0415 - SQLAlchemy, for who has a log
    from coinswarm.memory.store.opening import holds_nothing  # noqa: PLC0415 - as above

    if seen and holds_nothing(address_of(section)):
        file = place(address_of(section)).path
        message = f"there is no store {file}, and its log had {seen} entries"
        raise NotReadyError(message, remedy="bring it back, or mount what it lies on; no other is begun in its place")


def begun(section: SwarmSection, roster: Roster, seen: int) -> Store:
    """The store with this log, begun where nobody has seen one. Of several processes one makes a file's tables.

    :param seen: as in ``demand_kept``.
    :raises CoinswarmError: it is gone, cannot be used as it is, or does not answer.
    """
    from coinswarm.memory.store.engine import place  # noqa: PLC0415 - SQLAlchemy, for who has a log
    from coinswarm.memory.store.opening import open_store  # noqa: PLC0415 - as above

    demand_kept(section, seen)
    address = address_of(section)
    file = place(address).path
    with nullcontext() if file is None else locked(file):
        return open_store(address, section.cluster, section.shard, roster=roster)


@asynccontextmanager
async def opened_store(  # noqa: PLR0913 - who opens it, and how
    section: SwarmSection,
    roster: Roster,
    teller: Teller,
    patience: float | None = None,
    *,
    seen: int = 0,
    founds: bool = True,
) -> AsyncIterator[Store]:
    """The store with this log, founded where it is not there; waited for while it cannot be reached.

    :param patience: for how many seconds; None: for ever.
    :param seen: how many entries of the log were seen before: a file that held them is not made anew.
    :param founds: whether it is founded; else it is waited for by who waits for ever, and refused by who does not.
    :raises OperatorError: when it cannot be used as it is.
    :raises RetryableError: when it could not be reached for so long.
    """

    def founded() -> Store:
        if not founds:
            demand_kept(section, seen)
            try:
                demand_log(section)
            except NotReadyError as error:
                if patience is None:
                    raise UnreachableError(str(error)) from error
                raise
        return begun(section, roster, seen)

    async def once() -> Store:
        return await to_thread.run_sync(founded, abandon_on_cancel=True)

    store = await _patiently(once, teller, "database", "the database does not answer", patience)
    with closing(store):
        yield store


@asynccontextmanager
async def opened_bus(
    profile: SwarmProfile, label: str, teller: Teller, patience: float | None = None
) -> AsyncIterator[MessageBus]:
    """The profile's bus; waited for while it cannot be reached, and watched: people are told when it is away, and back.

    :param patience: for how many seconds; None: for ever.
    :raises ProfileError: for one that carries nothing between processes.
    :raises RetryableError: when it could not be reached for so long.
    """
    named = profile.drivers.bus
    if named is None or named.name == LOCAL:
        message = f"{label} has no bus between processes"
        raise ProfileError(message, remedy='name one in [drivers.bus], as name = "nats" of coinswarm-nats')

    async def once() -> MessageBus:
        bus = make_driver("bus", named.name, named.settings, key="drivers.bus.settings", label=label)
        return await cast("MessageBus", bus).__aenter__()

    bus = await _patiently(once, teller, "bus", "the bus does not answer", patience)
    async with AsyncExitStack() as stack:
        stack.push_async_exit(bus)
        await stack.enter_async_context(watched(bus, teller))
        yield bus


async def _patiently(
    once: Callable[[], Awaitable[T]], teller: Teller, what: str, text: str, patience: float | None
) -> T:
    """Try until it is there, or for so many seconds.

    :raises RetryableError: the last, when it is not.
    """
    pause, begun = FIRST_PAUSE, time.monotonic()
    while True:
        try:
            made = await once()
        except RetryableError as error:
            if patience is not None and time.monotonic() + pause > begun + patience:
                raise
            teller.trouble(what, f"{text} ({error}); it is tried again")
            await anyio.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE)
        else:
            teller.over(what, f"the {what} is there")
            return made

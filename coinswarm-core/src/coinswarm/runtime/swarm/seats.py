"""Who takes part in a quorum: the roster in force, what each seat says of itself, and the last ballot that counted."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import anyio
from anyio import to_thread

from coinswarm.clock import iso
from coinswarm.errors import CoinswarmError, DataError
from coinswarm.memory.quorum.fold import BadEntryError, advance, genesis
from coinswarm.memory.quorum.keys import Ed25519Scheme
from coinswarm.runtime.fallen import fall_of
from coinswarm.runtime.swarm import opening
from coinswarm.runtime.swarm.founding import sizes
from coinswarm.runtime.swarm.node import status_subject
from coinswarm.runtime.swarm.opening import opened_bus, opened_store, roster_of
from coinswarm.runtime.swarm.telling import Teller

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from coinswarm.config.swarm import SwarmProfile
    from coinswarm.memory.quorum.fold import Fold
    from coinswarm.memory.quorum.log import Log
    from coinswarm.memory.quorum.records import Entry
    from coinswarm.memory.quorum.roster import Roster
    from coinswarm.ports import MessageBus

ANSWER_SECONDS = 1.0
ENTRIES = 512


@dataclass(frozen=True, slots=True, kw_only=True)
class SeatState:
    """One seat.

    :param status: what it says of itself; None where it does not answer.
    :param last: the last entry that carries a ballot of its, or None. Only q ballots are kept of each decision, so a
        seat may well have voted later.
    """

    name: str
    part: str
    key: str
    status: dict[str, Any] | None
    last: Entry | None

    def row(self) -> dict[str, object]:
        """As a line of a table."""
        state = "no answer" if self.status is None else "ready" if self.status.get("ready") else "catching up"
        if self.status is not None and self.status.get("epoch"):
            state += f", leads (epoch {self.status['epoch']})"
        return {
            "name": self.name,
            "part": self.part,
            "state": state,
            "head": None if self.status is None else self.status.get("head"),
            "last_ballot": None if self.last is None else f"entry {self.last.index}, {iso(self.last.at_ns)}",
            "key": self.key,
        }

    def facts(self) -> dict[str, object]:
        """For machines."""
        last = None if self.last is None else {"entry": self.last.index, "at_ns": self.last.at_ns}
        return {"name": self.name, "part": self.part, "key": self.key, "status": self.status, "last_ballot": last}


@dataclass(frozen=True, slots=True, kw_only=True)
class Seats:
    """All seats of a shard.

    :param fold: of the whole log.
    :param due: whether the weights in force are to be taken back; None where that is not known.
    """

    fold: Fold
    seats: tuple[SeatState, ...]
    due: bool | None = None

    @property
    def headline(self) -> str:
        """The quorum in a line."""
        fold = self.fold
        return (
            f"{fold.cluster}/{fold.shard}: {sizes(fold.roster)}; roster version {fold.roster.version}, "
            f"{fold.head.index} entries"
        )

    def facts(self) -> dict[str, object]:
        """For machines."""
        fold = self.fold
        return {
            "cluster": fold.cluster,
            "shard": fold.shard,
            "roster": fold.roster.version,
            "quorum": fold.roster.quorum,
            "faulty": fold.roster.faulty,
            "entries": fold.head.index,
            "weights_due": self.due,
            "seats": [seat.facts() for seat in self.seats],
        }


async def seats_of(profile: SwarmProfile, *, label: str, say: Callable[[str], None]) -> Seats:
    """Read and verify the whole log, and ask every seat how it is.

    :raises DataError: when the log does not verify.
    :raises CoinswarmError: for whatever stands in the way.
    """
    section, first = profile.swarm, roster_of(profile.swarm)
    teller = Teller("voters", say)
    async with opened_store(section, first, teller, opening.PATIENCE, founds=False) as store:
        start = genesis(section.cluster, section.shard, first)
        fold, last = await to_thread.run_sync(_read, store.log, start)
        fall = await to_thread.run_sync(fall_of, store)
    async with opened_bus(profile, label, teller, opening.PATIENCE) as bus:
        found = await asked(bus, fold.roster, section.coordinators)
    keys = {**fold.roster.voter_keys, **fold.roster.submitter_keys}
    return Seats(
        fold=fold,
        due=fall.due,
        seats=tuple(
            SeatState(name=name, part=part, key=keys.get(name, ""), status=status, last=last.get(name))
            for (name, part), status in found.items()
        ),
    )


async def in_force(profile: SwarmProfile, *, say: Callable[[str], None]) -> Fold:
    """Read and verify the whole log, for the roster that is in force.

    :raises DataError: when the log does not verify.
    :raises CoinswarmError: for whatever stands in the way.
    """
    section, first = profile.swarm, roster_of(profile.swarm)
    async with opened_store(section, first, Teller("roster", say), opening.PATIENCE, founds=False) as store:
        fold, _ = await to_thread.run_sync(_read, store.log, genesis(section.cluster, section.shard, first))
    return fold


async def asked(
    bus: MessageBus, roster: Roster, coordinators: Sequence[str]
) -> dict[tuple[str, str], dict[str, Any] | None]:
    """What each seat says of itself, by name and part: voters, coordinators, submitters; None where nothing comes."""
    parts = [
        *((name, "voter") for name in roster.voter_keys),
        *((name, "coordinator") for name in coordinators),
        *((name, "submitter") for name in roster.submitter_keys),
    ]
    found: dict[str, dict[str, Any]] = {}

    async def ask(name: str) -> None:
        try:
            answer = await bus.request(status_subject(name), b"", seconds=ANSWER_SECONDS)
            told = json.loads(answer.data)
        except (CoinswarmError, ValueError):
            return
        if isinstance(told, dict):
            found[name] = told

    async with anyio.create_task_group() as group:
        for name, _ in parts:
            group.start_soon(ask, name)
    return {(name, part): found.get(name) for name, part in parts}


def _read(log: Log, fold: Fold) -> tuple[Fold, dict[str, Entry]]:
    """The whole log, and each voter's last ballot that is in it."""
    last: dict[str, Entry] = {}
    scheme = Ed25519Scheme()
    while True:
        answer = log.read(0, fold.head.index, ENTRIES)
        for entry in answer.entries:
            try:
                fold = advance(fold, entry, scheme)
            except BadEntryError as error:
                raise DataError(error.message, remedy="run coinswarm memory verify") from error
            last.update({ballot.voter: entry for ballot in entry.proof})
        if not answer.entries or fold.head.index >= answer.head.index:
            return fold, last

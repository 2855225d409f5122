"""Load and chaos side by side, then the verdict: nothing lost or twice, a whole log, an index that is its fold."""

from __future__ import annotations

import random
import time
from collections import Counter
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING

import anyio
from anyio import to_thread

from coinswarm.domain.episode import Space
from coinswarm.domain.proposal import episodes_of
from coinswarm.memory.quorum import wire
from coinswarm.memory.quorum.fold import genesis
from coinswarm.memory.quorum.keys import Ed25519Scheme
from coinswarm.memory.quorum.records import Outcome
from coinswarm.memory.quorum.verify import verify
from coinswarm.runtime.making import make_backend
from coinswarm.runtime.swarm.opening import disks_of, roster_of
from coinswarm_testkit.chaos.stage import (
    CLUSTER,
    COORDINATORS,
    DIMENSION,
    SPACE,
    changes_of,
    episodes,
    is_untrue,
    opened,
    untrue,
)
from coinswarm_testkit.chaos.submitting import ALONE, PILE, Notes, command, noted, script
from coinswarm_testkit.chaos.victims import PartVictim

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from coinswarm.domain.proposal import Proposal
    from coinswarm.memory.quorum.records import Entry
    from coinswarm.memory.store.opening import Store
    from coinswarm.runtime.swarm.desk import Desk
    from coinswarm_testkit.chaos.stage import Stage
    from coinswarm_testkit.chaos.victims import Victim

SETTLE_SECONDS = 240.0
READY_SECONDS = 240.0
BACK_SECONDS = 10.0

ENTRIES = 512

HELLO = {"voter": "votes in", "coordinator": "coordinates", "projection": "folds", "submitter": "proposes"}
"""Kind of part -> what it says when it is there."""


@dataclass(slots=True)
class Play:
    """What happened.

    :param notes: what the submitter has noted.
    :param faults: processes that ended by themselves, and whatever else should not have been.
    """

    notes: Notes = field(default_factory=Notes)
    faults: list[str] = field(default_factory=list)


@contextmanager
def submitted(stage: Stage, proposals: Sequence[Proposal], seconds: float) -> Iterator[tuple[Stage, Path]]:
    """The stage with a submitter, which begins to propose at once; and the file of its notes.

    :param proposals: spread over ``seconds``.
    """
    folder = stage.path.parent
    asked, notes = folder / "proposals.jsonl", folder / "notes.txt"
    script(asked, proposals)
    name, words = stage.profile.swarm.submitter.id, command(stage.path, asked, notes, seconds)
    part = PartVictim(name, "submitter", words, folder / f"{name}.output")
    try:
        yield replace(stage, victims=(*stage.victims, part)), notes
    finally:
        part.end()


async def play(stage: Stage, notes: Path, *, seconds: float, seed: int, say: Callable[[str], None]) -> Play:
    """Kill or stop one victim after the other while a submitter proposes; then let everything settle.

    :param notes: the submitter's.
    """
    played = Play()
    await _begun(stage)
    await _chaos(stage, notes, seconds, random.Random(seed), played, say)  # noqa: S311 - a test's choice, to be repeated
    with anyio.move_on_after(SETTLE_SECONDS):
        while not noted(notes).over:  # noqa: ASYNC110 - another process, which tells by a file
            await anyio.sleep(0.1)
    played.notes = noted(notes)
    if not played.notes.over:
        played.faults.append(f"{played.notes.under_way} proposals have no outcome")
    return played


async def until_ready(stage: Stage, desk: Desk) -> None:
    """Wait for the submitter to have read the log, and for every part to be there.

    :raises TimeoutError: when one is not.
    """
    with anyio.fail_after(READY_SECONDS):
        await desk.ready()
        await _until_there(stage)


async def _begun(stage: Stage) -> None:
    with anyio.fail_after(READY_SECONDS):
        await _until_there(stage)


async def _until_there(stage: Stage) -> None:
    while not all(_is_there(part) for part in stage.parts):  # noqa: ASYNC110 - other processes, which tell by a file
        await anyio.sleep(0.1)


def _is_there(part: PartVictim) -> bool:
    """Whether a process has said that it is at work, in this life too."""
    return part.said().count(f"{part.name}: {HELLO[part.kind]}") > part.killed


async def _until_back(victim: Victim) -> None:
    """Wait for a process that was killed to be at work again: one at a time is hit, and the others are there."""
    if isinstance(victim, PartVictim):
        with anyio.move_on_after(BACK_SECONDS):
            while not _is_there(victim) and not victim.fault():  # noqa: ASYNC110 - as above
                await anyio.sleep(0.1)


async def _chaos(  # noqa: PLR0913 - whom, for how long, and who is told
    stage: Stage, notes: Path, seconds: float, rng: random.Random, played: Play, say: Callable[[str], None]
) -> None:
    """One victim at a time: killed and started again, or stopped for a while. Every victim comes first once."""
    end = time.monotonic() + seconds
    todo: list[Victim] = []
    while time.monotonic() < end:
        if not todo:
            todo = rng.sample(stage.victims, len(stage.victims))
        victim = todo.pop()
        before = len(noted(notes).ended)
        began = time.monotonic()
        if rng.random() < 0.5:  # noqa: PLR2004 - as often one as the other
            victim.kill()
            await anyio.sleep(rng.uniform(0.0, 1.0))
            victim.again()
            await _until_back(victim)
            what = "killed"
        else:
            victim.pause()
            try:
                await anyio.sleep(rng.uniform(0.5, 4.0))
            finally:
                victim.resume()
            what = "stopped"
        await anyio.sleep(rng.uniform(0.5, 2.0))
        played.faults += [fault for each in stage.victims if (fault := each.fault())]
        decided, took = len(noted(notes).ended) - before, time.monotonic() - began
        say(f"{victim.name} {what}: {decided} decided in the {took:.1f} s since")
        if played.faults:
            return


@dataclass(slots=True)
class Verdict:
    """What is true at the end.

    :param entries: of the log; :param piles: how many of them are about several episodes.
    :param accepted: episodes.
    :param wrong: what should not be, a line each.
    """

    entries: int = 0
    piles: int = 0
    accepted: int = 0
    seals: int = 0
    indexed: int = 0
    wrong: list[str] = field(default_factory=list)


async def judge(stage: Stage, proposals: Sequence[Proposal], played: Play) -> Verdict:
    """Hold what the submitter was told against the log, the log against itself, and the index against the log."""
    found = Verdict(wrong=list(played.faults))
    with opened(stage) as store:
        entries = await to_thread.run_sync(_entries, store)
        found.entries = len(entries)
        section = stage.profile.swarm
        seals = [wire.seal_from(line) for name in COORDINATORS for line in _lines(disks_of(section) / f"{name}.seals")]
        found.seals = len(seals)
        head = store.log.read(0, 0, 0).head
        report = verify(genesis(CLUSTER, section.shard, roster_of(section)), entries, head, Ed25519Scheme(), seals)
        if report.why:
            found.wrong.append(f"the log does not verify: {report.why}")
        accepted = [entry for entry in entries if entry.outcome is Outcome.ACCEPT]
        found.piles = sum(len(entry.envelope.proposal.subjects) > 1 for entry in entries)
        found.accepted = sum(len(entry.envelope.proposal.subjects) for entry in accepted)
        found.wrong += _twice(entries, accepted)
        by_id = {entry.envelope.id: entry for entry in entries}
        for subject, (ended, _) in played.notes.ended.items():
            entry = by_id.get(ended.proposal)
            told = (ended.outcome, ended.entry, True)
            if entry is None or (entry.outcome, entry.index, subject in entry.envelope.proposal.subjects) != told:
                found.wrong.append(f"{subject}: the submitter was told {ended}, the log says {entry and entry.outcome}")
        happy = {subject for entry in accepted for subject in entry.envelope.proposal.subjects}
        found.wrong += _told(played.notes, happy)
        lies = {one.subject for one in proposals if is_untrue(one)}
        found.wrong += [f"{subject} is accepted, and untrue" for subject in sorted(happy & lies)]
        found.wrong += await _index(stage, proposals, accepted, found)
    return found


def _lines(path: Path) -> list[bytes]:
    """The whole lines of a file that may not be there; the last may be cut off by a kill."""
    with suppress(FileNotFoundError):
        data = path.read_bytes()
        return data[: data.rfind(b"\n") + 1].splitlines()
    return []


def _entries(store: Store) -> list[Entry]:
    """The whole log."""
    entries: list[Entry] = []
    while True:
        answer = store.log.read(0, len(entries), ENTRIES)
        entries += answer.entries
        if not answer.entries:
            return entries


def _told(notes: Notes, happy: set[str]) -> list[str]:
    """What the submitter was told that does not go with what is accepted.

    Who was killed before he heard of an acceptance asks again, and is told that it conflicts: with that acceptance.

    :param happy: subjects that are accepted.
    """
    wrong = [f"{one} is accepted, and was never proposed" for one in sorted(happy.difference(notes.asked))]
    means_accepted = {Outcome.ACCEPT} | ({Outcome.CONFLICT} if notes.lives > 1 else set())
    for subject, (ended, _) in notes.ended.items():
        is_accepted = subject in happy
        if is_accepted != (ended.outcome in means_accepted):
            wrong.append(f"{subject}: the submitter was told {ended.outcome}, accepted is {is_accepted}")
    return wrong


def _twice(entries: Sequence[Entry], accepted: Sequence[Entry]) -> list[str]:
    """Proposals decided twice, and episodes accepted twice."""
    ids = Counter(entry.envelope.id for entry in entries)
    subjects = Counter(subject for entry in accepted for subject in entry.envelope.proposal.subjects)
    wrong = [f"proposal {name} is decided {number} times" for name, number in ids.items() if number > 1]
    return [*wrong, *(f"{name} is accepted {number} times" for name, number in subjects.items() if number > 1)]


async def _index(stage: Stage, proposals: Sequence[Proposal], accepted: Sequence[Entry], found: Verdict) -> list[str]:
    """Wait until the index has followed the log; then it holds what was accepted, and nothing else."""
    space, known = Space(CLUSTER, SPACE, DIMENSION), changes_of(proposals)
    backend = make_backend(["redis"], "redis", {"url": stage.redis}, key="settings", label="chaos")
    try:
        with anyio.move_on_after(SETTLE_SECONDS):
            while accepted:
                applied = (await backend.info(space)).applied
                if applied is not None and applied.index == accepted[-1].index:
                    break
                await anyio.sleep(0.1)
        info = await backend.info(space)
        found.indexed = info.entries
        wrong = []
        if accepted and (info.applied is None or info.applied.digest != accepted[-1].hash):
            wrong.append(f"the index stands at {info.applied}, the log's last acceptance is {accepted[-1].head}")
        if info.entries != found.accepted:
            wrong.append(f"the index holds {info.entries} episodes, {found.accepted} are accepted")
        for added in [one for entry in accepted for one in episodes_of(entry.envelope.proposal.change)]:
            name = added.episode.id
            if await backend.get(space, name) != known[name]:
                wrong.append(f"the index holds another episode {name} than the log")
        return wrong
    finally:
        await backend.close()


def run(
    stage: Stage, *, seconds: float, rate: float, seed: int, say: Callable[[str], None]
) -> tuple[Stage, Play, Verdict]:
    """All of it; and the stage with the submitter on it."""
    with opened(stage) as store:
        proposals = episodes(store, int(seconds * rate))
    for place in range(PILE // 2, len(proposals), PILE + ALONE):
        proposals[place] = untrue(proposals[place])
    anyio.run(_begun, stage)
    with submitted(stage, proposals, seconds) as (whole, notes):
        played = anyio.run(partial(play, whole, notes, seconds=seconds, seed=seed, say=say))
        return whole, played, anyio.run(judge, stage, proposals, played)


def table(stage: Stage, played: Play, found: Verdict) -> list[str]:
    """What was done to whom, and what came of it."""
    kinds = list(dict.fromkeys(victim.kind for victim in stage.victims))
    lines = [f"{'':14}{'killed':>8}{'stopped':>9}"]
    for kind in kinds:
        those = [victim for victim in stage.victims if victim.kind == kind]
        lines.append(f"{kind:14}{sum(v.killed for v in those):8}{sum(v.stopped for v in those):9}")
    ended = played.notes.ended.values()
    outcomes = Counter(one.outcome.value for one, _ in ended)
    took = sorted(seconds for _, seconds in ended)
    if took:
        middle, most = took[len(took) // 2], took[-1]
        told = ", ".join(f"{number} {name}" for name, number in sorted(outcomes.items()))
        lines += ["", f"proposals: {told}; half of them within {middle:.2f} s, all within {most:.1f} s"]
    lines.append(
        f"log: {found.entries} entries, {found.piles} of several episodes, {found.seals} seals; "
        f"{found.accepted} episodes accepted, {found.indexed} in the index"
    )
    lines += [f"WRONG: {line}" for line in found.wrong] or ["nothing lost, nothing twice, log and index are whole"]
    return lines

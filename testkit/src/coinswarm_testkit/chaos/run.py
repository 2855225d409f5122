"""Load and chaos side by side, then the verdict: nothing lost or twice, a whole log, an index that is its fold."""

from __future__ import annotations

import random
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
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
from coinswarm.runtime.swarm.assembly import proposing
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
from coinswarm_testkit.chaos.victims import PartVictim

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from coinswarm.domain.proposal import Proposal
    from coinswarm.memory.quorum.records import Entry
    from coinswarm.memory.store.opening import Store
    from coinswarm.runtime.swarm.desk import Desk, Ended
    from coinswarm_testkit.chaos.stage import Stage
    from coinswarm_testkit.chaos.victims import Victim

DEADLINE_SECONDS = 240.0
SETTLE_SECONDS = 240.0
READY_SECONDS = 240.0
BACK_SECONDS = 10.0
OUTSTANDING = 64
"""Most proposals under way: more would only wait."""

PILE, ALONE = 24, 20
"""So many proposals come at once and travel together, one of them untrue; then so many at a steady rate; and again."""

ENTRIES = 512

HELLO = {"voter": "votes in", "coordinator": "coordinates", "projection": "folds"}
"""Kind of part -> what it says when it is there."""


@dataclass(slots=True)
class Play:
    """What happened.

    :param asked: proposals that were made; :param loading: whether more will be.
    :param ended: proposals with their outcomes, as the submitter was told, and how many seconds each took.
    :param faults: processes that ended by themselves, and whatever else should not have been.
    """

    asked: int = 0
    loading: bool = True
    ended: dict[str, tuple[Ended, float]] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)


async def play(
    stage: Stage, proposals: Sequence[Proposal], *, seconds: float, seed: int, say: Callable[[str], None]
) -> Play:
    """Propose at a steady rate while one victim after the other is killed or stopped; then let everything settle.

    :param proposals: spread over ``seconds``.
    """
    played = Play()
    async with proposing(stage.profile, label=str(stage.path), say=say) as desk:
        await until_ready(stage, desk)
        async with anyio.create_task_group() as group:
            group.start_soon(_load, desk, proposals, seconds, played)
            await _chaos(stage, seconds, random.Random(seed), played, say)  # noqa: S311 - a test's choice, to be repeated
            with anyio.move_on_after(SETTLE_SECONDS) as settled:
                while played.loading or len(played.ended) < played.asked:  # noqa: ASYNC110 - the load's own tasks tell by what they add
                    await anyio.sleep(0.1)
            if settled.cancelled_caught:
                played.faults.append(f"{played.asked - len(played.ended)} proposals have no outcome")
                group.cancel_scope.cancel()
    return played


async def until_ready(stage: Stage, desk: Desk) -> None:
    """Wait for the submitter to have read the log, and for every part to be there.

    :raises TimeoutError: when one is not.
    """
    with anyio.fail_after(READY_SECONDS):
        await desk.ready()
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


async def _load(desk: Desk, proposals: Sequence[Proposal], seconds: float, played: Play) -> None:
    """Propose at a steady rate, or as fast as it is borne, and now and then a pile.

    What is not proposed in time is left out.
    """
    begin = time.monotonic()
    async with anyio.create_task_group() as group:
        for place, proposal in enumerate(proposals):
            if 0 < place % (PILE + ALONE) < PILE:  # at once with the one before it
                played.asked += 1
                group.start_soon(_one, desk, proposal, played)
                continue
            await anyio.sleep(max(0.0, begin + place * seconds / len(proposals) - time.monotonic()))
            while played.asked - len(played.ended) >= OUTSTANDING:  # noqa: ASYNC110 - as below
                await anyio.sleep(0.02)
            if time.monotonic() > begin + seconds:
                break
            played.asked += 1
            group.start_soon(_one, desk, proposal, played)
        played.loading = False


async def _one(desk: Desk, proposal: Proposal, played: Play) -> None:
    asked = time.monotonic()
    ended = await desk.propose(proposal, seconds=DEADLINE_SECONDS)
    played.ended[proposal.subject] = (ended, time.monotonic() - asked)


async def _chaos(stage: Stage, seconds: float, rng: random.Random, played: Play, say: Callable[[str], None]) -> None:
    """One victim at a time: killed and started again, or stopped for a while. Every victim comes first once."""
    end = time.monotonic() + seconds
    todo: list[Victim] = []
    while time.monotonic() < end:
        if not todo:
            todo = rng.sample(stage.victims, len(stage.victims))
        victim = todo.pop()
        before = len(played.ended)
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
        say(f"{victim.name} {what}: {len(played.ended) - before} decided in the {time.monotonic() - began:.1f} s since")
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
        for subject, (ended, _) in played.ended.items():
            entry = by_id.get(ended.proposal)
            told = (ended.outcome, ended.entry, True)
            if entry is None or (entry.outcome, entry.index, subject in entry.envelope.proposal.subjects) != told:
                found.wrong.append(f"{subject}: the submitter was told {ended}, the log says {entry and entry.outcome}")
        happy = {subject for subject, (ended, _) in played.ended.items() if ended.outcome is Outcome.ACCEPT}
        if len(happy) != found.accepted:
            found.wrong.append(f"{len(happy)} acceptances were told, {found.accepted} are in the log")
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


def run(stage: Stage, *, seconds: float, rate: float, seed: int, say: Callable[[str], None]) -> tuple[Play, Verdict]:
    """All of it."""
    with opened(stage) as store:
        proposals = episodes(store, int(seconds * rate))
    for place in range(PILE // 2, len(proposals), PILE + ALONE):
        proposals[place] = untrue(proposals[place])
    played = anyio.run(partial(play, stage, proposals, seconds=seconds, seed=seed, say=say))
    return played, anyio.run(judge, stage, proposals, played)


def table(stage: Stage, played: Play, found: Verdict) -> list[str]:
    """What was done to whom, and what came of it."""
    kinds = list(dict.fromkeys(victim.kind for victim in stage.victims))
    lines = [f"{'':14}{'killed':>8}{'stopped':>9}"]
    for kind in kinds:
        those = [victim for victim in stage.victims if victim.kind == kind]
        lines.append(f"{kind:14}{sum(v.killed for v in those):8}{sum(v.stopped for v in those):9}")
    outcomes = Counter(ended.outcome.value for ended, _ in played.ended.values())
    took = sorted(seconds for _, seconds in played.ended.values())
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

"""The submitter as a process that may be killed: it proposes what a file holds, and notes what it was told.

``python -m coinswarm_testkit.chaos.submitting PROFILE PROPOSALS NOTES SECONDS``. A later life goes on where an earlier
one was: what had been asked for and has no outcome is asked for again, since who was killed cannot know whether it was
decided meanwhile.
"""

from __future__ import annotations

import os
import sys
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import anyio

from coinswarm.canonical import canonical_json
from coinswarm.config.swarm import load_swarm
from coinswarm.memory.quorum.codec import proposal_from, read_json
from coinswarm.memory.quorum.records import Outcome
from coinswarm.runtime.swarm.assembly import driven, proposing
from coinswarm.runtime.swarm.desk import Ended

if TYPE_CHECKING:
    from collections.abc import Sequence

    from coinswarm.domain.proposal import Proposal
    from coinswarm.runtime.swarm.desk import Desk

DEADLINE_SECONDS = 240.0
OUTSTANDING = 64
"""Most proposals under way: more would only wait."""

PILE, ALONE = 24, 20
"""So many proposals come at once and travel together, one of them untrue; then so many at a steady rate; and again."""

BEGAN, ASKED, ENDED, ALL = "began", "asked", "ended", "all"
"""First words of a line of notes."""


@dataclass(slots=True)
class Notes:
    """What a submitter has noted, in all its lives.

    :param began: when the first life began, in seconds of the wall clock; 0.0 before that.
    :param lives: how many there were.
    :param asked: subjects that were proposed, in order; :param whole: whether no more will be.
    :param ended: subject -> what the submitter was told, and how many seconds that took in the life that heard it.
    """

    began: float = 0.0
    lives: int = 0
    asked: list[str] = field(default_factory=list)
    whole: bool = False
    ended: dict[str, tuple[Ended, float]] = field(default_factory=dict)

    @property
    def over(self) -> bool:
        """Whether all that there is was proposed, and has its outcome."""
        return self.whole and not self.under_way

    @property
    def under_way(self) -> int:
        """How many have no outcome."""
        return len(self.asked) - len(self.ended)


def noted(path: Path) -> Notes:
    """What a file of notes says so far; nothing where there is none."""
    notes = Notes()
    lines: list[str] = []
    with suppress(FileNotFoundError):
        lines = path.read_text(encoding="utf-8").splitlines()
    for line in lines:
        word, *told = line.split("\t")
        if word == BEGAN:
            notes.began = notes.began or float(told[0])
            notes.lives += 1
        elif word == ASKED:
            notes.asked.append(told[0])
        elif word == ENDED:
            subject, proposal, outcome, entry, seconds = told
            notes.ended[subject] = Ended(proposal, Outcome(outcome), int(entry)), float(seconds)
        else:
            notes.whole = True
    return notes


def script(path: Path, proposals: Sequence[Proposal]) -> None:
    """Write down what is to be proposed."""
    path.write_bytes(b"".join(canonical_json(proposal.content()) + b"\n" for proposal in proposals))


def command(profile: Path, proposals: Path, notes: Path, seconds: float) -> tuple[str, ...]:
    """The command line of such a process."""
    return (sys.executable, "-m", "coinswarm_testkit.chaos.submitting", *map(str, (profile, proposals, notes, seconds)))


class Submitter:
    """One life.

    :param proposals: all that there are; :param seconds: over which they are spread.
    :param path: of the notes.
    """

    def __init__(self, desk: Desk, proposals: Sequence[Proposal], path: Path, seconds: float) -> None:
        self._desk, self._proposals, self._seconds = desk, proposals, seconds
        self._notes = noted(path)
        self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)

    def _note(self, *words: object) -> None:
        """A line in one write: whoever is killed has written it, or not."""
        os.write(self._file, ("\t".join(map(str, words)) + "\n").encode())

    async def live(self) -> None:
        """Propose until all has its outcome; then be there, as any process of a quorum, until somebody ends it."""
        notes = self._notes
        begun = time.time()  # lives of a process share no other clock
        notes.began = notes.began or begun
        self._note(BEGAN, begun)
        async with anyio.create_task_group() as group:
            before = {subject for subject in notes.asked if subject not in notes.ended}
            for proposal in self._proposals:
                if proposal.subject in before:
                    group.start_soon(self._one, proposal)
            if not notes.whole:
                group.start_soon(self._load)
        await anyio.sleep_forever()

    async def _load(self) -> None:
        """Propose at a steady rate, or as fast as it is borne, and now and then a pile.

        What is not proposed in time is left out.
        """
        notes, done = self._notes, set(self._notes.asked)
        async with anyio.create_task_group() as group:
            for place, proposal in enumerate(self._proposals):
                if proposal.subject in done:
                    continue
                if not 0 < place % (PILE + ALONE) < PILE:  # else at once with the one before it
                    due = notes.began + place * self._seconds / len(self._proposals)
                    await anyio.sleep(max(0.0, due - time.time()))
                    while notes.under_way >= OUTSTANDING:  # noqa: ASYNC110 - the tasks tell by what they note
                        await anyio.sleep(0.02)
                if time.time() > notes.began + self._seconds:
                    break
                notes.asked.append(proposal.subject)
                self._note(ASKED, proposal.subject)
                group.start_soon(self._one, proposal)
            self._note(ALL)

    async def _one(self, proposal: Proposal) -> None:
        asked = time.monotonic()
        ended, seconds = await self._desk.propose(proposal, seconds=DEADLINE_SECONDS), time.monotonic() - asked
        self._note(ENDED, proposal.subject, ended.proposal, ended.outcome.value, ended.entry, seconds)
        self._notes.ended[proposal.subject] = ended, seconds


def main(words: Sequence[str]) -> int:
    """Live until somebody ends it."""
    profile, proposals, notes = map(Path, words[:3])
    told = [proposal_from(read_json(line)) for line in proposals.read_bytes().splitlines()]

    def say(line: str) -> None:
        print(line, flush=True)  # noqa: T201 - into the file that all parts speak to

    async def live() -> None:
        loaded = load_swarm(profile)
        async with proposing(loaded, label=str(profile), say=say) as desk:
            await desk.ready()
            say(f"{loaded.swarm.submitter.id}: proposes")
            await Submitter(desk, told, notes, float(words[3])).live()

    driven(live)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

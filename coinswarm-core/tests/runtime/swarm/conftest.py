"""Small quorums of real parts: real keys, real disks, a real local bus, and a log in memory or in SQLite."""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from coinswarm.canonical import digest
from coinswarm.contracts import Voter
from coinswarm.domain.acceptance import AcceptanceRules, Evidence, Rule, Verdict, mandatory
from coinswarm.domain.proposal import ROSTER_KEY, Configure, Proposal, ProposalKind
from coinswarm.memory.promotion.voters import DecimalVoter, IntegerVoter
from coinswarm.memory.quorum.inmemory import MemoryLog
from coinswarm.memory.quorum.keys import Ed25519Signer
from coinswarm.memory.quorum.roster import Roster, Seat
from coinswarm.memory.store.opening import open_store
from coinswarm.runtime.swarm.embedded import Cast
from coinswarm.runtime.swarm.founding import rules_digest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from coinswarm.memory.quorum.log import Transaction
    from coinswarm.memory.quorum.reader import LogRead
    from coinswarm.memory.quorum.records import Envelope
    from coinswarm.memory.store.opening import Store


class SharedLog(MemoryLog):
    """A log in memory that several threads may use, as those of databases may."""

    def __init__(self, cluster: str, shard: str, roster: Roster) -> None:
        super().__init__(cluster, shard, roster, time.time_ns)
        self.turn = threading.RLock()

    @contextmanager
    def transaction(self) -> Iterator[Transaction]:
        with self.turn, super().transaction() as held:
            yield held

    def read(self, token: int, after: int, limit: int) -> LogRead:
        with self.turn:
            return super().read(token, after, limit)


class Reads(Voter):
    """Accepts what configures something good, by the rules that core settles; the rest it rejects."""

    def evaluate(self, proposal: Proposal, evidence: Evidence) -> Verdict:  # noqa: ARG002 - the contract's
        change = proposal.change
        bad = not isinstance(change, Configure) or not (change.key == ROSTER_KEY or change.value.startswith("good"))
        return Verdict.of({rule: "it is bad" if bad and rule is Rule.EVIDENCE else "" for rule in mandatory(proposal)})


class Shard:
    """One shard's cast and log, and evidence at the version that the log is at."""

    def __init__(self, voters: int = 4, faulty: int = 1) -> None:
        signers = [Ed25519Signer(bytes([number + 1]) * 32) for number in range(voters + 1)]
        roster = Roster(
            version=0,
            faulty=faulty,
            rules=digest("rules"),
            voters=tuple(Seat(f"v{number}", signers[number].key) for number in range(voters)),
            submitters=(Seat("desk", signers[voters].key),),
        )
        self.cast = Cast(
            roster=roster,
            voters={f"v{number}": (signers[number], Reads()) for number in range(voters)},
            submitter="desk",
            signer=signers[voters],
        )
        self.log = SharedLog("north", "main", roster)

    def gather(self, envelope: Envelope) -> Evidence:
        """The version in force, and nothing cited."""
        with self.log.turn:
            found = self.log.rows.state.get(envelope.proposal.subject)
        return Evidence(now_ns=time.time_ns(), version=found[0] if found else 0, rules=AcceptanceRules())


def setting(value: str = "good 1", *, subject: str = "acceptance/cap", base: int = 0) -> Proposal:
    """A proposal to set a rule."""
    change = Configure(subject.replace("/", "."), value)
    return Proposal(kind=ProposalKind.CONFIGURE, subject=subject, base_version=base, change=change)


@pytest.fixture
def shard() -> Shard:
    """Four voters, of whom three decide."""
    return Shard()


@pytest.fixture
def propose() -> Callable[..., Proposal]:
    """Makes proposals."""
    return setting


@pytest.fixture
def bundled() -> Cast:
    """Four seats of core's own voters, two of each make."""
    signers = [Ed25519Signer(bytes([number + 1]) * 32) for number in range(5)]
    roster = Roster(
        version=0,
        faulty=1,
        rules=rules_digest(AcceptanceRules()),
        voters=tuple(Seat(f"v{number}", signers[number].key) for number in range(4)),
        submitters=(Seat("desk", signers[4].key),),
    )
    makes = (DecimalVoter, IntegerVoter)
    voters = {f"v{number}": (signers[number], makes[number % 2]()) for number in range(4)}
    return Cast(roster=roster, voters=voters, submitter="desk", signer=signers[4])


class Clock:
    """The clock of a log: it can be put forward."""

    def __init__(self) -> None:
        self.ahead_ns = 0

    def __call__(self) -> int:
        return time.time_ns() + self.ahead_ns


@pytest.fixture
def clock() -> Clock:
    """The clock of ``store``."""
    return Clock()


@pytest.fixture
def store(tmp_path: Path, bundled: Cast, clock: Clock) -> Iterator[Store]:
    """An empty log in a file, for ``bundled``."""
    opened = open_store(str(tmp_path / "swarm.db"), "north", "main", roster=bundled.roster, clock=clock)
    yield opened
    opened.close()

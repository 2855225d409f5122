"""A small cluster with real keys: what the tests of the quorum build proposals, ballots and logs from."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from coinswarm.canonical import digest
from coinswarm.domain.episode import Episode
from coinswarm.domain.proposal import (
    ROSTER_KEY,
    AddEpisode,
    Configure,
    Proposal,
    ProposalKind,
    Reference,
    several,
)
from coinswarm.memory.quorum import voter as voters
from coinswarm.memory.quorum.fold import Fold, genesis
from coinswarm.memory.quorum.inmemory import MemoryLog
from coinswarm.memory.quorum.keys import Ed25519Scheme, Ed25519Signer
from coinswarm.memory.quorum.log import Answer, Request, decide, take
from coinswarm.memory.quorum.records import START, Ballot, Envelope, Head, Outcome
from coinswarm.memory.quorum.roster import ROSTER_SUBJECT, Roster, Seat, reconfigures
from coinswarm.memory.quorum.ruling import successor

if TYPE_CHECKING:
    from coinswarm.memory.quorum.log import Log

SECOND = 1_000_000_000
FOUND = digest("what honest voters find")


class Cluster:
    """Four voters, of whom three decide, one submitter, one log; ``now`` is the log's clock."""

    log: Any
    """In memory; where tests say so, in a database."""

    def __init__(self) -> None:
        self.signers = [Ed25519Signer(bytes([number]) * 32) for number in range(1, 7)]
        self.scheme = Ed25519Scheme()
        self.roster = Roster(
            version=0,
            faulty=1,
            rules=digest("rules"),
            voters=tuple(Seat(f"v{number}", self.signers[number].key) for number in range(4)),
            submitters=(Seat("desk", self.signers[5].key),),
        )
        self.now = 1_000 * SECOND
        self.nonce = 0
        self.log = MemoryLog("north", "main", self.roster, lambda: self.now)

    def genesis(self) -> Fold:
        """The fold of the empty log."""
        return genesis("north", "main", self.roster)

    def fold(self) -> Fold:
        """The fold of the log as it is."""
        from coinswarm.memory.quorum.fold import advance  # noqa: PLC0415 - a test may replace it

        fold = self.genesis()
        for entry in self.log.read(1, 0, 1_000_000).entries:
            fold = advance(fold, entry, self.scheme)
        return fold

    def in_force(self) -> Roster:
        """The roster in force."""
        roster = self.roster
        for entry in self.log.read(1, 0, 1_000_000).entries:
            if entry.outcome is Outcome.ACCEPT and reconfigures(entry.envelope.proposal):
                new = successor(entry.envelope, roster)
                assert new is not None
                roster = new
        return roster

    def proposal(self, value: str = "1", *, subject: str = "acceptance/cap", base: int = 0) -> Proposal:
        """A proposal to set a rule."""
        change = Configure(subject.replace("/", "."), value)
        return Proposal(kind=ProposalKind.CONFIGURE, subject=subject, base_version=base, change=change)

    def episode(self, number: int) -> AddEpisode:
        """An episode to be remembered."""
        episode = Episode(
            id=digest(number), agent="trend", instrument="X", side=1, decided_ns=1, known_ns=2, result_ppm=number
        )
        trade = Reference(f"trade/{episode.id}", digest(f"trade {number}"))
        return AddEpisode(space="state", dimension=2, episode=episode, vector_digest=digest("v"), trade=trade)

    def remember(self, *numbers: int) -> Proposal:
        """A proposal to remember an episode, or several."""
        parts = tuple(self.episode(number) for number in numbers)
        if len(parts) > 1:
            return several(parts)
        subject = f"episode/{parts[0].episode.id}"
        return Proposal(kind=ProposalKind.ADD_EPISODE, subject=subject, base_version=0, change=parts[0])

    def next_roster(self, **changes: object) -> Proposal:
        """A proposal for the next roster, with some fields of it changed."""
        now = self.in_force()
        new = replace(now, **{"version": now.version + 1, **changes})  # type: ignore[arg-type]
        return Proposal(
            kind=ProposalKind.CONFIGURE,
            subject=ROSTER_SUBJECT,
            base_version=now.version,
            change=Configure(ROSTER_KEY, new.text()),
        )

    def envelope(self, proposal: Proposal | None = None, *, life: int = 10 * SECOND, **fields: object) -> Envelope:
        """A proposal in an envelope, signed by the submitter."""
        self.nonce += 1
        given: dict[str, object] = {
            "cluster": "north",
            "shard": "main",
            "roster": self.in_force().version,
            "submitter": "desk",
            "nonce": self.nonce,
            "deadline_ns": self.now + life,
            "proposal": proposal or self.proposal(),
        }
        return Envelope(**{**given, **fields}).signed(self.signers[5])  # type: ignore[arg-type]

    def ballot(
        self,
        envelope: Envelope,
        number: int,
        *,
        accepts: bool = True,
        found: str = FOUND,
        seen: Head = START,
        **fields: object,
    ) -> Ballot:
        """A voter's ballot, signed by it."""
        given: dict[str, object] = {
            "cluster": envelope.cluster,
            "shard": envelope.shard,
            "roster": envelope.roster,
            "proposal": envelope.id,
            "accepts": accepts,
            "findings": found,
            "voter": f"v{number}",
            "seen": seen,
        }
        return Ballot(**{**given, **fields}).signed(self.signers[number])  # type: ignore[arg-type]

    def proof(self, envelope: Envelope, *, accepts: bool = True) -> tuple[Ballot, ...]:
        """A commit proof by the first three."""
        return tuple(self.ballot(envelope, number, accepts=accepts) for number in range(3))

    def request(self, envelope: Envelope, *, accepts: bool = True, epoch: int = 0) -> Request:
        """A request with a commit proof."""
        return Request(envelope=envelope, proof=self.proof(envelope, accepts=accepts), epoch=epoch)

    def decide(self, *requests: Request, log: Log | None = None) -> tuple[Answer, ...]:
        """Ask the log."""
        return decide(log or self.log, requests, self.scheme)

    def commit(self, proposal: Proposal | None = None) -> Envelope:
        """Have a proposal accepted, with a lease where it takes one."""
        envelope = self.envelope(proposal)
        self.decide(self.request(envelope, epoch=take(self.log, "c0").epoch))
        return envelope

    def voter(self, number: int = 0, **fields: object) -> voters.Voter:
        """A voter as it starts."""
        return voters.start(
            f"v{number}",
            self.signers[number],
            "north",
            "main",
            self.roster,
            self.scheme,
            **fields,  # type: ignore[arg-type]
        )


@pytest.fixture
def cluster() -> Cluster:
    """Four voters, one submitter, one empty log."""
    return Cluster()

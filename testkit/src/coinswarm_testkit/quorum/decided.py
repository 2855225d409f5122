"""A swarm's log in a file, decided as a test says: entries that stand up to verification, without any swarm."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from coinswarm.canonical import digest
from coinswarm.domain.proposal import episodes_of, several
from coinswarm.memory.quorum.keys import Ed25519Scheme, Ed25519Signer
from coinswarm.memory.quorum.log import Request, decide
from coinswarm.memory.quorum.records import START, Ballot, Envelope
from coinswarm.memory.quorum.roster import Roster, Seat
from coinswarm.memory.recall.privatelog import proposed
from coinswarm.memory.store.opening import open_store

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from coinswarm.domain.episode import Episode, Space
    from coinswarm.domain.proposal import Proposal

CLUSTER, SHARD = "north", "main"
SIGNERS = [Ed25519Signer(bytes([number]) * 32) for number in range(1, 4)]
ROSTER = Roster(
    version=0,
    faulty=0,
    rules=digest("rules"),
    voters=(Seat("v0", SIGNERS[0].key), Seat("v1", SIGNERS[1].key)),
    submitters=(Seat("desk", SIGNERS[2].key),),
)


class DecidedLog:
    """Two voters who say yes or no as they are told, both alike.

    :ivar store: open; ``close`` it.
    """

    def __init__(self, path: Path) -> None:
        self.path, self._count = path, 0
        self.store = open_store(str(path), CLUSTER, SHARD, roster=ROSTER)

    def decided(self, proposal: Proposal, *, accepts: bool = True) -> None:
        """Have a proposal decided."""
        self._count += 1
        envelope = Envelope(
            cluster=CLUSTER, shard=SHARD, roster=0, submitter="desk", nonce=self._count, deadline_ns=1 << 62,
            proposal=proposal,
        ).signed(SIGNERS[2])  # fmt: skip
        proof = tuple(
            Ballot(
                cluster=CLUSTER, shard=SHARD, roster=0, proposal=envelope.id, accepts=accepts,
                findings=digest("found"), voter=f"v{number}", seen=START,
            ).signed(SIGNERS[number])
            for number in range(2)
        )  # fmt: skip
        decide(self.store.log, (Request(envelope=envelope, proof=proof, epoch=0),), Ed25519Scheme())

    def remembered(  # noqa: PLR0913 - an episode, and what becomes of it
        self, space: Space, episode: Episode, vector: bytes, *, accepts: bool = True, kept: bool = True, base: int = 0
    ) -> None:
        """Have an episode decided.

        :param vector: little-endian float32. :param kept: whether the store holds it.
        :param base: the version that the proposal starts from.
        """
        if kept:
            self.store.facts.add_vectors([vector])
        self.decided(replace(proposed(space, episode, vector), base_version=base), accepts=accepts)

    def together(self, added: Iterable[tuple[Space, Episode, bytes]], *, accepts: bool = True) -> None:
        """Have several episodes decided in one proposal.

        :param added: each with its space and its vector.
        """
        given = list(added)
        self.store.facts.add_vectors([vector for _, _, vector in given])
        changes = [one for told in given for one in episodes_of(proposed(*told).change)]
        self.decided(several(tuple(changes)), accepts=accepts)

    def vectors(self, digests: Iterable[str]) -> Mapping[str, bytes]:
        """Committed ones."""
        with self.store.facts.reader() as facts:
            return facts.vectors(digests)

    def close(self) -> None:
        """Let go of the file."""
        self.store.close()

"""Ballots: which are valid, which count together, and when there are enough.

Used by everybody who decides, takes over or reads: one definition of a commit proof.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from coinswarm.memory.quorum.keys import Scheme
    from coinswarm.memory.quorum.records import Ballot, Envelope, Head, SealVote
    from coinswarm.memory.quorum.roster import Roster

    HashAt = Callable[[int], str | None]
    """The hash of the log's entry at an index; None where there is none."""


def is_valid(ballot: Ballot, envelope: Envelope, roster: Roster, scheme: Scheme) -> bool:
    """Whether a ballot is about an envelope, by a voter of the roster that is to judge it, and signed by it."""
    key = roster.voter_keys.get(ballot.voter)
    return (
        key is not None
        and ballot.proposal == envelope.id
        and ballot.cluster == envelope.cluster
        and ballot.shard == envelope.shard
        and ballot.roster == envelope.roster == roster.version
        and scheme.verify(key, ballot.signature, ballot.body)
    )


def agrees(seen: Head, hash_at: HashAt) -> bool:
    """Whether a head that somebody saw lies in this log."""
    return hash_at(seen.index) == seen.hash


def choose(ballots: Iterable[Ballot], roster: Roster, hash_at: HashAt) -> tuple[Ballot, ...]:
    """A commit proof from valid ballots, at most one per voter; empty while there is none.

    A ballot whose voter saw another history, or more of this one than is here, is left out: else one voter that lies
    about heads could spoil every proof.
    """
    ballots = list(ballots)
    if len(ballots) < roster.quorum:
        return ()
    matters = [ballot.matter for ballot in ballots]
    matter = max(matters, key=matters.count)
    if matters.count(matter) < roster.quorum:
        return ()
    usable = [ballot for ballot in ballots if ballot.matter == matter and agrees(ballot.seen, hash_at)]
    usable.sort(key=lambda ballot: ballot.voter)
    return tuple(usable[: roster.quorum]) if len(usable) >= roster.quorum else ()


def proves(proof: Sequence[Ballot], envelope: Envelope, roster: Roster, scheme: Scheme) -> bool:
    """Whether ballots are a commit proof: q valid ones of different voters that agree to the letter."""
    return (
        len({ballot.voter for ballot in proof}) == len(proof) >= roster.quorum
        and len({ballot.matter for ballot in proof}) == 1
        and all(is_valid(ballot, envelope, roster, scheme) for ballot in proof)
    )


def submitted(envelope: Envelope, roster: Roster, scheme: Scheme) -> bool:
    """Whether an envelope is signed by a submitter of the roster."""
    key = roster.submitter_keys.get(envelope.submitter)
    return key is not None and scheme.verify(key, envelope.signature, envelope.body)


def seals(votes: Sequence[SealVote], cluster: str, shard: str, roster: Roster, scheme: Scheme) -> bool:
    """Whether votes seal the head that the first of them names: q valid ones of different voters under one head."""
    return (
        len({vote.voter for vote in votes}) == len(votes) >= roster.quorum
        and len({vote.head for vote in votes}) == 1
        and all(vouches(vote, cluster, shard, roster, scheme) for vote in votes)
    )


def vouches(vote: SealVote, cluster: str, shard: str, roster: Roster, scheme: Scheme) -> bool:
    """Whether a seal vote is by a voter of the roster, for this log."""
    key = roster.voter_keys.get(vote.voter)
    return (
        key is not None
        and (vote.cluster, vote.shard, vote.roster) == (cluster, shard, roster.version)
        and scheme.verify(key, vote.signature, vote.body)
    )

"""What a reader knows of a log that it has verified from the first entry on.

``advance`` believes nothing: it recomputes the hash chain, checks every commit proof and every ruling. What cannot be
told from the entries, a log cut short, is told by remembered heads (``reader``) and by seals (``verify``).
"""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING, NamedTuple

from coinswarm.errors import OperatorError
from coinswarm.memory.quorum.proof import agrees, proves, submitted
from coinswarm.memory.quorum.records import START, Head, Outcome
from coinswarm.memory.quorum.roster import has_kept_its_seat, reconfigures
from coinswarm.memory.quorum.ruling import Standing, ruling, successor, version_of
from coinswarm.memory.quorum.table import Table

if TYPE_CHECKING:
    from coinswarm.memory.quorum.keys import Scheme
    from coinswarm.memory.quorum.records import Entry, Envelope
    from coinswarm.memory.quorum.roster import Roster


class BadEntryError(OperatorError):
    """The log holds an entry that no honest coordinator wrote.

    :param index: where the entry stands, or should.
    """

    def __init__(self, index: int, why: str) -> None:
        super().__init__(
            f"entry {index} of the log {why}",
            remedy="stop, keep a copy, and restore the log from before it was changed",
        )
        self.index = index


class Fold(NamedTuple):
    """The state of a shard at a head, without the changes themselves.

    :param at_ns, epoch: of the last entry.
    :param rosters: of each version so far; the last is in force.
    :param begun: of each version, the entry that brought it; 0 for the first.
    :param versions: subject -> version; absent: 0.
    :param decided: proposal id -> how it ended.
    :param spent: nonces of accepted proposals.
    :param hashes: index, as text -> hash.
    """

    cluster: str
    shard: str
    head: Head
    at_ns: int
    epoch: int
    rosters: tuple[Roster, ...]
    begun: tuple[int, ...]
    versions: Table[int]
    decided: Table[Outcome]
    spent: Table[str]
    hashes: Table[str]

    @property
    def roster(self) -> Roster:
        """The roster in force."""
        return self.rosters[-1]

    def roster_at(self, index: int) -> Roster:
        """The roster that is in force after the entry at an index."""
        return self.rosters[bisect_right(self.begun, index) - 1]

    def hash_at(self, index: int) -> str | None:
        """The hash of the entry at an index; None beyond the head."""
        return START.hash if index == 0 else self.hashes.get(str(index))

    def standing(self, envelope: Envelope) -> Standing:
        """What is known here, as far as an envelope is concerned."""
        return Standing(version_of(envelope.proposal, self.versions.of), self.roster, envelope.use in self.spent)

    def is_left(self, envelope: Envelope) -> bool:
        """Whether an envelope is left from before its submitter lost the seat, or the key, that it was signed with."""
        judges = self.judges(envelope)
        if judges is None or judges is self.roster:
            return False
        return not has_kept_its_seat(envelope.submitter, judges, self.roster)

    def judges(self, envelope: Envelope) -> Roster | None:
        """The roster that an envelope is addressed to; None while it is not known."""
        return self.rosters[envelope.roster] if 0 <= envelope.roster < len(self.rosters) else None


def genesis(cluster: str, shard: str, roster: Roster) -> Fold:
    """The fold of an empty log.

    :param roster: of version 0, from the operator's configuration: the one thing a reader must be told.
    """
    assert roster.version == 0, "a cluster starts with version 0"
    return Fold(
        cluster=cluster,
        shard=shard,
        head=START,
        at_ns=0,
        epoch=0,
        rosters=(roster,),
        begun=(0,),
        versions=Table(),
        decided=Table(),
        spent=Table(),
        hashes=Table(),
    )


def advance(fold: Fold, entry: Entry, scheme: Scheme) -> Fold:
    """The fold after the next entry.

    :raises BadEntryError: saying what is wrong with it.
    """
    wrong = _out_of_line(fold, entry)
    envelope = entry.envelope
    judges = fold.judges(envelope)
    if wrong:
        pass
    elif judges is None:
        wrong = f"is about a proposal for roster {envelope.roster}, which there never was"
    elif not submitted(envelope, judges, scheme):
        wrong = f"is about a proposal that {envelope.submitter} did not sign"
    elif entry.proof and not proves(entry.proof, envelope, judges, scheme):
        wrong = "carries ballots that are no commit proof"
    elif not all(agrees(ballot.seen, fold.hash_at) for ballot in entry.proof):
        wrong = "carries a ballot of a voter who saw another history"
    else:
        verdict = entry.proof[0].accepts if entry.proof else None
        due = ruling(envelope, fold.standing(envelope), entry.at_ns, verdict=verdict)
        if due is not entry.outcome:
            wrong = f"says {entry.outcome.value}, but {due.value if due else 'nothing'} was due"
    if wrong:
        raise BadEntryError(entry.index, wrong)
    return _applied(fold, entry)


def _out_of_line(fold: Fold, entry: Entry) -> str:
    """What keeps an entry from following the last; empty where nothing does."""
    if entry.index != fold.head.index + 1:
        return f"follows entry {fold.head.index}"
    if entry.previous != fold.head.hash:
        return "does not follow from the entry before: one of them was changed"
    if (entry.envelope.cluster, entry.envelope.shard) != (fold.cluster, fold.shard):
        return f"belongs to {entry.envelope.cluster}/{entry.envelope.shard}"
    if entry.at_ns < fold.at_ns or entry.epoch < fold.epoch:
        return "goes back in time"
    if entry.envelope.id in fold.decided:
        return f"decides the proposal {entry.envelope.id} again"
    return ""


def _applied(fold: Fold, entry: Entry) -> Fold:
    """The fold with a verified entry in it."""
    envelope, rosters, begun = entry.envelope, fold.rosters, fold.begun
    versions, spent = fold.versions, fold.spent
    if entry.outcome is Outcome.ACCEPT:
        for subject in envelope.proposal.subjects:
            versions = versions.put(subject, envelope.proposal.base_version + 1)
        spent = spent.put(envelope.use, envelope.id)
        if reconfigures(envelope.proposal):
            new = successor(envelope, fold.roster)
            assert new is not None, "nothing else is ruled to be accepted"
            rosters, begun = (*rosters, new), (*begun, entry.index)
    return Fold(
        cluster=fold.cluster,
        shard=fold.shard,
        head=entry.head,
        at_ns=entry.at_ns,
        epoch=entry.epoch,
        rosters=rosters,
        begun=begun,
        versions=versions,
        decided=fold.decided.put(envelope.id, entry.outcome),
        spent=spent,
        hashes=fold.hashes.put(str(entry.index), entry.hash),
    )

"""The invariants I1 to I11, checked from outside.

Nothing here calls the core's own rules: the watch counts signatures, versions and hashes by itself, so that a mutant
of the core cannot fool it too. It sees what no part can see: who was honest, what each signed, when.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from coinswarm.canonical import GENESIS
from coinswarm.domain.proposal import AddEpisodes, Configure
from coinswarm.memory.quorum.records import Outcome
from coinswarm_testkit.quorum.node import CLUSTER, SHARD

if TYPE_CHECKING:
    from coinswarm.memory.quorum.docket import Docket
    from coinswarm.memory.quorum.inmemory import Rows
    from coinswarm.memory.quorum.messages import Vote
    from coinswarm.memory.quorum.records import Ballot, Entry, Head, Lease
    from coinswarm_testkit.quorum.plan import Sizes
    from coinswarm_testkit.quorum.scheme import Cast

INVARIANTS = ("I1", "I2", "I3", "I4", "I5", "I6", "I7", "I8", "I9", "I10", "I11")


class Watch:
    """What was seen, and what was wrong.

    :ivar violations: invariant and what happened, in order.
    """

    def __init__(self, sizes: Sizes, cast: Cast, honest: frozenset[str]) -> None:
        self.sizes = sizes
        self.cast = cast
        self.honest = honest
        self.violations: list[tuple[str, str]] = []
        self.signed: dict[tuple[str, str], bytes] = {}
        self.outcomes: dict[str, Outcome] = {}
        self.uses: set[str] = set()
        self.versions: dict[str, int] = defaultdict(int)
        self.state: dict[str, str] = {}
        self.states: list[dict[str, str]] = [{}]
        self.roster = 0
        self.count = 0
        self.hash = GENESIS
        self.doubles: dict[str, dict[tuple[str, str], set[tuple[bool, str]]]] = defaultdict(lambda: defaultdict(set))
        self.epoch = 0
        self.holders: dict[int, str] = {}
        self.forked = False

    def wrong(self, invariant: str, what: str) -> None:
        """Note a violation."""
        self.violations.append((invariant, what))

    def sent(self, ballot: Ballot) -> None:
        """An honest voter lets a ballot out of its process (I7)."""
        key = (ballot.voter, ballot.proposal)
        if self.signed.setdefault(key, ballot.body) != ballot.body:
            self.wrong("I7", f"{ballot.voter} signed two ballots for {ballot.proposal[:8]}")

    def overheard(self, node: str, docket: Docket, vote: Vote) -> None:
        """A part is about to be handed a ballot of a voter that lies: note what it knows then.

        :param docket: what it has heard of until now.
        """
        ballot = vote.ballot
        if {type(ballot.voter), type(ballot.proposal)} != {str}:
            return  # a mutant reads anything
        case = docket.cases.get(ballot.proposal)
        about = vote.envelope if case is None else case.envelope
        if (ballot.proposal, ballot.cluster, ballot.shard, ballot.roster) != (about.id, CLUSTER, SHARD, about.roster):
            return  # a ballot on nothing that it has heard of
        if docket.fold.judges(about) is None:
            return  # by a roster that it has not read of yet: it cannot tell whose the ballot is
        if self.cast.scheme.verify(self.cast.roster.voter_keys.get(ballot.voter, ""), ballot.signature, ballot.body):
            self.doubles[node][ballot.voter, ballot.proposal].add((ballot.accepts, str(ballot.findings)))

    def asked(self, node: str, proof: tuple[Ballot, ...]) -> None:
        """An honest part asks for a decision (I2): who is known to have said two things counts for nothing."""
        for ballot in proof:
            if len(self.doubles[node][ballot.voter, ballot.proposal]) > 1:
                self.wrong("I2", f"{node} counted {ballot.voter}, which it knew to have said two things")

    def leased(self, before: Lease, after: Lease, holder: str, now_ns: int) -> None:
        """A lease transaction has ended (I6)."""
        if self.forked:
            return
        if after.epoch == before.epoch:
            if before.holder != after.holder or (before != after and holder != before.holder):
                self.wrong("I6", f"{holder} changed the lease of {before.holder}")
            return
        if after.epoch != before.epoch + 1 or after.epoch in self.holders or now_ns <= before.expires_ns:
            self.wrong("I6", f"{holder} took epoch {after.epoch} after {before.epoch}")
        self.holders[after.epoch] = holder
        self.epoch = after.epoch

    def appended(self, entry: Entry, node: str) -> None:
        """The log has a new entry, asked for by a part."""
        if self.forked:
            return
        self._order(entry)
        proposal, outcome = entry.envelope.proposal, entry.outcome
        change = proposal.change
        roster_change = isinstance(change, Configure) and change.key == "quorum.roster"
        self._once(entry)
        if outcome in {Outcome.ACCEPT, Outcome.REJECT}:
            self._proof(entry)
        if outcome is Outcome.EXPIRED or (outcome is Outcome.ACCEPT and roster_change):
            holder = self.holders.get(self.epoch)
            if entry.epoch != self.epoch or holder != node:
                self.wrong("I6", f"{node} wrote {outcome} in epoch {entry.epoch}; {holder} holds {self.epoch}")
        if outcome is Outcome.ACCEPT:
            subjects = [proposal.subject]
            if isinstance(change, AddEpisodes):  # not ``proposal.subjects``: a mutant may have taken some out
                subjects = [f"episode/{one.episode.id}" for one in change.episodes]
            for subject in subjects:
                if (proposal.base_version, entry.envelope.roster) != (self.versions[subject], self.roster):
                    self.wrong("I5", f"{subject} was at version {self.versions[subject]}, not {proposal.base_version}")
                self.versions[subject] += 1
            self.roster += roster_change
            self.state = {**self.state, **dict.fromkeys(subjects, entry.envelope.id)}
        self.states.append(self.state)

    def settled(self, rows: Rows) -> None:
        """A transaction has ended, well or not: the state is what the entries make it (I3, I4)."""
        if self.forked:
            return
        found = {subject: (version, envelope.id) for subject, (version, envelope) in rows.state.items()}
        if found != {subject: (self.versions[subject], made) for subject, made in self.state.items()}:
            self.wrong("I3", f"the state is not what {self.count} entries make it")
        if (rows.head.index, rows.head.hash, len(rows.entries)) != (self.count, self.hash, self.count):
            self.wrong("I4", f"the head says {rows.head.index}, there are {len(rows.entries)} entries")

    def _once(self, entry: Entry) -> None:
        """I1: one decision per proposal, one acceptance per nonce; and only of what the submitter signed (I2)."""
        envelope = entry.envelope
        if envelope.id in self.outcomes:
            self.wrong("I1", f"{envelope.id[:8]} decided again")
        self.outcomes[envelope.id] = entry.outcome
        if entry.outcome is Outcome.ACCEPT:
            if envelope.use in self.uses:
                self.wrong("I1", f"two proposals under {envelope.use} accepted")
            self.uses.add(envelope.use)
        if not self.cast.scheme.verify(self.cast.submitter.key, envelope.signature, envelope.body):
            self.wrong("I2", f"{envelope.id[:8]} decided, which nobody proposed")

    def _order(self, entry: Entry) -> None:
        """I4: 1, 2, 3, and each follows from the one before."""
        if entry.index != self.count + 1 or entry.previous != self.hash:
            self.wrong("I4", f"entry {entry.index} follows {self.count}")
        self.count, self.hash = self.count + 1, entry.hash

    def _proof(self, entry: Entry) -> None:
        """I2: q ballots of different voters, all signed, and alike."""
        keys = dict(zip((f"v{place}" for place in range(99)), (one.key for one in self.cast.voters), strict=False))
        good = set()
        for ballot in entry.proof:
            key = keys.get(ballot.voter)
            real = key is not None and self.cast.scheme.verify(key, ballot.signature, ballot.body)
            if ballot.voter in self.honest and self.signed.get((ballot.voter, ballot.proposal)) != ballot.body:
                real = False
            here = ballot.proposal == entry.envelope.id and ballot.accepts is (entry.outcome is Outcome.ACCEPT)
            if real and here and ballot.findings == entry.proof[0].findings:
                good.add(ballot.voter)
        if len(good) < self.sizes.quorum:
            self.wrong("I2", f"{entry.outcome} of {entry.envelope.id[:8]} by {len(good)} of {len(entry.proof)} ballots")

    def projected(self, applied: Head, rows: dict[str, str]) -> None:
        """I8: the index is the fold of the log up to where it says it is."""
        if not self.forked and (applied.index >= len(self.states) or rows != self.states[applied.index]):
            self.wrong("I8", f"the index at {applied.index} is not the fold of the log")

"""A voter: once per proposal, written down before it is sent, and nothing after it has lost faith in the log."""

from __future__ import annotations

from typing import TYPE_CHECKING

from coinswarm.canonical import digest
from coinswarm.memory.quorum import messages as m
from coinswarm.memory.quorum import proof
from coinswarm.memory.quorum.docket import TAKEOVER_NS
from coinswarm.memory.quorum.records import SealVote
from coinswarm.memory.quorum.voter import Voter, step

if TYPE_CHECKING:
    from collections.abc import Sequence

    from memory.quorum.conftest import Cluster

    from coinswarm.memory.quorum.records import Envelope

FOUND = digest("what honest voters find")


class Seat:
    """A voter with its effects collected; reads of the log are answered at once."""

    def __init__(self, cluster: Cluster, voter: Voter) -> None:
        self.cluster, self.voter, self.now = cluster, voter, 1_000
        self.done: list[m.Effect] = []
        self.tell(m.Tick())

    def tell(self, *events: object) -> list[m.Effect]:
        """What it wants done beside reading."""
        wanted: list[m.Effect] = []
        for event in events:
            self.voter, effects = step(self.voter, event, self.now)  # type: ignore[arg-type]
            for effect in effects:
                if isinstance(effect, m.ReadLog):
                    answer = self.cluster.log.read(effect.token, effect.after, 100)
                    self.voter, more = step(self.voter, answer, self.now)
                    wanted += more
                else:
                    wanted.append(effect)
        self.done += wanted
        return wanted

    def vote(self, envelope: Envelope, *, accepts: bool = True) -> m.Vote:
        """Have it vote; the vote that it sends."""
        assert m.Evaluate(envelope) in self.tell(m.Propose(envelope))
        [keep] = self.tell(m.Evaluated(envelope.id, accepts, FOUND))
        assert isinstance(keep, m.Keep)
        return sent(self.tell(m.Kept(keep.message)))[0]


def sent(effects: Sequence[m.Effect]) -> list[m.Vote]:
    """The votes among what is sent."""
    return [one.message for one in effects if isinstance(one, m.Send) and isinstance(one.message, m.Vote)]


def test_a_ballot_is_kept_before_it_is_sent(cluster: Cluster) -> None:
    seat, envelope = Seat(cluster, cluster.voter()), cluster.envelope()
    assert seat.tell(m.Propose(envelope)) == [m.Evaluate(envelope)]
    assert seat.tell(m.Propose(envelope)) == [], "once is enough"
    [keep] = seat.tell(m.Evaluated(envelope.id, True, FOUND))  # noqa: FBT003 - a verdict
    assert keep == m.Keep(m.Vote(envelope, cluster.ballot(envelope, 0)), cluster.log.rows.head)
    assert sent(seat.done) == []
    assert sent(seat.tell(m.Kept(keep.message))) == [keep.message]


def test_ballots_on_what_was_judged_together_are_signed_together(cluster: Cluster) -> None:
    """What was put off, or is not known, is left out; each ballot stands by itself."""
    seat = Seat(cluster, cluster.voter())
    asked = [cluster.envelope(cluster.proposal(subject=f"acceptance/{name}")) for name in "abcd"]
    seat.tell(*(m.Propose(envelope) for envelope in asked))
    found = [m.Evaluated(envelope.id, True, FOUND) for envelope in asked[:2]]  # noqa: FBT003 - a verdict
    late, unknown = m.Deferred(asked[2].id), m.Evaluated("0" * 64, True, FOUND)  # noqa: FBT003 - as above
    kept = seat.tell(m.Evaluations((found[0], late, unknown, found[1])))
    votes = [keep.message for keep in kept if isinstance(keep, m.Keep) and isinstance(keep.message, m.Vote)]
    assert [vote.envelope for vote in votes] == asked[:2]
    roots = {vote.ballot.signature.partition(":")[0] for vote in votes}
    assert len(roots) == 1
    for vote in votes:
        assert proof.is_valid(vote.ballot, vote.envelope, cluster.roster, cluster.scheme)
    assert seat.tell(m.Tick()) == [m.Evaluate(asked[2])], "what was put off is asked for again"


def test_what_had_been_kept_before_is_sent_and_not_what_was_found_now(cluster: Cluster) -> None:
    seat, envelope = Seat(cluster, cluster.voter()), cluster.envelope()
    seat.tell(m.Propose(envelope), m.Evaluated(envelope.id, True, FOUND))  # noqa: FBT003 - a verdict
    earlier = m.Vote(envelope, cluster.ballot(envelope, 0, accepts=False))
    assert sent(seat.tell(m.Kept(earlier))) == [earlier]


def test_asked_again_it_sends_the_same_bytes_also_in_another_life(cluster: Cluster) -> None:
    envelope = cluster.envelope()
    vote = Seat(cluster, cluster.voter()).vote(envelope)
    cluster.commit(cluster.proposal(subject="acceptance/floor"))
    again = Seat(cluster, cluster.voter(kept=[vote]))
    assert again.tell(m.Propose(envelope)) == [m.Send(vote)]
    assert again.tell(m.Evaluated(envelope.id, False, FOUND)) == [], "whatever it would think now"  # noqa: FBT003


def test_missing_evidence_is_no_ballot_and_is_asked_for_again(cluster: Cluster) -> None:
    seat, envelope = Seat(cluster, cluster.voter()), cluster.envelope()
    assert seat.tell(m.Propose(envelope), m.Deferred(envelope.id)) == [m.Evaluate(envelope)]
    assert seat.tell(m.Tick()) == [m.Evaluate(envelope)]


def test_no_ballot_on_what_is_forged_elsewhere_late_stale_or_still_to_come(cluster: Cluster) -> None:
    cluster.commit()
    seat = Seat(cluster, cluster.voter())
    envelopes = [
        cluster.envelope().signed(cluster.signers[0]),
        cluster.envelope(cluster="south"),
        cluster.envelope(shard="other"),
        cluster.envelope(cluster.proposal(base=1), life=-1),
        cluster.envelope(cluster.proposal(base=0)),
        cluster.envelope(cluster.proposal(base=2)),
        cluster.envelope(cluster.proposal(base=1), roster=1),
    ]
    for envelope in envelopes:
        assert seat.tell(m.Propose(envelope)) == []


def test_what_waits_for_a_version_is_judged_when_it_has_come(cluster: Cluster) -> None:
    seat, envelope = Seat(cluster, cluster.voter()), cluster.envelope(cluster.proposal(base=1))
    assert seat.tell(m.Propose(envelope)) == []
    cluster.commit()
    assert m.Evaluate(envelope) in seat.tell(m.Notice(cluster.log.rows.head))


def test_what_starts_from_a_version_that_it_has_not_read_makes_it_read_at_once(cluster: Cluster) -> None:
    seat, envelope = Seat(cluster, cluster.voter()), cluster.envelope(cluster.proposal(base=1))
    cluster.commit(cluster.proposal())
    assert m.Evaluate(envelope) in seat.tell(m.Propose(envelope))


def test_of_two_proposals_under_one_nonce_it_judges_the_first_and_tells(cluster: Cluster) -> None:
    seat, first = Seat(cluster, cluster.voter()), cluster.envelope()
    second = cluster.envelope(cluster.proposal("2"), nonce=first.nonce)
    seat.tell(m.Propose(first))
    assert seat.tell(m.Propose(second)) == [m.Report(m.Reuse(first, second))]
    assert seat.tell(m.Propose(second), m.Tick()) == [], "once"


def test_a_vote_brings_the_proposal_with_it(cluster: Cluster) -> None:
    seat, envelope = Seat(cluster, cluster.voter()), cluster.envelope()
    assert seat.tell(m.Vote(envelope, cluster.ballot(envelope, 1))) == [m.Evaluate(envelope)]


def test_what_others_leave_lying_it_has_decided(cluster: Cluster) -> None:
    seat, envelope = Seat(cluster, cluster.voter()), cluster.envelope()
    vote = seat.vote(envelope)
    for number in (1, 2):
        seat.tell(m.Vote(envelope, cluster.ballot(envelope, number)))
    assert not [one for one in seat.tell(m.Tick()) if isinstance(one, m.Decide)]
    seat.now += TAKEOVER_NS
    again, decide = seat.tell(m.Tick())
    assert again == m.Send(vote), "who takes over may not have heard it"
    assert isinstance(decide, m.Decide)
    [answer] = cluster.decide(*decide.requests)
    assert seat.tell(m.Answered((answer,)))[-1] == m.Send(m.Notice(answer.head))
    seat.now += TAKEOVER_NS
    assert seat.tell(m.Tick()) == [], "it is decided"


def test_two_ballots_of_one_voter_count_for_nothing_and_are_evidence(cluster: Cluster) -> None:
    seat, envelope = Seat(cluster, cluster.voter()), cluster.envelope()
    vote = seat.vote(envelope)
    first, second = cluster.ballot(envelope, 1), cluster.ballot(envelope, 1, accepts=False)
    seat.tell(m.Vote(envelope, first))
    assert seat.tell(m.Vote(envelope, second)) == [m.Report(m.Double(first, second))]
    seat.tell(m.Vote(envelope, first), m.Vote(envelope, cluster.ballot(envelope, 2)))
    seat.now += TAKEOVER_NS
    assert seat.tell(m.Tick()) == [m.Send(vote)], "two are not three"
    seat.tell(m.Vote(envelope, cluster.ballot(envelope, 3)))
    seat.now += TAKEOVER_NS
    _, decide = seat.tell(m.Tick())
    assert isinstance(decide, m.Decide)
    assert [one.voter for one in decide.requests[0].proof] == ["v0", "v2", "v3"]


def test_disagreement_is_told_and_breaks_no_tie(cluster: Cluster) -> None:
    seat, envelope = Seat(cluster, cluster.voter()), cluster.envelope()
    seat.vote(envelope)
    split = cluster.ballot(envelope, 1, found=digest("something else"))
    assert m.Report(m.Split(envelope.id)) in seat.tell(m.Vote(envelope, split))


def test_a_roster_that_is_not_allowed_is_rejected_whatever_the_plugin_thinks(cluster: Cluster) -> None:
    seat = Seat(cluster, cluster.voter())
    assert seat.vote(cluster.envelope(cluster.next_roster(version=7))).ballot.accepts is False
    assert seat.vote(cluster.envelope(cluster.next_roster(rules=digest("x")))).ballot.accepts is True


def test_without_a_seat_it_judges_nothing(cluster: Cluster) -> None:
    seat = Seat(cluster, cluster.voter(3))
    cluster.commit(cluster.next_roster(voters=cluster.roster.voters[:3], faulty=0))
    seat.tell(m.Tick())
    assert seat.tell(m.Propose(cluster.envelope())) == []


def test_once_its_seat_has_another_key_it_judges_and_seals_nothing_with_the_old_one(cluster: Cluster) -> None:
    old, open_still = Seat(cluster, cluster.voter(seal_every=1)), cluster.envelope()
    assert old.tell(m.Propose(open_still)) == [m.Evaluate(open_still)]
    seats = cluster.roster.voters
    cluster.commit(cluster.next_roster(voters=(type(seats[0])("v0", cluster.signers[4].key), *seats[1:])))
    assert not any(isinstance(one, m.Keep) for one in old.tell(m.Tick())), "no seal"
    found = m.Evaluated(open_still.id, True, FOUND)  # noqa: FBT003 - a verdict
    envelope = cluster.envelope()
    assert old.tell(found, m.Propose(envelope)) == []
    cluster.signers[0] = cluster.signers[4]
    assert m.Evaluate(envelope) in Seat(cluster, cluster.voter()).tell(m.Propose(envelope)), "the new key has the seat"


def test_a_seal_is_kept_before_it_is_sent_and_once_per_head(cluster: Cluster) -> None:
    seat = Seat(cluster, cluster.voter(seal_every=2))
    for base in range(5):
        cluster.commit(cluster.proposal(base=base))
    kept = [one.message for one in seat.tell(m.Tick()) if isinstance(one, m.Keep)]
    [vote] = kept
    assert isinstance(vote, SealVote)
    assert vote.head == cluster.log.rows.entries[3].head
    assert seat.tell(m.Kept(vote)) == [m.Send(vote)]
    assert seat.tell(m.Tick()) == []


def test_after_a_restored_backup_it_says_nothing_any_more(cluster: Cluster) -> None:
    backup = cluster.log.rows.copy()
    seat = Seat(cluster, cluster.voter())
    cluster.commit()
    assert seat.tell(m.Tick()) == [m.Remember(cluster.log.rows.head)]
    seen, cluster.log.rows = cluster.log.rows.head, backup
    [report] = seat.tell(m.Tick())
    assert report == m.Report(m.Halted("split-brain: the log ends at entry 0, but was seen at 1"))
    assert seat.tell(m.Propose(cluster.envelope()), m.Tick()) == []
    assert [type(one.about) for one in Seat(cluster, cluster.voter(seen=seen)).done if isinstance(one, m.Report)] == [
        m.Halted
    ], "nor in another life"


def test_a_seal_names_the_roster_that_was_in_force_at_its_head(cluster: Cluster) -> None:
    """Else those who read it before and after a change of the roster would sign different things."""
    seat = Seat(cluster, cluster.voter(seal_every=2))
    for base in range(2):
        cluster.commit(cluster.proposal(base=base))
    cluster.commit(cluster.next_roster(rules=digest("other")))
    kept = [one.message for one in seat.tell(m.Tick()) if isinstance(one, m.Keep)]
    [vote] = kept
    assert isinstance(vote, SealVote)
    assert (vote.head.index, vote.roster) == (2, 0)

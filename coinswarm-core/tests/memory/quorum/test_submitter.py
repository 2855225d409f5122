"""A submitter: on its disk first, then sent, and again until the log says how it ended."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from coinswarm.memory.quorum import messages as m
from coinswarm.memory.quorum.records import START, Outcome
from coinswarm.memory.quorum.roster import Seat
from coinswarm.memory.quorum.submitter import FIRST_NS, LONGEST_NS, Submitter, start, step

if TYPE_CHECKING:
    from memory.quorum.conftest import Cluster


def tell(cluster: Cluster, state: Submitter, event: object, now: int) -> tuple[Submitter, list[m.Effect]]:
    """Its state, and what it wants done beside reading."""
    wanted: list[m.Effect] = []
    waiting = [event]
    while waiting:
        state, effects = step(state, waiting.pop(0), now)  # type: ignore[arg-type]
        for effect in effects:
            if isinstance(effect, m.ReadLog):
                waiting.append(cluster.log.read(effect.token, effect.after, 100))
            elif not isinstance(effect, m.Remember):
                wanted.append(effect)
    return state, wanted


def test_sent_while_it_is_kept_then_sent_again_with_growing_pauses_until_it_ends(cluster: Cluster) -> None:
    envelope = cluster.envelope()
    state = start("north", "main", cluster.roster, cluster.scheme)
    state, effects = tell(cluster, state, m.Submit(envelope), 1)
    sent, keep = effects
    assert sent == m.Send(m.Propose(envelope))
    assert isinstance(keep, m.Keep)
    assert keep.message == m.Propose(envelope)
    state, effects = tell(cluster, state, m.Kept(keep.message), 1)
    assert effects == []
    times = []
    for now in range(1, 12_000_000_001, FIRST_NS // 5):
        state, effects = tell(cluster, state, m.Tick(), now)
        if m.Send(m.Propose(envelope)) in effects:
            times.append(now)
    pauses = [two - one for one, two in pairwise(times)]
    assert times[0] == 1 + FIRST_NS
    assert pauses[:2] == [2 * FIRST_NS, LONGEST_NS]
    assert set(pauses[2:]) == {LONGEST_NS}
    cluster.decide(cluster.request(envelope))
    state, effects = tell(cluster, state, m.Notice(cluster.log.rows.head), 13_000_000_000)
    assert effects == [m.Ended(envelope, Outcome.ACCEPT)]
    assert tell(cluster, state, m.Tick(), 20_000_000_000)[1] == []


def test_what_waits_behind_others_that_are_decided_is_sent_again_later_but_it_is(cluster: Cluster) -> None:
    slow, quick = cluster.envelope(cluster.proposal(subject="acceptance/slow")), []
    state = start("north", "main", cluster.roster, cluster.scheme)
    state, _ = tell(cluster, state, m.Submit(slow), 1)
    times = []
    for turn in range(1, 30):
        now = 1 + turn * FIRST_NS // 4
        quick.append(cluster.envelope(cluster.proposal(subject=f"acceptance/quick-{turn}")))
        state, _ = tell(cluster, state, m.Submit(quick[-1]), now)
        cluster.decide(cluster.request(quick[-1]))
        state, effects = tell(cluster, state, m.Notice(cluster.log.rows.head), now)
        assert effects == [m.Ended(quick[-1], Outcome.ACCEPT)]
        state, effects = tell(cluster, state, m.Tick(), now)
        if m.Send(m.Propose(slow)) in effects:
            times.append(now)
    assert times == [1 + FIRST_NS + LONGEST_NS], "and not at once after half a second"
    state, effects = tell(cluster, state, m.Tick(), times[0] + 2 * FIRST_NS + LONGEST_NS)
    assert effects == [m.Send(m.Propose(slow))], "nothing moves any more"


def test_what_its_disk_holds_is_sent_in_the_next_life(cluster: Cluster) -> None:
    envelope = cluster.envelope()
    state = start("north", "main", cluster.roster, cluster.scheme, kept=[envelope])
    assert m.Send(m.Propose(envelope)) in tell(cluster, state, m.Tick(), 1)[1]


def test_it_stops_when_the_log_is_not_the_one_it_saw(cluster: Cluster) -> None:
    envelope = cluster.envelope()
    cluster.commit()
    seen = cluster.log.rows.head
    cluster.log.rows.entries.clear()
    cluster.log.rows.head = START
    state = start("north", "main", cluster.roster, cluster.scheme, kept=[envelope], seen=seen)
    state, effects = tell(cluster, state, m.Tick(), 1)
    assert any(isinstance(one, m.Report) for one in effects)
    assert tell(cluster, state, m.Tick(), 9_000_000_000)[1] == []
    assert tell(cluster, state, m.Submit(envelope), 9_000_000_000)[1] == []


def test_what_was_signed_with_a_key_that_was_replaced_is_not_sent_for_ever(cluster: Cluster) -> None:
    left = cluster.envelope()
    seat = Seat("desk", cluster.signers[4].key)
    cluster.commit(cluster.next_roster(submitters=(seat,)))
    state = start("north", "main", cluster.roster, cluster.scheme, kept=[left])
    state, effects = tell(cluster, state, m.Tick(), 1)
    assert effects == [m.Send(m.Propose(left)), m.Ended(left, Outcome.CONFLICT)], "it has not read the log at first"
    assert tell(cluster, state, m.Tick(), 20_000_000_000)[1] == []

"""Open proposals: how many of one submitter there may be."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from coinswarm.memory.quorum import docket as dockets
from coinswarm.memory.quorum import messages as m
from coinswarm.memory.quorum.docket import FORGET_NS, MOST_OPEN, Docket
from coinswarm.memory.quorum.keys import Ed25519Signer
from coinswarm.memory.quorum.log import Status
from coinswarm.memory.quorum.roster import Seat

if TYPE_CHECKING:
    from memory.quorum.conftest import Cluster

    from coinswarm.memory.quorum.records import Envelope

OTHER = Ed25519Signer(bytes([99]) * 32)
"""Of a second submitter."""


@pytest.fixture
def crowded(cluster: Cluster) -> tuple[Docket, list[Envelope]]:
    """A docket in which one of two submitters has as many open as one may, and those."""
    roster = replace(cluster.roster, submitters=(*cluster.roster.submitters, Seat("other", OTHER.key)))
    docket = dockets.new_docket("north", "main", roster, cluster.scheme)
    opened = [cluster.envelope() for _ in range(MOST_OPEN)]
    for envelope in opened:
        docket, case = dockets.admit(docket, envelope)
        assert case is not None
    return docket, opened


def test_what_one_submitter_has_too_much_of_is_not_taken_until_there_is_room(
    cluster: Cluster, crowded: tuple[Docket, list[Envelope]]
) -> None:
    docket, opened = crowded
    more = cluster.envelope()
    assert dockets.admit(docket, more) == (docket, None)
    vote = m.Vote(more, cluster.ballot(more, 0))
    assert dockets.hear(docket, vote) == (docket, None, ()), "nor by way of a voter"
    same, case = dockets.admit(docket, opened[0])
    assert (same, case) == (docket, docket.cases.get(opened[0].id)), "what is open is known as before"
    docket, case = dockets.admit(dockets.drop(docket, [opened[0].id]), more)
    assert case is not None
    assert len(docket.cases) == MOST_OPEN


def test_one_that_floods_takes_no_room_from_another(cluster: Cluster, crowded: tuple[Docket, list[Envelope]]) -> None:
    docket, _ = crowded
    others = replace(cluster.envelope(), submitter="other", signature="").signed(OTHER)
    docket, case = dockets.admit(docket, others)
    assert case is not None
    assert dockets.crowds(docket) == ["desk"]


def test_it_is_told_as_long_as_it_lasts(cluster: Cluster, crowded: tuple[Docket, list[Envelope]]) -> None:
    docket, opened = crowded
    assert dockets.tidy(docket, 1) == (docket, (m.Report(m.Crowd("desk")),))
    assert dockets.tidy(dockets.drop(docket, [opened[0].id]), 1)[1] == ()
    late = docket._replace(reader=docket.reader._replace(log_ns=cluster.now + 11 * 10**9 + FORGET_NS))
    docket, reports = dockets.tidy(late, 1)
    assert (len(docket.cases), reports) == (0, ()), "long past their deadlines"


def test_what_a_submitter_without_a_seat_asks_for_is_not_taken(cluster: Cluster) -> None:
    """Neither by its own roster: each would be an entry for ever."""
    docket = dockets.new_docket("north", "main", cluster.roster, cluster.scheme)
    docket, case = dockets.admit(docket, open_before := cluster.envelope())
    assert case is not None
    late = cluster.envelope()
    cluster.commit(cluster.next_roster(submitters=(Seat("other", OTHER.key),)))
    docket, _ = dockets.take_in(docket._replace(token=1), cluster.log.read(1, 0, 100), 1, 0)
    assert docket.fold.roster.version == 1
    assert dockets.admit(docket, late) == (docket, None)
    assert open_before.id not in docket.cases, "nor does it take anybody's room any more"
    assert {one.status for one in cluster.decide(cluster.request(late), cluster.request(open_before))} == {
        Status.INVALID
    }


def test_what_an_old_key_left_takes_no_room_from_the_new_one(cluster: Cluster) -> None:
    """Whoever stole it may have opened as much as one may, until the end of time."""
    docket = dockets.new_docket("north", "main", cluster.roster, cluster.scheme)
    for _ in range(MOST_OPEN):
        docket, case = dockets.admit(docket, cluster.envelope(cluster.proposal(base=9), life=1 << 61))
        assert case is not None
    assert dockets.crowds(docket) == ["desk"]
    cluster.commit(cluster.next_roster(submitters=(Seat("desk", OTHER.key),)))
    docket, _ = dockets.take_in(docket._replace(token=1), cluster.log.read(1, 0, 100), 1, 0)
    assert (len(docket.cases), len(docket.ripe)) == (0, 0)
    new = replace(cluster.envelope(), roster=1, signature="").signed(OTHER)
    assert dockets.admit(docket, new)[1] is not None

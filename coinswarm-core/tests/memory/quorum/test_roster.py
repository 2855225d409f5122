"""The roster: its sizes hold, it travels as text, and it changes by one voter at a time."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from coinswarm.domain.proposal import ROSTER_KEY, Configure
from coinswarm.memory.quorum.roster import Seat, reconfigures, roster_from, succeed

if TYPE_CHECKING:
    from memory.quorum.conftest import Cluster


def test_it_travels_as_one_line_of_text(cluster: Cluster) -> None:
    assert roster_from(cluster.roster.text()) == cluster.roster
    assert "\n" not in cluster.roster.text()


@pytest.mark.parametrize("text", ["", "{}", "[]", "7", '{"version":0}', "[" * 100_000])
def test_what_is_none_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        roster_from(text)


def test_another_spelling_is_refused(cluster: Cluster) -> None:
    with pytest.raises(ValueError, match="canonical"):
        roster_from(cluster.roster.text().replace(":", ": "))


def test_one_key_sits_in_one_seat(cluster: Cluster) -> None:
    voters = cluster.roster.voters
    with pytest.raises(ValueError, match="keys of voters"):
        replace(cluster.roster, voters=(*voters[:3], Seat("v9", voters[0].key)))


def test_a_voter_may_be_added_removed_or_given_another_key(cluster: Cluster) -> None:
    voters, key = cluster.roster.voters, cluster.signers[4].key
    for changed in ((*voters, Seat("v4", key)), (Seat("v0", key), *voters[1:])):
        assert succeed(cluster.roster, cluster.next_roster(voters=changed)).voters == changed
    assert len(succeed(cluster.roster, cluster.next_roster(voters=voters[:3], faulty=0)).voters) == 3


def test_two_voters_may_not_change_at_once_nor_may_a_version_be_left_out(cluster: Cluster) -> None:
    voters, key = cluster.roster.voters, cluster.signers[4].key
    with pytest.raises(ValueError, match="v0, v9 at once"):
        succeed(cluster.roster, cluster.next_roster(voters=(Seat("v9", key), *voters[1:])))
    with pytest.raises(ValueError, match="has the version 2"):
        succeed(cluster.roster, cluster.next_roster(version=2))


def test_only_a_proposal_of_its_kind_and_key_changes_it(cluster: Cluster) -> None:
    proposal = cluster.next_roster()
    assert reconfigures(proposal)
    assert not reconfigures(cluster.proposal())
    sly = replace(proposal, subject="acceptance/cap")
    assert reconfigures(sly), "whatever it says it is about"
    with pytest.raises(ValueError, match=ROSTER_KEY):
        succeed(cluster.roster, replace(proposal, change=Configure("quorum.other", "1")))

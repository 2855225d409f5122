"""Commit proofs: q valid ballots of different voters that agree to the letter."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from coinswarm.memory.quorum.proof import choose, is_valid, proves, submitted
from coinswarm.memory.quorum.records import START, Head

if TYPE_CHECKING:
    from memory.quorum.conftest import Cluster

ELSEWHERE = Head(3, "3" * 64)


def hash_at(index: int) -> str | None:
    return START.hash if index == 0 else None


def test_a_ballot_is_valid_for_its_proposal_voter_cluster_and_roster_only(cluster: Cluster) -> None:
    envelope = cluster.envelope()
    good = cluster.ballot(envelope, 0)
    bad = [
        replace(good, signature=cluster.ballot(envelope, 1).signature),
        cluster.ballot(envelope, 0, cluster="south"),
        cluster.ballot(envelope, 0, shard="other"),
        cluster.ballot(envelope, 0, roster=1),
        cluster.ballot(envelope, 0, proposal="0" * 64),
        cluster.ballot(envelope, 4),
        cluster.ballot(envelope, 0, voter="v1"),
    ]
    assert is_valid(good, envelope, cluster.roster, cluster.scheme)
    assert not [one for one in bad if is_valid(one, envelope, cluster.roster, cluster.scheme)]


def test_a_proof_has_no_voter_twice_none_too_few_and_no_two_opinions(cluster: Cluster) -> None:
    envelope = cluster.envelope()
    one, two, three = cluster.proof(envelope)
    again = cluster.ballot(envelope, 0, seen=ELSEWHERE)

    def good(*ballots: object) -> bool:
        return proves(ballots, envelope, cluster.roster, cluster.scheme)  # type: ignore[arg-type]

    assert good(one, two, three)
    assert not good(one, two)
    assert not good(one, two, again)
    assert not good(one, two, cluster.ballot(envelope, 2, accepts=False))
    assert not good(one, two, cluster.ballot(envelope, 2, found="0" * 64))
    assert not good(one, two, replace(three, findings="0" * 64))


def test_ballots_of_another_history_are_left_out_and_spoil_nothing(cluster: Cluster) -> None:
    envelope = cluster.envelope()
    liar = cluster.ballot(envelope, 0, seen=ELSEWHERE)
    others = [cluster.ballot(envelope, number) for number in (3, 1, 2)]
    assert choose([liar, *others[:2]], cluster.roster, hash_at) == ()
    assert [one.voter for one in choose([liar, *others], cluster.roster, hash_at)] == ["v1", "v2", "v3"]


def test_a_split_vote_is_no_proof(cluster: Cluster) -> None:
    envelope = cluster.envelope()
    ballots = [cluster.ballot(envelope, number, accepts=number < 2) for number in range(4)]
    assert choose(ballots, cluster.roster, hash_at) == ()


def test_only_a_submitter_submits(cluster: Cluster) -> None:
    envelope = cluster.envelope()
    assert submitted(envelope, cluster.roster, cluster.scheme)
    assert not submitted(replace(envelope, nonce=7), cluster.roster, cluster.scheme)
    assert not submitted(envelope.signed(cluster.signers[0]), cluster.roster, cluster.scheme)
    assert not submitted(replace(envelope, submitter="v0"), cluster.roster, cluster.scheme)

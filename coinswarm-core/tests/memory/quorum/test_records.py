"""Canonical forms: every field counts, no two kinds share one, and nothing that is signed here holds elsewhere."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from coinswarm.canonical import canonical_json, chain, sha256
from coinswarm.domain.acceptance import AcceptanceRules, Evidence, Rule, Verdict
from coinswarm.memory.quorum.findings import findings
from coinswarm.memory.quorum.records import START, Entry, Head, Outcome, SealVote

if TYPE_CHECKING:
    from memory.quorum.conftest import Cluster


def test_an_id_names_cluster_shard_roster_and_everything_else(cluster: Cluster) -> None:
    envelope = cluster.envelope()
    others = [
        replace(envelope, cluster="south"),
        replace(envelope, shard="other"),
        replace(envelope, roster=1),
        replace(envelope, submitter="other"),
        replace(envelope, nonce=99),
        replace(envelope, deadline_ns=1),
        replace(envelope, proposal=cluster.proposal("2")),
    ]
    assert len({envelope.id, *(one.id for one in others)}) == 8
    assert replace(envelope, signature="").id == envelope.id, "the signature is not part of what is signed"


def test_the_form_of_an_envelope_is_pinned(cluster: Cluster) -> None:
    assert cluster.envelope().id == "2721f6512dbf0b2d52cad67321a621777565e1f25b3dbb8f791a1551a51a36a2"


@pytest.mark.parametrize(
    "changed",
    [
        {"cluster": "south"}, {"shard": "other"}, {"roster": 1}, {"proposal": "0" * 64}, {"accepts": False},
        {"findings": "0" * 64}, {"voter": "v1"}, {"seen": Head(1, "0" * 64)},
    ],
)  # fmt: skip
def test_every_field_of_a_ballot_is_signed(cluster: Cluster, changed: dict[str, object]) -> None:
    ballot = cluster.ballot(cluster.envelope(), 0)
    other = replace(ballot, **changed)  # type: ignore[arg-type]
    assert cluster.scheme.verify(cluster.signers[0].key, ballot.signature, ballot.body)
    assert not cluster.scheme.verify(cluster.signers[0].key, other.signature, other.body)


@pytest.mark.parametrize("signature", ["", "5a" * 64, f"{'5a' * 64}:3:64:{'0f' * 192}", 'Größe "1"\\'])
@pytest.mark.parametrize("ballots", [0, 3])
def test_the_hash_of_an_entry_is_over_the_documented_layout(cluster: Cluster, signature: str, ballots: int) -> None:
    envelope = replace(cluster.envelope(), signature=signature)
    proof = tuple(replace(cluster.ballot(envelope, number), signature=signature) for number in range(ballots))
    entry = Entry(
        index=1, previous=START.hash, epoch=2, at_ns=5, envelope=envelope, outcome=Outcome.CONFLICT, proof=proof
    )
    told = {
        "schema": "coinswarm.entry/1", "index": 1, "epoch": 2, "at_ns": 5, "proposal": envelope.id,
        "submitted": signature, "outcome": "conflict", "proof": [[sha256(one.body), signature] for one in proof],
    }  # fmt: skip
    assert entry.hash == chain(START.hash, canonical_json(told))


def test_every_field_of_an_entry_is_hashed(cluster: Cluster) -> None:
    envelope = cluster.envelope()
    entry = Entry(index=1, previous=START.hash, epoch=1, at_ns=5, envelope=envelope, outcome=Outcome.ACCEPT)
    others = [
        replace(entry, index=2),
        replace(entry, previous="0" * 63 + "1"),
        replace(entry, epoch=2),
        replace(entry, at_ns=6),
        replace(entry, envelope=cluster.envelope()),
        replace(entry, envelope=replace(envelope, signature="00")),
        replace(entry, outcome=Outcome.REJECT),
        replace(entry, proof=cluster.proof(envelope)),
        replace(entry, proof=cluster.proof(envelope)[::-1]),
    ]
    assert len({entry.hash, *(one.hash for one in others)}) == 10


def test_a_seal_vote_is_no_ballot(cluster: Cluster) -> None:
    ballot = cluster.ballot(cluster.envelope(), 0)
    vote = SealVote(cluster="north", shard="main", roster=0, head=START, voter="v0")
    assert not cluster.scheme.verify(cluster.signers[0].key, ballot.signature, vote.body)


def test_findings_depend_on_what_held_and_on_what_it_was_read_from() -> None:
    def found(*, failed: str = "", now: int = 1, version: int = 0) -> str:
        verdict = Verdict.of({Rule.EVIDENCE: "", Rule.BASE: failed})
        return findings(verdict, Evidence(now_ns=now, version=version, rules=AcceptanceRules()))

    assert found() == found(now=2), "the log's clock may differ from voter to voter"
    assert found(failed="one reason") == found(failed="another"), "words are for people"
    assert len({found(), found(failed="x"), found(version=1)}) == 3

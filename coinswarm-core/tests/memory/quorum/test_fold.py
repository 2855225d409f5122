"""A reader believes nothing: every way of changing the log is named, with the entry where it begins."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from coinswarm.memory.quorum.fold import BadEntryError, advance
from coinswarm.memory.quorum.records import START, Entry, Head, Outcome

if TYPE_CHECKING:
    from collections.abc import Callable

    from memory.quorum.conftest import Cluster


def entry(cluster: Cluster, **fields: object) -> Entry:
    """A good first entry, with some fields changed."""
    envelope = cluster.envelope()
    given: dict[str, object] = {
        "index": 1,
        "previous": START.hash,
        "epoch": 0,
        "at_ns": cluster.now,
        "envelope": envelope,
        "outcome": Outcome.ACCEPT,
        "proof": cluster.proof(envelope),
    }
    return Entry(**{**given, **fields})  # type: ignore[arg-type]


def test_a_good_entry_is_folded(cluster: Cluster) -> None:
    good = entry(cluster)
    fold = advance(cluster.genesis(), good, cluster.scheme)
    assert fold.head == good.head
    assert fold.versions.get("acceptance/cap") == 1
    assert fold.decided.get(good.envelope.id) is Outcome.ACCEPT
    assert fold.hash_at(1) == good.hash
    assert fold.hash_at(2) is None


def test_each_of_several_has_a_version_and_they_have_none_together(cluster: Cluster) -> None:
    both, other = cluster.envelope(cluster.remember(1, 2)), cluster.envelope(cluster.remember(2, 3))
    good = entry(cluster, envelope=both, proof=cluster.proof(both))
    fold = advance(cluster.genesis(), good, cluster.scheme)
    assert dict(fold.versions.items()) == {f"episode/{part.episode.id}": 1 for part in map(cluster.episode, (1, 2))}
    assert [fold.standing(one).version for one in (both, other)] == [1, 1]
    assert fold.standing(cluster.envelope(cluster.remember(3, 4))).version == 0
    twice = entry(cluster, index=2, previous=good.hash, envelope=other, proof=cluster.proof(other))
    with pytest.raises(BadEntryError, match="says accept, but conflict was due"):
        advance(fold, twice, cluster.scheme)


BAD: list[tuple[str, Callable[[Cluster], Entry]]] = [
    ("follows entry 0", lambda c: entry(c, index=2)),
    ("does not follow from the entry before", lambda c: entry(c, previous="0" * 63 + "1")),
    ("belongs to south/main", lambda c: entry(c, envelope=c.envelope(cluster="south"))),
    ("goes back in time", lambda c: entry(c, at_ns=-1)),
    ("which there never was", lambda c: entry(c, envelope=c.envelope(roster=3))),
    ("did not sign", lambda c: entry(c, envelope=replace(c.envelope(), signature=""))),
    ("no commit proof", lambda c: entry(c, envelope=c.envelope())),
    ("says accept, but nothing was due", lambda c: entry(c, proof=())),
    ("says reject, but accept was due", lambda c: entry(c, outcome=Outcome.REJECT)),
    ("says expired, but nothing was due", lambda c: entry(c, outcome=Outcome.EXPIRED, proof=())),
    ("says accept, but expired was due", lambda c: entry(c, at_ns=c.now + 10**12)),
    ("says conflict, but nothing was due", lambda c: entry(c, outcome=Outcome.CONFLICT, proof=())),
]


@pytest.mark.parametrize(("why", "made"), BAD, ids=[why for why, _ in BAD])
def test_a_bad_entry_is_named(cluster: Cluster, why: str, made: Callable[[Cluster], Entry]) -> None:
    with pytest.raises(BadEntryError, match=why):
        advance(cluster.genesis(), made(cluster), cluster.scheme)


def test_a_ballot_of_another_history_is_no_good(cluster: Cluster) -> None:
    envelope = cluster.envelope()
    proof = tuple(cluster.ballot(envelope, number, seen=Head(4, "4" * 64)) for number in range(3))
    with pytest.raises(BadEntryError, match="saw another history"):
        advance(cluster.genesis(), entry(cluster, envelope=envelope, proof=proof), cluster.scheme)


def test_a_proposal_is_decided_once(cluster: Cluster) -> None:
    cluster.commit()
    fold, [first] = cluster.fold(), cluster.log.rows.entries
    with pytest.raises(BadEntryError, match="again"):
        advance(fold, replace(first, index=2, previous=first.hash), cluster.scheme)

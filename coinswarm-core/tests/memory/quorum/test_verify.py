"""The whole log: its first bad entry is named, and seals tell what the entries alone cannot."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from coinswarm.canonical import digest
from coinswarm.memory.quorum.records import Entry, Head, Outcome, Seal, SealVote
from coinswarm.memory.quorum.verify import Report, verify

if TYPE_CHECKING:
    from memory.quorum.conftest import Cluster


def sealed(cluster: Cluster, head: Head, voters: int = 3, roster: int = 0) -> Seal:
    """A seal under a head."""
    votes = [
        SealVote(cluster="north", shard="main", roster=roster, head=head, voter=f"v{one}") for one in range(voters)
    ]
    return Seal(head, tuple(vote.signed(cluster.signers[one]) for one, vote in enumerate(votes)))


def verified(cluster: Cluster, *seals: Seal) -> Report:
    """What verification says of the log as it is."""
    rows = cluster.log.rows
    return verify(cluster.genesis(), rows.entries, rows.head, cluster.scheme, seals)


def relinked(entries: list[Entry]) -> list[Entry]:
    """Entries numbered and chained anew, as the log's owner could."""
    made: list[Entry] = []
    for number, entry in enumerate(entries, 1):
        previous = made[-1].hash if made else entries[0].previous
        made.append(replace(entry, index=number, previous=previous))
    return made


def test_a_log_as_it_was_written_is_good(cluster: Cluster) -> None:
    for base in range(4):
        cluster.commit(cluster.proposal(base=base))
    report = verified(
        cluster, sealed(cluster, cluster.log.rows.entries[1].head), sealed(cluster, cluster.log.rows.head)
    )
    assert (report.bad, report.why) == (0, "")
    assert report.fold.head == cluster.log.rows.head


@pytest.mark.parametrize("place", [0, 1, 2, 3])
def test_an_edited_row_is_named(cluster: Cluster, place: int) -> None:
    for base in range(4):
        cluster.commit(cluster.proposal(base=base))
    entries = cluster.log.rows.entries
    entries[place] = replace(entries[place], outcome=Outcome.REJECT)
    assert verified(cluster).bad == place + 1
    entries[place] = replace(entries[place], outcome=Outcome.ACCEPT, at_ns=entries[place].at_ns + 1)
    report = verified(cluster)
    assert report.bad in {place + 1, place + 2}, "the last before the link that breaks"
    assert report.why


def test_another_change_under_the_same_ballots_is_named(cluster: Cluster) -> None:
    cluster.commit()
    [entry] = cluster.log.rows.entries
    other = replace(entry.envelope, proposal=cluster.proposal("666")).signed(cluster.signers[5])
    cluster.log.rows.entries[0] = replace(entry, envelope=other)
    cluster.log.rows.head = cluster.log.rows.entries[0].head
    assert "no commit proof" in verified(cluster).why


def test_a_dropped_entry_is_named_even_where_the_hashes_were_made_to_fit(cluster: Cluster) -> None:
    for base in range(4):
        cluster.commit(cluster.proposal(base=base))
    rows = cluster.log.rows
    rows.entries = relinked([*rows.entries[:1], *rows.entries[2:]])
    rows.head = rows.entries[-1].head
    assert verified(cluster).bad == 2


def test_a_log_cut_short_is_told_by_a_seal_only(cluster: Cluster) -> None:
    for base in range(4):
        cluster.commit(cluster.proposal(base=base))
    rows = cluster.log.rows
    seal = sealed(cluster, rows.head)
    del rows.entries[2:]
    assert "its entries end at 2" in verified(cluster).why
    rows.head = rows.entries[-1].head
    assert verified(cluster).why == ""
    report = verified(cluster, seal)
    assert (report.bad, report.why) == (3, "the log ends at entry 2, but was sealed at 4")


def test_a_past_that_was_rewritten_to_fit_is_told_by_a_seal(cluster: Cluster) -> None:
    for base in range(3):
        cluster.commit(cluster.proposal(base=base))
    rows = cluster.log.rows
    seal = sealed(cluster, rows.entries[1].head)
    rows.entries[0] = replace(rows.entries[0], at_ns=rows.entries[0].at_ns - 1)
    rows.entries = relinked(rows.entries)
    rows.head = rows.entries[-1].head
    assert verified(cluster).why == "", "it hangs together"
    assert verified(cluster, seal).why == "entry 2 of the log is not the one that was sealed"


def test_a_seal_that_q_voters_did_not_sign_is_none(cluster: Cluster) -> None:
    cluster.commit()
    head = Head(9, "9" * 64)
    forged = [replace(vote, signature="00") for vote in sealed(cluster, head).votes]
    assert verified(cluster, sealed(cluster, head, voters=2), Seal(head, tuple(forged)), Seal(head, ())).why == ""


def test_a_seal_of_a_roster_that_the_log_never_had_tells_on_the_log(cluster: Cluster) -> None:
    cluster.commit()
    backup = cluster.log.rows.copy()
    cluster.commit(cluster.next_roster(rules=digest("other")))
    seal = sealed(cluster, cluster.log.rows.head, roster=1)
    assert verified(cluster, seal).why == ""
    cluster.log.rows = backup
    assert "roster 1" in verified(cluster, seal).why

"""A reader halts on a log that is shorter than, or other than, what was seen before."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from coinswarm.memory.quorum.reader import Halt, LogRead, Reader, read
from coinswarm.memory.quorum.records import START, Head, Outcome

if TYPE_CHECKING:
    from memory.quorum.conftest import Cluster


def filled(cluster: Cluster, entries: int = 3) -> Reader:
    """A reader that has read a log of some entries."""
    for base in range(entries):
        cluster.commit(cluster.proposal(base=base))
    return looked(cluster, Reader(fold=cluster.genesis(), seen=START))


def looked(cluster: Cluster, reader: Reader) -> Reader:
    """The reader after it has read on."""
    answer = cluster.log.read(1, reader.fold.head.index, 100)
    return read(reader, answer, 50, cluster.scheme)


def test_it_follows_and_knows_the_logs_clock(cluster: Cluster) -> None:
    reader = filled(cluster)
    assert reader.ready
    assert reader.seen == cluster.log.rows.head
    assert reader.now_ns(53) == cluster.now + 3


def test_an_answer_to_an_older_question_is_not_taken(cluster: Cluster) -> None:
    reader = filled(cluster)
    old = LogRead(1, 0, cluster.log.rows.entries[:1], cluster.log.rows.entries[0].head, cluster.now)
    assert read(reader, old, 60, cluster.scheme) == reader


def test_a_restored_backup_halts_it(cluster: Cluster) -> None:
    reader = filled(cluster, 1)
    backup = cluster.log.rows.copy()
    reader = looked(cluster, filled(cluster, 0)._replace(fold=reader.fold))
    cluster.commit(cluster.proposal(base=1))
    reader = looked(cluster, reader)
    cluster.log.rows = backup
    halted = looked(cluster, reader)
    assert (halted.halted, halted.ready) == (Halt.SPLIT_BRAIN, False)
    assert halted.why == "the log ends at entry 1, but was seen at 2"
    assert looked(cluster, halted) == halted, "for good"


def test_a_backup_halts_one_that_starts_again_too(cluster: Cluster) -> None:
    seen = filled(cluster).seen
    reader = Reader(fold=cluster.genesis(), seen=seen)
    assert not reader.ready
    assert looked(cluster, reader).ready
    cluster.log.rows.entries.pop()
    cluster.log.rows.head = cluster.log.rows.entries[-1].head
    assert looked(cluster, reader).halted is Halt.SPLIT_BRAIN


def test_a_log_that_grew_again_after_a_backup_halts_it(cluster: Cluster) -> None:
    reader = filled(cluster, 2)
    rows = cluster.log.rows
    rows.entries[1] = replace(rows.entries[1], at_ns=rows.entries[1].at_ns + 1)
    rows.head = rows.entries[1].head
    assert looked(cluster, reader).halted is Halt.SPLIT_BRAIN, "another entry of the same number"
    third = replace(rows.entries[1], index=3, previous=rows.entries[1].hash)
    rows.entries.append(third)
    rows.head = third.head
    assert looked(cluster, reader).halted is Halt.SPLIT_BRAIN, "and one on top of it"
    fresh = Reader(fold=cluster.genesis(), seen=reader.seen)
    assert looked(cluster, fresh).halted is not None


def test_an_edited_row_halts_who_reads_it(cluster: Cluster) -> None:
    filled(cluster)
    entries = cluster.log.rows.entries
    entries[1] = replace(entries[1], outcome=Outcome.REJECT)
    reader = looked(cluster, Reader(fold=cluster.genesis(), seen=START))
    assert reader.halted is Halt.BAD_ENTRY
    assert reader.why == "entry 2 of the log says reject, but accept was due"
    assert reader.fold.head.index == 1, "what stood before it is good"


def test_a_head_that_no_entry_has_halts_it(cluster: Cluster) -> None:
    reader = filled(cluster)
    cluster.log.rows.head = Head(3, "3" * 64)
    assert looked(cluster, reader).halted is Halt.SPLIT_BRAIN


def test_a_log_that_lost_its_last_entries_and_not_its_head_halts_it(cluster: Cluster) -> None:
    """Else it would be asked for them for ever."""
    for base in range(3):
        cluster.commit(cluster.proposal(base=base))
    cluster.log.rows.entries.pop()
    reader = looked(cluster, Reader(fold=cluster.genesis(), seen=START))
    assert (reader.halted, reader.fold.head.index) == (None, 2), "there may be more to read"
    reader = looked(cluster, reader)
    assert (reader.halted, reader.why) == (
        Halt.BAD_ENTRY,
        "the log says that it goes on to entry 3, and has none after 2",
    )

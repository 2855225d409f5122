"""Databases and indices that are not what they were."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from coinswarm.memory.quorum import messages as m
from coinswarm_testkit.quorum.index import Index

if TYPE_CHECKING:
    from quorum.attacks.conftest import Court


def test_a_restored_backup_stops_everybody_and_nothing_is_decided_any_more(court: Court) -> None:
    backup = court.log.rows.copy()
    first = court.envelope(court.fair)
    court.submit(first)
    court.later(2)
    court.log.rows = backup
    second = court.envelope(replace(court.fair, subject="weights/other"))
    court.submit(second)
    court.later(5)
    assert [node.name for node in (*court.voters, *court.leaders) if not node.halted] == []
    assert len([about for about in court.reports if isinstance(about, m.Halted) and "split-brain" in about.why]) >= 6
    assert not court.log.rows.entries
    for voter in court.voters:
        voter.crash()
        voter.start()
    court.later(30)
    assert not court.log.rows.entries, "nor after everybody was started again"


def test_an_edited_row_is_named_and_stops_who_starts_from_it(court: Court) -> None:
    for base in range(3):
        court.submit(court.envelope(replace(court.fair, base_version=base)))
    entries = court.log.rows.entries
    assert len(entries) == 3
    other = replace(entries[1].envelope, proposal=replace(court.weights(9_000, 1_000), base_version=1))
    entries[1] = replace(entries[1], envelope=other.signed(court.cast.submitter))
    assert court.verified() == "entry 2 of the log carries ballots that are no commit proof"
    court.voters[0].crash()
    court.voters[0].start()
    court.later(2)
    assert court.voters[0].halted


@pytest.mark.parametrize("loss", ["flush", "stale-index", "other-index"])
def test_an_index_that_is_lost_set_back_or_anothers_is_the_fold_of_the_log_again(court: Court, loss: str) -> None:
    index = Index(court.cast)
    accepted = {}
    for number in range(4):
        envelope = court.envelope(replace(court.fair, subject=f"weights/{number}"))
        court.submit(envelope)
        accepted[envelope.proposal.subject] = envelope.id
        index.follow(court.log)
        if number == 1:
            index.save()
    court.submit(court.envelope(replace(court.weights(9_000, 1_000), subject="weights/unsafe")))
    index.lose(loss)
    assert index.rows != accepted
    index.follow(court.log)
    assert (index.rows, index.applied) == (accepted, court.log.rows.head)

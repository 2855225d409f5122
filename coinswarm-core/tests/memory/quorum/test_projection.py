"""An index follows the log entry by entry, and is rebuilt when it is not a fold of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from coinswarm.memory.quorum.projection import EMPTY, applicable, changes, must_rebuild
from coinswarm.memory.quorum.records import Head

if TYPE_CHECKING:
    from memory.quorum.conftest import Cluster


def test_it_goes_on_where_it_is_and_is_rebuilt_where_it_cannot_be(cluster: Cluster) -> None:
    for base in range(3):
        cluster.commit(cluster.proposal(base=base))
    fold, entries = cluster.fold(), cluster.log.rows.entries
    assert not [one for one in (EMPTY, *(entry.head for entry in entries)) if must_rebuild(one, fold)]
    assert must_rebuild(None, fold), "lost"
    assert must_rebuild(Head(2, "2" * 64), fold), "of another history"
    assert must_rebuild(Head(4, "4" * 64), fold), "ahead of the log"
    assert applicable(entries[0].head, entries) == tuple(entries[1:])
    assert applicable(EMPTY, entries[1:]) == (), "not over a gap"
    with pytest.raises(AssertionError):
        applicable(Head(1, "1" * 64), entries)


def test_only_what_was_accepted_changes_it(cluster: Cluster) -> None:
    cluster.commit()
    cluster.decide(cluster.request(cluster.envelope(cluster.proposal(base=1)), accepts=False))
    assert [changes(entry) for entry in cluster.log.rows.entries] == [True, False]

"""A log in a file: how durable it is, a full disk, and files that cannot be used."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import event

from coinswarm.errors import CoinswarmError, DataError, NotReadyError, OutputError
from coinswarm.memory.quorum.log import Status
from coinswarm.memory.store.log import readable
from coinswarm.memory.store.opening import holds_nothing, logs_in, open_store

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from memory.quorum.conftest import Cluster

    from coinswarm.memory.store.opening import Store


def test_a_file_is_made_at_its_first_use_and_is_as_durable_as_it_says(filed: Store) -> None:
    with filed.engine.connect() as connection:
        pragmas = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar_one()
            for name in ("journal_mode", "synchronous", "foreign_keys")
        }
    assert pragmas == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1}


def test_a_full_disk_is_told_and_nothing_is_done(
    cluster: Cluster, filed: Store, told: Callable[[Store], dict[str, object]]
) -> None:
    cluster.commit()
    before = told(filed)

    def full(connection: sqlite3.Connection, *_: object) -> None:
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
        connection.execute(f"PRAGMA max_page_count = {pages}")

    filed.close()
    event.listen(filed.engine, "checkout", full)
    requests = [cluster.request(cluster.envelope(cluster.proposal(subject=f"a/{number}"))) for number in range(40)]
    with pytest.raises(OutputError, match=r"no space left to write .*: free some space"):
        cluster.decide(*requests)
    event.remove(filed.engine, "checkout", full)
    filed.close()
    assert told(filed) == before
    assert {one.status for one in cluster.decide(*requests)} == {Status.DECIDED}


def test_entries_of_a_cluster_of_any_name_are_readable(cluster: Cluster, filed: Store) -> None:
    cluster.commit()
    found = [replace(one, envelope=replace(one.envelope, cluster="nobody")) for one in filed.log.read(1, 0, 9).entries]
    assert found
    assert readable(found) == found


def journal(path: Path, wanted: str = "") -> str:
    """How a file keeps its journal, as another program sees it."""
    with closing(sqlite3.connect(path)) as connection:
        mode: str = connection.execute(f"PRAGMA journal_mode {wanted}").fetchone()[0]
    return mode


@pytest.mark.parametrize("what", ["nothing", "a header", "tables that were not committed"])
def test_a_file_whose_making_was_cut_short_is_made(cluster: Cluster, tmp_path: Path, what: str) -> None:
    path = tmp_path / "swarm.db"
    path.touch()
    if what != "nothing":
        journal(path, "= WAL")
    with closing(sqlite3.connect(path, isolation_level=None)) as dying:
        if what.startswith("tables"):
            dying.execute("BEGIN IMMEDIATE")
            dying.execute("CREATE TABLE log (id INTEGER)")
    with pytest.raises(NotReadyError, match="has no tables of Coinswarm"):
        logs_in(str(path))
    assert holds_nothing(str(path))
    open_store(str(path), "north", "main", roster=cluster.roster).close()
    assert logs_in(str(path)) == [("north", "main")]
    assert not holds_nothing(str(path))
    assert journal(path) == "wal"


def test_another_programs_file_is_left_as_it_is(cluster: Cluster, tmp_path: Path) -> None:
    path = tmp_path / "other.db"
    with closing(sqlite3.connect(path)) as theirs:
        theirs.execute("CREATE TABLE head (thing INTEGER)")
    before = path.read_bytes()
    with pytest.raises(NotReadyError, match="has no tables of Coinswarm"):
        logs_in(str(path))
    with pytest.raises(NotReadyError, match="has no tables of Coinswarm"):
        open_store(str(path), "north", "main", roster=cluster.roster)
    assert path.read_bytes() == before
    assert [one.name for one in tmp_path.iterdir()] == ["other.db"]


def test_a_file_that_was_restored_in_another_mode_is_as_durable_as_ever(cluster: Cluster, tmp_path: Path) -> None:
    path = tmp_path / "swarm.db"
    open_store(str(path), "north", "main", roster=cluster.roster).close()
    assert journal(path, "= DELETE") == "delete"
    open_store(str(path), "north", "main").close()
    assert journal(path) == "wal"


def test_files_that_cannot_be_used_say_why(cluster: Cluster, tmp_path: Path) -> None:
    def opening(name: str) -> Callable[[], Store]:
        return lambda: open_store(str(tmp_path / name), "north", "main", roster=cluster.roster)

    (tmp_path / "text.db").write_text("nothing of the kind" * 100, encoding="utf-8")
    (tmp_path / "folder.db").mkdir()
    cases: list[tuple[str, type[CoinswarmError], str]] = [
        ("none/swarm.db", OutputError, "the folder of .* does not exist: make it"),
        ("text.db", DataError, "is no SQLite file, or damaged"),
        ("folder.db", OutputError, "cannot be used"),
    ]
    for name, kind, why in cases:
        with pytest.raises(kind, match=why):
            opening(name)()

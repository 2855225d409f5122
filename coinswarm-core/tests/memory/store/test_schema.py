"""Tables are made and brought up and down by migrations, and are then what the models say; others are refused."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from decimal import Decimal
from threading import Barrier
from typing import TYPE_CHECKING

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import inspect, select, text, update
from sqlalchemy.exc import IntegrityError

from coinswarm.canonical import digest
from coinswarm.domain.episode import Episode
from coinswarm.errors import DataError, NotReadyError
from coinswarm.memory.quorum.keys import Ed25519Scheme
from coinswarm.memory.store import models, schema, tables
from coinswarm.memory.store.audit import rebuild
from coinswarm.memory.store.columns import Base
from coinswarm.memory.store.engine import engine_of, place
from coinswarm.memory.store.facts import ClosedTrade
from coinswarm.memory.store.models import Trade, TradePattern
from coinswarm.memory.store.opening import logs_in, migrated, open_store
from coinswarm.memory.store.tables import SubjectRow

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from memory.quorum.conftest import Cluster
    from sqlalchemy import Engine

    from coinswarm.memory.store.engine import Place
    from coinswarm.memory.store.opening import Store


@pytest.fixture(params=["sqlite", "postgresql"])
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a database without tables."""
    if request.param == "sqlite":
        return str(tmp_path / "swarm.db")
    databases: Callable[[str], str] = request.getfixturevalue("databases")
    return databases("coinswarm_empty")


@pytest.fixture
def reached(empty: str) -> Iterator[tuple[Engine, Place]]:
    """An engine on it."""
    where = place(empty)
    engine = engine_of(where)
    yield engine, where
    engine.dispose()


def names(engine: Engine) -> set[str]:
    return set(inspect(engine).get_table_names())


def test_up_they_are_what_the_models_say_and_down_nothing_is_left(reached: tuple[Engine, Place]) -> None:
    engine, where = reached
    assert models.Trade.metadata is tables.LogRow.metadata
    assert schema.migrate(engine, where) == (None, schema.REVISION)
    assert names(engine) == {*Base.metadata.tables, "alembic_version"}
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        assert compare_metadata(context, Base.metadata) == []
    schema.check(engine, where)
    assert schema.migrate(engine, where) == (schema.REVISION, schema.REVISION)
    assert schema.migrate(engine, where, "base") == (schema.REVISION, None)
    assert names(engine) == {"alembic_version"}
    assert schema.migrate(engine, where) == (None, schema.REVISION)


def test_checks_are_those_of_the_models(reached: tuple[Engine, Place]) -> None:
    """Alembic compares no check constraints."""
    engine, where = reached
    schema.migrate(engine, where)
    found = inspect(engine)
    for name, table in Base.metadata.tables.items():
        mine = {one.name for one in table.constraints if type(one).__name__ == "CheckConstraint"}
        assert {one["name"] for one in found.get_check_constraints(name)} == mine, name


def test_a_store_of_the_first_tables_knows_since_when_its_subjects_are(
    cluster: Cluster, empty: str, reached: tuple[Engine, Place]
) -> None:
    engine, where = reached
    schema.migrate(engine, where)
    with closing(open_store(empty, "north", "main", roster=cluster.roster, clock=lambda: cluster.now)) as store:
        cluster.log = store.log
        for base in range(2):
            cluster.commit(cluster.proposal(base=base))
            cluster.decide(cluster.request(cluster.envelope(cluster.proposal("2", subject="a/b")), accepts=bool(base)))
        cluster.commit(cluster.remember(1, 2))
        several = sorted((f"episode/{digest(number)}", 1, 5) for number in (1, 2))
        asked = select(SubjectRow.name, SubjectRow.version, SubjectRow.since).order_by(SubjectRow.name)
        with engine.connect() as connection:
            before = [tuple(row) for row in connection.execute(asked)]
        assert before == [("a/b", 1, 4), ("acceptance/cap", 2, 1), *several]
        assert schema.migrate(engine, where, "0001") == (schema.REVISION, "0001")
        assert {one["name"] for one in inspect(engine).get_columns("subject")} == {"log", "name", "version", "proposal"}
        assert schema.migrate(engine, where) == ("0001", schema.REVISION)
        with engine.connect() as connection:
            assert [tuple(row) for row in connection.execute(asked)] == before
        assert rebuild(store, Ed25519Scheme()).differed == {}


def test_records_of_the_second_tables_are_numbered_as_they_were_cited(
    cluster: Cluster, empty: str, reached: tuple[Engine, Place]
) -> None:
    engine, where = reached
    schema.migrate(engine, where)
    price, asked = (
        Decimal(1),
        select(TradePattern.pattern, TradePattern.number, TradePattern.trade).order_by(
            TradePattern.pattern, TradePattern.number
        ),
    )

    def write(store: Store, number: int, known_ns: int, *patterns: str) -> None:
        episode = Episode(
            id=digest(number), agent="trend", instrument="X", side=1, decided_ns=0, known_ns=known_ns, result_ppm=number
        )
        store.facts.add_trades([
            ClosedTrade(
                episode=episode, entry_price=price, exit_price=price, pnl=1, slippage_bps=0, opened_ns=0, closed_ns=0,
                patterns=patterns,
            )
        ])  # fmt: skip

    with ExitStack() as closing_them:
        north, south = (
            closing_them.enter_context(closing(open_store(empty, name, "main", roster=cluster.roster)))
            for name in ("north", "south")
        )
        for number, known_ns in ((1, 30), (2, 10), (3, 20), (4, 20)):
            write(north, number, known_ns, "dip", *(["squeeze"] if number % 2 else []))
        write(south, 1, 5, "dip")
        assert schema.migrate(engine, where, "0002") == (schema.REVISION, "0002")
        found = inspect(engine)
        assert {one["name"] for one in found.get_columns("trade_pattern")} == {"log", "trade", "pattern"}
        assert [one["name"] for one in found.get_indexes("trade_pattern")] == ["ix_trade_pattern_pattern_log"]
        assert found.get_unique_constraints("trade_pattern") == []
        assert schema.migrate(engine, where) == ("0002", schema.REVISION)
        with engine.connect() as connection:
            rows = [tuple(row) for row in connection.execute(asked.where(TradePattern.log == north.log.number))]
            assert rows == [
                *[
                    ("dip", place, one)
                    for place, one in enumerate([digest(2), *sorted(map(digest, (3, 4))), digest(1)], 1)
                ],
                ("squeeze", 1, digest(3)),
                ("squeeze", 2, digest(1)),
            ]
            others = connection.execute(asked.where(TradePattern.log == south.log.number)).all()
            assert [tuple(row) for row in others] == [("dip", 1, digest(1))]
        with engine.connect() as connection:
            times = connection.execute(
                select(TradePattern.written_ns, Trade.known_ns).join(
                    Trade, (Trade.log == TradePattern.log) & (Trade.id == TradePattern.trade)
                )
            ).all()
        assert [row.written_ns for row in times] == [row.known_ns for row in times]
        write(north, 5, 0, "dip")
        with engine.connect() as connection:
            rows = [tuple(row) for row in connection.execute(asked.where(TradePattern.log == north.log.number))]
        assert rows[4] == ("dip", 5, digest(5))
        with pytest.raises(IntegrityError), engine.begin() as connection:
            connection.execute(update(TradePattern).values(number=1))


def test_what_goes_wrong_half_way_leaves_nothing_behind(
    reached: tuple[Engine, Place], monkeypatch: pytest.MonkeyPatch
) -> None:
    from alembic import op  # noqa: PLC0415 - patched

    engine, where = reached
    create = op.create_table
    left = [3]

    def failing(*given: object, **more: object) -> object:
        left[0] -= 1
        if not left[0]:
            raise KeyboardInterrupt
        return create(*given, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(op, "create_table", failing)
    with pytest.raises(KeyboardInterrupt):
        schema.migrate(engine, where)
    assert names(engine) == set()


@pytest.mark.parametrize("start", [None, "0001"])
def test_of_several_processes_one_migrates(empty: str, reached: tuple[Engine, Place], start: str | None) -> None:
    if start:
        schema.migrate(*reached, start)
    ready = Barrier(4, timeout=20)

    def migrating(_: int) -> tuple[str | None, str | None]:
        ready.wait()
        return migrated(empty)[:2]

    with ThreadPoolExecutor(4) as pool:
        found = sorted(map(str, pool.map(migrating, range(4))))
    assert found == sorted(map(str, [(start, schema.REVISION), *[(schema.REVISION, schema.REVISION)] * 3]))


def test_the_code_knows_every_migration() -> None:
    script = ScriptDirectory.from_config(schema.config(None))  # type: ignore[arg-type] # nothing is connected to
    assert script.get_heads() == [schema.REVISION]
    assert tuple(one.revision for one in script.walk_revisions())[::-1] == schema.REVISIONS


def test_a_database_without_tables_says_how_to_make_them(empty: str, reached: tuple[Engine, Place]) -> None:
    engine, _ = reached
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE somebodys (thing INTEGER)"))
    with pytest.raises(NotReadyError, match="has no tables of Coinswarm: coinswarm memory migrate --store '"):
        logs_in(empty)
    migrated(empty)
    assert logs_in(empty) == []
    assert "somebodys" in names(engine)


def test_newer_tables_are_left_alone(empty: str, reached: tuple[Engine, Place]) -> None:
    engine, _ = reached
    migrated(empty)
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    for refused in (logs_in, migrated):
        with pytest.raises(DataError, match=r"are of version 9999, and this Coinswarm knows .* the newer Coinswarm"):
            refused(empty)


def test_older_tables_say_how_to_bring_them_up(empty: str, reached: tuple[Engine, Place]) -> None:
    schema.migrate(*reached, "0001")
    with pytest.raises(NotReadyError, match=r"of version 0001, and this Coinswarm needs 0003: stop the swarm"):
        logs_in(empty)

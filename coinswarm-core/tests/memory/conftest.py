"""Stores for tests: a file of its own for each, and one PostgreSQL whose tables are emptied between them."""

from __future__ import annotations

import sys
from contextlib import ExitStack
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import make_url, text

from coinswarm.memory.store.columns import Base
from coinswarm.memory.store.engine import engine_of, place
from coinswarm.memory.store.opening import migrated, open_store

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from memory.quorum.conftest import Cluster

    from coinswarm.memory.store.opening import Store


def _run(url: str, *statements: str) -> None:
    """Run statements, each by itself."""
    engine = engine_of(place(url))
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        for statement in statements:
            connection.execute(text(statement))
    engine.dispose()


@pytest.fixture(scope="session")
def databases(postgres_url: str) -> Iterator[Callable[..., str]]:
    """Makes a database on a real PostgreSQL, or empties one that was made before, and says its URL."""
    made: dict[str, str] = {}

    def make(name: str, how: str = "") -> str:
        if name in made:  # much faster than another one: making and dropping databases waits for the disk
            _run(postgres_url, f"ALTER DATABASE {name} RESET ALL")
            _run(made[name], "DROP SCHEMA public CASCADE", "CREATE SCHEMA public")
        else:
            _run(postgres_url, f"DROP DATABASE IF EXISTS {name} WITH (FORCE)", f"CREATE DATABASE {name} {how}")
            made[name] = make_url(postgres_url).set(database=name).render_as_string(hide_password=False)
        return made[name]

    yield make
    for name in made if "coinswarm-pg-" not in postgres_url else ():  # a server of our own goes as a whole
        _run(postgres_url, f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


@pytest.fixture(scope="session")
def migrated_postgres(databases: Callable[[str], str]) -> str:
    """A database with all tables, for who leaves nothing behind."""
    url = databases("coinswarm_shared")
    migrated(url)
    return url


@pytest.fixture
def postgres_store(migrated_postgres: str) -> Iterator[str]:
    """The URL of an empty store on PostgreSQL."""
    yield migrated_postgres
    engine = engine_of(place(migrated_postgres))
    with engine.begin() as connection:
        connection.execute(text(f"TRUNCATE {', '.join(Base.metadata.tables)} RESTART IDENTITY CASCADE"))
    engine.dispose()


@pytest.fixture(params=["sqlite", "postgresql"])
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty store, of each kind."""
    if request.param == "sqlite":
        migrated(str(tmp_path / "swarm.db"))
        return str(tmp_path / "swarm.db")
    url: str = request.getfixturevalue("postgres_store")
    return url


def _quorums() -> type[Cluster]:
    """The small cluster that the quorum's tests are made with: test folders are no packages."""
    name = "coinswarm_tests_of_the_quorum"
    if name not in sys.modules:
        spec = spec_from_file_location(name, Path(__file__).parent / "quorum" / "conftest.py")
        assert spec is not None
        assert spec.loader is not None
        sys.modules[name] = module_from_spec(spec)
        spec.loader.exec_module(sys.modules[name])
    made: type[Cluster] = sys.modules[name].Cluster
    return made


@pytest.fixture
def cluster() -> Cluster:
    """Four voters, one submitter, one empty log."""
    return _quorums()()


@pytest.fixture
def opened(cluster: Cluster) -> Iterator[Callable[[str], Store]]:
    """Opens the cluster's log in a database; closed at the end.

    Asked for behind the database's own fixture, it is closed before that one empties the tables.
    """
    with ExitStack() as closing_them:

        def store(url: str) -> Store:
            made = open_store(url, "north", "main", roster=cluster.roster, clock=lambda: cluster.now)
            closing_them.callback(made.close)
            cluster.log = made.log
            return made

        yield store


@pytest.fixture
def stored(store_url: str, opened: Callable[[str], Store]) -> Store:
    """The cluster's log, in a database of each kind."""
    return opened(store_url)

"""Which version of the tables a store has, and bringing it to the one that this code knows.

Alembic is imported only where tables are made or changed: who opens a store reads one row.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import func, inspect, select, text

from coinswarm.errors import DataError, NotReadyError
from coinswarm.memory.store.engine import MIGRATE, translated, unhurried, write_ahead
from coinswarm.memory.store.statement import POSTGRES

if TYPE_CHECKING:
    from alembic.config import Config
    from sqlalchemy import Connection, Engine

    from coinswarm.memory.store.engine import Place

REVISION = "0003"
"""The newest migration, which the models stand for."""

REVISIONS = ("0001", "0002", "0003")
"""All of them, oldest first."""

_VERSIONS = "alembic_version"
_LOCK = int.from_bytes(b"coinswrm", "big")
"""PostgreSQL's number for the right to change the tables of a database."""


def revision(connection: Connection) -> str | None:
    """The version of a store's tables; None where it has none of ours.

    :raises DataError: for a database with other tables, which are left alone.
    """
    names = inspect(connection).get_table_names()
    if _VERSIONS in names:
        found = connection.execute(text(f"SELECT version_num FROM {_VERSIONS}")).scalars().all()  # noqa: S608 - a constant
        if len(found) == 1:
            return str(found[0])
    return None


def is_blank(engine: Engine, place: Place) -> bool:
    """Whether a file holds no tables at all, nobody's: it is not there, or whoever was to make it was cut short."""
    if place.path is not None and not place.path.exists():
        return True
    with translated(place), engine.connect() as connection:
        return not inspect(connection).get_table_names()


def check(engine: Engine, place: Place) -> None:
    """Hold a store to the version that this code knows.

    :raises NotReadyError: it has no tables, or older ones.
    :raises DataError: it has newer ones.
    """
    with translated(place), engine.connect() as connection:
        found = revision(connection)
    if found is None:
        message = f"{place.name} has no tables of Coinswarm"
        raise NotReadyError(message, remedy=f"{MIGRATE} '{place.name}' makes them")
    if found not in REVISIONS:
        message = f"the tables of {place.name} are of version {found}, and this Coinswarm knows {REVISION} at most"
        raise DataError(message, remedy="install the newer Coinswarm that wrote them")
    if found != REVISION:
        message = f"the tables of {place.name} are of version {found}, and this Coinswarm needs {REVISION}"
        raise NotReadyError(message, remedy=f"stop the swarm, keep a copy, then {MIGRATE} '{place.name}'")


def migrate(engine: Engine, place: Place, target: str = REVISION) -> tuple[str | None, str | None]:
    """Bring a store's tables to a version, in one transaction; of several processes one does it, and the others wait.

    :param target: ``base`` removes them all.
    :returns: the version before and after; None: no tables.
    :raises DataError: the tables are newer than this code.
    """
    from alembic import command  # noqa: PLC0415 - only where tables change

    writing = engine.execution_options(writes=True)
    if engine.dialect.name == POSTGRES:  # whatever the server's default: what a lock was waited for must be seen
        writing = writing.execution_options(isolation_level="READ COMMITTED")
    with translated(place), writing.connect() as connection:
        if place.path is not None:
            write_ahead(connection)
        connection.begin()
        unhurried(connection)
        if engine.dialect.name == POSTGRES:  # on SQLite who writes is alone
            connection.execute(select(func.pg_advisory_xact_lock(_LOCK)))
        before = revision(connection)
        if before is not None and before not in REVISIONS:
            message = f"the tables of {place.name} are of version {before}, and this Coinswarm knows {REVISION} at most"
            raise DataError(message, remedy="install the newer Coinswarm that wrote them")
        configuration = config(connection)
        wanted = -1 if target == "base" else REVISIONS.index(target)
        at = -1 if before is None else REVISIONS.index(before)
        if wanted > at:
            command.upgrade(configuration, target)
        elif wanted < at:
            command.downgrade(configuration, target)
        connection.commit()
        return before, None if target == "base" else target


def config(connection: Connection) -> Config:
    """Alembic's configuration for one connection: nothing is read from files outside this package."""
    from alembic.config import Config  # noqa: PLC0415 - only where tables change

    made = Config()
    made.set_main_option("script_location", "coinswarm.memory.store:migrations")
    made.attributes["connection"] = connection
    return made

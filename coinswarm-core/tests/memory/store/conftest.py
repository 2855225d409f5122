"""A log in a file and one on PostgreSQL, and what is asked of either."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from sqlalchemy import select

from coinswarm.memory.quorum.keys import Ed25519Scheme
from coinswarm.memory.quorum.verify import verify
from coinswarm.memory.store.columns import Base
from coinswarm.memory.store.opening import open_store

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from memory.quorum.conftest import Cluster

    from coinswarm.memory.store.opening import Store


@pytest.fixture
def told() -> Callable[[Store], dict[str, object]]:
    """All that a store keeps."""

    def found(store: Store) -> dict[str, object]:
        with store.engine.connect() as connection:
            return {name: connection.execute(select(table)).all() for name, table in Base.metadata.tables.items()}

    return found


@pytest.fixture
def whole(cluster: Cluster) -> Callable[[Store], int]:
    """How many entries a log has, all of them good."""

    def found(store: Store) -> int:
        read = store.log.read(1, 0, 100_000)
        report = verify(cluster.genesis(), read.entries, read.head, Ed25519Scheme())
        assert report.why == ""
        return read.head.index

    return found


@pytest.fixture
def again(cluster: Cluster) -> Callable[[Store, str], Store]:
    """The same log, over connections of its own."""

    def opened(store: Store, url: str) -> Store:
        return open_store(url, store.log.cluster, store.log.shard, clock=lambda: cluster.now)

    return opened


@pytest.fixture
def filed(opened: Callable[[str], Store], tmp_path: Path) -> Store:
    """The cluster's log in a file, made when it is opened."""
    return opened(str(tmp_path / "swarm.db"))


@pytest.fixture
def served(postgres_store: str, opened: Callable[[str], Store]) -> Store:
    """The cluster's log on PostgreSQL."""
    return opened(postgres_store)

"""What tests of the plugin share."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from coinswarm_testkit.servers.redis import redis_server

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def url(redis_url: str) -> Iterator[str]:  # noqa: ARG001 - skips, or fails under CI, where there is no server
    """A server of the test's own, that may be filled and paused."""
    with redis_server("--maxmemory", "200mb") as server:
        yield server.url

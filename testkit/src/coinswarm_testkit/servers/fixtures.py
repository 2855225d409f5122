"""What the pytest plugin's fixtures of servers do: start one for the session, tell of it, or say why there is none."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from coinswarm_testkit.servers import nats, postgres, redis
from coinswarm_testkit.servers.program import NoServerError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    from coinswarm_testkit.servers.program import RealServer

MET = pytest.StashKey[list[str]]()
"""What the session's tests ran against, in words."""

SERVERS: dict[str, tuple[str, Callable[[], AbstractContextManager[RealServer]]]] = {
    "nats": (nats.VARIABLE, nats.nats_server),
    "postgres": (postgres.VARIABLE, postgres.postgres_server),
    "redis": (redis.VARIABLE, redis.redis_server),
}
"""Name -> the variable that holds its address while tests run, and what starts it."""


def provided(config: pytest.Config, name: str) -> Iterator[str]:
    """The address of a server, which stands in its variable meanwhile.

    Where there is none the test is skipped, and under ``CI`` it fails.
    """
    variable, start = SERVERS[name]
    try:
        with start() as server:
            config.stash.setdefault(MET, []).append(f"{name}: {server.about} at {server.url}")
            with pytest.MonkeyPatch.context() as patch:
                patch.setenv(variable, server.url)
                yield server.url
    except NoServerError as error:
        if os.environ.get("CI"):
            pytest.fail(str(error), pytrace=False)
        pytest.skip(str(error))


def summary(config: pytest.Config) -> list[str]:
    """A line for each real server that was met."""
    return config.stash.get(MET, [])

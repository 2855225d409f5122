"""The testkit's entry point in pytest: markers, the seed option, and fixtures of real servers.

pytest loads it in every session of everybody who has the testkit installed: it imports nothing but
pytest, and the rest only when a test asks for it.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

FIXTURES = "coinswarm_testkit.servers.fixtures"


def pytest_addoption(parser: pytest.Parser) -> None:
    """``--coinswarm-seed``: the seed of the contract checks' markets, as a failure prints it."""
    group = parser.getgroup("coinswarm", "Coinswarm's contract checks")
    group.addoption(
        "--coinswarm-seed",
        type=int,
        default=0,
        metavar="N",
        help="seed of the markets on which contract checks run (default 0)",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Make the marker of agent checks known, so that ``--strict-markers`` accepts it in any project."""
    config.addinivalue_line("markers", "soundness: the seven soundness categories of an agent")


@pytest.fixture(scope="session")
def nats_url(pytestconfig: pytest.Config) -> Iterator[str]:
    """The address of a real NATS server, which ``COINSWARM_NATS_URL`` holds meanwhile; skipped where there is none."""
    from coinswarm_testkit.servers.fixtures import provided  # noqa: PLC0415 - only where a test asks

    yield from provided(pytestconfig, "nats")


@pytest.fixture(scope="session")
def postgres_url(pytestconfig: pytest.Config) -> Iterator[str]:
    """The address of a real PostgreSQL, which ``COINSWARM_POSTGRES_URL`` holds meanwhile; skipped where there is none.

    Of the database ``postgres``, whose user may make others; a test that writes makes its own.
    """
    from coinswarm_testkit.servers.fixtures import provided  # noqa: PLC0415 - only where a test asks

    yield from provided(pytestconfig, "postgres")


@pytest.fixture(scope="session")
def redis_url(pytestconfig: pytest.Config) -> Iterator[str]:
    """The address of a Redis with vector sets, which ``COINSWARM_REDIS_URL`` holds meanwhile; skipped without one."""
    from coinswarm_testkit.servers.fixtures import provided  # noqa: PLC0415 - only where a test asks

    yield from provided(pytestconfig, "redis")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Tell which real servers were met."""
    if FIXTURES in sys.modules:
        for line in sys.modules[FIXTURES].summary(config):
            terminalreporter.write_line(f"real server: {line}")

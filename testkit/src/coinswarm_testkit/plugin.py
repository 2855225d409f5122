"""The testkit's entry point in pytest: markers and the seed option.

pytest loads it in every session of everybody who has the testkit installed: it imports nothing but
pytest, and ``adopt`` only when a test file asks for it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest


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

"""The coverage table of the generated markets, at the end of the run."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from coinswarm_testkit.audit import Findings

if TYPE_CHECKING:
    from _pytest.terminal import TerminalReporter

REACHED = pytest.StashKey[Findings]()


@pytest.fixture(scope="session")
def reached(request: pytest.FixtureRequest) -> Findings:
    """What all markets together have met so far; shown in the terminal summary."""
    return request.config.stash.setdefault(REACHED, Findings())


def pytest_terminal_summary(terminalreporter: TerminalReporter, config: pytest.Config) -> None:
    """Print how often each rule, case and code was reached."""
    findings = config.stash.get(REACHED, None)
    if findings is not None and findings.met:
        terminalreporter.section("rules and codes reached by generated markets")
        for line in findings.table():
            terminalreporter.write_line(line)

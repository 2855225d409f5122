"""Where a case is tried: evidence in the stage of soundness, a bus's client on a real server."""

from __future__ import annotations

import pytest

from coinswarm_mutants.cases import cases
from coinswarm_testkit.servers.nats import VARIABLE

CASES = {case.name: case for case in cases()}


def case_of(item: pytest.Item) -> str:
    """The name of the case that a test is about; empty where it is about none."""
    parameters = item.callspec.params if isinstance(item, pytest.Function) and hasattr(item, "callspec") else {}
    return str(parameters.get("name", ""))


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Evidence takes seconds for each case: it is measured in the stage of soundness."""
    for item in items:
        name = case_of(item)
        if name and CASES[name].tier == "gold":
            item.add_marker(pytest.mark.soundness)


@pytest.fixture(autouse=True)
def server(request: pytest.FixtureRequest) -> None:
    """Start the real server that a case is tried on."""
    name = case_of(request.node)
    if name and VARIABLE in str(CASES[name].mutant.declaration):
        request.getfixturevalue("nats_url")

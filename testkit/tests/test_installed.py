"""Subjects by name, and what a process of its own answers about one."""

from __future__ import annotations

import pytest

from coinswarm.errors import UnknownNameError
from coinswarm_testkit import contract_tests
from coinswarm_testkit.installed import installed
from coinswarm_testkit.subject import Subject

HONEST = Subject("honest", "coinswarm_mutants.agents._honest:Honest")

test_contract = contract_tests(HONEST)


def test_an_installed_agent_is_found_by_name() -> None:
    found = installed("trend", settings={"fast": 5})
    assert (found.kind, found.plugin_module, found.distribution) == (
        "agent",
        "coinswarm_trend.plugin",
        "coinswarm-trend",
    )
    assert found.declaration["warm_up"] == 280
    assert found.made().get_config()["fast"] == 5
    assert found.made() is not found.made()
    assert installed("trend").made().get_config()["fast"] == 10


def test_an_object_that_its_plugin_does_not_declare() -> None:
    with pytest.raises(UnknownNameError, match="plugin 'trend' declares no 'trent': did you mean 'trend'"):
        installed("trent", plugin="trend")
    with pytest.raises(UnknownNameError, match="plugin 'trend' declares no weigher 'trend'"):
        installed("trend", kind="weigher")

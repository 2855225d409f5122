"""Subjects by name, and what a process of its own answers about one."""

from __future__ import annotations

import io
import json
import sys

import numpy as np
import pytest

from coinswarm.errors import UnknownNameError
from coinswarm_testkit import contract_tests, replay
from coinswarm_testkit.markets.paths import regimes
from coinswarm_testkit.subject import Subject, installed

HONEST = Subject("honest", "poisoned_agents:Honest")

test_contract = contract_tests(HONEST)


def test_an_installed_agent_is_found_by_name() -> None:
    found = installed("trend", settings={"fast": 5})
    assert (found.plugin_module, found.warm_up, found.columnar) == ("coinswarm_trend.plugin", 280, True)
    assert found.agent().get_config()["fast"] == 5
    assert found.agent() is not found.agent()
    assert installed("trend").agent().get_config()["fast"] == 10


def test_an_agent_that_its_plugin_does_not_declare() -> None:
    with pytest.raises(UnknownNameError, match="plugin 'trend' declares no agent 'trent': did you mean 'trend'"):
        installed("trent", plugin="trend")


def test_a_request_is_answered_with_every_action(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    subject = {"name": "honest", "target": HONEST.target}
    request = {"subject": subject, "market": "regimes", "n": 30, "seed": 4}
    monkeypatch.setattr(sys, "stdin", io.StringIO(json.dumps(request)))
    replay.main()
    rows = np.array(json.loads(capsys.readouterr().out))
    expected = replay.said(HONEST.agent(), regimes(30, 4))
    np.testing.assert_array_equal(rows, np.concatenate([expected, expected]))

"""What trips P35, and what a plugin may say."""

from __future__ import annotations

import pytest

from coinswarm_testkit.checks.meddling import meddling


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("import coinswarm_testkit.worker.place as p", "names coinswarm_testkit.worker.place, which is the judge's"),
        ("from coinswarm_testkit import gate", "names coinswarm_testkit.gate"),
        ("from coinswarm_testkit.suite import judge", "names coinswarm_testkit.suite.judge"),
        ("import sys\nsys.modules['coinswarm_testkit.checks']", "names coinswarm_testkit.checks"),
        ("import coinswarm.clock as c\nc.iso = None", "changes c.iso, which is core's"),
        ("import coinswarm.clock\ncoinswarm.clock.iso = None", "changes coinswarm.clock.iso"),
        ("from coinswarm.contracts import SignalAgent as S\nS.decide = None", "changes S.decide"),
        ("def f():\n    from coinswarm import clock\n    clock.iso += 1", "changes clock.iso"),
        ("from coinswarm import clock\nsetattr(clock, 'iso', None)", "changes clock"),
        ("from coinswarm import clock\ndel clock.iso", "changes clock.iso"),
    ],
)
def test_what_nobody_writes_by_accident_is_told(source: str, said: str) -> None:
    assert any(said in what for _, what in meddling(source.encode()))


@pytest.mark.parametrize(
    "source",
    [
        "from coinswarm_testkit import contract_tests\ntest_contract = contract_tests('x')",
        "from coinswarm_testkit.markets.paths import regimes",
        '"""See coinswarm_testkit.worker for how it is judged."""',
        "import coinswarm_testkit_extras.worker",
        "from coinswarm.contracts import SignalAgent\nclass A(SignalAgent):\n  def f(self):\n    self.x = 1",
        "from coinswarm import clock\ndef f(clock):\n    clock.x = 1",
        "from .worker import place\nplace.x = 1",
        "state.x = 1\nsetattr(self, 'x', 1)",
        "def broken(:",
        "\0",
    ],
)
def test_what_a_plugin_may_say_is_not(source: str) -> None:
    assert list(meddling(source.encode())) == []


def test_the_line_is_told() -> None:
    assert [line for line, _ in meddling(b"import os\n\nimport coinswarm_testkit.gate\n")] == [3]

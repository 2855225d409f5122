"""What ``coinswarm plugins new`` writes is certified by the gate: two kinds here, every kind by ``./dev scaffold``.

A signal agent takes the whole road in core's test of docs/writing-a-plugin.md.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

pytestmark = pytest.mark.integration

TOOL = Path(__file__).parents[1] / "tools" / "scaffold.py"


def test_a_hook_and_a_driver_are_certified_as_rendered() -> None:
    if find_spec("pip") is None and shutil.which("uv") is None:
        pytest.skip("neither pip nor uv is there to install with")
    done = subprocess.run(
        [sys.executable, TOOL, "--no-lint", "risk", "embedder"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert [line.split()[:2] for line in done.stdout.splitlines()[1:3]] == [["risk", "silver"], ["embedder", "silver"]]


def test_a_kind_that_is_none_is_told() -> None:
    done = subprocess.run([sys.executable, TOOL, "planer"], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.startswith("planer is no kind: say agent, risk,")

"""What ``coinswarm plugins new`` writes is certified by the gate: a driver here, every kind by ``./dev scaffold``.

What hooks declare takes the whole road in core's test of docs/writing-a-plugin.md.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.integration

TOOL = Path(__file__).parents[1] / "tools" / "scaffold.py"


def test_a_driver_is_certified_as_the_page_says() -> None:
    done = subprocess.run(
        [sys.executable, TOOL, "--no-lint", "embedder"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if "nothing can be installed offline" in done.stderr:
        pytest.skip(done.stderr)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.splitlines()[1].startswith("embedder ")


def test_a_kind_that_is_none_is_told() -> None:
    done = subprocess.run([sys.executable, TOOL, "planer"], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.startswith("planer is no kind: say agent, risk,")

"""A run that recalls is the same again when its index is gone: from the command line, in processes of their own."""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from coinswarm.feeds.files import sample

pytestmark = pytest.mark.integration

COMMAND = Path(sys.executable).with_name("coinswarm")
BARS = 4_000

PROFILE = """\
mode = "backtest"
plugins = ["trend"]

[[instruments]]
symbol = "ETH/USD"
file = "bars.csv"

[[agents]]
name = "trend"
weight_bp = 10_000
settings = { memory = true }

[memory]
backend = "local"
settings = { path = "index/episodes.sqlite" }
"""


def coinswarm(folder: Path, *words: str) -> dict[str, Any]:
    """What a command answers for machines."""
    home = {"COINSWARM_HOME": str(folder / "home")}
    done = subprocess.run(
        [COMMAND, *words, "--json"], cwd=folder, env={**os.environ, **home}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    told: dict[str, Any] = json.loads(done.stdout)
    return told


def test_a_run_with_memory_is_had_again_without_its_index(tmp_path: Path) -> None:
    with gzip.open(sample("ETH/USD"), "rt") as file:
        (tmp_path / "bars.csv").write_text("".join(line for line, _ in zip(file, range(BARS), strict=False)))
    (tmp_path / "p.toml").write_text(PROFILE)
    index = tmp_path / "index"
    index.mkdir()
    run = coinswarm(tmp_path, "backtest", "--profile", "p.toml", "--engine", "steps")
    assert run["memory"]["episodes"] > 20
    assert run["memory"]["recalls"] > run["memory"]["abstained"]
    files = sorted(index.iterdir())
    assert files, "it had an index on the disk"
    for path in files:
        path.unlink()
    again = coinswarm(tmp_path, "replay", run["run"], "--engine", "steps")
    assert again["same"]
    assert again["replayed_hash"] == again["stored_hash"] == run["order_hash"]
    twice = coinswarm(tmp_path, "backtest", "--profile", "p.toml", "--engine", "steps")
    assert (twice["order_hash"], twice["memory"]) == (run["order_hash"], run["memory"])

"""Whoever votes, wherever and in whatever order: one proposal on one evidence gives one ballot, to the last bit."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Mapping

pytestmark = pytest.mark.integration

SCRIPT = Path(__file__).with_name("ballots.py")
PLACES: tuple[Mapping[str, str], ...] = (
    {"PYTHONHASHSEED": "0", "LC_ALL": "C", "TZ": "UTC", "ORDER": "0"},
    {"PYTHONHASHSEED": "1", "LC_ALL": "C.UTF-8", "TZ": "Pacific/Kiritimati", "ORDER": "1"},
    {"PYTHONHASHSEED": "4294967295", "LC_ALL": "tr_TR.UTF-8", "TZ": "America/St_Johns", "ORDER": "2"},
    {"PYTHONHASHSEED": "random", "LC_ALL": "de_DE.UTF-8", "PYTHONUTF8": "1", "PYTHONOPTIMIZE": "1", "ORDER": "3"},
)
"""A locale that the machine does not have is as if it were not asked for."""
OUTCOMES = {
    "admission": "accept",
    "demotion": "accept",
    "enabled": "reject",
    "episode": "accept",
    "episode, another result": "reject",
    "probation": "accept",
    "registration": "reject",
    "setting": "accept",
    "shadow": "reject",
    "weights": "accept",
    "weights that are worse": "reject",
}


def voted(folder: Path, place: Mapping[str, str]) -> list[list[str]]:
    """The ballots of a process: what on, who, verdict, findings, digest of the body, signature."""
    folder.mkdir()
    order = place["ORDER"]
    done = subprocess.run(
        [sys.executable, SCRIPT, folder, order],
        env={**os.environ, **place},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return [line.split("|") for line in done.stdout.splitlines()]


def test_ballots_are_the_same_in_every_process_and_order(tmp_path: Path) -> None:
    processes = [voted(tmp_path / str(number), place) for number, place in enumerate(PLACES)]
    assert all(ballots == processes[0] for ballots in processes[1:])
    assert {what: verdict for what, _, verdict, *_ in processes[0]} == OUTCOMES
    findings: dict[str, set[str]] = {}
    for what, _, _, found, *_ in processes[0]:
        findings.setdefault(what, set()).add(found)
    assert {what: len(found) for what, found in findings.items()} == dict.fromkeys(OUTCOMES, 1), "both voters agree"
    assert len({signature for *_, signature in processes[0]}) == 2 * len(OUTCOMES)

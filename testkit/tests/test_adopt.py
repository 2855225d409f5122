"""One line in an author's tests: what it runs, and what a failure says."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

import coinswarm_testkit

if TYPE_CHECKING:
    from pathlib import Path

FILE = """\
from coinswarm_testkit import contract_tests
from coinswarm_testkit.subject import Subject

test_contract = contract_tests({agent})
"""


def run(folder: Path, agent: str, *options: str) -> subprocess.CompletedProcess[str]:
    """Run the contract tests of one agent in a project of its own."""
    (folder / "test_contract.py").write_text(FILE.format(agent=agent))
    (folder / "pytest.ini").write_text("[pytest]\naddopts = --strict-markers\n")
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-v", *options],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )


def test_one_item_per_check_in_a_project_of_its_own(tmp_path: Path) -> None:
    ran = run(tmp_path, 'Subject("honest", "coinswarm_mutants.agents._honest:Honest")', "-m", "soundness")
    assert "test_contract[honest-A30] PASSED" in ran.stdout
    assert "test_contract[honest-A40] SKIPPED" in ran.stdout, "it declares no warm-up"
    assert "P20" not in ran.stdout, "packaging is no soundness check"
    assert ran.returncode == 0


def test_a_failure_prints_how_to_repeat_it(tmp_path: Path) -> None:
    ran = run(
        tmp_path,
        'Subject("bad", "coinswarm_mutants.agents.peeks_at_the_next_bar:Mutant")',
        "-k",
        "A30",
        "--coinswarm-seed",
        "7",
    )
    assert ran.returncode == 1
    assert "A30 no look-ahead: truncation at every bar: history that ends at a bar" in ran.stdout
    assert "reproduce: pytest 'test_contract.py::test_contract[bad-A30]' --coinswarm-seed 7" in ran.stdout
    assert "Traceback" not in ran.stdout


def test_an_agent_that_is_not_installed_fails_in_one_line(tmp_path: Path) -> None:
    ran = run(tmp_path, '"trennd"', "-k", "A45")
    assert ran.returncode == 1
    assert "unknown plugin 'trennd': did you mean 'trend'?" in ran.stdout


def test_pytest_starts_without_anything_heavy() -> None:
    code = (
        "import sys, coinswarm_testkit.plugin\nprint(*{'numpy', 'numba', 'pydantic', 'coinswarm'} & set(sys.modules))"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == ""


def test_there_is_one_public_name() -> None:
    assert coinswarm_testkit.__all__ == ["contract_tests"]
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        coinswarm_testkit.nothing  # noqa: B018 - the access raises

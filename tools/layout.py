"""Where things are in this repository. Standard library only, like all of ``tools/`` that ``./dev`` starts."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENVS = ROOT / ".venv"
RESULTS = ROOT / ".tox" / "results"
STAGES = ("static", "unit", "soundness", "integration", "backtest")
"""The EDD stages that ``./dev test`` runs, in order."""


MUTANTS = ROOT / "testkit" / "mutants"
"""Plugins that break the testkit's demands; some attack their process, so only tests install them."""


def packages() -> list[Path]:
    """Return the folder of every package of ours, core first."""
    plugins = sorted(path.parent for path in (ROOT / "plugins").glob("*/pyproject.toml"))
    return [ROOT / "coinswarm-core", *plugins, ROOT / "testkit", MUTANTS]

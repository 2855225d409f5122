"""Declares sixty days and is content with forty."""

from __future__ import annotations

from coinswarm_testkit.reference.planner import EqualRisk
from coinswarm_testkit.reference.settings import EqualRiskSettings

FAILS = {"L65"}
DECLARATION = {"history_days": 60}
TwinSettings = EqualRiskSettings


class Settings(EqualRiskSettings):
    """Forty days."""

    days: int = 40


class Mutant(EqualRisk):
    """Is content with forty."""


class Twin(EqualRisk):
    """Repaired: the reference."""

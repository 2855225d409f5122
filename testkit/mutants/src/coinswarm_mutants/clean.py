"""The clean set: honest plugins of every kind, on which no check may raise an alarm."""

from __future__ import annotations

from functools import lru_cache

from coinswarm_testkit.installed import installed
from coinswarm_testkit.subject import Subject

HONEST = "coinswarm_mutants.agents._honest"
VOTERS = "coinswarm.memory.promotion.voters"
REFERENCE = "coinswarm_testkit.reference"
SETTINGS = f"{REFERENCE}.settings"


@lru_cache(maxsize=1)
def clean_set() -> tuple[Subject, ...]:
    """The bundled agents and weigher, the honest ones that the mutants are made of, and the references."""
    return (
        installed("trend"),
        installed("meanrev"),
        Subject("honest by columns", f"{HONEST}:Honest"),
        Subject("honest by steps", f"{HONEST}:Stepper"),
        Subject("honest and counting", f"{HONEST}:Counter"),
        Subject("weighted", "coinswarm.committee.weighing:WeightedWeigher", kind="weigher"),
        Subject("median", f"{REFERENCE}.weigher:MedianWeigher", kind="weigher"),
        Subject("volatility cap", f"{REFERENCE}.risk:VolatilityCap", f"{SETTINGS}:VolatilityCapSettings", kind="risk"),
        Subject("slicer", f"{REFERENCE}.execution:Slicer", f"{SETTINGS}:SlicerSettings", kind="execution"),
        Subject(
            "exact memory",
            f"{REFERENCE}.memory:ExactMemory",
            "coinswarm_mutants.memory._settings:Settings",
            kind="memory",
            declaration={"exact": True, "persistent": True, "max_dimension": 4_096},
        ),
        Subject("voter by decimals", f"{VOTERS}:DecimalVoter", kind="voter"),
        Subject("voter by integers", f"{VOTERS}:IntegerVoter", kind="voter"),
        Subject(
            "equal risk",
            f"{REFERENCE}.planner:EqualRisk",
            f"{SETTINGS}:EqualRiskSettings",
            kind="planner",
            declaration={"history_days": 60},
        ),
    )

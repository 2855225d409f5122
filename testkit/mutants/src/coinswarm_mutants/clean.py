"""The clean set: honest plugins of every kind, on which no check may raise an alarm."""

from __future__ import annotations

from functools import lru_cache

from coinswarm_testkit.subject import Subject, installed

HONEST = "coinswarm_mutants.agents._honest"


@lru_cache(maxsize=1)
def clean_set() -> tuple[Subject, ...]:
    """The bundled agents, and the honest ones that the mutants are made of."""
    return (
        installed("trend"),
        installed("meanrev"),
        Subject("honest by columns", f"{HONEST}:Honest"),
        Subject("honest by steps", f"{HONEST}:Stepper"),
        Subject("honest and counting", f"{HONEST}:Counter"),
    )

"""Operations that run whole sessions where the plugin lives: what it could do to core, it does there."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from coinswarm_testkit.markets.seated import seated_plan

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from coinswarm.domain.market import Bars
    from coinswarm.engine.plan import RunPlan
    from coinswarm.engine.result import RunResult
    from coinswarm_testkit.worker.place import Place

ENGINES = ("columns", "steps")
"""By name: the judge knows them too, and loads no more than it runs."""

TABLES = ("orders", "fills", "reference", "times_ns", "equity", "exposure_units", "decisions", "trade_rows")


def runner(engine: str) -> Callable[[RunPlan], RunResult]:
    """An engine by its name."""
    found: Callable[[RunPlan], RunResult] = getattr(import_module(f"coinswarm.engine.{engine}"), f"run_{engine}")
    return found


def run(place: Place, *, seed: int, bars: Sequence[Bars], warm_up: int, engine: str) -> dict[str, Any]:
    """What a session leaves, with a fresh agent of the subject on each instrument."""
    plan = seated_plan(seed, bars, [place.new() for _ in bars], warm_up=warm_up)
    result = runner(engine)(plan)
    return {name: getattr(result, name) for name in TABLES} | {"costs": result.costs, "errors": result.errors}


OPERATIONS = {"run": run}

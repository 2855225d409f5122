"""The audit agrees with true results, and contradicts each way in which one is spoiled."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING

import pytest

from coinswarm.domain.order import EndReason, OrderKind
from coinswarm.engine.result import FILL_FIELDS, ORDER_FIELDS
from coinswarm.engine.steps import run_steps
from coinswarm_testkit.audit import Findings, audit
from coinswarm_testkit.audit.findings import CASES, EVERYTHING, RULES
from coinswarm_testkit.differential import differences
from coinswarm_testkit.markets.plans import random_plan

if TYPE_CHECKING:
    from collections.abc import Callable

    from coinswarm.engine.plan import RunPlan
    from coinswarm.engine.result import RunResult

SEEDS = range(24)


@cache
def run(seed: int) -> tuple[RunPlan, RunResult]:
    plan = random_plan(seed)
    return plan, run_steps(plan)


@pytest.mark.parametrize("seed", SEEDS)
def test_true_results_break_nothing(seed: int) -> None:
    plan, result = run(seed)
    findings = audit(plan, result)
    assert findings.broken == []
    assert findings.met.total() > 0


def of_fill(name: str, change: int) -> Callable[[RunResult], RunResult]:
    """Spoils one field of the last fill."""

    def spoil(result: RunResult) -> RunResult:
        fills = result.fills.copy()
        fills[-1, FILL_FIELDS.index(name)] += change
        return replace(result, fills=fills)

    return spoil


def of_curve(name: str) -> Callable[[RunResult], RunResult]:
    """Spoils the last value of a curve."""

    def spoil(result: RunResult) -> RunResult:
        curve = getattr(result, name).copy()
        curve[-1] += 1
        return replace(result, **{name: curve})

    return spoil


def of_order(
    kind: OrderKind | None, name: str, change: int, reason: EndReason | None = None
) -> Callable[[RunResult], RunResult]:
    """Spoils one field of the first order of a kind or end."""

    def spoil(result: RunResult) -> RunResult:
        orders = result.orders.copy()
        for row in orders:
            if (
                (kind is None or row[5] == kind)
                and (reason is None or row[12] == reason)
                and (kind != OrderKind.STOP or row[1] >= 0)
            ):
                row[ORDER_FIELDS.index(name)] += change
                break
        return replace(result, orders=orders)

    return spoil


@pytest.mark.parametrize(
    ("spoil", "rule"),
    [
        (of_fill("ticks", 1), "P1"),
        (of_fill("fee", 1), "P3"),
        (of_fill("lots", 1), "E5"),
        (of_curve("equity"), "E5"),
        (of_curve("exposure_units"), "E5"),
        (of_curve("reference"), "F"),
        (of_order(OrderKind.STOP, "trigger", 1), "B1"),
        (of_order(None, "end_ns", 1, EndReason.EXPIRED), "E1"),
        (of_order(None, "lots", 1, EndReason.FILLED), "end"),
        (lambda result: replace(result, costs={**result.costs, "fees": 0}), "P3"),
        (lambda result: replace(result, decisions=result.decisions[:0]), "D1"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)  # fmt: skip
def test_a_spoiled_result_is_contradicted(spoil: Callable[[RunResult], RunResult], rule: str) -> None:
    broken: list[str] = []
    for seed in SEEDS:
        plan, result = run(seed)
        spoiled = spoil(result) if len(result.fills) and len(result.orders) else result
        if differences(spoiled, result) and not (rule == "D1" and not len(result.orders)):
            try:
                broken += audit(plan, spoiled).broken
            except KeyError:  # an entry's decision is gone altogether
                broken.append(f"{rule}: missing")
    assert any(line.startswith(f"{rule}:") for line in broken), broken[:5]


def test_findings_add_up() -> None:
    one, other = Findings(), Findings()
    one.meet("Q4 cut", 2)
    other.meet("Q4 nothing")
    other.hold("Q4", "more was bought than cash pays", true=False)
    one.add(other)
    assert (one.met["Q4"], one.met["Q4 cut"], one.broken) == (3, 2, ["Q4: more was bought than cash pays"])
    assert set(one.missing()) == set(EVERYTHING) - {"Q4", "Q4 cut", "Q4 nothing"}
    assert sum(name in line for line in one.table() for name in ("Q4 cut ", "Q4 nothing ")) == 2
    with pytest.raises(KeyError):
        one.meet("F77")


def test_every_case_belongs_to_a_rule() -> None:
    assert {case.partition(" ")[0] for case in CASES} <= set(RULES)


def test_differences_name_the_row_and_both_values() -> None:
    _, result = run(0)
    assert differences(result, result) == []
    fills = result.fills.copy()
    fills[1, 4] += 5
    found = differences(replace(result, fills=fills), result)
    assert found[0] == f"fills row 1: fee {fills[1, 4]} and {fills[1, 4] - 5}"
    assert found[-1].startswith("order_hash: ")
    assert "orders: 0 and" in differences(replace(result, orders=result.orders[:0]), result)[0]
    assert differences(replace(result, equity=result.equity + 1), result) == ["equity differs from row 0 on"]

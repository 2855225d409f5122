"""W: what a weigher makes of the committee's stances."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from coinswarm.domain.intent import ActionRow
from coinswarm_testkit.cases.rows import FULL_BP, reordered, tables
from coinswarm_testkit.checks import pure
from coinswarm_testkit.checks.check import Check
from coinswarm_testkit.checks.pure import answers_to, demand
from coinswarm_testkit.verdicts import Measured

if TYPE_CHECKING:
    from collections.abc import Sequence

    from coinswarm_testkit.bench import Bench
    from coinswarm_testkit.subject import Kind

Question = tuple[ActionRow, list[int]]


def questions(seed: int) -> list[Question]:
    """Every row of every committee, with its weights."""
    return [(table.row(bar), table.weights) for table in tables(seed) for bar in range(table.direction.shape[1])]


def steps(bench: Bench, asked: Sequence[Question]) -> list[tuple[int, int]]:
    """Exposure and participation of each row."""
    answers = answers_to(bench, "step", asked)
    pure.of_kind(answers, _is_exposure, "Exposure")
    return [(int(exposure), int(participation)) for exposure, participation in answers]


def _is_exposure(answer: Any) -> bool:  # noqa: ANN401 - whatever it answered
    return isinstance(answer, tuple) and len(answer) == 2 and all(type(n) is int for n in answer)  # noqa: PLR2004 - a pair


def processes(bench: Bench) -> None:
    """W10: the same exposure in any process."""
    pure.in_any_process(bench, "step", questions(bench.seed))


def memoryless(bench: Bench) -> None:
    """W15: an exposure is a function of the row and the weights alone."""
    pure.whatever_came_before(bench, "step", questions(bench.seed))


def nobody(bench: Bench) -> None:
    """W20: where nobody takes part, or only who weighs nothing, nothing is wanted."""
    asked = [
        (ActionRow(row.direction, row.confidence_bp, [False] * len(weights)), weights)
        for row, weights in questions(bench.seed)
    ]
    asked += [(ActionRow([1, -1], [FULL_BP, FULL_BP], [True, False]), [0, FULL_BP])]
    for (row, weights), (exposure, _) in zip(asked, steps(bench, asked), strict=True):
        demand(exposure == 0, f"exposure is {exposure:,} where nobody takes part: {row}, weights {weights}")


def participation(bench: Bench) -> None:
    """W22: participation is the weight of those who take part."""
    asked = questions(bench.seed)
    for (row, weights), (_, found) in zip(asked, steps(bench, asked), strict=True):
        there = sum(weight for weight, present in zip(weights, row.present, strict=True) if present)
        demand(found == there, f"participation is {found:,}, those who take part weigh {there:,}: {row}, {weights}")


def one_sided(bench: Bench) -> None:
    """W30: stances that all point one way never give the other."""
    for side in (1, -1):
        asked = [
            (ActionRow([side * abs(way) for way in row.direction], row.confidence_bp, row.present), weights)
            for row, weights in questions(bench.seed)
            if any(weight for weight, present in zip(weights, row.present, strict=True) if present)
        ]
        for (row, weights), (exposure, _) in zip(asked, steps(bench, asked), strict=True):
            demand(exposure * side >= 0, f"exposure is {exposure:,} where all point to {side}: {row}, {weights}")


def absentees(bench: Bench) -> None:
    """W35: what is kept of those who abstain changes nothing."""
    asked = questions(bench.seed)
    other = [
        (
            ActionRow(
                [way if there else -way or 1 for way, there in zip(row.direction, row.present, strict=True)],
                [sure if there else FULL_BP for sure, there in zip(row.confidence_bp, row.present, strict=True)],
                row.present,
            ),
            weights,
        )
        for row, weights in asked
    ]
    pure.demand_same(steps(bench, other), steps(bench, asked), "exposures that differ in who abstains")


def order_free(bench: Bench) -> None:
    """W40: the order of the seats does not matter."""
    asked = questions(bench.seed)
    rng = np.random.default_rng([bench.seed, 8])
    other = [reordered(row, weights, rng.permutation(len(weights)).tolist()) for row, weights in asked]
    pure.demand_same(steps(bench, other), steps(bench, asked), "exposures with the seats in another order")


def in_range(bench: Bench) -> Measured:
    """W45: whole basis points: exposure from -10,000 to 10,000, participation from 0 to 10,000."""
    asked = questions(bench.seed)
    found = steps(bench, asked)
    for (row, weights), (exposure, there) in zip(asked, found, strict=True):
        good = abs(exposure) <= FULL_BP and 0 <= there <= FULL_BP
        demand(good, f"exposure {exposure:,} with participation {there:,} is out of range: {row}, {weights}")
    return Measured({"rows": len(found), "largest_bp": max(abs(exposure) for exposure, _ in found)})


def columns(bench: Bench) -> None:
    """W50: ``weigh_all`` is ``step`` at every bar, and no rows give no rows."""
    with bench.link() as link:
        link.make()
        for table in tables(bench.seed):
            stepped = pure.asked(
                link, "step", [(table.row(bar), table.weights) for bar in range(table.direction.shape[1])]
            )
            pure.of_kind(stepped, _is_exposure, "Exposure")
            whole = link.call("weigh_all", table.direction, table.confidence_bp, table.weights)
            pure.demand_same(_pairs(whole), [tuple(one) for one in stepped], "weigh_all and step")
            none = link.call("weigh_all", table.direction[:, :0], table.confidence_bp[:, :0], table.weights)
            demand(not _pairs(none), f"weigh_all of no bars gives {len(none)} rows")


def _pairs(answer: Any) -> list[tuple[Any, ...]]:  # noqa: ANN401 - whatever it answered
    rows = answer.tolist() if isinstance(answer, np.ndarray) else answer
    demand(
        isinstance(rows, list | tuple) and all(isinstance(row, list | tuple) for row in rows), "weigh_all gives no rows"
    )
    return [tuple(row) for row in rows]


def unchanged(bench: Bench) -> None:
    """W60: the row and the weights are as they were."""
    pure.inputs_unchanged(bench, "step", questions(bench.seed))


WEIGHER: frozenset[Kind] = frozenset({"weigher"})

CHECKS: tuple[Check, ...] = (
    Check("W10", "the same exposure in any process", 1, processes, WEIGHER),
    Check("W15", "an exposure depends on the row and the weights alone", 1, memoryless, WEIGHER),
    Check("W20", "nobody takes part, nothing is wanted", 3, nobody, WEIGHER, safety=True),
    Check("W22", "participation is the weight of those who take part", 3, participation, WEIGHER),
    Check("W30", "stances that point one way never give the other", 3, one_sided, WEIGHER, safety=True),
    Check("W35", "who abstains changes nothing", 3, absentees, WEIGHER),
    Check("W40", "the order of the seats does not matter", 1, order_free, WEIGHER),
    Check("W45", "whole basis points in range", 2, in_range, WEIGHER),
    Check("W50", "weigh_all equals step at every bar", 1, columns, WEIGHER),
    Check("W60", "the row and the weights are not changed", 7, unchanged, WEIGHER),
)

"""What memory said to an agent's direction: the recall in force at a bar, from the run's own record."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from coinswarm.clock import iso
from coinswarm.memory.recall.record import PPM, RECALL_FIELDS, How

if TYPE_CHECKING:
    from coinswarm.engine.plan import RunPlan
    from coinswarm.memory.recall.record import RecallRecord

HOW_WORDS = {
    How.ESTIMATE: "core's estimate",
    How.AGENT: "reconsidered by the agent",
    How.NO_VECTOR: "abstained: the agent had nothing to recall by",
    How.NOTHING_KNOWN: "abstained: no outcome of such a decision was known",
    How.TOO_FEW: "abstained: too few effective neighbours",
    How.FAULT: "abstained: the agent raised, or gave no valid answer",
}
"""How a multiplier came about."""


def recalled_at(  # noqa: PLR0913 - where to look
    plan: RunPlan, record: RecallRecord | None, k: int, seat: int, now: int, direction: int
) -> dict[str, Any] | None:
    """The recall behind a seat's direction at ``now``; None where it has none, or recalls nothing.

    :param direction: of its target in force.
    """
    if record is None or not plan.seats[seat].space or not direction:
        return None
    rows = record.rows
    mine = np.flatnonzero((rows[:, 1] == k) & (rows[:, 2] == seat) & (rows[:, 0] <= now))
    if not len(mine) or rows[mine[-1], RECALL_FIELDS.index("side")] != direction:
        return None
    place = int(mine[-1])
    told = dict(zip(RECALL_FIELDS, rows[place].tolist(), strict=True))
    how = How(told["how"])
    near, ids = record.neighbours_of(place)
    return {
        "recall": place,
        "since": iso(told["known_ns"]),
        "space": plan.seats[seat].space,
        "position": told["position"],
        "multiplier_bp": told["multiplier_bp"],
        "how": how.name,
        "words": HOW_WORDS[how],
        "effective": told["effective_ppm"] / PPM,
        "base_r": told["base_ppm"] / PPM,
        "expected_r": told["outcome_ppm"] / PPM,
        "neighbours": [
            {
                "episode": identity,
                "distance": one["distance_ppm"] / PPM,
                "decided": iso(one["decided_ns"]),
                "known": iso(one["known_ns"]),
                "age_ns": told["known_ns"] - one["known_ns"],
                "result_ppm": one["result_ppm"],
                "risk_ppm": one["risk_ppm"],
                "r": one["result_ppm"] / one["risk_ppm"] if one["risk_ppm"] else None,
                "weight": one["weight_ppm"] / PPM,
            }
            for identity, one in zip(ids, near, strict=True)
        ],
    }

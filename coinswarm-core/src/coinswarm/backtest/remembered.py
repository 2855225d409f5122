"""What a summary says of memory."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from coinswarm.memory.recall.record import RECALL_FIELDS

if TYPE_CHECKING:
    from coinswarm.engine.plan import RunPlan
    from coinswarm.memory.recall.record import RecallRecord

_MULTIPLIER = RECALL_FIELDS.index("multiplier_bp")


def memory_dict(plan: RunPlan, record: RecallRecord, backend: str) -> dict[str, Any]:
    """Who recalled, from what, and how much it moved.

    :param backend: which index was asked.
    """
    told = record.rows[:, _MULTIPLIER]
    moved = told[told != 10_000]  # noqa: PLR2004 - a multiplier of 1
    return {
        "backend": backend,
        "seats": {seat.name: seat.space for seat in plan.seats if seat.space},
        "recalls": len(record.rows),
        "abstained": record.abstained,
        "episodes": record.episodes,
        "refused": record.refused,
        "multiplier_bp": {
            "least": int(moved.min()) if len(moved) else None,
            "median": int(np.median(moved)) if len(moved) else None,
            "most": int(moved.max()) if len(moved) else None,
        },
        "log": {
            "of": record.log,
            "fork": {"index": record.fork[0], "digest": record.fork[1]},
            "head": {"index": record.head[0], "digest": record.head[1]},
        },
    }


def memory_words(memory: dict[str, Any]) -> str:
    """The same in a sentence, for the terminal and the report."""
    if not memory["seats"]:
        return f"{memory['backend']}, and nobody recalled"
    words = (
        f"{' and '.join(memory['seats'])} recalled {memory['recalls']:,} times from {memory['backend']} "
        f"({memory['abstained']:,} abstained); {memory['episodes']:,} trades became episodes"
    )
    spread = memory["multiplier_bp"]
    if spread["median"] is not None:
        least, median, most = (spread[key] / 10_000 for key in ("least", "median", "most"))
        words += f"; confidence x {least:.2f} to {most:.2f}, median {median:.2f}"
    log = memory["log"]
    whose = f"log of {log['of']}" if log["of"] else "private log"
    refused = f", {memory['refused']:,} were refused" if memory["refused"] else ""
    return f"{words}{refused}; {whose} from position {log['fork']['index']:,} to {log['head']['index']:,}"

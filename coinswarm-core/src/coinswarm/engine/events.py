"""What happened in a run, as the calls of the watching hooks: read from its tables, in order of time.

The same tables come from every engine, so the same calls do.
"""

from __future__ import annotations

from heapq import merge
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from coinswarm.domain.order import Fill, Refusal
from coinswarm.engine.result import DECISION_FIELDS
from coinswarm.execution.entry import entry_order

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from coinswarm.engine.plan import RunPlan
    from coinswarm.engine.result import RunResult

_REFUSAL = DECISION_FIELDS.index("refusal")


class Event(NamedTuple):
    """One call of a watching hook.

    :param hook: its name.
    :param arguments: by name; values nobody can change.
    """

    hook: str
    arguments: Mapping[str, Any]


def events(plan: RunPlan, result: RunResult) -> Iterator[Event]:
    """Refusals and fills in order of time.

    A refusal happens when its bar is known. A fill happens within its bar, and so after what was decided at the
    bar's open. What happens at one time keeps the order of its table.
    """
    refusals = ((known, 0, event) for known, event in _refusals(plan, result))
    fills = (
        (row[1], 1, Event("coinswarm_order_filled", {"fill": Fill(*row)}))
        for row in map(tuple, result.fills[np.argsort(result.fills[:, 1], kind="stable")].tolist())
    )
    for _, _, event in merge(refusals, fills, key=lambda one: one[:2]):
        yield event


def _refusals(plan: RunPlan, result: RunResult) -> Iterator[tuple[int, Event]]:
    """Every refusal with the order that was turned down, as it would have been sent."""
    refused = result.decisions[result.decisions[:, _REFUSAL] != Refusal.APPROVED]
    for known, k, exposure, _, stop, take, _, code, _, lots in refused.tolist():
        row = int(np.searchsorted(plan.ticks[k].open_ns, known - plan.bar_ns))
        order = entry_order(
            plan.style, k, known, plan.bar_ns,
            side=1 if exposure > 0 else -1, lots=lots, close=int(plan.ticks[k].close[row]),
            stop_ticks=stop, take_ticks=take,
        )  # fmt: skip
        yield known, Event("coinswarm_order_refused", {"order": order, "refusal": Refusal(code)})

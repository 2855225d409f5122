"""Which parts of a plan its run puts to use."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from coinswarm.committee.weighing import WeightedWeigher
from coinswarm.domain.order import EndReason, OrderKind, Refusal, TimeInForce

if TYPE_CHECKING:
    from coinswarm_testkit.audit.findings import Findings
    from coinswarm_testkit.audit.tables import Tables


def note_plan(tables: Tables, findings: Findings) -> None:
    """Meet features and codes; a feature counts only where the run has fills to show for it."""
    plan, result = tables.plan, tables.result
    for code, times in result.refusals.items():
        findings.meet(f"refusal {Refusal(code).name}", times)
    for order in tables.orders:
        findings.meet(f"end {EndReason(order.end_reason).name}")
        findings.meet(f"kind {OrderKind(order.kind).name}")
        if order.is_entry:
            findings.meet(f"entry {TimeInForce(order.tif).name}")
    if not tables.fills:
        return
    traded = {tables.orders[fill.order].instrument for fill in tables.fills}
    warm = any(seat.warm_up for seat in plan.seats)
    holes = any((np.diff(bars.open_ns) > plan.hole_bars * bars.length_ns).any() for bars in plan.bars)
    for name, used in (
        ("short position", any(row[1] < 0 for row in result.trade_rows.tolist())),
        ("several instruments", len(traded) > 1),
        ("funding", result.costs["funding"] != 0),
        ("hole", holes and warm),
        ("warm-up", warm),
        ("start_ns", plan.start_ns > plan.anchor_ns),
        ("third-party weigher", not isinstance(plan.weigher, WeightedWeigher)),
        ("rebalance", plan.committee.rebalance_bp > 0),
        ("trailing", any(order.kind == OrderKind.TRAILING_STOP for order in tables.orders)),
        ("fee in base", plan.costs.fee_in_base and any(not b.instrument.shortable for b in plan.bars)),
        ("participation", plan.costs.participation_bp > 0),
        (f"sizing {plan.sizing.method}", True),
    ):
        findings.meet(name, int(used))
    if plan.start_ns and len(tables.decisions):
        first = int(np.min(result.decisions[:, 0]))
        findings.hold("S6", f"decided at {first}, before start_ns {plan.start_ns}", true=first >= plan.start_ns)

"""What the desk made of intents: D1-D6."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from coinswarm.domain.order import EndReason, OrderKind, Refusal

if TYPE_CHECKING:
    from coinswarm_testkit.audit.findings import Findings
    from coinswarm_testkit.audit.tables import DecisionRow, OrderRow, Tables


def judge_decisions(tables: Tables, findings: Findings) -> None:
    """Judge each instrument's decisions in their order."""
    by_instrument: dict[int, list[DecisionRow]] = defaultdict(list)
    for decision in tables.decisions:
        by_instrument[decision.instrument].append(decision)
    sent: dict[tuple[int, int], list[OrderRow]] = defaultdict(list)
    withdrawn: dict[tuple[int, int], list[OrderRow]] = defaultdict(list)
    for order in tables.orders:
        if not order.protective:
            sent[order.instrument, order.decided_ns].append(order)
            if order.end_reason == EndReason.WITHDRAWN:
                withdrawn[order.instrument, order.end_ns].append(order)
    for k, decisions in by_instrument.items():
        findings.meet("D1", max(len(tables.bars[k]) - len(decisions), 0))
        previous: DecisionRow | None = None
        for decision in decisions:
            key = (k, decision.known_ns)
            _judge_one(tables, previous, decision, sent[key], withdrawn[key], findings)
            previous = decision
    for key, orders in sent.items():
        findings.hold(
            "D1", f"{orders} without a decision", true=any(key[1] == d.known_ns for d in by_instrument[key[0]])
        )


def _judge_one(  # noqa: PLR0913 - a decision, what came before it and of it
    tables: Tables,
    previous: DecisionRow | None,
    decision: DecisionRow,
    sent: list[OrderRow],
    withdrawn: list[OrderRow],
    findings: Findings,
) -> None:
    """One decision."""
    exits = [order for order in sent if order.reduce_only]
    entries = [order for order in sent if order.is_entry]
    refusal = Refusal(decision.refusal)
    same = previous is not None and previous.side == decision.side and decision.side != 0
    findings.hold("D2", f"{decision} sent {sent}", true=len(exits) <= 1 and len(entries) <= 1)
    findings.hold("D6", f"{decision} refused and sent {entries}", true=not (refusal and entries))
    for order in entries:
        findings.hold("D2", f"{order} against {decision}", true=order.side == decision.side)
    for order in exits:
        findings.hold("D2", f"{order} is no market order", true=order.kind == OrderKind.MARKET)
    findings.meet("D2 reversed", int(bool(exits) and bool(entries)))
    findings.meet("D2", int(bool(exits) and decision.side == 0))
    findings.meet("D3", int(not same and any(order.reduce_only for order in withdrawn)))
    findings.meet("D6 refused", int(bool(refusal) and refusal is not Refusal.COOL_DOWN))
    findings.meet("D6 exit passes", int(bool(refusal) and bool(exits)))
    if refusal is Refusal.COOL_DOWN:
        findings.hold("D5", f"{decision} sent {sent}", true=not sent)
        findings.meet("D5 said")
    elif same and previous is not None:
        over = Refusal(previous.refusal) is Refusal.COOL_DOWN
        if over:
            findings.meet("D5 over")
            findings.hold("D5", f"{decision} without a cool-down", true=tables.plan.limits.cool_down_bars > 0)
        else:
            findings.hold(
                "D1",
                f"{decision} without rebalancing",
                true=tables.plan.committee.rebalance_bp > 0 or previous.known_ns < 0,
            )
            findings.meet("D4 up", int(bool(entries)))
            findings.meet("D4 down", int(any(order.side == -decision.side for order in exits)))

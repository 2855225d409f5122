"""How orders ended, and their brackets: E1, F5, F7, F8, F10, Q2, Q4, Q5, B1-B3, T1, T2."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from coinswarm.clock import DAY_NS
from coinswarm.domain.order import EndReason, OrderKind, TimeInForce
from coinswarm_testkit.audit.manner import born_inside, initial_trigger, trail, trigger_at

if TYPE_CHECKING:
    from coinswarm_testkit.audit.findings import Findings
    from coinswarm_testkit.audit.tables import OrderRow, Tables


def judge_orders(tables: Tables, findings: Findings) -> None:
    """Judge every order's end, and every bracket."""
    decided = {(d.instrument, d.known_ns) for d in tables.decisions}
    guards: dict[int, list[OrderRow]] = defaultdict(list)
    for order in tables.orders:
        _judge_end(tables, order, decided, findings)
        if order.parent >= 0:
            guards[order.parent].append(order)
        if order.kind == OrderKind.LIMIT:
            for bar in tables.live(order):
                touch = bar.low if order.side > 0 else bar.high
                done = any(fill.bar_ns == bar.open_ns for fill in tables.fills_of.get(order.seq, ()))
                born = order.protective and order.decided_ns == bar.open_ns
                findings.meet("F7 touched only", int(touch == order.limit and not done and not born))
    for parent, bracket in guards.items():
        for guard in bracket:
            _judge_guard(tables, guard, parent, findings)
        _judge_pair(tables, bracket, findings)


def _judge_end(tables: Tables, order: OrderRow, decided: set[tuple[int, int]], findings: Findings) -> None:  # noqa: C901 - a branch for each reason
    """One order's end reason against its fills."""
    fills = tables.fills_of.get(order.seq, [])
    done = sum(fill.lots for fill in fills)
    reason = EndReason(order.end_reason)
    where = f"{order}, {done} lots filled"
    if order.is_entry and order.tif in {TimeInForce.IOC, TimeInForce.FOK}:
        _judge_immediate(tables, order, findings)
    if reason is EndReason.FILLED:
        findings.hold("end", where, true=done == order.lots)
    elif reason is EndReason.EXPIRED:
        bars = tables.plan.style.ttl_bars * tables.plan.bar_ns
        day = (order.decided_ns // DAY_NS + 1) * DAY_NS
        ends = {TimeInForce.DAY: day, TimeInForce.GTD: order.decided_ns + bars}
        findings.hold("E1", where, true=order.end_ns == ends.get(TimeInForce(order.tif)))
        findings.meet("E1")
    elif reason is EndReason.IOC_REST:
        findings.hold("F5", where, true=order.tif == TimeInForce.IOC and done < order.lots)
        findings.meet("F5 IOC")
    elif reason is EndReason.FOK_KILLED:
        findings.hold("F5", where, true=order.tif == TimeInForce.FOK and done == 0)
        findings.meet("F5 FOK killed")
    elif reason is EndReason.OCO:
        findings.hold("B3", where, true=order.protective)
        findings.meet("B3 sibling")
    elif reason is EndReason.POSITION_CLOSED:
        findings.hold("Q2", where, true=order.reduce_only and done < order.lots)
        findings.meet("Q2", int(not order.protective))
        findings.meet("B3 closed", int(order.protective))
    elif reason is EndReason.NO_FUNDS:
        findings.hold("Q4", where, true=order.is_entry and order.side > 0 and done < order.lots)
        findings.meet("Q4 cut" if done else "Q4 nothing")
    elif reason is EndReason.BELOW_MINIMUM:
        traded = tables.plan.bars[order.instrument].instrument
        refuses = traded.min_notional_units > 0 and not traded.shortable
        findings.hold("Q5", where, true=order.reduce_only and refuses)
        findings.meet("Q5")
    elif reason is EndReason.WITHDRAWN and order.is_entry:
        findings.meet("B3 entry withdrawn", int((order.instrument, order.end_ns) not in decided))


def _judge_immediate(tables: Tables, order: OrderRow, findings: Findings) -> None:
    """F5: an IOC or FOK market or limit order ends with the first open it meets."""
    met = tables.live(order)
    if order.kind in {OrderKind.MARKET, OrderKind.LIMIT} and met:
        at_once = order.end_reason != EndReason.WORKING and order.end_ns <= met[0].open_ns
        findings.hold("F5", f"{order} met {met[0]} and went on", true=at_once)


def _judge_guard(tables: Tables, guard: OrderRow, parent: int, findings: Findings) -> None:
    """B1, B2, T1, T2 and F10 of one protective order."""
    decision, entry = tables.entry_decisions[parent], tables.orders[parent]
    births = [fill for fill in tables.fills_of[parent] if fill.bar_ns == guard.decided_ns]
    findings.hold("B1", f"{guard} guards an entry that filled {len(births)} times then", true=len(births) == 1)
    born = births[0]
    row = tables.rows[guard.instrument][born.bar_ns]
    bar = tables.bars[guard.instrument][row]
    inside = born_inside(tables, guard)
    findings.meet("B1")
    findings.meet("B2", int(any(fill.bar_ns > born.bar_ns for fill in tables.fills_of[parent])))
    if guard.kind == OrderKind.LIMIT:
        target = born.ticks + entry.side * decision.take_ticks
        findings.hold("B1", f"{guard}: target {target} expected", true=guard.limit == target)
        at_once = any(fill.bar_ns == bar.open_ns for fill in tables.fills_of.get(guard.seq, ()))
        findings.hold("F10", f"{guard} filled in the bar of an entry inside it", true=not (inside and at_once))
        findings.meet("F10 target withheld", int(inside and bar.passes(guard.side, guard.limit)))
        return
    start = initial_trigger(tables, guard)
    if guard.kind == OrderKind.STOP:
        findings.hold("B1", f"{guard}: trigger {start} expected", true=guard.trigger == start)
        return
    last = trail(tables, guard)[-1]
    findings.hold("T1", f"{guard}: trigger {last} expected", true=guard.trigger == last)
    findings.meet("T1", int(guard.trigger != start))
    reach = [bar, *(one for one in tables.bars[guard.instrument][row + 1 :] if one.open_ns < guard.end_ns)]
    went_off = False
    for one in reach:
        stands = trigger_at(tables, guard, one)
        went_off |= one.volume > 0 and one.reaches(guard.side, stands)
        best = one.high if guard.side < 0 else one.low
        moved = best + guard.side * decision.stop_ticks
        better = (moved - start) * guard.side < 0
        findings.meet("T2 no volume", int(better and one.volume == 0))
        further = (moved - stands) * guard.side < 0 and one.volume > 0 and guard.end_ns != one.open_ns
        findings.meet("T2 triggered", int(went_off and further))
    best = bar.high if guard.side < 0 else bar.low
    further = (best + guard.side * decision.stop_ticks - start) * guard.side < 0
    findings.meet("T2 born inside", int(inside and further and guard.end_ns != bar.open_ns))


def _judge_pair(tables: Tables, bracket: list[OrderRow], findings: Findings) -> None:
    """F8: a bar that reaches stop and target belongs to the stop."""
    by_birth: dict[int, list[OrderRow]] = defaultdict(list)
    for guard in bracket:
        by_birth[guard.decided_ns].append(guard)
    for pair in by_birth.values():
        stops = [guard for guard in pair if guard.kind == OrderKind.STOP]
        targets = [guard for guard in pair if guard.kind == OrderKind.LIMIT]
        if not (stops and targets):
            continue
        stop, target = stops[0], targets[0]
        inside = born_inside(tables, stop)
        for fill in (*tables.fills_of.get(stop.seq, ()), *tables.fills_of.get(target.seq, ())):
            bar = tables.bars[stop.instrument][tables.rows[stop.instrument][fill.bar_ns]]
            both = bar.reaches(stop.side, stop.trigger) and bar.passes(target.side, target.limit)
            if both and fill.reference != bar.open and not (stop.decided_ns == bar.open_ns and inside):
                findings.hold("F8", f"{target} filled before {stop}", true=fill.order == stop.seq)
                findings.meet("F8")

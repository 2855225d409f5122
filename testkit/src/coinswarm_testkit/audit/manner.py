"""Which rule explains a fill, and where a trailing stop stood: F1-F10, B4, T1, T2."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from coinswarm.domain.order import OrderKind
from coinswarm_testkit.audit.tables import row_from

if TYPE_CHECKING:
    from coinswarm_testkit.audit.tables import Bar, FillRow, OrderRow, Tables


class Manner(NamedTuple):
    """How a fill came about, by the rules.

    :param case: the case of ``findings.CASES`` or rule that explains it; empty when none does.
    :param taker: whether it pays spread, slippage and the taker fee.
    :param inside: whether it happened inside the bar.
    """

    case: str
    taker: bool
    inside: bool


def manner_of(tables: Tables, order: OrderRow, fill: FillRow, bar: Bar, *, first: bool) -> Manner:  # noqa: PLR0911 - one rule a line
    """Which rule explains a fill.

    :param first: whether it is the order's first fill.
    """
    side, at_open = order.side, fill.reference == bar.open
    born_here = order.protective and order.decided_ns == bar.open_ns
    met = next((one for one in tables.live(order) if not (order.protective and one.open_ns == order.decided_ns)), None)
    first_open = met is not None and met.open_ns == bar.open_ns
    if order.kind == OrderKind.MARKET:
        return Manner("F1" if at_open else "", taker=True, inside=False)
    if order.kind == OrderKind.LIMIT:
        if at_open and not born_here and (order.limit - bar.open) * side > 0:
            return Manner("F3 taker" if first_open else "F3 maker", taker=first_open, inside=False)
        through = fill.reference == order.limit and bar.passes(side, order.limit)
        if born_here and through:
            return Manner("F10 target at once", taker=False, inside=True)
        return Manner(("F7 target" if order.protective else "F7 entry") if through else "", taker=False, inside=True)
    if order.kind == OrderKind.STOP_LIMIT:
        return _stop_limit(tables, order, fill, bar)
    trigger = trigger_at(tables, order, bar)
    if born_here:
        born = next(one for one in tables.fills_of[order.parent] if one.bar_ns == bar.open_ns)
        good = fill.reference == (min if side < 0 else max)(trigger, born.reference) and bar.reaches(side, trigger)
        case = "F10 stopped at once" if fill.reference == trigger else "F6 born in the bar"
        return Manner(case if good else "", taker=True, inside=True)
    if not first or triggered_before(tables, order, bar):
        return Manner("B4" if at_open else "", taker=True, inside=False)
    if at_open and (bar.open - trigger) * side >= 0:
        return Manner("F2", taker=True, inside=False)
    case = "F6 protective" if order.protective else "F6 entry"
    reached = fill.reference == trigger and bar.reaches(side, trigger)
    return Manner(case if reached else "", taker=True, inside=True)


def _stop_limit(tables: Tables, order: OrderRow, fill: FillRow, bar: Bar) -> Manner:
    """F4 and F9."""
    side = order.side
    if triggered_before(tables, order, bar):
        if fill.reference == bar.open and (order.limit - bar.open) * side > 0:
            return Manner("F9 as a limit", taker=False, inside=False)
        through = fill.reference == order.limit and bar.passes(side, order.limit)
        return Manner("F9 as a limit" if through else "", taker=False, inside=True)
    if (bar.open - order.trigger) * side >= 0:
        if fill.reference == bar.open and (order.limit - bar.open) * side > 0:
            return Manner("F4", taker=True, inside=False)
        through = fill.reference == order.limit and bar.passes(side, order.limit)
        return Manner("F4" if through else "", taker=False, inside=True)
    good = fill.reference == order.trigger and (order.limit - order.trigger) * side > 0
    return Manner("F9 at the trigger" if good else "", taker=True, inside=True)


def triggered_before(tables: Tables, order: OrderRow, bar: Bar) -> bool:
    """Whether a stop went off in an earlier bar with volume."""
    for one in tables.live(order):
        if one.open_ns >= bar.open_ns:
            return False
        if one.reaches(order.side, trigger_at(tables, order, one)):
            return True
    return False


def trigger_at(tables: Tables, order: OrderRow, bar: Bar) -> int:
    """The trigger in force in ``bar``: a trailing stop's is worked out from the bars before it (T1, T2)."""
    if order.kind != OrderKind.TRAILING_STOP:
        return order.trigger
    return trail(tables, order).get(bar.open_ns, order.trigger)


def trail(tables: Tables, order: OrderRow) -> dict[int, int]:
    """A trailing stop's trigger in each bar from its birth on; under key -1 its last."""
    path = tables.trails.get(order.seq)
    if path is None:
        born = next(fill for fill in tables.fills_of[order.parent] if fill.bar_ns == order.decided_ns)
        bars, row = tables.bars[order.instrument], tables.rows[order.instrument][born.bar_ns]
        inside = born_inside(tables, order)
        distance = tables.entry_decisions[order.parent].stop_ticks
        trigger = initial_trigger(tables, order)
        last = row_from(bars, order.end_ns) if order.end_reason else len(bars)
        path, went_off = {}, False
        for bar in bars[row:last]:
            path[bar.open_ns] = trigger
            went_off |= bar.volume > 0 and bar.reaches(order.side, trigger)
            if bar.volume > 0 and not went_off and not (inside and bar.open_ns == born.bar_ns):
                best = bar.high if order.side < 0 else bar.low
                trigger = (max if order.side < 0 else min)(trigger, best + order.side * distance)
        if last < len(bars):
            path[bars[last].open_ns] = trigger
        path[-1] = trigger
        tables.trails[order.seq] = path
    return path


def initial_trigger(tables: Tables, stop: OrderRow) -> int:
    """Where a protective stop began, by the entry's fill and the decided distance (B1)."""
    born = next(fill for fill in tables.fills_of[stop.parent] if fill.bar_ns == stop.decided_ns)
    return max(born.ticks + stop.side * tables.entry_decisions[stop.parent].stop_ticks, 1)


def born_inside(tables: Tables, guard: OrderRow) -> bool:
    """Whether the entry that a protective order guards filled inside the bar."""
    born = next(fill for fill in tables.fills_of[guard.parent] if fill.bar_ns == guard.decided_ns)
    bar = tables.bars[guard.instrument][tables.rows[guard.instrument][born.bar_ns]]
    first = tables.fills_of[guard.parent][0] is born
    return manner_of(tables, tables.orders[guard.parent], born, bar, first=first).inside

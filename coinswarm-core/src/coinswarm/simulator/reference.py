"""The simulated exchange in plain Python: the step path, the oracle of the kernel, and the paper exchange.

Implements ``rules.md``; the numbers in comments are its rules. One object holds the whole account.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

from coinswarm.domain.order import EndReason, Fill, Order, OrderFlags, OrderKind, TimeInForce
from coinswarm.simulator.money import part_up

if TYPE_CHECKING:
    from collections.abc import Sequence

    from coinswarm.domain.order import RiskApproved
    from coinswarm.simulator.costs import Costs
    from coinswarm.simulator.money import Scale

UNLIMITED = (1 << 63) - 1
_STOPS = (OrderKind.STOP, OrderKind.TRAILING_STOP, OrderKind.STOP_LIMIT)


class TickBar(NamedTuple):
    """One bar in ticks and lots."""

    open_ns: int
    open: int
    high: int
    low: int
    close: int
    volume: int


class WorkingOrder:
    """An order on the exchange; the exchange alone changes it.

    ``seen`` tells whether it has met an open, ``triggered`` whether its stop has gone off, ``born_ref`` and
    ``inside`` how the entry that it guards filled; ``reduce_only``, ``protective`` and ``is_stop`` (a
    protective stop) what it is for.
    """

    __slots__ = (
        "agree",
        "born_ref",
        "end_ns",
        "end_reason",
        "filled",
        "inside",
        "is_stop",
        "lots",
        "order",
        "protective",
        "reduce_only",
        "risk",
        "seen",
        "seq",
        "side",
        "trigger",
        "triggered",
    )

    def __init__(self, seq: int, order: Order, agree: int = 0, risk: int = 0) -> None:
        self.seq = seq
        self.order = order
        self.side = order.side
        self.lots = order.lots
        self.trigger = order.trigger
        self.filled = 0
        self.seen = self.triggered = False
        self.end_ns = 0
        self.end_reason = EndReason.WORKING
        self.born_ref = 0
        self.inside = False
        self.agree = agree
        self.risk = risk
        flags = int(order.flags)  # asked at every bar: an IntFlag takes a microsecond to answer
        self.reduce_only = bool(flags & OrderFlags.REDUCE_ONLY.value)
        self.protective = bool(flags & OrderFlags.PROTECTIVE.value)
        self.is_stop = self.protective and order.kind != OrderKind.LIMIT


class Holding:
    """What the account holds of one instrument, and its working orders in sequence order.

    ``dust`` marks a position too small to be sold (Q5); ``carry`` is the fraction of a lot still
    owed as fee (P4), in millionths; ``room`` what this bar's volume still allows.
    """

    __slots__ = ("carry", "close", "dust", "lots", "room", "scale", "working")

    def __init__(self, scale: Scale) -> None:
        self.scale = scale
        self.lots = self.close = self.carry = 0
        self.room = UNLIMITED
        self.dust = False
        self.working: list[WorkingOrder] = []

    @property
    def value(self) -> int:
        """Signed worth at the last close, in money units."""
        worth = self.scale.value(abs(self.lots), self.close)
        return worth if self.lots > 0 else -worth


class Listener(Protocol):
    """Who hears what the exchange does, at once."""

    def filled(self, k: int, order: WorkingOrder, fill: Fill, reference: int, flow: int) -> None:
        """A fill; ``flow`` is the change of cash."""

    def flat(self, k: int, order: WorkingOrder, bar_ns: int, residue: int) -> None:
        """``order`` closed the position; ``residue`` is the signed worth of dust left behind."""

    def funded(self, k: int, paid: int) -> None:
        """Funding was paid (negative: received)."""


class SimulatedExchange:
    """Cash, holdings and orders under the numbered rules.

    :param scales: per instrument, sorted by symbol.
    :param cash: starting cash in 1e-8 of the settlement currency.
    :param trailing: whether protective stops trail.
    """

    def __init__(self, scales: Sequence[Scale], costs: Costs, cash: int, listener: Listener, *, trailing: bool) -> None:
        self.costs = costs
        self.cash = cash
        self.fees = self.adverse = self.funding = 0
        self.working = 0
        """How many orders work; a session has nothing to match while there are none."""
        self.holdings = [Holding(scale) for scale in scales]
        self.orders: list[WorkingOrder] = []
        self.fills: list[Fill] = []
        self.references: list[int] = []
        self._listener = listener
        self._trailing = trailing

    # -- orders in and out

    def submit(self, approved: RiskApproved[Order], *, agree: int = 0, risk: int = 0) -> WorkingOrder:
        """Accept an approved order; it works from the instrument's next bar."""
        return self._place(approved.item, agree, risk)

    def cancel(self, order: WorkingOrder, ns: int, reason: EndReason = EndReason.WITHDRAWN) -> None:
        """End a working order; one that has ended stays as it is."""
        if order.end_reason == EndReason.WORKING:
            order.end_ns, order.end_reason = ns, reason
            self.holdings[order.order.instrument].working.remove(order)
            self.working -= 1

    def _place(self, order: Order, agree: int, risk: int) -> WorkingOrder:
        working = WorkingOrder(len(self.orders), order, agree, risk)
        self.orders.append(working)
        self.holdings[order.instrument].working.append(working)
        self.working += 1
        return working

    # -- a bar

    def expire(self, k: int, ns: int) -> None:
        """E1: orders whose time has come."""
        for order in list(self.holdings[k].working):
            if 0 < order.order.expire_ns <= ns:
                self.cancel(order, order.order.expire_ns, EndReason.EXPIRED)

    def fund(self, k: int, rate_ppb: int) -> None:
        """E2: one funding payment on what is held, at the last close."""
        holding = self.holdings[k]
        if holding.lots:
            due = holding.scale.value(abs(holding.lots), holding.close) * abs(rate_ppb) // 1_000_000_000
            if (holding.lots > 0) != (rate_ppb > 0):
                due = -due
            self.cash -= due
            self.funding += due
            self._listener.funded(k, due)

    def open_bar(self, k: int, bar: TickBar) -> None:
        """E3: working orders in sequence order at the open (E7: only with volume)."""
        if bar.volume <= 0:
            return
        holding = self.holdings[k]
        cap = self.costs.participation_bp
        holding.room = bar.volume * cap // 10_000 if cap else UNLIMITED  # Q1
        for order in list(holding.working):
            if order.end_reason == EndReason.WORKING:
                self._at_open(k, order, bar)

    def inside_bar(self, k: int, bar: TickBar) -> None:
        """E4: stop, target, entry, and the stop of an entry filled just now (F8, F10)."""
        if bar.volume <= 0:
            return
        working = self.holdings[k].working
        for order in [w for w in working if w.is_stop]:
            self._stop_inside(k, order, bar)
        for order in [w for w in working if w.protective and not w.is_stop]:
            if order.end_reason == EndReason.WORKING:
                self._limit_inside(k, order, bar)
        before = len(self.orders)
        for order in [w for w in working if not w.protective]:
            if order.end_reason == EndReason.WORKING:
                self._entry_inside(k, order, bar)
        for order in self.orders[before:]:
            if order.is_stop and order.end_reason == EndReason.WORKING:
                self._stop_inside(k, order, bar)

    def trail(self, k: int, bar: TickBar) -> None:
        """T1, T2: move trailing stops after the mark."""
        if bar.volume <= 0:
            return
        for order in self.holdings[k].working:
            if order.order.kind == OrderKind.TRAILING_STOP:
                if order.triggered or (order.inside and order.order.decided_ns == bar.open_ns):
                    continue
                if order.side < 0:
                    order.trigger = max(order.trigger, bar.high - order.order.trail)
                else:
                    order.trigger = min(order.trigger, bar.low + order.order.trail)

    # -- the rules of one order

    def _at_open(self, k: int, order: WorkingOrder, bar: TickBar) -> None:
        """F1-F5."""
        kind, side = order.order.kind, order.side
        first = not order.seen
        order.seen = True
        if kind in _STOPS and not order.triggered:
            if (bar.open - order.trigger) * side < 0:
                return
            order.triggered = first = True  # F2, F4
            if order.protective:
                self._withdraw_entries(k, -side, bar.open_ns)
        if kind in (OrderKind.LIMIT, OrderKind.STOP_LIMIT):
            if (order.order.limit - bar.open) * side > 0:  # F3, F4
                self._fill(k, order, bar.open_ns, bar.open, taker=first, inside=False)
        else:
            self._fill(k, order, bar.open_ns, bar.open, taker=True, inside=False)  # F1, F2, B4
        if order.order.tif == TimeInForce.IOC:  # F5
            self.cancel(order, bar.open_ns, EndReason.IOC_REST)
        elif order.order.tif == TimeInForce.FOK:
            self.cancel(order, bar.open_ns, EndReason.FOK_KILLED)

    def _stop_inside(self, k: int, order: WorkingOrder, bar: TickBar) -> None:
        """F6 for a protective stop; one that went off before waits for the next open (B4)."""
        if order.end_reason != EndReason.WORKING or order.triggered or not _touches(order.side, order.trigger, bar):
            return
        order.triggered = True
        self._withdraw_entries(k, -order.side, bar.open_ns)
        reference = order.trigger
        if order.order.decided_ns == bar.open_ns:  # born in this bar
            best = min if order.side < 0 else max
            reference = best(reference, order.born_ref)
        self._fill(k, order, bar.open_ns, reference, taker=True, inside=True)

    def _limit_inside(self, k: int, order: WorkingOrder, bar: TickBar) -> None:
        """F7: through the limit, not a touch."""
        limit = order.order.limit
        if bar.low < limit if order.side > 0 else bar.high > limit:
            self._fill(k, order, bar.open_ns, limit, taker=False, inside=True)

    def _entry_inside(self, k: int, order: WorkingOrder, bar: TickBar) -> None:
        """F6, F7, F9 for an entry."""
        kind = order.order.kind
        if kind in (OrderKind.STOP, OrderKind.STOP_LIMIT) and not order.triggered:
            if _touches(order.side, order.trigger, bar):
                order.triggered = True
                if kind == OrderKind.STOP or (order.order.limit - order.trigger) * order.side > 0:
                    self._fill(k, order, bar.open_ns, order.trigger, taker=True, inside=True)
        elif kind in (OrderKind.LIMIT, OrderKind.STOP_LIMIT):
            self._limit_inside(k, order, bar)

    def _fill(self, k: int, order: WorkingOrder, bar_ns: int, reference: int, *, taker: bool, inside: bool) -> None:  # noqa: PLR0913 - one fill
        """Fill as far as Q1-Q5 allow, at a price by P1-P2, settle (P3, P4), and see to the bracket (B1-B3)."""
        holding = self.holdings[k]
        want = self._wanted(k, order, bar_ns, reference)
        lots = min(want, holding.room)
        if lots <= 0 or (order.order.tif == TimeInForce.FOK and lots < want):
            return
        price, rate = self._price(order, reference, taker=taker)
        in_base = self.costs.fee_in_base and order.side > 0 and not holding.scale.shortable
        can_pay = lots
        if order.side > 0 and not order.reduce_only:  # Q4
            can_pay = self._affordable(holding.scale, lots, price, 0 if in_base else rate)
        if can_pay < lots and order.order.tif == TimeInForce.FOK:
            return
        if can_pay == 0:
            self.cancel(order, bar_ns, EndReason.NO_FUNDS)
            return
        fee = part_up(holding.scale.value(can_pay, price), rate)
        self._settle(k, order, Fill(order.seq, bar_ns, can_pay, price, fee), reference, rate if in_base else 0)
        filled = order.filled >= order.lots
        if holding.lots == 0:
            self.cancel(order, bar_ns, EndReason.FILLED if filled else EndReason.POSITION_CLOSED)
            self._listener.flat(k, order, bar_ns, 0)
            self._after_flat(k, order, bar_ns)
            return
        if filled or can_pay < lots:
            self.cancel(order, bar_ns, EndReason.FILLED if filled else EndReason.NO_FUNDS)
        guards = [w for w in holding.working if w.protective]
        for guard in guards:  # B2
            guard.lots = guard.filled + abs(holding.lots)
        if not guards and not order.reduce_only:
            self._bracket(k, order, bar_ns, price, reference, inside=inside)

    def _wanted(self, k: int, order: WorkingOrder, bar_ns: int, reference: int) -> int:
        """Lots still to fill; 0 when the order must wait (Q3) or has just ended (Q2, Q5)."""
        holding = self.holdings[k]
        want = order.lots - order.filled
        if not order.reduce_only:
            return 0 if holding.lots * order.side < 0 and not holding.dust else want  # Q3
        if holding.lots * order.side >= 0:  # Q2
            self.cancel(order, bar_ns, EndReason.POSITION_CLOSED)
            return 0
        if (
            not holding.scale.shortable and holding.scale.value(abs(holding.lots), reference) < holding.scale.min_units
        ):  # Q5
            self._to_dust(k, order, bar_ns, reference)
            return 0
        return min(want, abs(holding.lots))

    def _price(self, order: WorkingOrder, reference: int, *, taker: bool) -> tuple[int, int]:
        """P1, P2: price in ticks and fee rate in millionths."""
        costs, limit = self.costs, order.order.limit
        if not taker:
            return reference, costs.maker_ppm
        adverse = -(-reference * (costs.spread_ppm + 2 * costs.slippage_ppm) // 2_000_000)
        price = max(reference + order.side * adverse, 1)
        if limit > 0:
            price = min(price, limit) if order.side > 0 else max(price, limit)
        return price, costs.taker_ppm

    def _affordable(self, scale: Scale, lots: int, price: int, rate: int) -> int:
        """Q4: the most lots up to ``lots`` that cash pays for, fee included."""

        def cost(quantity: int) -> int:
            worth = scale.value(quantity, price)
            return worth + part_up(worth, rate)

        if cost(lots) <= self.cash:
            return lots
        low, high = 0, lots
        while low < high:
            middle = (low + high + 1) // 2
            if cost(middle) <= self.cash:
                low = middle
            else:
                high = middle - 1
        return low

    def _settle(self, k: int, order: WorkingOrder, fill: Fill, reference: int, base_rate: int) -> None:
        """Move cash and lots (P3); ``base_rate`` is the fee rate when it is paid in lots (P4), else 0."""
        holding = self.holdings[k]
        worth = holding.scale.value(fill.lots, fill.ticks)
        flow = -order.side * worth
        received = fill.lots
        if base_rate:
            owed = fill.lots * base_rate + holding.carry
            received -= owed // 1_000_000
            holding.carry = owed % 1_000_000
        else:
            flow -= fill.fee
        self.cash += flow
        self.fees += fill.fee
        self.adverse += holding.scale.value(fill.lots, abs(fill.ticks - reference))
        holding.room -= fill.lots
        holding.lots += order.side * received
        order.filled += fill.lots
        self.fills.append(fill)
        self.references.append(reference)
        self._listener.filled(k, order, fill, reference, flow)
        holding.dust = False

    def _to_dust(self, k: int, order: WorkingOrder, bar_ns: int, reference: int) -> None:
        """Q5: the venue refuses; the position stays as dust and its trade is over."""
        holding = self.holdings[k]
        residue = holding.scale.value(abs(holding.lots), reference)
        self.cancel(order, bar_ns, EndReason.BELOW_MINIMUM)
        self._listener.flat(k, order, bar_ns, residue if holding.lots > 0 else -residue)
        holding.dust = True
        self._after_flat(k, order, bar_ns)

    def _after_flat(self, k: int, closer: WorkingOrder, bar_ns: int) -> None:
        """B3: what ends with the position."""
        for order in list(self.holdings[k].working):
            if order.protective:
                self.cancel(order, bar_ns, EndReason.OCO if closer.protective else EndReason.POSITION_CLOSED)
            elif order.reduce_only:
                self.cancel(order, bar_ns, EndReason.POSITION_CLOSED)
        if closer.protective:
            self._withdraw_entries(k, -closer.side, bar_ns)

    def _withdraw_entries(self, k: int, side: int, ns: int) -> None:
        """B3, B4: no entry goes on working on a side that its bracket is closing."""
        for order in list(self.holdings[k].working):
            if not order.reduce_only and order.side == side:
                self.cancel(order, ns, EndReason.WITHDRAWN)

    def _bracket(self, k: int, entry: WorkingOrder, bar_ns: int, price: int, reference: int, *, inside: bool) -> None:  # noqa: PLR0913 - a bracket is that
        """B1: the stop and the target of an entry that has begun to fill."""
        side, lots = entry.side, abs(self.holdings[k].lots)
        stop, take = entry.order.stop_ticks, entry.order.take_ticks
        target = price + side * take
        has_target = take > 0 and target > 0
        flags = OrderFlags.REDUCE_ONLY | OrderFlags.PROTECTIVE
        if stop > 0 and has_target:
            flags |= OrderFlags.OCO
        if stop > 0:
            kind = OrderKind.TRAILING_STOP if self._trailing else OrderKind.STOP
            trigger = max(price - side * stop, 1)
            guard = self._place(
                Order(k, bar_ns, -side, kind, lots, 0, trigger, stop, flags=flags, parent=entry.seq), 0, 0
            )
            guard.born_ref, guard.inside = reference, inside
        if has_target:
            self._place(Order(k, bar_ns, -side, OrderKind.LIMIT, lots, target, flags=flags, parent=entry.seq), 0, 0)


def _touches(side: int, trigger: int, bar: TickBar) -> bool:
    """F6: whether the bar's range reaches a stop's trigger."""
    return bar.high >= trigger if side > 0 else bar.low <= trigger

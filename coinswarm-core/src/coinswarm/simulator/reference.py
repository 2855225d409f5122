"""The simulated exchange in plain Python: the step path, the oracle of the kernel, and the paper exchange.

Implements ``rules.md``; the numbers in comments are its rules. One object holds the whole account.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from coinswarm.domain.order import EndReason, Order, OrderFlags, OrderKind, TimeInForce
from coinswarm.simulator.book import UNLIMITED, WORKING, Holding, WorkingOrder
from coinswarm.simulator.money import PPM, part_up

if TYPE_CHECKING:
    from collections.abc import Sequence

    from coinswarm.domain.order import RiskApproved
    from coinswarm.simulator.costs import Costs
    from coinswarm.simulator.money import Scale

TickBar = tuple[int, int, int, int, int, int]
"""A bar in ticks and lots: open time, open, high, low, close, volume."""

FILLED, WITHDRAWN, POSITION_CLOSED = EndReason.FILLED, EndReason.WITHDRAWN, EndReason.POSITION_CLOSED
STOP, LIMIT, TRAILING_STOP = OrderKind.STOP, OrderKind.LIMIT, OrderKind.TRAILING_STOP
IOC, FOK = TimeInForce.IOC, TimeInForce.FOK
GUARD = OrderFlags.REDUCE_ONLY | OrderFlags.PROTECTIVE
GUARD_OF_TWO = GUARD | OrderFlags.OCO


class Listener(Protocol):
    """Who hears what the exchange does, at once."""

    def filled(self, k: int, order: WorkingOrder, bar_ns: int, price: int, fee: int, flow: int, held: int) -> None:  # noqa: PLR0913 - a fill
        """A fill; ``flow`` is the change of cash, ``held`` the lots held after it, signed."""

    def flat(self, k: int, order: WorkingOrder, bar_ns: int, residue: int) -> None:
        """``order`` closed the position; ``residue`` is the signed worth of dust left behind."""

    def funded(self, k: int, paid: int) -> None:
        """Funding was paid (negative: received)."""


class SimulatedExchange:
    """Cash, holdings and orders under the numbered rules.

    ``fills`` holds a row per fill (``canonical.FILL_FIELDS``), ``references`` its price before costs.

    :param scales: per instrument, sorted by symbol.
    :param cash: starting cash in 1e-8 of the settlement currency.
    :param trailing: whether protective stops trail.
    """

    def __init__(self, scales: Sequence[Scale], costs: Costs, cash: int, listener: Listener, *, trailing: bool) -> None:
        self._participation_bp, self._maker_ppm, self._taker_ppm = (
            costs.participation_bp, costs.maker_ppm, costs.taker_ppm,
        )  # fmt: skip
        self._fee_in_base = costs.fee_in_base
        self.cash = cash
        self.fees = self.adverse = self.funding = 0
        self.working = 0
        """How many orders work; a session has nothing to match while there are none."""
        self.may_expire = False
        """Whether any order so far could; a session need not ask before."""
        self.holdings = [Holding(scale) for scale in scales]
        self.orders: list[WorkingOrder] = []
        self.fills: list[tuple[int, ...]] = []
        self.references: list[int] = []
        self._listener = listener
        self._guard_kind = TRAILING_STOP if trailing else STOP
        self._adverse_ppm = costs.spread_ppm + 2 * costs.slippage_ppm  # of half the price

    # -- orders in and out

    def submit(self, approved: RiskApproved[Order], agree: int = 0) -> WorkingOrder:
        """Accept an approved order; it works from the instrument's next bar."""
        return self._place(approved.item, agree)

    def cancel(self, order: WorkingOrder, ns: int, reason: EndReason = WITHDRAWN) -> None:
        """End a working order; one that has ended stays as it is."""
        if order.end_reason is WORKING:
            order.end_ns, order.end_reason = ns, reason
            self.holdings[order.order.instrument].working.remove(order)
            self.working -= 1

    def _place(self, order: Order, agree: int = 0) -> WorkingOrder:
        working = WorkingOrder(len(self.orders), order, agree)
        self.orders.append(working)
        self.holdings[order.instrument].working.append(working)
        self.working += 1
        if order.expire_ns:
            self.may_expire = True
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
        bar_ns, opened, _, _, _, volume = bar
        if volume <= 0:
            return
        holding = self.holdings[k]
        cap = self._participation_bp
        holding.room = volume * cap // 10_000 if cap else UNLIMITED  # Q1
        for order in list(holding.working):
            if order.end_reason is WORKING:
                self._at_open(k, order, bar_ns, opened)

    def inside_bar(self, k: int, bar: TickBar) -> None:
        """E4: stop, target, entry, and the stop of an entry filled just now (F8, F10)."""
        if bar[5] <= 0:  # E7
            return
        working = self.holdings[k].working
        for order in [w for w in working if w.is_stop]:
            self._stop_inside(k, order, bar)
        for order in [w for w in working if w.protective and not w.is_stop]:
            if order.end_reason is WORKING:
                self._limit_inside(k, order, bar)
        before = len(self.orders)
        for order in [w for w in working if not w.protective]:
            if order.end_reason is WORKING:
                self._entry_inside(k, order, bar)
        for order in self.orders[before:]:
            if order.is_stop and order.end_reason is WORKING:
                self._stop_inside(k, order, bar)

    def trail(self, k: int, bar: TickBar) -> None:
        """T1, T2: move trailing stops after the mark."""
        bar_ns, _, high, low, _, volume = bar
        if volume <= 0:
            return
        for order in self.holdings[k].working:
            if order.order.kind is TRAILING_STOP:
                if order.triggered or (order.inside and order.order.decided_ns == bar_ns):
                    continue
                if order.side < 0:
                    order.trigger = max(order.trigger, high - order.order.trail)
                else:
                    order.trigger = min(order.trigger, low + order.order.trail)

    # -- the rules of one order

    def _at_open(self, k: int, order: WorkingOrder, bar_ns: int, opened: int) -> None:
        """F1-F5."""
        first = not order.seen
        order.seen = True
        if order.waits and not order.triggered:
            if (opened - order.trigger) * order.side < 0:
                return
            order.triggered = first = True  # F2, F4
            if order.protective:
                self._withdraw_entries(k, -order.side, bar_ns)
        if not order.limited:
            self._fill(k, order, bar_ns, opened, taker=True, inside=False)  # F1, F2, B4
        elif (order.order.limit - opened) * order.side > 0:  # F3, F4
            self._fill(k, order, bar_ns, opened, taker=first, inside=False)
        tif = order.order.tif
        if tif == IOC:  # F5
            self.cancel(order, bar_ns, EndReason.IOC_REST)
        elif tif == FOK:
            self.cancel(order, bar_ns, EndReason.FOK_KILLED)

    def _stop_inside(self, k: int, order: WorkingOrder, bar: TickBar) -> None:
        """F6 for a protective stop; one that went off before waits for the next open (B4)."""
        if order.end_reason is not WORKING or order.triggered or not _touches(order, bar):
            return
        bar_ns, reference = bar[0], order.trigger
        order.triggered = True
        self._withdraw_entries(k, -order.side, bar_ns)
        if order.order.decided_ns == bar_ns:  # born in this bar
            best = min if order.side < 0 else max
            reference = best(reference, order.born_ref)
        self._fill(k, order, bar_ns, reference, taker=True, inside=True)

    def _limit_inside(self, k: int, order: WorkingOrder, bar: TickBar) -> None:
        """F7: through the limit, not a touch."""
        bar_ns, _, high, low, _, _ = bar
        limit = order.order.limit
        if low < limit if order.side > 0 else high > limit:
            self._fill(k, order, bar_ns, limit, taker=False, inside=True)

    def _entry_inside(self, k: int, order: WorkingOrder, bar: TickBar) -> None:
        """F6, F7, F9 for an entry."""
        if order.waits and not order.triggered:
            if _touches(order, bar):
                order.triggered = True
                if not order.limited or (order.order.limit - order.trigger) * order.side > 0:
                    self._fill(k, order, bar[0], order.trigger, taker=True, inside=True)
        elif order.limited:
            self._limit_inside(k, order, bar)

    def _fill(  # noqa: C901, PLR0912, PLR0913, PLR0915 - all that one fill depends on and changes
        self, k: int, order: WorkingOrder, bar_ns: int, reference: int, *, taker: bool, inside: bool
    ) -> None:
        """Fill as far as Q1-Q5 allow, at a price by P1-P2, settle (P3, P4), and see to the bracket (B1-B3)."""
        holding, side = self.holdings[k], order.side
        want = order.lots - order.filled
        if order.reduce_only:
            want = self._reducible(k, order, want, bar_ns, reference)  # Q2, Q5
        elif holding.lots * side < 0 and not holding.dust:
            return  # Q3
        room = holding.room
        lots = min(room, want)  # Q1
        if lots <= 0 or (lots < want and order.order.tif == FOK):
            return
        price, rate = self._taken(order, reference) if taker else (reference, self._maker_ppm)  # P1, P2, P3
        base_rate = rate if self._fee_in_base and side > 0 and not holding.scale.shortable else 0
        worth = lots * price * holding.num // holding.den
        fee = -(-worth * rate // PPM)  # P3
        cut = False
        if side > 0 and not order.reduce_only and worth + (0 if base_rate else fee) > self.cash:  # Q4
            lots, cut = self._affordable(holding.scale, lots, price, 0 if base_rate else rate), True
            if order.order.tif == FOK:
                return
            if lots == 0:
                self.cancel(order, bar_ns, EndReason.NO_FUNDS)
                return
            worth = holding.scale.value(lots, price)
            fee = part_up(worth, rate)
        received, flow = lots, -side * worth
        if base_rate:
            received -= self._withheld(holding, lots, base_rate)  # P4
        else:
            flow -= fee
        self.cash += flow
        self.fees += fee
        if price != reference:
            self.adverse += holding.scale.value(lots, abs(price - reference))
        holding.room = room - lots
        holding.lots += side * received
        order.filled += lots
        self.fills.append((order.seq, bar_ns, lots, price, fee))
        self.references.append(reference)
        self._listener.filled(k, order, bar_ns, price, fee, flow, holding.lots)
        holding.dust = False
        filled = order.filled >= order.lots
        if holding.lots == 0:
            self.cancel(order, bar_ns, FILLED if filled else POSITION_CLOSED)
            self._listener.flat(k, order, bar_ns, 0)
            if holding.working:
                self._after_flat(k, order, bar_ns)
            return
        if filled or cut:
            self.cancel(order, bar_ns, FILLED if filled else EndReason.NO_FUNDS)
        guarded = False
        for guard in holding.working:
            if guard.protective:
                guard.lots = guard.filled + abs(holding.lots)  # B2
                guarded = True
        if not guarded and not order.reduce_only:
            self._bracket(k, order, bar_ns, price, reference, inside=inside)

    def _reducible(self, k: int, order: WorkingOrder, want: int, bar_ns: int, reference: int) -> int:
        """How much of ``want`` a reduce-only order may fill; 0 when it has just ended (Q2, Q5)."""
        holding = self.holdings[k]
        held = abs(holding.lots)
        if holding.lots * order.side >= 0:  # Q2
            self.cancel(order, bar_ns, POSITION_CLOSED)
            return 0
        scale = holding.scale
        if not scale.shortable and scale.min_units and scale.value(held, reference) < scale.min_units:  # Q5
            self._to_dust(k, order, bar_ns, reference)
            return 0
        return min(want, held)

    def _taken(self, order: WorkingOrder, reference: int) -> tuple[int, int]:
        """P1, P2: what a taker pays, in ticks, and its fee rate in millionths."""
        side, limit = order.side, order.order.limit
        adverse = -(-reference * self._adverse_ppm // 2_000_000)
        price = max(reference + side * adverse, 1)
        if limit > 0:
            price = min(price, limit) if side > 0 else max(price, limit)
        return price, self._taker_ppm

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

    def _withheld(self, holding: Holding, lots: int, rate: int) -> int:
        """P4: lots kept back as fee; what is less than one is carried to the next buy."""
        owed = lots * rate + holding.carry
        holding.carry = owed % PPM
        return owed // PPM

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
                self.cancel(order, bar_ns, EndReason.OCO if closer.protective else POSITION_CLOSED)
            elif order.reduce_only:
                self.cancel(order, bar_ns, POSITION_CLOSED)
        if closer.protective:
            self._withdraw_entries(k, -closer.side, bar_ns)

    def _withdraw_entries(self, k: int, side: int, ns: int) -> None:
        """B3, B4: no entry goes on working on a side that its bracket is closing."""
        for order in list(self.holdings[k].working):
            if not order.reduce_only and order.side == side:
                self.cancel(order, ns, WITHDRAWN)

    def _bracket(self, k: int, entry: WorkingOrder, bar_ns: int, price: int, reference: int, *, inside: bool) -> None:  # noqa: PLR0913 - a bracket is that
        """B1: the stop and the target of an entry that has begun to fill."""
        side, lots = entry.side, abs(self.holdings[k].lots)
        stop, take = entry.order.stop_ticks, entry.order.take_ticks
        if stop <= 0 and take <= 0:
            return
        target = price + side * take
        has_target = take > 0 and target > 0
        flags = GUARD_OF_TWO if stop > 0 and has_target else GUARD
        if stop > 0:
            trigger = max(price - side * stop, 1)
            guard = self._place(
                Order(k, bar_ns, -side, self._guard_kind, lots, 0, trigger, stop, flags=flags, parent=entry.seq)
            )
            guard.born_ref, guard.inside = reference, inside
        if has_target:
            self._place(Order(k, bar_ns, -side, LIMIT, lots, target, flags=flags, parent=entry.seq))


def _touches(order: WorkingOrder, bar: TickBar) -> bool:
    """F6: whether the bar's range reaches a stop's trigger."""
    _, _, high, low, _, _ = bar
    return high >= order.trigger if order.side > 0 else low <= order.trigger

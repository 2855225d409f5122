"""Every fill worked out again: when, at which price, for which fee; then the mark of every bar."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from coinswarm.domain.order import EndReason, OrderKind, TimeInForce
from coinswarm_testkit.audit.account import PPM, Account, up
from coinswarm_testkit.audit.manner import manner_of

if TYPE_CHECKING:
    from coinswarm_testkit.audit.findings import Findings
    from coinswarm_testkit.audit.manner import Manner
    from coinswarm_testkit.audit.tables import Bar, FillRow, OrderRow, Tables


def judge_fills(tables: Tables, findings: Findings) -> None:
    """Hold E2-E7, F1-F10, P1-P4, Q1-Q5 against every fill, and E5 against every mark."""
    _FillJudge(tables, findings).judge()


class _FillJudge:
    """One pass over a run's timeline.

    ``filled`` counts the lots that each order has had so far.
    """

    def __init__(self, tables: Tables, findings: Findings) -> None:
        self.tables = tables
        self.findings = findings
        self.account = Account(tables, findings)
        self.filled: dict[int, int] = defaultdict(int)

    def judge(self) -> None:
        """Judge every timestamp."""
        tables, account, result = self.tables, self.account, self.tables.result
        by_time: dict[int, list[FillRow]] = defaultdict(list)
        for fill in tables.fills:
            by_time[fill.bar_ns].append(fill)
        dusty = {
            (order.instrument, order.end_ns) for order in tables.orders if order.end_reason == EndReason.BELOW_MINIMUM
        }
        for row, t in enumerate(result.times_ns.tolist()):
            here = [k for k in range(len(tables.bars)) if t in tables.rows[k]]
            for k in here:
                account.fund(k, t)
            if t in by_time:
                self._timestamp(by_time[t])
            for k in here:
                account.close[k] = tables.bars[k][tables.rows[k][t]].close
                account.dust[k] |= (k, t) in dusty
            found, expected = (int(result.equity[row]), int(result.exposure_units[row])), account.marks()
            self.findings.hold("E5", f"mark {row} is {found}, worked out {expected}", true=found == expected)
            self.findings.meet("E5", sum(bool(lots) and k not in here for k, lots in enumerate(account.lots)))
        costs = {"fees": account.fees, "adverse": account.adverse, "funding": account.funding}
        self.findings.hold("P3", f"costs are {result.costs}, worked out {costs}", true=costs == result.costs)

    def _timestamp(self, fills: list[FillRow]) -> None:
        """All fills of one timestamp, in the order in which they were recorded."""
        findings, before = self.findings, list(self.account.lots)
        taken: dict[int, int] = defaultdict(int)
        phases: list[tuple[bool, int, int]] = []
        for fill in fills:
            order = self.tables.orders[fill.order]
            k = order.instrument
            bar = self.tables.bars[k][self.tables.rows[k][fill.bar_ns]]
            manner = manner_of(self.tables, order, fill, bar, first=not self.filled[order.seq])
            findings.hold("F", f"{fill} of {order} in {bar} follows from no rule", true=bool(manner.case))
            if not manner.case:
                continue
            findings.meet(manner.case)
            findings.hold("E7", f"{fill} in a bar without volume", true=bar.volume > 0)
            findings.hold("P1", f"{fill}: reference outside {bar}", true=bar.low <= fill.reference <= bar.high)
            findings.hold("E6", f"{fill} before {order} was decided", true=fill.bar_ns >= order.decided_ns)
            self._price(order, fill, manner)
            self._quantity(order, fill)
            if self.filled[order.seq] == 0 and order.is_entry:
                self._wait(order, bar, before[k])
            self.account.settle(order, fill)
            self.filled[order.seq] += fill.lots
            taken[k] += fill.lots
            self._participation(order, bar, taken[k])
            phases.append((manner.inside, k, order.seq))
        opened = [(k, seq) for inside, k, seq in phases if not inside]
        findings.hold("E3", f"open fills out of order: {opened}", true=opened == sorted(opened))
        findings.meet("E3", int(len({k for k, _ in opened}) < len(opened)))
        steps = [(inside, k) for inside, k, _ in phases]
        findings.hold("E4", f"phases out of order: {phases}", true=steps == sorted(steps))
        findings.meet("E4", int(len({k for _, k in steps}) > 1 and any(inside for inside, _ in steps)))

    def _price(self, order: OrderRow, fill: FillRow, manner: Manner) -> None:
        """P1-P3."""
        costs, findings = self.tables.plan.costs, self.findings
        price, rate = fill.reference, costs.maker_ppm
        if manner.taker:
            rate = costs.taker_ppm
            adverse = -(-fill.reference * (costs.spread_ppm + 2 * costs.slippage_ppm) // (2 * PPM))
            price = max(fill.reference + order.side * adverse, 1)
            findings.meet("P1", int(adverse > 0))
            if order.limit > 0 and (price - order.limit) * order.side > 0:
                price = order.limit
                findings.meet("P2 clipped")
        if order.limit > 0:
            kept = (order.limit - fill.ticks) * order.side >= 0
            findings.hold("P2", f"{fill} is worse than {order.limit}", true=kept)
        findings.hold("P1", f"{fill} of {order}: price {price} expected", true=price == fill.ticks)
        fee = up(self.tables.value(order.instrument, fill.lots, fill.ticks), rate)
        findings.hold("P3", f"{fill} of {order}: fee {fee} expected", true=fee == fill.fee)
        if costs.maker_ppm != costs.taker_ppm:
            findings.meet("P3 taker" if manner.taker else "P3 maker", int(fee > 0))

    def _quantity(self, order: OrderRow, fill: FillRow) -> None:
        """Q2, Q3, Q5, F5."""
        k, findings, account = order.instrument, self.findings, self.account
        held = account.lots[k]
        findings.hold("Q", f"{fill} fills nothing", true=fill.lots > 0)
        if order.reduce_only:
            findings.hold("Q2", f"{fill} flips {held}", true=held * order.side < 0 and fill.lots <= abs(held))
            traded = self.tables.plan.bars[k].instrument
            worth = self.tables.value(k, abs(held), fill.reference)
            sold = traded.shortable or worth >= traded.min_notional_units
            findings.hold("Q5", f"{fill} of a position worth {worth}", true=sold)
            findings.meet("Q5 closed where shortable", int(traded.shortable and worth < traded.min_notional_units))
        else:
            findings.hold("Q3", f"{fill} against a position of {held}", true=held * order.side >= 0)
            findings.meet("Q5 dust bought again", int(account.dust[k] and held != 0))
        if order.tif == TimeInForce.FOK and order.is_entry:
            findings.hold("F5", f"{fill} is not all of {order}", true=fill.lots == order.lots)
            findings.meet("F5 FOK filled")

    def _participation(self, order: OrderRow, bar: Bar, taken: int) -> None:
        """Q1."""
        share = self.tables.plan.costs.participation_bp
        if share:
            room = bar.volume * share // 10_000
            self.findings.hold("Q1", f"{taken} lots in {bar}, room for {room}", true=taken <= room)
            self.findings.meet("Q1", int(taken == room and self.filled[order.seq] < order.lots))

    def _wait(self, order: OrderRow, bar: Bar, before: int) -> None:
        """What an entry's first fill tells of the bars before it: E6, E7, Q3.

        :param before: lots held before this bar.
        """
        k, findings = order.instrument, self.findings
        bars, row = self.tables.bars[k], self.tables.rows[k][bar.open_ns]
        findings.meet("E6")
        if row == 0 or order.kind != OrderKind.MARKET:
            return
        earlier = bars[row - 1]
        waited = earlier.open_ns >= order.decided_ns
        opposed = before * order.side < 0
        findings.meet("E7 no bar", int(bar.open_ns > order.decided_ns > earlier.open_ns))
        findings.meet("E7 no volume", int(waited and earlier.volume == 0))
        findings.meet("Q3", int(waited and earlier.volume > 0 and opposed))

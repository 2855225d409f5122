"""Cash and positions, moved by fills and funding alone: E2, P3, P4."""

from __future__ import annotations

from typing import TYPE_CHECKING

from coinswarm.domain.order import OrderKind

if TYPE_CHECKING:
    from coinswarm_testkit.audit.findings import Findings
    from coinswarm_testkit.audit.tables import FillRow, OrderRow, Tables

PPM = 1_000_000
PPB = 1_000_000_000


def up(amount: int, ppm: int) -> int:
    """``ppm`` millionths of an amount, rounded up."""
    return -(-amount * ppm // PPM)


class Account:
    """An account worked out again.

    ``lots``, ``close`` and ``carry`` are per instrument. ``dust`` marks a position that the venue
    refused to close in an earlier bar (Q5).
    """

    def __init__(self, tables: Tables, findings: Findings) -> None:
        count = len(tables.bars)
        self._tables = tables
        self._findings = findings
        self._due = [_payments(tables, k) for k in range(count)]
        self.cash = tables.plan.cash
        self.lots = [0] * count
        self.close = [0] * count
        self.carry = [0] * count
        self.dust = [False] * count
        self.fees = self.adverse = self.funding = 0

    def fund(self, k: int, t: int) -> None:
        """E2: what fell due at or before ``t``."""
        due = self._due[k]
        while due and due[-1][0] <= t:
            _, rate = due.pop()
            lots = self.lots[k]
            if lots:
                paid = self._tables.value(k, abs(lots), self.close[k]) * abs(rate) // PPB
                paid = paid if (lots > 0) == (rate > 0) else -paid
                self.cash -= paid
                self.funding += paid
                self._findings.meet("E2")
                self._findings.meet("E2 long pays", int(lots > 0 and paid > 0))
                self._findings.meet("E2 short receives", int(lots < 0 and paid < 0))

    def settle(self, order: OrderRow, fill: FillRow) -> None:
        """Move cash and lots by one fill."""
        k, costs = order.instrument, self._tables.plan.costs
        shortable = self._tables.plan.bars[k].instrument.shortable
        worth = self._tables.value(k, fill.lots, fill.ticks)
        self.cash -= order.side * worth
        received = fill.lots
        if costs.fee_in_base and order.side > 0 and not shortable:
            rate = costs.taker_ppm
            if order.kind in {OrderKind.LIMIT, OrderKind.STOP_LIMIT} and fill.fee != up(worth, rate):
                rate = costs.maker_ppm
            owed = fill.lots * rate + self.carry[k]
            received -= owed // PPM
            self.carry[k] = owed % PPM
            self._findings.meet("P4", int(rate > 0))
            self._findings.meet("P4 fraction carried", int(self.carry[k] > 0))
        else:
            self.cash -= fill.fee
        if order.is_entry and order.side > 0:
            self._findings.hold("Q4", f"{fill} leaves {self.cash} in cash", true=self.cash >= 0)
        self.fees += fill.fee
        self.adverse += self._tables.value(k, fill.lots, abs(fill.ticks - fill.reference))
        self.dust[k] = False
        self.lots[k] += order.side * received
        held = f"{self.lots[k]} lots of what cannot be shorted"
        self._findings.hold("Q2", held, true=shortable or self.lots[k] >= 0)

    def marks(self) -> tuple[int, int]:
        """E5: equity and gross exposure at the last closes."""
        worth = [
            self._tables.value(k, abs(lots), self.close[k]) * (1 if lots > 0 else -1)
            for k, lots in enumerate(self.lots)
        ]
        return self.cash + sum(worth), sum(abs(one) for one in worth)


def _payments(tables: Tables, k: int) -> list[tuple[int, int]]:
    """Funding of one instrument, latest first, so that the next due is the last."""
    funding = tables.plan.funding.get(tables.plan.bars[k].instrument.symbol)
    if funding is None:
        return []
    return list(zip(funding.times_ns.tolist(), funding.rate_ppb.tolist(), strict=True))[::-1]

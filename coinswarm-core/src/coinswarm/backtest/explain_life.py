"""What became of an order, and of the trade that it belongs to, from the tables of a run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from coinswarm.backtest.summary import money
from coinswarm.backtest.words import END_WORDS
from coinswarm.canonical import ORDER_FIELDS, decimal_text
from coinswarm.clock import iso
from coinswarm.domain.order import EndReason, OrderFlags, OrderKind, TimeInForce
from coinswarm.engine.result import TRADE_FIELDS

if TYPE_CHECKING:
    from coinswarm.engine.plan import RunPlan
    from coinswarm.engine.result import RunResult


def fields_of(result: RunResult, number: int) -> dict[str, int]:
    """An order's row by name."""
    return dict(zip(ORDER_FIELDS, result.orders[number].tolist(), strict=True))


def order_life(result: RunResult, number: int, *, guards: bool = True) -> dict[str, Any]:
    """An order from its decision to its end, with its fills and the protective orders that it brought.

    :param guards: whether to follow those.
    """
    row = fields_of(result, number)
    instrument = result.instruments[row["instrument"]]

    def price(ticks: int) -> str | None:
        return decimal_text(instrument.price(ticks)) if ticks else None

    told = {
        "order": number,
        "role": _role(row),
        "instrument": instrument.symbol,
        "side": "buy" if row["side"] > 0 else "sell",
        "kind": OrderKind(row["kind"]).name.lower().replace("_", "-"),
        "quantity": decimal_text(instrument.quantity(row["lots"])),
        "lots": row["lots"],
        "limit": price(row["limit"]),
        "trigger": price(row["trigger"]),
        "tif": TimeInForce(row["tif"]).name.lower(),
        "decided": iso(row["decided_ns"]),
        "ended": iso(row["end_ns"]) if row["end_ns"] else None,
        "end": END_WORDS[EndReason(row["end_reason"])],
        "parent": row["parent"] if row["parent"] >= 0 else None,
        "fills": _fills(result, number),
    }
    if guards:
        brought = np.flatnonzero(result.orders[:, ORDER_FIELDS.index("parent")] == number)
        told["guards"] = [order_life(result, int(n), guards=False) for n in brought]
    return told


def _role(row: dict[str, int]) -> str:
    """What an order is for."""
    flags = OrderFlags(row["flags"])
    if flags & OrderFlags.PROTECTIVE:
        return "profit target" if row["kind"] == OrderKind.LIMIT else "protective stop"
    return "exit" if flags & OrderFlags.REDUCE_ONLY else "entry"


def _fills(result: RunResult, number: int) -> list[dict[str, Any]]:
    """An order's fills: what it got, at which price, from which reference, and what that cost."""
    rows = np.flatnonzero(result.fills[:, 0] == number)
    instrument = result.instruments[fields_of(result, number)["instrument"]]
    num, den = instrument.value_ratio
    told = []
    for place in rows.tolist():
        _, bar_ns, lots, ticks, fee = result.fills[place].tolist()
        reference = int(result.reference[place])
        told.append(
            {
                "fill": place,
                "bar": iso(bar_ns),
                "quantity": decimal_text(instrument.quantity(lots)),
                "price": decimal_text(instrument.price(ticks)),
                "reference": decimal_text(instrument.price(reference)),
                "value": money(lots * ticks * num // den),
                "fee": money(fee),
                "slipped": money(lots * abs(ticks - reference) * num // den),
            }
        )
    return told


def trade_of(plan: RunPlan, result: RunResult, number: int) -> dict[str, Any] | None:
    """The trade that an order opened, enlarged or reduced, and to whom it was attributed; None if it filled nothing."""
    row = fields_of(result, number)
    bars = result.fills[result.fills[:, 0] == number, 1]
    if not len(bars):
        return None
    side = -row["side"] if row["flags"] & OrderFlags.REDUCE_ONLY else row["side"]
    table = result.trade_rows
    inside = (
        (table[:, 0] == row["instrument"]) & (table[:, 1] == side) & (table[:, 2] <= bars[0]) & (table[:, 3] >= bars[0])
    )
    found = np.flatnonzero(inside)
    if not len(found):
        return {"trade": None, "open": True}
    # Where one trade ends and the next begins in one bar, an exit belongs to the first and an entry to the last.
    place = int(found[0] if row["flags"] & OrderFlags.REDUCE_ONLY else found[-1])
    return trade_life(plan, result, place)


def trade_life(plan: RunPlan, result: RunResult, place: int) -> dict[str, Any]:
    """A closed trade: how it ended, what it earned, and whose idea it was."""
    row = dict(zip(TRADE_FIELDS, result.trade_rows[place].tolist(), strict=True))
    instrument = result.instruments[row["instrument"]]
    agreed = [a for a in range(len(plan.seats)) if row["agree"] >> a & 1]
    total = sum(plan.weights[a] for a in agreed)
    closer = closing_order(result, place)
    return {
        "trade": place,
        "open": False,
        "side": "long" if row["side"] > 0 else "short",
        "opened": iso(row["opened_ns"]),
        "closed": iso(row["closed_ns"]),
        "known": iso(row["closed_ns"] + result.bar_ns),
        "quantity": decimal_text(instrument.quantity(row["lots"])),
        "pnl": money(row["pnl"]),
        "fees": money(row["fees"]),
        "risk": money(row["risk"]),
        "r": row["pnl"] / row["risk"] if row["risk"] else None,
        "stopped": bool(row["stopped"]),
        "closed_by": None if closer is None else {"order": closer, "role": _role(fields_of(result, closer))},
        "attributed": [
            {"seat": plan.seats[a].name, "share_bp": plan.weights[a] * 10_000 // total} for a in agreed if total
        ],
    }


def opening_order(result: RunResult, place: int) -> int:
    """The entry whose fill opened a trade."""
    k, side, opened = result.trade_rows[place, :3].tolist()
    for number in result.fills[result.fills[:, 1] == opened, 0].tolist():
        row = fields_of(result, number)
        if row["instrument"] == k and row["side"] == side and not row["flags"] & OrderFlags.REDUCE_ONLY:
            return int(number)
    message = f"trade {place} has no entry"  # a run that was read is whole
    raise AssertionError(message)


def closing_order(result: RunResult, place: int) -> int | None:
    """The order that closed a trade: the last to fill against it, or that the venue refused as too small."""
    k, side, _, closed = result.trade_rows[place, :4].tolist()
    for number in reversed(result.fills[result.fills[:, 1] == closed, 0].tolist()):
        row = fields_of(result, number)
        if row["instrument"] == k and row["side"] == -side and row["flags"] & OrderFlags.REDUCE_ONLY:
            return int(number)
    columns = [ORDER_FIELDS.index(name) for name in ("instrument", "end_ns", "end_reason")]
    dust = np.flatnonzero((result.orders[:, columns] == (k, closed, EndReason.BELOW_MINIMUM)).all(axis=1))
    return int(dust[-1]) if len(dust) else None

"""Codes in words, for people: why an order ended, why one was refused."""

from __future__ import annotations

from coinswarm.domain.order import EndReason, Refusal

END_WORDS: dict[EndReason, str] = {
    EndReason.WORKING: "still working at the end",
    EndReason.FILLED: "filled",
    EndReason.WITHDRAWN: "withdrawn, the intent or position changed",
    EndReason.OCO: "cancelled by its sibling's fill",
    EndReason.EXPIRED: "expired",
    EndReason.IOC_REST: "not filled at once (IOC)",
    EndReason.FOK_KILLED: "not filled whole (FOK)",
    EndReason.POSITION_CLOSED: "position already closed",
    EndReason.NO_FUNDS: "cash ran out",
    EndReason.BELOW_MINIMUM: "below the venue's minimum",
}
"""Why an order stopped working."""

REFUSAL_WORDS: dict[Refusal, str] = {
    Refusal.APPROVED: "approved",
    Refusal.NO_SIZE: "sized to less than one lot",
    Refusal.MIN_NOTIONAL: "below the smallest notional",
    Refusal.NOT_SHORTABLE: "cannot be shorted",
    Refusal.NO_STOP: "no protective stop",
    Refusal.POSITION_LIMIT: "position limit",
    Refusal.EXPOSURE_LIMIT: "exposure limit",
    Refusal.LOSS_LIMIT: "loss at the stop too large",
    Refusal.DAILY_LOSS: "daily loss limit",
    Refusal.TRADES_PER_DAY: "trades per day",
    Refusal.COOL_DOWN: "side closed after a protective exit",
    Refusal.STOP_GUARD: "too many stops in a row",
    Refusal.DRAWDOWN: "drawdown breaker open",
    Refusal.ORDER_LIMIT: "order too large",
    Refusal.PRICE_BAND: "price too far from the market",
    Refusal.NO_EQUITY: "no equity left",
}
"""Why the risk gate refused an order."""

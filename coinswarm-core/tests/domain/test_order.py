"""Orders, approvals and codes: the codes are hashed, so they never change (S16)."""

from __future__ import annotations

import pytest

from coinswarm.domain.intent import FLAT_INTENT, Assessment, Intent
from coinswarm.domain.order import (
    ChildOrder,
    EndReason,
    Order,
    OrderFlags,
    OrderKind,
    Refusal,
    RiskApproved,
    RiskRefused,
    TimeInForce,
)

CODES = {
    OrderKind: "MARKET LIMIT STOP STOP_LIMIT TRAILING_STOP",
    TimeInForce: "GTC IOC FOK DAY GTD",
    EndReason: "WORKING FILLED WITHDRAWN OCO EXPIRED IOC_REST FOK_KILLED POSITION_CLOSED NO_FUNDS BELOW_MINIMUM",
    Refusal: (
        "APPROVED NO_SIZE MIN_NOTIONAL NOT_SHORTABLE NO_STOP POSITION_LIMIT EXPOSURE_LIMIT LOSS_LIMIT DAILY_LOSS "
        "TRADES_PER_DAY COOL_DOWN STOP_GUARD DRAWDOWN ORDER_LIMIT PRICE_BAND NO_EQUITY"
    ),
}


@pytest.mark.parametrize("kind", CODES)
def test_codes_stand_for_good(kind: type[OrderKind]) -> None:
    assert [(one.name, one.value) for one in kind] == list(zip(CODES[kind].split(), range(99), strict=False))


def test_flags_stand_for_good() -> None:
    assert [(one.name, one.value) for one in OrderFlags] == [("REDUCE_ONLY", 1), ("PROTECTIVE", 2), ("OCO", 4)]
    assert int(OrderFlags.NONE) == 0


def test_an_order_has_no_price_no_parent_and_no_bracket_unless_given() -> None:
    order = Order(0, 5, 1, OrderKind.MARKET, 3)
    assert order[5:] == (0, 0, 0, TimeInForce.GTC, 0, OrderFlags.NONE, -1, 0, 0)


def test_an_approval_carries_its_item_and_a_refusal_its_reason() -> None:
    order = Order(0, 5, 1, OrderKind.MARKET, 3)
    assert RiskApproved(order).item is order
    assert repr(RiskApproved(order)) == f"RiskApproved({order!r})"
    refused = RiskRefused(order, Refusal.NO_STOP)
    assert (refused.item, refused.reason) == (order, 4)
    with pytest.raises(AttributeError):
        RiskApproved(order).other = 1  # type: ignore[attr-defined]


def test_a_flat_intent_wants_nothing() -> None:
    assert Intent(0, 0, 0, 0, 0) == FLAT_INTENT


def test_an_assessment_is_held_to_whole_basis_points() -> None:
    assert Assessment(-10_000, 10_000).reason == ""
    for wrong in ((10_001, 0), (0, -1), (0.5, 0), (0, 10_001)):
        with pytest.raises(ValueError, match="of the assessment"):
            Assessment(*wrong)
    with pytest.raises(ValueError, match="one line"):
        Assessment(0, 0, "a\nb")


def test_a_child_has_no_say_in_side_flags_and_instrument() -> None:
    assert set(ChildOrder.__slots__) == {"at_ns", "lots", "kind", "limit", "tif", "expire_ns"}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"lots": 0}, "lots of the child is 0"),
        ({"kind": OrderKind.STOP}, "MARKET or LIMIT"),
        ({"kind": 1, "limit": 5}, "kind of the child is 1"),
        ({"tif": 2}, "tif of the child is 2"),
        ({"limit": 5}, "limit of the child is 5"),
        ({"kind": OrderKind.LIMIT}, "limit of the child is 0"),
        ({"expire_ns": 9}, "expire_ns of the child is 9"),
        ({"tif": TimeInForce.GTD, "expire_ns": 5}, "expire_ns of the child is 5"),
        ({"tif": TimeInForce.DAY}, "expire_ns of the child is 0"),
    ],
)
def test_what_is_no_child(change: dict[str, int], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        ChildOrder(**{"at_ns": 5, "lots": 1, **change})  # type: ignore[arg-type]
    assert ChildOrder(at_ns=5, lots=1, tif=TimeInForce.GTD, expire_ns=6).expire_ns == 6

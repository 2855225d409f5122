"""The kernel's codes are those of the domain, and its columns do not overlap."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from coinswarm.domain.order import EndReason, OrderFlags, OrderKind, Refusal, TimeInForce
from coinswarm.risk.limits import METHODS
from coinswarm.risk.sizing import R_CAP_BP
from coinswarm.simulator.kernel import codes as of_kernel
from coinswarm.simulator.kernel import layout

if TYPE_CHECKING:
    from enum import IntEnum


@pytest.mark.parametrize(
    ("codes", "names"),
    [
        (OrderKind, {"TRAILING_STOP": "TRAILING"}),
        (TimeInForce, {}),
        (EndReason, {"POSITION_CLOSED": "CLOSED", "WORKING": ""}),
        (Refusal, {"APPROVED": ""}),
    ],
)
def test_codes_are_those_of_the_domain(codes: type[IntEnum], names: dict[str, str]) -> None:
    for code in codes:
        name = names.get(code.name, code.name)
        if name:
            assert getattr(of_kernel, name) == code, code


def test_flags_methods_and_caps_are_those_of_the_domain() -> None:
    assert (of_kernel.REDUCE, of_kernel.PROTECTIVE, of_kernel.OCO_FLAG) == (
        OrderFlags.REDUCE_ONLY, OrderFlags.PROTECTIVE, OrderFlags.OCO,
    )  # fmt: skip
    assert METHODS == ("calibrated", "published", "fraction", "lots")
    assert (of_kernel.CALIBRATED, of_kernel.PUBLISHED, of_kernel.FRACTION, of_kernel.LOTS) == (0, 1, 2, 3)
    assert of_kernel.R_CAP_BP == R_CAP_BP


def test_every_column_of_the_layout_has_a_place_of_its_own() -> None:
    orders = [value for name, value in vars(layout).items() if name.startswith("O_")]
    assert sorted(orders) == list(range(layout.ORDER_WIDTH))
    assert layout.RING < layout.WIDTH
    assert layout.AGENTS < layout.WIDTH

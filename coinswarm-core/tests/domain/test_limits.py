"""What can be set, how far, and what is said where it cannot."""

from __future__ import annotations

from dataclasses import fields

import pytest

from coinswarm.domain.acceptance import AcceptanceRules
from coinswarm.domain.limits import LIMITS, configured, field_of, key_of

RULES = AcceptanceRules()


@pytest.mark.parametrize("field", [field.name for field in fields(AcceptanceRules)])
def test_every_number_can_be_set_to_its_limits_and_no_further(field: str) -> None:
    least, most = LIMITS[field]
    assert field_of(key_of(field)) == field
    assert least <= getattr(RULES, field) <= most
    for value in (least, most):
        assert getattr(configured(RULES, key_of(field), str(value)), field) == value
    for value in (least - 1, most + 1):
        with pytest.raises(ValueError, match=key_of(field)):
            configured(RULES, key_of(field), str(value))


@pytest.mark.parametrize("key", ["acceptance.nonsense", "acceptance.max_weight_bp", "max-weight-bp", "acceptance."])
def test_what_names_nothing(key: str) -> None:
    assert field_of(key) is None
    with pytest.raises(ValueError, match=f"nothing is named {key}"):
        configured(RULES, key, "1")


@pytest.mark.parametrize("value", ["", "3e3", "3000.0", "+3000", "03000", " 3000", "\u0663\u0660\u0660\u0660", "3_000"])
def test_what_is_no_whole_number(value: str) -> None:
    with pytest.raises(ValueError, match="must be a whole number"):
        configured(RULES, "acceptance.max-weight-bp", value)


def test_blocks_have_halves() -> None:
    with pytest.raises(ValueError, match="must be even"):
        configured(RULES, "acceptance.pbo-blocks", "7")

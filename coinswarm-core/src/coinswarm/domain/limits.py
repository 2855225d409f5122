"""How far proposals may move the numbers that voters judge by: limits that only another version of core moves.

A setting is named ``acceptance.`` and the field of ``AcceptanceRules`` with hyphens: ``acceptance.max-weight-bp``.
"""

from __future__ import annotations

import math
from dataclasses import fields, replace

from coinswarm.domain.acceptance import AcceptanceRules
from coinswarm.domain.valid import whole

PREFIX = "acceptance."

_HOUR_NS = 3_600 * 10**9

LIMITS: dict[str, tuple[int, int]] = {
    "max_weight_bp": (1_000, 6_000),
    "max_change_bp": (100, 4_000),
    "cool_down_ns": (_HOUR_NS, 90 * 24 * _HOUR_NS),
    "max_rollback_bp": (100, 2_000),
    "min_trades": (50, 10_000),
    "min_sharpe_ppm": (1_000_000, 5_000_000),
    "min_psr_ppm": (900_000, 999_999),
    "min_days": (30, 1_825),
    "max_pbo_ppm": (0, 300_000),
    "pbo_blocks": (6, 16),
    "fdr_ppm": (1_000, 100_000),
    "min_live_trades": (20, 10_000),
    "max_probation_bp": (1, 200),
    "min_dsr_ppm": (900_000, 999_999),
    "max_drawdown_ppm": (20_000, 200_000),
    "max_drawdown_chance_ppm": (1_000, 100_000),
    "target_volatility_ppm": (20_000, 300_000),
    "block_days": (1, 60),
    "resamples": (500, 5_000),
    "cusum_ppm": (1_000_000, 5_000_000),
    "folds": (3, 10),
    "purge_days": (0, 10),
    "cost_bp": (1, 200),
    "max_worse_ppm": (0, 1_000_000),
}
"""Field -> least and most."""

MOST_VARIANTS = 1_000_000_000
"""Most variants of a pattern that voters count; the best of more shows by luck what no record beats."""

MOST_SPLITS = 1_000_000
"""Variants of a pattern times ``splits`` of its days: with more, ``Rule.OVERFIT`` fails, and nobody works it out."""

MOST_TRIAL_DAYS = 2_000_000
"""Variants times the days that all of them have: with more, so does every rule that looks at them."""


def splits(blocks: int) -> int:
    """How many halves so many blocks have: each selects once."""
    return math.comb(blocks, blocks // 2)


def field_of(key: str) -> str | None:
    """The field of ``AcceptanceRules`` that a key names; None where it names none."""
    field = key.removeprefix(PREFIX).replace("-", "_")
    return field if key == key_of(field) and field in LIMITS else None


def key_of(field: str) -> str:
    """The key that names a field."""
    return PREFIX + field.replace("_", "-")


def configured(rules: AcceptanceRules, key: str, value: str) -> AcceptanceRules:
    """The rules after a setting.

    :raises ValueError: for a key that names nothing, or a value that is no whole number within the limits.
    """
    field = field_of(key)
    if field is None:
        message = f"nothing is named {key}"
        raise ValueError(message)
    if not (value.isascii() and value.isdecimal() and str(int(value)) == value):
        message = f"{key} is set to {value!r}, but must be a whole number"
        raise ValueError(message)
    whole(key, int(value), *LIMITS[field])
    return replace(rules, **{field: int(value)})


assert LIMITS.keys() == {field.name for field in fields(AcceptanceRules)}, "every number has its limits"

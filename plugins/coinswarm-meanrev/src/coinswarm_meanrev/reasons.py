"""Reason codes of the mean-reversion agent's actions, and their words."""

from __future__ import annotations

from enum import IntEnum


class Reason(IntEnum):
    """Why the agent took a stance; stored by code with every action."""

    WARMING_UP = 0
    STRETCHED_DOWN = 1
    STRETCHED_UP = 2
    KEEPING = 3
    REVERTED = 4
    NEAR_MEAN = 5
    TRENDING = 6


WORDS = (
    "indicators are not defined yet",
    "price far below its mean, no trend",
    "price far above its mean, no trend",
    "price has not come back to its mean: keeping",
    "price came back to its mean: leaving",
    "price near its mean",
    "price far from its mean, but a trend is on: staying out",
)
"""Words for the codes, by position."""

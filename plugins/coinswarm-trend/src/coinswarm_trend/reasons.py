"""Reason codes of the trend agent's actions, and their words."""

from __future__ import annotations

from enum import IntEnum


class Reason(IntEnum):
    """Why the agent took a stance; stored by code with every action."""

    WARMING_UP = 0
    TREND_UP = 1
    TREND_DOWN = 2
    KEEPING = 3
    CROSSED_BACK = 4
    NO_TREND = 5


WORDS = (
    "indicators are not defined yet",
    "fast average above slow, trend strong",
    "fast average below slow, trend strong",
    "trend weaker, averages not crossed back: keeping",
    "averages crossed back: leaving",
    "no strong trend since the last exit",
)
"""Words for the codes, by position."""

"""How a part that talks to the outside is doing, in its own words."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime


class Condition(StrEnum):
    """How well a part can do its work."""

    GOOD = "good"
    IMPAIRED = "impaired"
    """Works, but late, throttled or in part."""
    DOWN = "down"
    """Does nothing until something changes."""


@dataclass(frozen=True, slots=True)
class Health:
    """What a part says of itself; core judges staleness and error rates by its own clock.

    :param reason: why it is not good, in one line without secrets; empty when it is.
    :param seen: when something last came from the other side, aware UTC; None where nothing has.
    """

    condition: Condition
    reason: str = ""
    seen: datetime | None = None

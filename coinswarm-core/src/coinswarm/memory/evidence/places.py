"""Where evidence lies, as a proposal cites it, and the digest of what lies there.

A place names a question to facts that are written once, so that it has the same answer for ever:

- ``trade/ID``: one closed trade.
- ``trades/PATTERN/KNOWN_NS``: every trade of a pattern whose outcome was known by then.
- ``returns/AGENT/FIRST_DAY/LAST_DAY``: what an agent's ideas earned on each of these days, both included.

Whatever was written late changes the answer, and then the digest no longer fits: a voter says nothing about that
proposal.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

from coinswarm.canonical import digest

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from coinswarm.domain.episode import Episode

_LIMIT = 1 << 63


@dataclass(frozen=True, slots=True)
class OneTrade:
    """``trade/ID``."""

    id: str

    def __str__(self) -> str:
        return f"trade/{self.id}"


@dataclass(frozen=True, slots=True)
class PatternTrades:
    """``trades/PATTERN/KNOWN_NS``."""

    pattern: str
    known_ns: int

    def __str__(self) -> str:
        return f"trades/{self.pattern}/{self.known_ns}"


@dataclass(frozen=True, slots=True)
class Returns:
    """``returns/AGENT/FIRST_DAY/LAST_DAY``; days since 1970-01-01, UTC."""

    agent: str
    first: int
    last: int

    def __str__(self) -> str:
        return f"returns/{self.agent}/{self.first}/{self.last}"


Where = OneTrade | PatternTrades | Returns


def parsed(place: str) -> Where | None:
    """What a place asks for; None where it is none of these."""
    kind, _, rest = place.partition("/")
    if kind == "trade" and rest and "/" not in rest:
        return OneTrade(rest)
    words = rest.split("/")
    if kind == "trades" and len(words) > 1 and _is_number(words[-1]):
        return PatternTrades("/".join(words[:-1]), int(words[-1]))
    if kind == "returns" and len(words) > 2 and _is_number(words[-1]) and _is_number(words[-2]):  # noqa: PLR2004
        return Returns("/".join(words[:-2]), int(words[-2]), int(words[-1]))
    return None


def _is_number(text: str) -> bool:
    """Whether it is a whole number in its one spelling, that a database can hold."""
    return text.isascii() and text.isdigit() and text == str(int(text[:20])) and int(text) < _LIMIT


def episode_content(episode: Episode) -> dict[str, object]:
    """An episode as plain values, as a proposal's ``content`` has it."""
    return {field.name: getattr(episode, field.name) for field in fields(episode)}


def trades_digest(episodes: Iterable[Episode]) -> str:
    """The digest of closed trades, in whatever order they come."""
    rows = [episode_content(one) for one in sorted(episodes, key=lambda one: one.id)]
    return digest({"schema": "coinswarm.trades/1", "trades": rows})


def returns_digest(agent: str, first_day: int, returns_ppm: Sequence[int]) -> str:
    """The digest of an agent's daily returns."""
    return digest({
        "schema": "coinswarm.returns/1",
        "agent": agent,
        "first_day": first_day,
        "returns_ppm": list(returns_ppm),
    })  # fmt: skip

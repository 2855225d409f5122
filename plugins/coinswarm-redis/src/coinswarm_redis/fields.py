"""How an episode stands in Redis, and how a filter asks for it.

Redis' filters compare numbers as doubles, which cannot tell one nanosecond from the next. A time is therefore two
numbers, seconds and nanoseconds; a text is the first 52 bits of its SHA-256, so that no text has to be quoted in an
expression.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from functools import lru_cache
from hashlib import sha256
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

from coinswarm.domain.episode import Episode
from coinswarm.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from coinswarm.domain.episode import Filter, Space

SECOND_NS = 10**9


@lru_cache(maxsize=1_024)
def keys(prefix: str, space: Space) -> tuple[str, ...]:
    """The keys of a space, in the order that the scripts take them."""
    base = f"{prefix}:{{{space.swarm}:{space.name}:{space.dimension}}}:"
    return tuple(base + letter for letter in "vmkdr")


@lru_cache(maxsize=4_096)
def code(text: str) -> int:
    """A text as a number that a double holds."""
    return int.from_bytes(sha256(text.encode()).digest()[:8]) >> 12


def attributes(episode: Episode) -> str:
    """The episode as attributes of its element: first what filters ask for, which Redis then finds sooner.

    Where a graph keeps eight bits of each number, the scripts add a zero byte, which JSON has none of, and the vector.
    """
    known, decided = divmod(episode.known_ns, SECOND_NS), divmod(episode.decided_ns, SECOND_NS)
    asked = {
        "ks": known[0], "kn": known[1], "ds": decided[0], "dn": decided[1],
        "a": code(episode.agent), "i": code(episode.instrument), "s": episode.side, "r": code(episode.regime),
    }  # fmt: skip
    return json.dumps({**asked, "told": asdict(episode)}, separators=(",", ":"))


def vector_of(text: bytes) -> bytes:
    """The vector that attributes end with, float32; empty where there is none."""
    return text.partition(b"\0")[2]


def _told(text: bytes) -> dict[str, Any]:
    """The episode that attributes tell of, not checked.

    :raises DataError: when they tell of none.
    """
    try:
        told: dict[str, Any] = json.loads(text.partition(b"\0")[0])["told"]
    except (ValueError, TypeError, KeyError):
        raise _damaged() from None
    return told


def _damaged() -> DataError:
    message = "an entry of the index cannot be read: something else has written to it"
    return DataError(message, remedy="coinswarm memory rebuild folds the index anew")


def episode_of(text: bytes) -> Episode:
    """The episode that attributes tell of.

    :raises DataError: when they tell of none.
    """
    try:
        return Episode(**_told(text))
    except (ValueError, TypeError):
        raise _damaged() from None


def counts(text: bytes, where: Filter, as_of_ns: int) -> bool:
    """Whether the episode that attributes tell of was known, and is admitted."""
    told = SimpleNamespace(**_told(text))  # an Episode is checked when it is made: that takes longer
    return told.known_ns <= as_of_ns and where.admits(cast("Episode", told))


def listed(episode: Episode) -> list[str | int]:
    """Where the episode is listed: what ``list`` of the scripts takes."""
    sets = (f"a{code(episode.agent)}", f"i{code(episode.instrument)}", f"s{episode.side}", f"r{code(episode.regime)}")
    return [episode.known_ns, episode.known_ns // SECOND_NS, episode.decided_ns // SECOND_NS, *sets]


@lru_cache(maxsize=256)
def asked_for(where: Filter) -> tuple[str, tuple[str, ...]]:
    """What a filter asks for, as a recall's script takes it.

    :returns: words: whether it asks for times of decisions (1 or 0), and the first and the last in seconds and
        nanoseconds, ``-`` where it does not; and for each field that it asks for, how many names of sets of episodes
        that have one of its values, and these.
    """
    decided: tuple[int | str, ...] = (0, "-", "-", "-", "-")
    if where.decided_from_ns or where.decided_before_ns:
        last = divmod(where.decided_before_ns - 1, SECOND_NS) if where.decided_before_ns else ("+inf", "-")
        decided = (1, *divmod(where.decided_from_ns, SECOND_NS), *last)
    fields = (
        [f"a{code(text)}" for text in where.agents],
        [f"i{code(text)}" for text in where.instruments],
        [f"s{side}" for side in where.sides],
        [f"r{code(text)}" for text in where.regimes],
    )
    named = tuple(word for names in fields if names for word in (str(len(names)), *sorted(names)))
    return " ".join(map(str, decided)), named


def expression(where: Filter, as_of_ns: int | None) -> str:
    """The filter in Redis' own words.

    :param as_of_ns: only what was known then; None for no such bound.
    """
    terms = [
        _one_of(letter, values)
        for letter, values in (
            ("a", map(code, where.agents)),
            ("i", map(code, where.instruments)),
            ("s", where.sides),
            ("r", map(code, where.regimes)),
        )
    ]
    if as_of_ns is not None:
        terms.append(_until("k", as_of_ns))
    if where.decided_from_ns:
        terms.append(f"not {_until('d', where.decided_from_ns - 1)}")
    if where.decided_before_ns:
        terms.append(_until("d", where.decided_before_ns - 1))
    return " and ".join(term for term in terms if term)


def _one_of(letter: str, values: Iterable[int]) -> str:
    """That a field has one of some values; empty where there are none."""
    terms = " or ".join(f".{letter} == {value}" for value in sorted(values))
    return f"({terms})" if terms else ""


def _until(letter: str, time_ns: int) -> str:
    """That a time is at most another."""
    seconds, rest = divmod(time_ns, SECOND_NS)
    return f"(.{letter}s < {seconds} or (.{letter}s == {seconds} and .{letter}n <= {rest}))"

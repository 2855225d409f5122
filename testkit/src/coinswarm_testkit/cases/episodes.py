"""Spaces, episodes and vectors for memory backends."""

from __future__ import annotations

import secrets
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import numpy as np

from coinswarm.domain.episode import Episode, LogPosition, Space

if TYPE_CHECKING:
    from collections.abc import Sequence

    Vectors = np.ndarray[tuple[int, int], np.dtype[np.float32]]
    Vector = np.ndarray[tuple[int], np.dtype[np.float32]]
    Distances = np.ndarray[tuple[int], np.dtype[np.float64]]

DIMENSION = 32
BEGIN_NS = 1_600_000_000 * 10**9
HOUR_NS = 3_600 * 10**9
LATEST_NS = BEGIN_NS + 100_000 * HOUR_NS
"""Later than anything that is known in these episodes."""

REGIMES = ("trending", "range", "storm")


def space(name: str, *, dimension: int = DIMENSION) -> Space:
    """A space that nobody used before: what earlier runs left behind in a server is not found."""
    return Space(f"testkit-{secrets.token_hex(8)}", name, dimension)


def vectors(seed: int, count: int, *, dimension: int = DIMENSION) -> Vectors:
    """Clustered, as states of a market are: directions around a few centres, of different lengths."""
    rng = np.random.default_rng([seed, 10])
    centres = rng.standard_normal((max(1, count // 40), dimension))
    drawn = centres[rng.integers(0, len(centres), count)] + 0.6 * rng.standard_normal((count, dimension))
    return (drawn * rng.uniform(0.1, 10.0, (count, 1))).astype(np.float32)


def numbered(number: int, **fields: Any) -> Episode:  # noqa: ANN401 - fields of an episode
    """The simplest episode that its number tells apart: a gain, decided and known at the nanosecond of that number.

    :param fields: of the episode, in place of these.
    """
    plain: dict[str, Any] = {
        "id": sha256(str(number).encode()).hexdigest(), "agent": "trend", "instrument": "BTC/USD", "side": 1,
        "decided_ns": number, "known_ns": number, "result_ppm": number,
    }  # fmt: skip
    return Episode(**plain | fields)


def episodes(seed: int, count: int) -> list[Episode]:
    """Decided hour after hour, each known some hours later; some attributes are rarer than others.

    Instrument ``I/USD`` has every second episode, ``X/USD`` every tenth, ``C/USD`` every hundredth, ``M/USD`` every
    thousandth, each of the others.
    """
    rng = np.random.default_rng([seed, 11])
    results, risks = rng.integers(-50_000, 50_000, count).tolist(), rng.integers(0, 30_000, count).tolist()
    lasts = rng.integers(0, 48, count).tolist()
    sides = rng.choice([-1, 1], count).tolist()
    return [
        Episode(
            id=sha256(f"{seed}/{number}".encode()).hexdigest(),
            agent=("trend", "meanrev", "pairs")[number % 3],
            instrument=_instrument(number),
            side=sides[number],
            decided_ns=BEGIN_NS + number * HOUR_NS,
            known_ns=BEGIN_NS + (number + lasts[number]) * HOUR_NS,
            result_ppm=results[number],
            risk_ppm=risks[number],
            stopped=results[number] < 0,
            regime=REGIMES[number // 50 % 3],
            quality_bp=10_000 - number % 7,
        )
        for number in range(count)
    ]


def _instrument(number: int) -> str:
    for every, name in ((1_000, "M/USD"), (100, "C/USD"), (10, "X/USD"), (2, "I/USD")):
        if number % every == 0:
            return name
    return f"O{number % 5}/USD"


def position(index: int, seed: int = 0) -> LogPosition:
    """A place in a log of the seed's own history."""
    return LogPosition(index, sha256(f"{seed}/entry/{index}".encode()).hexdigest())


def distances(kept: Vectors, vector: Vector) -> Distances:
    """Cosine distance of each row from ``vector``, worked out in float64."""
    rows, one = kept.astype(np.float64), vector.astype(np.float64)
    cosines = rows @ one / (np.linalg.norm(rows, axis=1) * np.linalg.norm(one))
    found: Any = np.clip(1.0 - cosines, 0.0, 2.0)
    return found  # type: ignore[no-any-return]


def nearest(kept: Vectors, vector: Vector, counts: Sequence[int], k: int) -> list[int]:
    """The ``k`` rows nearest to ``vector`` among those that count, by exact search."""
    rows = np.asarray(counts, np.int64)
    order = np.argsort(distances(kept[rows], vector), kind="stable")[:k]
    return [int(row) for row in rows[order]]

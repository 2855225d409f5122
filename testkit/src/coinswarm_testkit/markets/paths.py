"""Seeded histories of one instrument, by their shape.

Every generator takes ``(n, seed)`` and returns hourly bars of ``INSTRUMENT`` in whole ticks: the same
arguments give the same bars. The shapes and their keyword parameters stand in ``shapes``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from coinswarm.domain.market import Bars
from coinswarm_testkit.markets import shapes
from coinswarm_testkit.markets.shapes import INSTRUMENT, PRICE

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["ADVERSARIAL", "EPOCH_NS", "HOUR_NS", "INSTRUMENT", "MARKETS", "ORDINARY", "PRICE", "bars_of"]

HOUR_NS = 3_600_000_000_000
EPOCH_NS = 1_577_836_800_000_000_000
"""2020-01-01 00:00 UTC."""


def bars_of(grid: shapes.Grid) -> Bars:
    """One path as bars."""
    return Bars(INSTRUMENT, HOUR_NS, EPOCH_NS + grid.rows * HOUR_NS, *grid[1:])


def _one(shape: Callable[..., shapes.Grid], n: int, seed: int, parameters: dict[str, Any]) -> Bars:
    """One path of a shape."""
    return bars_of(shape(np.random.default_rng(seed), (n,), **parameters))


def trending_up(n: int, seed: int, *, drift: float = 0.002, **parameters: float) -> Bars:
    """A rise of ``drift`` a bar."""
    return _one(shapes.trend, n, seed, {"drift": drift, **parameters})


def trending_down(n: int, seed: int, *, drift: float = 0.002, **parameters: float) -> Bars:
    """A fall of ``drift`` a bar."""
    return _one(shapes.trend, n, seed, {"drift": -drift, **parameters})


def ranging(n: int, seed: int, **parameters: float) -> Bars:
    """``shapes.ranging``."""
    return _one(shapes.ranging, n, seed, parameters)


def volatile(n: int, seed: int, **parameters: float) -> Bars:
    """``shapes.volatile``."""
    return _one(shapes.volatile, n, seed, parameters)


def spike(n: int, seed: int, **parameters: float) -> Bars:
    """``shapes.spike``."""
    return _one(shapes.spike, n, seed, parameters)


def no_edge(n: int, seed: int, **parameters: float) -> Bars:
    """``shapes.no_edge``: the control."""
    return _one(shapes.no_edge, n, seed, parameters)


def golden_cross(n: int, seed: int, **parameters: float) -> Bars:
    """``shapes.golden_cross``."""
    return _one(shapes.golden_cross, n, seed, parameters)


def crash(n: int, seed: int, **parameters: float) -> Bars:
    """``shapes.crash``."""
    return _one(shapes.crash, n, seed, parameters)


def gapped(n: int, seed: int, **parameters: float) -> Bars:
    """``shapes.gapped``."""
    return _one(shapes.gapped, n, seed, parameters)


def thin(n: int, seed: int, **parameters: float) -> Bars:
    """``shapes.thin``."""
    return _one(shapes.thin, n, seed, parameters)


def flat(n: int, seed: int) -> Bars:
    """One price throughout; the seed changes the volume only."""
    return _one(shapes.flat, n, seed, {})


def one_bar(_n: int, seed: int) -> Bars:
    """A history of a single bar."""
    return no_edge(1, seed)


def empty(_n: int, seed: int) -> Bars:
    """No history at all."""
    return no_edge(0, seed)


def extreme(n: int, seed: int, **parameters: float) -> Bars:
    """``shapes.extreme``."""
    return _one(shapes.extreme, n, seed, parameters)


def regimes(n: int, seed: int, **parameters: float) -> Bars:
    """``shapes.regimes``: a market that asks every answer of an agent."""
    return _one(shapes.regimes, n, seed, parameters)


ORDINARY: dict[str, Callable[[int, int], Bars]] = {
    make.__name__: make
    for make in (trending_up, trending_down, ranging, volatile, spike, no_edge, golden_cross, regimes)
}
"""Markets as they come, by name."""

ADVERSARIAL: dict[str, Callable[[int, int], Bars]] = {
    make.__name__: make for make in (crash, gapped, thin, flat, one_bar, empty, extreme)
}
"""Markets that break what is careless, by name."""

MARKETS = {**ORDINARY, **ADVERSARIAL}

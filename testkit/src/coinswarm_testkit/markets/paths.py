"""Seeded histories of one instrument, by their shape.

Every generator takes ``(n, seed)`` and returns hourly bars of ``INSTRUMENT`` in whole ticks: the same
arguments give the same bars. Further keyword parameters are documented where they stand. Log returns
are normal unless said otherwise; ``sigma`` is their standard deviation for one bar.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import numpy as np

from coinswarm.domain.instrument import Instrument
from coinswarm.domain.market import Bars

if TYPE_CHECKING:
    from collections.abc import Callable

    Floats = np.ndarray[tuple[int], np.dtype[np.float64]]
    Ints = np.ndarray[tuple[int], np.dtype[np.int64]]

HOUR_NS = 3_600_000_000_000
EPOCH_NS = 1_577_836_800_000_000_000
"""2020-01-01 00:00 UTC."""

INSTRUMENT = Instrument("BTC/USD", Decimal("0.01"), Decimal("0.00001"), Decimal(10), shortable=True)
PRICE = 10_000.0


def bars_from(close: Floats, rng: np.random.Generator, *, reach: float, rows: Ints | None = None) -> Bars:
    """Bars around a path of closes: each opens at the close before it.

    :param reach: how far high and low lie beyond open and close, as a share of the price (half-normal).
    :param rows: places on the hourly grid; consecutive by default.
    """
    n = len(close)
    close = np.maximum(np.round(close, 2), 0.01)
    opened = np.concatenate([close[:1], close[:-1]])
    above, below = (np.abs(rng.standard_normal(n)) * reach for _ in range(2))
    high = np.round(np.maximum(opened, close) * (1 + above), 2)
    low = np.maximum(np.round(np.minimum(opened, close) * (1 - np.minimum(below, 0.9)), 2), 0.01)
    volume = np.exp(rng.standard_normal(n) + 2).round(5)
    places = np.arange(n, dtype=np.int64) if rows is None else rows
    return Bars(INSTRUMENT, HOUR_NS, EPOCH_NS + places * HOUR_NS, opened, high, low, close, volume)


def _walk(rng: np.random.Generator, n: int, drift: float, sigma: float) -> Floats:
    """A geometric walk from ``PRICE`` with a drift per bar, after the Ito correction."""
    steps = drift - sigma * sigma / 2 + sigma * rng.standard_normal(n)
    path: Floats = PRICE * np.exp(np.cumsum(steps))
    return path


def trending_up(n: int, seed: int, *, drift: float = 0.002, sigma: float = 0.006) -> Bars:
    """A rise of ``drift`` a bar."""
    rng = np.random.default_rng(seed)
    return bars_from(_walk(rng, n, drift, sigma), rng, reach=sigma / 2)


def trending_down(n: int, seed: int, *, drift: float = 0.002, sigma: float = 0.006) -> Bars:
    """A fall of ``drift`` a bar."""
    rng = np.random.default_rng(seed)
    return bars_from(_walk(rng, n, -drift, sigma), rng, reach=sigma / 2)


def ranging(n: int, seed: int, *, pull: float = 0.05, sigma: float = 0.006) -> Bars:
    """An Ornstein-Uhlenbeck process of the log price around its start.

    :param pull: share of the distance from the mean that a bar takes back.
    """
    rng = np.random.default_rng(seed)
    shocks = sigma * rng.standard_normal(n)
    away = np.zeros(n)
    for t in range(1, n):
        away[t] = away[t - 1] * (1 - pull) + shocks[t]
    return bars_from(PRICE * np.exp(away), rng, reach=sigma / 2)


def volatile(n: int, seed: int, *, sigma: float = 0.04) -> Bars:
    """High volatility without a drift."""
    rng = np.random.default_rng(seed)
    return bars_from(_walk(rng, n, 0.0, sigma), rng, reach=sigma)


def no_edge(n: int, seed: int, *, sigma: float = 0.006) -> Bars:
    """The control: the volatility of the trending markets, no drift and no memory; the price is a martingale."""
    rng = np.random.default_rng(seed)
    return bars_from(_walk(rng, n, 0.0, sigma), rng, reach=sigma / 2)


def golden_cross(n: int, seed: int, *, sigma: float = 0.004, slope: float = 0.004) -> Bars:
    """Two thirds quiet and slightly falling, then a rise of ``slope`` a bar: a fast average crosses a slow one."""
    rng = np.random.default_rng(seed)
    drift = np.where(np.arange(n) < 2 * n // 3, -slope / 10, slope)
    return bars_from(PRICE * np.exp(np.cumsum(drift + sigma * rng.standard_normal(n))), rng, reach=sigma / 2)


def crash(n: int, seed: int, *, fall: float = 0.4, sigma: float = 0.006) -> Bars:
    """A quiet market that loses ``fall`` of its worth in one bar, in its middle, and is three times as wild after."""
    rng = np.random.default_rng(seed)
    steps = sigma * rng.standard_normal(n)
    steps[n // 2 :] *= 3
    if n:
        steps[n // 2] = np.log1p(-fall)
    return bars_from(PRICE * np.exp(np.cumsum(steps)), rng, reach=sigma)


def gapped(n: int, seed: int, *, missing: float = 0.1, hole: int = 30, sigma: float = 0.01) -> Bars:
    """Single bars missing at random, and two holes.

    :param missing: share of bars that are absent.
    :param hole: length of each hole, in bars.
    """
    rng = np.random.default_rng(seed)
    skipped = rng.random(n) < missing
    leap = 1 + skipped.astype(np.int64)
    leap[[n // 3, 2 * n // 3] if n else []] += hole
    return bars_from(_walk(rng, n, 0.0, sigma), rng, reach=sigma / 2, rows=np.cumsum(leap) - 1)


def thin(n: int, seed: int, *, idle: float = 0.4, sigma: float = 0.006) -> Bars:
    """Bars without volume, flat at the last close, among ordinary ones.

    :param idle: share of bars without volume.
    """
    rng = np.random.default_rng(seed)
    steps = sigma * rng.standard_normal(n)
    quiet = rng.random(n) < idle
    steps[quiet] = 0.0
    bars = bars_from(PRICE * np.exp(np.cumsum(steps)), rng, reach=sigma / 2)
    high, low = np.where(quiet, bars.close, bars.high), np.where(quiet, bars.close, bars.low)
    volume = np.where(quiet, 0.0, bars.volume)
    high, low = np.maximum(high, bars.open), np.minimum(low, bars.open)
    return Bars(bars.instrument, bars.length_ns, bars.open_ns, bars.open, high, low, bars.close, volume)


def flat(n: int, seed: int) -> Bars:
    """One price throughout; the seed changes the volume only."""
    rng = np.random.default_rng(seed)
    return bars_from(np.full(n, PRICE), rng, reach=0.0)


def one_bar(_n: int, seed: int) -> Bars:
    """A history of a single bar."""
    return no_edge(1, seed)


def empty(_n: int, seed: int) -> Bars:
    """No history at all."""
    return no_edge(0, seed)


def extreme(n: int, seed: int, *, lowest: float = 0.01, highest: float = 1e7) -> Bars:
    """Leaps over the whole range of prices, from one tick to ten million."""
    rng = np.random.default_rng(seed)
    close = np.exp(rng.uniform(np.log(lowest), np.log(highest), n))
    return bars_from(close, rng, reach=0.5)


def regimes(n: int, seed: int, *, sigma: float = 0.006) -> Bars:
    """Trends, ranges and wild stretches of 40 bars by turns: a market that asks every answer of an agent."""
    rng = np.random.default_rng(seed)
    turns = n // 40 + 1
    drift = np.repeat(rng.choice([-0.004, 0.0, 0.0, 0.004], turns), 40)[:n]
    wild = np.repeat(rng.choice([0.7, 1.0, 2.5], turns), 40)[:n]
    steps = drift + sigma * wild * rng.standard_normal(n)
    return bars_from(PRICE * np.exp(np.cumsum(steps)), rng, reach=sigma / 2)


ORDINARY: dict[str, Callable[[int, int], Bars]] = {
    make.__name__: make
    for make in (trending_up, trending_down, ranging, volatile, no_edge, golden_cross, regimes)
}  # fmt: skip
"""Markets as they come, by name."""

ADVERSARIAL: dict[str, Callable[[int, int], Bars]] = {
    make.__name__: make for make in (crash, gapped, thin, flat, one_bar, empty, extreme)
}
"""Markets that break what is careless, by name."""

MARKETS = {**ORDINARY, **ADVERSARIAL}

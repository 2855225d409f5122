"""Price processes, for one path or many at once.

Every shape takes a generator and the form of what it fills, ``(n,)`` or ``(paths, n)``, and returns
``Grid`` columns of that form: time runs along the last axis. Log returns are normal unless said otherwise; ``sigma`` is
their standard deviation for one bar. ``paths`` makes single histories of them, ``ensembles`` many.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any, NamedTuple

import numpy as np

from coinswarm.domain.instrument import Instrument

Floats = np.ndarray[Any, np.dtype[np.float64]]
Ints = np.ndarray[Any, np.dtype[np.int64]]
Form = tuple[int, ...]

INSTRUMENT = Instrument("BTC/USD", Decimal("0.01"), Decimal("0.00001"), Decimal(10), shortable=True)
PRICE = 10_000.0


class Grid(NamedTuple):
    """Bars in columns, in whole ticks of ``INSTRUMENT``.

    :param rows: int64, places on the hourly grid, ascending along the last axis.
    :param open, high, low, close: float64, prices.
    :param volume: float64, in base.
    """

    rows: Ints
    open: Floats
    high: Floats
    low: Floats
    close: Floats
    volume: Floats


def around(close: Floats, rng: np.random.Generator, *, reach: float, rows: Ints | None = None) -> Grid:
    """Bars around paths of closes: each opens at the close before it.

    :param reach: how far high and low lie beyond open and close, as a share of the price (half-normal).
    :param rows: places on the hourly grid; consecutive by default.
    """
    form = close.shape
    close = np.maximum(np.round(close, 2), 0.01)
    opened = np.concatenate([close[..., :1], close[..., :-1]], axis=-1)
    above, below = (np.abs(rng.standard_normal(form)) * reach for _ in range(2))
    high = np.round(np.maximum(opened, close) * (1 + above), 2)
    low = np.maximum(np.round(np.minimum(opened, close) * (1 - np.minimum(below, 0.9)), 2), 0.01)
    volume = np.exp(rng.standard_normal(form) + 2).round(5)
    places = np.broadcast_to(np.arange(form[-1], dtype=np.int64), form) if rows is None else rows
    return Grid(places, opened, high, low, close, volume)


def _path(steps: Floats) -> Floats:
    """Prices from ``PRICE`` on, by their log returns."""
    path: Floats = PRICE * np.exp(np.cumsum(steps, axis=-1))
    return path


def _walk(rng: np.random.Generator, form: Form, drift: float, sigma: float) -> Floats:
    """A geometric walk with a drift per bar, after the Ito correction."""
    return _path(drift - sigma * sigma / 2 + sigma * rng.standard_normal(form))


def trend(rng: np.random.Generator, form: Form, *, drift: float = 0.002, sigma: float = 0.006) -> Grid:
    """A rise of ``drift`` a bar; a fall where it is negative."""
    return around(_walk(rng, form, drift, sigma), rng, reach=sigma / 2)


def ranging(rng: np.random.Generator, form: Form, *, pull: float = 0.05, sigma: float = 0.006) -> Grid:
    """An Ornstein-Uhlenbeck process of the log price around its start.

    :param pull: share of the distance from the mean that a bar takes back.
    """
    shocks = sigma * rng.standard_normal(form)
    away = np.zeros(form)
    for t in range(1, form[-1]):
        away[..., t] = away[..., t - 1] * (1 - pull) + shocks[..., t]
    return around(PRICE * np.exp(away), rng, reach=sigma / 2)


def volatile(rng: np.random.Generator, form: Form, *, sigma: float = 0.04) -> Grid:
    """High volatility without a drift."""
    return around(_walk(rng, form, 0.0, sigma), rng, reach=sigma)


def spike(rng: np.random.Generator, form: Form, *, sigma: float = 0.006, factor: float = 5.0) -> Grid:
    """A quiet market, ``factor`` times as wild in the fifth tenth of it, back to quiet over the next; no drift."""
    n = form[-1]
    begin, width = n // 2, max(n // 10, 1)
    after = np.arange(n) - begin - width
    wild = np.where(after < 0, factor, 1 + (factor - 1) * np.exp(-3.0 * np.maximum(after, 0) / width))
    scale = sigma * np.where(np.arange(n) < begin, 1.0, wild)
    return around(_path(scale * rng.standard_normal(form) - scale * scale / 2), rng, reach=sigma / 2)


def no_edge(rng: np.random.Generator, form: Form, *, sigma: float = 0.006) -> Grid:
    """The control: the volatility of the trending markets, no drift and no memory; the price is a martingale.

    Inside a bar too: high and low have the distribution of a Brownian bridge's maximum and minimum between open and
    close (inverted from ``P(max > m) = exp(-2 (m - a)(m - b) ÷ sigma²)``). Highs and lows that merely stick out would
    pay whoever takes profit on them, and charge whoever stops.
    """
    path = _walk(rng, form, 0.0, sigma)
    grid = around(path, rng, reach=0.0)
    opened, closed = np.log(grid.open), np.log(grid.close)
    up, down = (np.sqrt((closed - opened) ** 2 - 2 * sigma * sigma * np.log1p(-rng.random(form))) for _ in range(2))
    high = np.round(np.exp((opened + closed + up) / 2), 2)
    low = np.maximum(np.round(np.exp((opened + closed - down) / 2), 2), 0.01)
    return grid._replace(high=np.maximum(high, grid.high), low=np.minimum(low, grid.low))


def golden_cross(rng: np.random.Generator, form: Form, *, sigma: float = 0.004, slope: float = 0.004) -> Grid:
    """Two thirds quiet and slightly falling, then a rise of ``slope`` a bar: a fast average crosses a slow one."""
    n = form[-1]
    drift = np.where(np.arange(n) < 2 * n // 3, -slope / 10, slope)
    return around(_path(drift + sigma * rng.standard_normal(form)), rng, reach=sigma / 2)


def crash(rng: np.random.Generator, form: Form, *, fall: float = 0.4, sigma: float = 0.006) -> Grid:
    """A quiet market that loses ``fall`` of its worth in one bar, in its middle, and is three times as wild after."""
    n = form[-1]
    steps = sigma * rng.standard_normal(form)
    steps[..., n // 2 :] *= 3
    if n:
        steps[..., n // 2] = np.log1p(-fall)
    return around(_path(steps), rng, reach=sigma)


def gapped(rng: np.random.Generator, form: Form, *, missing: float = 0.1, hole: int = 30, sigma: float = 0.01) -> Grid:
    """Single bars missing at random, and two holes.

    :param missing: share of bars that are absent.
    :param hole: length of each hole, in bars.
    """
    n = form[-1]
    leap = 1 + (rng.random(form) < missing).astype(np.int64)
    leap[..., [n // 3, 2 * n // 3] if n else []] += hole
    return around(_walk(rng, form, 0.0, sigma), rng, reach=sigma / 2, rows=np.cumsum(leap, axis=-1) - 1)


def thin(rng: np.random.Generator, form: Form, *, idle: float = 0.4, sigma: float = 0.006) -> Grid:
    """Bars without volume, flat at the last close, among ordinary ones.

    :param idle: share of bars without volume.
    """
    steps = sigma * rng.standard_normal(form)
    quiet = rng.random(form) < idle
    steps[quiet] = 0.0
    grid = around(_path(steps), rng, reach=sigma / 2)
    high, low = np.where(quiet, grid.close, grid.high), np.where(quiet, grid.close, grid.low)
    return grid._replace(
        high=np.maximum(high, grid.open), low=np.minimum(low, grid.open), volume=np.where(quiet, 0.0, grid.volume)
    )


def flat(rng: np.random.Generator, form: Form) -> Grid:
    """One price throughout; only the volume differs."""
    return around(np.full(form, PRICE), rng, reach=0.0)


def extreme(rng: np.random.Generator, form: Form, *, lowest: float = 0.01, highest: float = 1e7) -> Grid:
    """Leaps over the whole range of prices, from one tick to ten million."""
    return around(np.exp(rng.uniform(np.log(lowest), np.log(highest), form)), rng, reach=0.5)


def regimes(
    rng: np.random.Generator, form: Form, *, sigma: float = 0.006, slope: float = 0.004, turn: float = 40
) -> Grid:
    """Rises and falls of ``slope`` a bar, stretches without direction, quiet and wild, by turns.

    :param turn: bars of each.
    """
    *many, n = form
    length = int(turn)
    turns = (*many, n // length + 1)
    drift = np.repeat(rng.choice([-slope, 0.0, 0.0, slope], turns), length, axis=-1)[..., :n]
    wild = np.repeat(rng.choice([0.7, 1.0, 2.5], turns), length, axis=-1)[..., :n]
    return around(_path(drift + sigma * wild * rng.standard_normal(form)), rng, reach=sigma / 2)

"""What a moment of the market is like, in twelve numbers: what the trend agent recalls by.

Everything is measured over the last ``LOOK`` bars and scaled by what those bars show themselves, so that no number
knows the future, and moments of a calm year compare with those of a wild one.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from coinswarm.domain.market import Bars

    Vector = np.ndarray[tuple[int], np.dtype[np.float32]]
    Floats = np.ndarray[tuple[int], np.dtype[np.float64]]

LOOK = 257
"""Bars that a moment is described by: 256 moves."""

HORIZONS = (1, 4, 16, 64, 256)
"""Bars over which returns are measured."""
SHORT = 16
"""Bars that are "just now" beside all of them."""
LIMIT = 3.0
"""No measure counts for more, so that one jump does not drown the others."""
DAY_NS = 86_400_000_000_000


def moment(bars: Bars) -> Vector | None:
    """The state of the market at the last of ``bars``: float32[12].

    In this order: returns over 1, 4, 16, 64 and 256 bars in standard deviations of such returns; how wild the last 16
    bars were beside all (logarithm of the ratio); how straight they ran, and all of them (net way / whole way, signed);
    where the close lies in the range of the last 64 bars (-1 to 1); time of day (cosine and sine); and 1, so that a
    calm moment has a direction too.

    :param bars: ``LOOK`` of them.
    :returns: None where nothing moved.
    """
    logs: Floats = np.log(bars.close)
    moves: Floats = np.diff(logs)
    scale = math.sqrt(_mean_square(moves))
    if scale == 0.0:
        return None
    returns = [float(logs[-1] - logs[-1 - h]) / (scale * math.sqrt(h)) for h in HORIZONS]
    wild = math.log(max(math.sqrt(_mean_square(moves[-SHORT:])) / scale, 1e-3))
    high, low = float(bars.high[-64:].max()), float(bars.low[-64:].min())
    place = 2.0 * (float(bars.close[-1]) - low) / (high - low) - 1.0 if high > low else 0.0
    turn = 2.0 * math.pi * (int(bars.open_ns[-1]) % DAY_NS) / DAY_NS
    numbers = [*returns, wild, _straight(moves[-SHORT:]), _straight(moves), place]
    bounded = [max(-LIMIT, min(number, LIMIT)) for number in numbers]
    return np.array([*bounded, 0.5 * math.cos(turn), 0.5 * math.sin(turn), 1.0], np.float32)


def _mean_square(moves: Floats) -> float:
    """Mean of the squares, rounded exactly once: the order of summing does not show (S11)."""
    return math.fsum((moves * moves).tolist()) / len(moves)


def _straight(moves: Floats) -> float:
    """Net way / whole way: 1 straight up, -1 straight down, about 0 to and fro."""
    way = math.fsum(np.abs(moves).tolist())
    return math.fsum(moves.tolist()) / way if way else 0.0

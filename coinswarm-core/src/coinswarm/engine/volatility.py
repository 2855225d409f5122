"""The volatility that the published sizing divides by, rounded once (S9, S19)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from coinswarm.indicators import volatility

if TYPE_CHECKING:
    from coinswarm.domain.market import Bars

WINDOW = 100
"""Bars of close-to-close returns behind the estimate."""


def volatility_bp(bars: Bars) -> np.ndarray[tuple[int], np.dtype[np.int32]]:
    """Annualised realised volatility in basis points: int32[n]; 0 until it is defined."""
    values = np.rint(np.nan_to_num(volatility(bars.close, WINDOW, bars.length_ns)) * 10_000)
    return np.clip(values, 0, 1_000_000).astype(np.int32)

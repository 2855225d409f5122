"""Recorded markets: the sample that ships with core, or an operator's own bars, split by time once and for all."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from coinswarm.feeds.files import load_bars, sample, sample_names

if TYPE_CHECKING:
    from coinswarm.domain.market import Bars

SPLIT_NS = 1_514_764_800_000_000_000
"""2018-01-01 00:00 UTC: the sample's bars (2017 and 2018) before it are in-sample, the others out-of-sample."""


@dataclass(frozen=True, slots=True, eq=False)
class Recording:
    """A recorded market.

    :param name: what reports call it.
    :param bars: all of it.
    :param split_ns: where out-of-sample begins.
    """

    name: str
    bars: Bars
    split_ns: int


@lru_cache(maxsize=8)
def shipped(symbol: str) -> Recording:
    """One instrument of the shipped sample, tradable short as well.

    Its authors may have seen it: it is public. An operator's own bars say more.
    """
    return Recording(symbol, load_bars(sample(symbol), symbol=symbol, shortable=True).bars, SPLIT_NS)


def samples() -> tuple[Recording, ...]:
    """Every instrument of the shipped sample."""
    return tuple(shipped(symbol) for symbol in sample_names())


def own(name: str, bars: Bars) -> Recording:
    """An operator's bars, split at the first UTC midnight after the middle of their time."""
    first, last = int(bars.open_ns[0]), int(bars.open_ns[-1])
    day = 86_400_000_000_000
    return Recording(name, bars, -(-((first + last) // 2) // day) * day)


def out_of_sample(recording: Recording) -> Bars:
    """The bars from the split on."""
    return recording.bars[int(np.searchsorted(recording.bars.open_ns, recording.split_ns)) :]

"""Stationary bootstrap: intervals for dependent observations.

D. N. Politis and J. P. Romano, "The Stationary Bootstrap", JASA 89 (1994), 1303-1313: blocks of
geometric length, laid end to end, on the observations bent to a circle. The mean block length is
D. N. Politis and H. White, "Automatic Block-Length Selection for the Dependent Bootstrap",
Econometric Reviews 23 (2004), 53-70, with the variance constant of the correction by A. Patton,
D. N. Politis and H. White, ibid. 28 (2009), 372-375.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    Floats = np.ndarray[tuple[int], np.dtype[np.float64]]
    Table = np.ndarray[tuple[int, int], np.dtype[np.float64]]
    Rows = np.ndarray[tuple[int, int], np.dtype[np.int64]]
    Statistic = Callable[[Rows], Floats]

LEVEL = 0.95
RESAMPLES = 1_000
_CELLS = 1 << 19
"""Observations per batch of resamples: bounds the memory of a batch to some tens of MiB."""


def block_length(x: Floats) -> float:
    """Mean block length of the stationary bootstrap that suits the autocorrelation of ``x``.

    The correlogram is taken to have died out at the first lag that ``K = max(5, √log10 n)``
    insignificant autocorrelations follow (``|R(k) ÷ R(0)| < 2 √(log10 n ÷ n)``); with twice that lag M and the
    flat-top window λ, ``g = Σ λ(k/M) R(k)``, ``G = Σ λ(k/M) |k| R(k)`` and
    ``b = (G² ÷ g²)^⅓ n^⅓``, held within 1 and min(3√n, n/3).

    :param x: float64[n].
    :returns: 1.0 where nothing can be estimated (fewer than 10 observations, no variance).
    """
    n = len(x)
    if n < 10:  # noqa: PLR2004 - fewer than two blocks of K lags
        return 1.0
    centred = x - x.mean()
    if not centred.any() or np.ptp(x) <= 1e-12 * np.abs(x).max():
        return 1.0
    run = max(5, math.isqrt(int(math.log10(n))))
    longest = min(math.isqrt(n - 1) + 1 + run, n - 1)
    covariance = np.array([centred[: n - k] @ centred[k:] for k in range(longest + 1)]) / n
    significant = np.abs(covariance[1:]) >= 2.0 * math.sqrt(math.log10(n) / n) * covariance[0]
    lag = _died_out(significant, run)
    width = min(2 * max(lag, 1), longest)
    k = np.arange(-width, width + 1)
    window = np.minimum(1.0, 2.0 * (1.0 - np.abs(k) / width))
    spectrum = window * covariance[np.abs(k)]
    level, slope = float(spectrum.sum()), float((np.abs(k) * spectrum).sum())
    cap = math.ceil(min(3.0 * math.sqrt(n), n / 3.0))
    if level == 0.0:
        return float(cap)
    return float(min(max((slope * slope / (level * level) * n) ** (1.0 / 3.0), 1.0), cap))


def _died_out(significant: np.ndarray[tuple[int], np.dtype[np.bool_]], run: int) -> int:
    """The lag after which the first ``run`` insignificant autocorrelations follow, else the last significant one."""
    quiet = 0
    for index, loud in enumerate(significant.tolist()):
        quiet = 0 if loud else quiet + 1
        if quiet == run:
            return index + 1 - run
    return int(np.flatnonzero(significant)[-1]) + 1 if significant.any() else 0


def resample(n: int, mean_block: float, rng: np.random.Generator, *, resamples: int = RESAMPLES) -> Iterator[Rows]:
    """Row numbers of the resamples, in batches: int64[batch, n].

    Only ``Generator.random`` is drawn from, whose stream numpy keeps stable across versions.

    :param n: observations.
    :param mean_block: mean block length, at least 1; 1 draws observations one by one.
    """
    batch = max(1, min(resamples, _CELLS // max(n, 1)))
    column = np.arange(n, dtype=np.int64)
    for first in range(0, resamples, batch):
        rows = min(batch, resamples - first)
        starts = rng.random((rows, n)) < 1.0 / mean_block
        starts[:, 0] = True
        begin = np.minimum((rng.random((rows, n)) * n).astype(np.int64), n - 1)
        opened = np.maximum.accumulate(np.where(starts, column, 0), axis=1)
        yield (np.take_along_axis(begin, opened, axis=1) + column - opened) % n


def distributions(
    statistics: Mapping[str, Statistic],
    n: int,
    mean_block: float,
    rng: np.random.Generator,
    *,
    resamples: int = RESAMPLES,
) -> dict[str, Floats]:
    """Each statistic over the same resamples: float64[resamples] per name.

    :param statistics: take row numbers int64[batch, n] and give float64[batch]; NaN where a
        resample leaves the statistic undefined, an infinity where it has no bound.
    """
    parts: dict[str, list[Floats]] = {name: [] for name in statistics}
    for rows in resample(n, mean_block, rng, resamples=resamples):
        for name, statistic in statistics.items():
            parts[name].append(statistic(rows))
    return {name: np.concatenate(batches) for name, batches in parts.items()}


def percentiles(values: Floats, level: float = LEVEL) -> tuple[float, float]:
    """The central ``level`` of a bootstrap distribution; infinities are ordered, not interpolated.

    :param values: float64[m] without NaN.
    """
    ordered = np.sort(values)
    tail = (1.0 - level) / 2.0
    last = len(ordered) - 1
    return float(ordered[math.floor(tail * last)]), float(ordered[math.ceil((1.0 - tail) * last)])


def generator(seed: int, purpose: str) -> np.random.Generator:
    """A PCG64 generator for one purpose of a run: its own stream, whatever else is drawn.

    :param seed: the run's seed.
    :param purpose: names the stream.
    """
    return np.random.Generator(np.random.PCG64([seed & ((1 << 64) - 1), *purpose.encode()]))

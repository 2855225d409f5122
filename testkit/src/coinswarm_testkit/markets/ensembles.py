"""Seeded ensembles: many paths of one shape, on which evidence is measured.

``ensemble(name, bars, seed)`` is a pure function of its arguments; each name has its own stream of random numbers.

================== ================================= ==========================================================
name               shape                             parameters
================== ================================= ==========================================================
trending-up        ``shapes.trend``                  drift 0.2 % a bar, sigma 0.6 %
trending-down      ``shapes.trend``                  drift -0.2 % a bar, sigma 0.6 %
range-bound        ``shapes.ranging``                pull 5 % a bar, sigma 0.6 % (deviation from the mean 1.9 %)
high-volatility    ``shapes.volatile``               sigma 4 %, no drift
golden-cross       ``shapes.golden_cross``           sigma 0.4 %, -0.04 % a bar, 0.4 % in the last third
mean-reversion     ``shapes.ranging``                pull 20 % a bar, sigma 1 % (deviation from the mean 1.7 %)
volatility-spike   ``shapes.spike``                  sigma 0.6 %, five times that after the middle, dying out
changing-regimes   ``shapes.regimes``                sigma 0.4, 0.6 or 1.5 %, drift 0 or 0.2 % up or down, 200 bars each
crash              ``shapes.crash``                  -40 % in one bar, in the middle; then three times as wild
gap                ``shapes.gapped``                 a tenth of the bars missing, two holes of 30; sigma 1 %
thin-book          ``shapes.thin``                   four bars of ten without volume; sigma 0.6 %
no-edge            ``shapes.no_edge``                sigma 0.6 %, a martingale, inside bars too: the control
================== ================================= ==========================================================
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from coinswarm_testkit.markets import shapes
from coinswarm_testkit.markets.paths import bars_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from coinswarm.domain.market import Bars

PATHS = 64
"""Paths of an ensemble."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of market.

    :param shape: makes its paths.
    :param parameters: of the shape.
    """

    shape: Callable[..., shapes.Grid]
    parameters: dict[str, float]


KINDS: dict[str, Kind] = {
    "trending-up": Kind(shapes.trend, {"drift": 0.002, "sigma": 0.006}),
    "trending-down": Kind(shapes.trend, {"drift": -0.002, "sigma": 0.006}),
    "range-bound": Kind(shapes.ranging, {"pull": 0.05, "sigma": 0.006}),
    "high-volatility": Kind(shapes.volatile, {"sigma": 0.04}),
    "golden-cross": Kind(shapes.golden_cross, {"sigma": 0.004, "slope": 0.004}),
    "mean-reversion": Kind(shapes.ranging, {"pull": 0.2, "sigma": 0.01}),
    "volatility-spike": Kind(shapes.spike, {"sigma": 0.006, "factor": 5.0}),
    "changing-regimes": Kind(shapes.regimes, {"sigma": 0.006, "slope": 0.002, "turn": 200}),
    "crash": Kind(shapes.crash, {"fall": 0.4, "sigma": 0.006}),
    "gap": Kind(shapes.gapped, {"missing": 0.1, "hole": 30, "sigma": 0.01}),
    "thin-book": Kind(shapes.thin, {"idle": 0.4, "sigma": 0.006}),
    "no-edge": Kind(shapes.no_edge, {"sigma": 0.006}),
}
"""By name."""

REGIMES = ("trending-up", "trending-down", "range-bound", "high-volatility")
"""The four regimes."""

CONTROL = "no-edge"


@dataclass(frozen=True, slots=True, eq=False)
class Ensemble:
    """Many paths of one kind of market.

    :param name: of the kind.
    :param grid: columns of the form (paths, n).
    """

    name: str
    grid: shapes.Grid

    def __len__(self) -> int:
        return len(self.grid.close)

    def __getitem__(self, path: int) -> Bars:
        """One path."""
        return bars_of(shapes.Grid(*(column[path] for column in self.grid)))

    def __iter__(self) -> Iterator[Bars]:
        return (self[path] for path in range(len(self)))


def ensemble(name: str, bars: int, seed: int, *, paths: int = PATHS) -> Ensemble:
    """Paths of a kind of market, ``bars`` each.

    :param name: of ``KINDS``.
    """
    kind = KINDS[name]
    rng = np.random.default_rng([seed, *name.encode()])
    return Ensemble(name, kind.shape(rng, (paths, bars), **kind.parameters))

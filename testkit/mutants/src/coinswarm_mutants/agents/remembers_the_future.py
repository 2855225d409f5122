"""Keeps every history it ever saw, and looks the next bar up there."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np

from coinswarm_mutants.agents._honest import Honest

if TYPE_CHECKING:
    from coinswarm.domain.market import Bars
    from coinswarm_mutants.agents._honest import Floats

FAILS = {"A15", "A25", "A30", "A32", "A48"}
APART = True


class Mutant(Honest):
    """Beats whoever shows the whole history first and its beginning later."""

    known: ClassVar[dict[float, float]] = {}

    def moves(self, bars: Bars) -> Floats:
        """Each close's distance to the one that once came after it; else the honest move."""
        honest = super().moves(bars)
        self.known.update(zip(bars.close[:-1].tolist(), bars.close[1:].tolist(), strict=True))
        return np.array(
            [self.known.get(c, c) - c if c in self.known else h for c, h in zip(bars.close, honest, strict=True)]
        )


class Twin(Honest):
    """Keeps nothing."""

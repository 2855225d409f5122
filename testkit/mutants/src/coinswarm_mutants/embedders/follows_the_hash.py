"""Places by Python's own hash."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from coinswarm.drivers.hashing import HashingEmbedder
from coinswarm.drivers.settings import HashingSettings as Settings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

FAILS = {"X15"}


class Mutant(HashingEmbedder):
    """Places by Python's own hash."""

    async def embed(self, texts: Sequence[str]) -> NDArray[Any]:
        """One row for each text, or so."""
        rows = await super().embed(texts)
        return np.roll(rows, hash("salt") % self.dimension, axis=1)


class Twin(HashingEmbedder):
    """Does not."""


__all__ = ["FAILS", "Mutant", "Settings", "Twin"]

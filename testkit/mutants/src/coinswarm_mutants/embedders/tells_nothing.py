"""A vector for each text that says nothing of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from coinswarm.drivers.hashing import HashingEmbedder
from coinswarm.drivers.settings import HashingSettings as Settings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

FAILS = {"X25"}


class Mutant(HashingEmbedder):
    """A vector for each text that says nothing of it."""

    async def embed(self, texts: Sequence[str]) -> NDArray[Any]:
        """One row for each text, or so."""
        rows = np.zeros_like(await super().embed(texts))
        for row, text in zip(rows, texts, strict=True):
            row[len(text) % self.dimension] = 1
        return rows


class Twin(HashingEmbedder):
    """Does not."""


__all__ = ["FAILS", "Mutant", "Settings", "Twin"]

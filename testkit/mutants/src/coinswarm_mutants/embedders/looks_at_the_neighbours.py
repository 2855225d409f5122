"""A row with a little of the one before it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from coinswarm.drivers.hashing import HashingEmbedder
from coinswarm.drivers.settings import HashingSettings as Settings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

FAILS = {"X20"}


class Mutant(HashingEmbedder):
    """A row with a little of the one before it."""

    async def embed(self, texts: Sequence[str]) -> NDArray[Any]:
        """One row for each text, or so."""
        rows = await super().embed(texts)
        rows[1:] += 0.01 * rows[:-1]
        return rows / np.linalg.norm(rows, axis=1, keepdims=True) if len(rows) else rows


class Twin(HashingEmbedder):
    """Does not."""


__all__ = ["FAILS", "Mutant", "Settings", "Twin"]

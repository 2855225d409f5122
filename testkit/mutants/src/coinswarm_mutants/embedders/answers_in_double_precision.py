"""Rows of float64."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from coinswarm.drivers.hashing import HashingEmbedder
from coinswarm.drivers.settings import HashingSettings as Settings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

FAILS = {"X10", "X15", "X20", "X25"}


class Mutant(HashingEmbedder):
    """Rows of float64."""

    async def embed(self, texts: Sequence[str]) -> NDArray[Any]:
        """One row for each text, or so."""
        return (await super().embed(texts)).astype(np.float64)


class Twin(HashingEmbedder):
    """Does not."""


__all__ = ["FAILS", "Mutant", "Settings", "Twin"]

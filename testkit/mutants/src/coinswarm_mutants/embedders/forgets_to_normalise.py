"""Rows of length 2."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from coinswarm.drivers.hashing import HashingEmbedder
from coinswarm.drivers.settings import HashingSettings as Settings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

FAILS = {"X10"}


class Mutant(HashingEmbedder):
    """Rows of length 2."""

    async def embed(self, texts: Sequence[str]) -> NDArray[Any]:
        """One row for each text, or so."""
        return 2 * await super().embed(texts)


class Twin(HashingEmbedder):
    """Does not."""


__all__ = ["FAILS", "Mutant", "Settings", "Twin"]

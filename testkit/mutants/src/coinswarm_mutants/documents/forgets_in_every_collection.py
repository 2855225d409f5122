"""An id is forgotten wherever it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from coinswarm.drivers.documents import LocalDocuments
from coinswarm.drivers.settings import LocalFileSettings as Settings

if TYPE_CHECKING:
    from collections.abc import Sequence

DECLARATION = {"trial": {"path": "{folder}/documents.sqlite"}}
FAILS = {"D35"}


class Mutant(LocalDocuments):
    """Collections are but a word."""

    async def delete(self, collection: str, keys: Sequence[str]) -> int:
        """Forget documents, there and elsewhere."""
        forgotten = await super().delete(collection, keys)
        for other in ("news", "else"):
            await super().delete(other, keys)
        return forgotten


class Twin(LocalDocuments):
    """Does not."""


__all__ = ["DECLARATION", "FAILS", "Mutant", "Settings", "Twin"]

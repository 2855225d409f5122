"""What is no document is left out without a word."""

from __future__ import annotations

from typing import TYPE_CHECKING

from coinswarm.drivers.documents import LocalDocuments
from coinswarm.drivers.settings import LocalFileSettings as Settings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from coinswarm.domain.stored import Record

DECLARATION = {"trial": {"path": "{folder}/documents.sqlite"}}
FAILS = {"D30"}


class Mutant(LocalDocuments):
    """What is no document is left out without a word."""

    async def put(self, collection: str, records: Sequence[Record]) -> int:
        """Keep documents, or so."""
        try:
            return await super().put(collection, records)
        except ValueError:
            return 0


class Twin(LocalDocuments):
    """Does not."""


__all__ = ["DECLARATION", "FAILS", "Mutant", "Settings", "Twin"]

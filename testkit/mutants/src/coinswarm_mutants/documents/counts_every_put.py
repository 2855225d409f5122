"""A document that was there counts as new."""

from __future__ import annotations

from typing import TYPE_CHECKING

from coinswarm.drivers.documents import LocalDocuments
from coinswarm.drivers.settings import LocalFileSettings as Settings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from coinswarm.domain.stored import Record

DECLARATION = {"trial": {"path": "{folder}/documents.sqlite"}}
FAILS = {"D20", "D45"}


class Mutant(LocalDocuments):
    """A document that was there counts as new."""

    async def put(self, collection: str, records: Sequence[Record]) -> int:
        """Keep documents, or so."""
        await super().put(collection, records)
        return len(records)


class Twin(LocalDocuments):
    """Does not."""


__all__ = ["DECLARATION", "FAILS", "Mutant", "Settings", "Twin"]

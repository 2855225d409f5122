"""Who writes at the same time as another is not heard."""

from __future__ import annotations

from typing import TYPE_CHECKING

from coinswarm.drivers.documents import LocalDocuments
from coinswarm.drivers.settings import LocalFileSettings as Settings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from coinswarm.domain.stored import Record

DECLARATION = {"trial": {"path": "{folder}/documents.sqlite"}}
FAILS = {"D45"}


class Mutant(LocalDocuments):
    """Who writes at the same time as another is not heard."""

    _busy = False

    async def put(self, collection: str, records: Sequence[Record]) -> int:
        """Keep documents, or so."""
        if self._busy:
            return 0
        self._busy = True
        try:
            return await super().put(collection, records)
        finally:
            self._busy = False


class Twin(LocalDocuments):
    """Does not."""


__all__ = ["DECLARATION", "FAILS", "Mutant", "Settings", "Twin"]

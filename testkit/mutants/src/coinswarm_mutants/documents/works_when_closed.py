"""A closed store has no documents."""

from __future__ import annotations

from typing import TYPE_CHECKING

from coinswarm.drivers.documents import LocalDocuments
from coinswarm.drivers.settings import LocalFileSettings as Settings
from coinswarm.errors import NotReadyError

if TYPE_CHECKING:
    from coinswarm.domain.stored import Record

DECLARATION = {"trial": {"path": "{folder}/documents.sqlite"}}
FAILS = {"D50"}


class Mutant(LocalDocuments):
    """And does not say why."""

    async def get(self, collection: str, key: str) -> Record | None:
        """The document, or None."""
        try:
            return await super().get(collection, key)
        except NotReadyError:
            return None


class Twin(LocalDocuments):
    """Does not."""


__all__ = ["DECLARATION", "FAILS", "Mutant", "Settings", "Twin"]

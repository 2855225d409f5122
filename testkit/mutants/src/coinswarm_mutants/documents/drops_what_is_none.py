"""A key whose value is None is left out."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from coinswarm.drivers.documents import LocalDocuments
from coinswarm.drivers.settings import LocalFileSettings as Settings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from coinswarm.domain.stored import Record

DECLARATION = {"trial": {"path": "{folder}/documents.sqlite"}}
FAILS = {"D10", "D25"}


class Mutant(LocalDocuments):
    """A key whose value is None is left out."""

    async def put(self, collection: str, records: Sequence[Record]) -> int:
        """Keep documents, or so."""
        return await super().put(
            collection,
            [
                replace(one, body={key: value for key, value in one.body.items() if value is not None})
                if isinstance(one.body, dict)
                else one
                for one in records
            ],
        )


class Twin(LocalDocuments):
    """Does not."""


__all__ = ["DECLARATION", "FAILS", "Mutant", "Settings", "Twin"]

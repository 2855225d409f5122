"""3.0 comes back as 3."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from coinswarm.drivers.documents import LocalDocuments
from coinswarm.drivers.settings import LocalFileSettings as Settings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from coinswarm.domain.stored import Record

DECLARATION = {"trial": {"path": "{folder}/documents.sqlite"}}
FAILS = {"D10"}


def _plain(body: Any) -> Any:  # noqa: ANN401 - a document's body
    """Without needless points."""
    if not isinstance(body, dict):
        return body
    return {
        key: int(value) if value.__class__ is float and value.is_integer() else value for key, value in body.items()
    }


class Mutant(LocalDocuments):
    """3.0 comes back as 3."""

    async def put(self, collection: str, records: Sequence[Record]) -> int:
        """Keep documents, or so."""
        return await super().put(collection, [replace(one, body=_plain(one.body)) for one in records])


class Twin(LocalDocuments):
    """Does not."""


__all__ = ["DECLARATION", "FAILS", "Mutant", "Settings", "Twin"]

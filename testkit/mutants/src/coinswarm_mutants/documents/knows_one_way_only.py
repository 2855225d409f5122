"""Asked for the newest first, it answers with the oldest."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from coinswarm.drivers.documents import LocalDocuments
from coinswarm.drivers.settings import LocalFileSettings as Settings

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from coinswarm.domain.observation import Cursor
    from coinswarm.domain.stored import Record

DECLARATION = {"trial": {"path": "{folder}/documents.sqlite"}}
FAILS = {"D15"}


class Mutant(LocalDocuments):
    """Asked for the newest first, it answers with the oldest."""

    async def find(  # noqa: PLR0913 - the port's own
        self,
        collection: str,
        *,
        begin: datetime | None = None,
        end: datetime | None = None,
        where: Mapping[str, Any] | None = None,
        limit: int = 1_000,
        newest: bool = False,
        after: Cursor | None = None,
    ) -> tuple[Sequence[Record], Cursor | None]:
        """Documents, or so."""
        del newest
        return await super().find(collection, begin=begin, end=end, where=where, limit=limit, after=after)


class Twin(LocalDocuments):
    """Does not."""


__all__ = ["DECLARATION", "FAILS", "Mutant", "Settings", "Twin"]

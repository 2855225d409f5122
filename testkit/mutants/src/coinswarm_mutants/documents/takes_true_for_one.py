"""A boolean is found by a number."""

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
FAILS = {"D25"}


class Mutant(LocalDocuments):
    """A boolean is found by a number."""

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
        found, cursor = await super().find(collection, begin=begin, end=end, limit=limit, newest=newest, after=after)
        missing = object()
        return [one for one in found if all(one.body.get(k, missing) == v for k, v in (where or {}).items())], cursor


class Twin(LocalDocuments):
    """Does not."""


__all__ = ["DECLARATION", "FAILS", "Mutant", "Settings", "Twin"]

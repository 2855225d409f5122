"""Nothing is written down."""

from __future__ import annotations

from coinswarm.drivers.documents import LocalDocuments
from coinswarm.drivers.settings import LocalFileSettings as Settings

DECLARATION = {"trial": {"path": "{folder}/documents.sqlite"}}
FAILS = {"D15", "D40"}


class Mutant(LocalDocuments):
    """A database in memory."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings.model_copy(update={"path": None}))


class Twin(LocalDocuments):
    """Does not."""


__all__ = ["DECLARATION", "FAILS", "Mutant", "Settings", "Twin"]

"""A venue that cannot be reached is an ambiguity."""

from __future__ import annotations

from typing import Self

from coinswarm.errors import AmbiguousError, UnreachableError
from coinswarm_testkit.reference.broker import BrokerSettings as Settings
from coinswarm_testkit.reference.broker import PlainBroker

DECLARATION = {"trial": {"base_url": "{venue}", "api_key": "{secret}"}}
FAILS = {"B25"}


class Mutant(PlainBroker):
    """Core would ask for ever what became of an order that was never sent."""

    async def __aenter__(self) -> Self:
        try:
            return await super().__aenter__()
        except UnreachableError as error:
            raise AmbiguousError(error.message) from error


class Twin(PlainBroker):
    """Does not."""


__all__ = ["DECLARATION", "FAILS", "Mutant", "Settings", "Twin"]

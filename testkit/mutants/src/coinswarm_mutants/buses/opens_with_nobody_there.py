"""Where nobody listens it opens all the same."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Self

from coinswarm.errors import UnreachableError
from coinswarm_nats.bus import NatsBus
from coinswarm_nats.plugin import bus as declared
from coinswarm_nats.settings import NatsSettings as Settings

if TYPE_CHECKING:
    from types import TracebackType

FAILS = {"N65"}
DECLARATION = {"trial": dict(declared.trial)}


class Mutant(NatsBus):
    """As if that would come by itself."""

    async def __aenter__(self) -> Self:
        """Open it, or not."""
        with suppress(UnreachableError):
            return await super().__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Leave what was opened."""
        if self._group is not None:
            await super().__aexit__(kind, error, trace)


class Twin(NatsBus):
    """Does not."""


__all__ = ["DECLARATION", "FAILS", "Mutant", "Settings", "Twin"]

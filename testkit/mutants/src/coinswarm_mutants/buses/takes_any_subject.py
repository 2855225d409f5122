"""A subject that is none is dropped without a word."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from coinswarm.drivers.bus import LocalBus
from coinswarm.drivers.settings import LocalBusSettings as Settings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from coinswarm.domain.stored import Message

FAILS = {"N15", "N35"}


class Mutant(LocalBus):
    """The message is gone, and nobody knows."""

    async def publish_batch(self, messages: Sequence[Message]) -> None:
        """The honest batch, or nothing."""
        with suppress(ValueError):
            await super().publish_batch(messages)


class Twin(LocalBus):
    """Does not."""


__all__ = ["FAILS", "Mutant", "Settings", "Twin"]

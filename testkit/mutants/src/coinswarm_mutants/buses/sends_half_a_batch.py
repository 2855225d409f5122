"""A batch is sent up to the message that is none."""

from __future__ import annotations

from typing import TYPE_CHECKING

from coinswarm.drivers.bus import LocalBus
from coinswarm.drivers.settings import LocalBusSettings as Settings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from coinswarm.domain.stored import Message

FAILS = {"N35"}


class Mutant(LocalBus):
    """One by one."""

    async def publish_batch(self, messages: Sequence[Message]) -> None:
        """Each when its turn has come."""
        for message in messages:
            await super().publish_batch([message])


class Twin(LocalBus):
    """Does not."""


__all__ = ["FAILS", "Mutant", "Settings", "Twin"]

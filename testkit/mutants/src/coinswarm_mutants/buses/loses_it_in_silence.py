"""A lost connection is nobody's business."""

from __future__ import annotations

from coinswarm.errors import UnreachableError
from coinswarm_nats.bus import NatsBus
from coinswarm_nats.plugin import bus as declared
from coinswarm_nats.settings import NatsSettings as Settings

FAILS = {"N55"}
DECLARATION = {"trial": dict(declared.trial)}


class Mutant(NatsBus):
    """Whoever asked for errors hears of others only."""

    def tell(self, error: Exception) -> None:
        """All but that."""
        if not isinstance(error, UnreachableError):
            super().tell(error)


class Twin(NatsBus):
    """Does not."""


__all__ = ["DECLARATION", "FAILS", "Mutant", "Settings", "Twin"]

"""A server that is away is asked at the same short interval for ever."""

from __future__ import annotations

from coinswarm_nats.bus import NatsBus
from coinswarm_nats.plugin import bus as declared
from coinswarm_nats.settings import NatsSettings as Settings

FAILS = {"N60"}
DECLARATION = {"trial": dict(declared.trial)}


class Mutant(NatsBus):
    """No pause is longer than the first."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings.model_copy(update={"most_pause": settings.first_pause}))


class Twin(NatsBus):
    """Does not."""


__all__ = ["DECLARATION", "FAILS", "Mutant", "Settings", "Twin"]

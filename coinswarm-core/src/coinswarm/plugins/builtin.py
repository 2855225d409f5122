"""Core's own declarations, made through the same hooks as everybody's."""

from __future__ import annotations

from typing import TYPE_CHECKING

from coinswarm.declarations import MemoryType, VoterType, WeigherType
from coinswarm.hookspecs import hookimpl

if TYPE_CHECKING:
    from collections.abc import Iterable


@hookimpl
def coinswarm_weighers() -> Iterable[WeigherType]:
    """The weigher that profiles use unless they name another."""
    yield WeigherType(
        name="weighted",
        summary="Exposure is the mean of the stances, by weight and confidence.",
        target="coinswarm.committee.weighing:WeightedWeigher",
    )


@hookimpl
def coinswarm_memory_backends() -> Iterable[MemoryType]:
    """The memory that needs no server."""
    yield MemoryType(
        name="local",
        summary="Episodes in one SQLite file; exact search, by a graph where there are many.",
        target="coinswarm.drivers.episodes:LocalMemory",
        settings="coinswarm.drivers.settings:LocalMemorySettings",
        trial={"path": "{folder}/memory.sqlite"},
    )


@hookimpl
def coinswarm_voters() -> Iterable[VoterType]:
    """Two voters that judge alike by numbers worked out in two ways, so that seats are not one program."""
    yield VoterType(
        name="decimals",
        summary="The rules; statistics by running sums, in decimals of 90 digits.",
        target="coinswarm.memory.promotion.voters:DecimalVoter",
    )
    yield VoterType(
        name="integers",
        summary="The rules; statistics by central moments, in whole numbers.",
        target="coinswarm.memory.promotion.voters:IntegerVoter",
    )

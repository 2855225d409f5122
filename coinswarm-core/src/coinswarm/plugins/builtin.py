"""Core's own declarations, made through the same hooks as everybody's."""

from __future__ import annotations

from typing import TYPE_CHECKING

from coinswarm.declarations import WeigherType
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

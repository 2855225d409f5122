"""Integers go through a float."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from coinswarm.drivers.settings import LocalFileSettings as Settings
from coinswarm.drivers.timeseries import LocalTimeSeries

if TYPE_CHECKING:
    from collections.abc import Sequence

    from coinswarm.domain.stored import Point

DECLARATION = {"trial": {"path": "{folder}/series.sqlite"}}
FAILS = {"T10"}


class Mutant(LocalTimeSeries):
    """Integers go through a float."""

    async def write(self, points: Sequence[Point]) -> None:
        """Keep points, or so."""
        exact = 1 << 53
        await super().write(
            [
                replace(
                    one,
                    values={
                        name: int(float(value) * 0.5) * 2 if type(value) is int and abs(value) > exact else value
                        for name, value in one.values.items()
                    },
                )
                for one in points
            ]
        )


class Twin(LocalTimeSeries):
    """Does not."""


__all__ = ["DECLARATION", "FAILS", "Mutant", "Settings", "Twin"]

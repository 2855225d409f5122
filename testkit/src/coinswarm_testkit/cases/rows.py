"""Rows of stances and weights for weighers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from coinswarm.domain.intent import ActionRow

if TYPE_CHECKING:
    from collections.abc import Sequence

    Columns = np.ndarray[tuple[int, int], np.dtype[Any]]

FULL_BP = 10_000

EDGES = 0.2
"""Share of confidences that are none, hardly any, half or full."""


class Table(NamedTuple):
    """Stances of some seats over some bars.

    :param direction: int8[seats, n].
    :param confidence_bp: int16[seats, n]; -1 abstains.
    :param weights: basis points per seat, summing to 10,000.
    """

    direction: Columns
    confidence_bp: Columns
    weights: list[int]

    def row(self, bar: int) -> ActionRow:
        """One bar as ``step`` is shown it."""
        sure = self.confidence_bp[:, bar].tolist()
        return ActionRow(self.direction[:, bar].tolist(), [max(c, 0) for c in sure], [c >= 0 for c in sure])


def shares(rng: np.random.Generator, count: int) -> list[int]:
    """Whole basis points that sum to 10,000; now and then somebody has none."""
    cuts = np.sort(rng.integers(0, FULL_BP + 1, count - 1)).tolist()
    weights = [b - a for a, b in zip([0, *cuts], [*cuts, FULL_BP], strict=True)]
    if count > 2 and rng.random() < 0.3:  # noqa: PLR2004 - somebody is left
        weights[0], weights[1] = 0, weights[0] + weights[1]
    return weights


def tables(seed: int, *, bars: int = 60) -> list[Table]:
    """Committees of 1 to 9 seats, some of them crowded with abstentions, full confidence or ties."""
    rng = np.random.default_rng([seed, 1])
    found = []
    for seats in range(1, 10):
        direction = rng.integers(-1, 2, (seats, bars)).astype(np.int8)
        sure = rng.integers(0, FULL_BP + 1, (seats, bars))
        sure = np.where(rng.random((seats, bars)) < EDGES, rng.choice([0, 1, 5_000, FULL_BP], (seats, bars)), sure)
        absent = rng.random((seats, bars)) < rng.choice([0.05, 0.3, 0.8])
        found.append(Table(direction, np.where(absent, -1, sure).astype(np.int16), shares(rng, seats)))
    return found


def reordered(row: ActionRow, weights: Sequence[int], order: Sequence[int]) -> tuple[ActionRow, list[int]]:
    """The same seats in another order."""
    return (
        ActionRow(
            [row.direction[seat] for seat in order],
            [row.confidence_bp[seat] for seat in order],
            [row.present[seat] for seat in order],
        ),
        [weights[seat] for seat in order],
    )

"""Weighers that break one demand each. The repaired twin of each is the reference."""

from __future__ import annotations

from typing import TYPE_CHECKING

from coinswarm.domain.intent import ActionRow, Exposure
from coinswarm_testkit.reference.weigher import MedianWeigher

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    import numpy as np

    Columns = np.ndarray[tuple[int, int], np.dtype[Any]]


class FollowsTheHash(MedianWeigher):
    """Text hashes differ from process to process."""

    def step(self, row: ActionRow, weights: Sequence[int]) -> Exposure:
        exposure, there = super().step(row, weights)
        return Exposure(exposure - exposure % (2 + hash("seat") % 1_000) if exposure > 0 else exposure, there)


class Rests(MedianWeigher):
    """Wants nothing at every seventh row."""

    def __init__(self) -> None:
        self.asked = 0

    def step(self, row: ActionRow, weights: Sequence[int]) -> Exposure:
        self.asked += 1
        exposure, there = super().step(row, weights)
        return Exposure(exposure if self.asked % 7 else 0, there)


class WantsSomething(MedianWeigher):
    """A little long where nobody takes part."""

    def step(self, row: ActionRow, weights: Sequence[int]) -> Exposure:
        exposure, there = super().step(row, weights)
        return Exposure(exposure, there) if there else Exposure(100, 0)


class CountsHeads(MedianWeigher):
    """Participation by seats instead of by weight."""

    def step(self, row: ActionRow, weights: Sequence[int]) -> Exposure:
        exposure, _ = super().step(row, weights)
        return Exposure(exposure, 10_000 * sum(row.present) // len(weights))


class Reverts(MedianWeigher):
    """Sells where everybody is very sure to buy."""

    def step(self, row: ActionRow, weights: Sequence[int]) -> Exposure:
        exposure, there = super().step(row, weights)
        return Exposure(-exposure if abs(exposure) > 9_000 else exposure, there)


class HearsTheAbsent(MedianWeigher):
    """Steps back where one who abstains stood against it."""

    def step(self, row: ActionRow, weights: Sequence[int]) -> Exposure:
        exposure, there = super().step(row, weights)
        against = any(way * exposure < 0 for way, here in zip(row.direction, row.present, strict=True) if not here)
        return Exposure(0 if against else exposure, there)


class FirstSeatLeads(MedianWeigher):
    """Half of it where the first seat does not agree."""

    def step(self, row: ActionRow, weights: Sequence[int]) -> Exposure:
        exposure, there = super().step(row, weights)
        agrees = not row.present[0] or row.direction[0] * exposure > 0
        return Exposure(exposure if agrees else int(exposure / 2), there)


class Leverages(MedianWeigher):
    """Up to twice as much as there is."""

    def step(self, row: ActionRow, weights: Sequence[int]) -> Exposure:
        exposure, there = super().step(row, weights)
        return Exposure(2 * exposure, there)


class TwoMinds(MedianWeigher):
    """The columns know another strategy."""

    def weigh_all(self, direction: Columns, confidence_bp: Columns, weights: Sequence[int]) -> list[Exposure]:
        rows = super().weigh_all(direction, confidence_bp, weights)
        return [Exposure(-int(exposure), int(there)) for exposure, there in rows]


class Sorts(MedianWeigher):
    """Puts the row in order while it looks at it."""

    def step(self, row: ActionRow, weights: Sequence[int]) -> Exposure:
        found = super().step(row, weights)
        for column in (row.direction, row.confidence_bp, row.present):
            assert isinstance(column, list)
            column.sort()
        return found


MUTANTS = {
    FollowsTheHash: {"W10"},
    Rests: {"W15", "W50"},
    WantsSomething: {"W20"},
    CountsHeads: {"W22"},
    Reverts: {"W30"},
    HearsTheAbsent: {"W35"},
    FirstSeatLeads: {"W40"},
    Leverages: {"W45"},
    TwoMinds: {"W50"},
    Sorts: {"W60"},
}

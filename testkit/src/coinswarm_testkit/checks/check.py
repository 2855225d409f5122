"""What a check is, and the comparison that most of them make."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from coinswarm_testkit.replay import FIELDS
from coinswarm_testkit.subject import KINDS
from coinswarm_testkit.verdicts import CheckFailedError

if TYPE_CHECKING:
    from collections.abc import Callable

    from coinswarm_testkit.bench import Bench
    from coinswarm_testkit.replay import Table
    from coinswarm_testkit.subject import Kind
    from coinswarm_testkit.verdicts import Measured

Tier = Literal["bronze", "silver", "gold"]
TIERS: tuple[Tier, ...] = ("bronze", "silver", "gold")
"""Each tier holds what the ones before it hold."""

EVERY_KIND: frozenset[Kind] = frozenset(KINDS)


@dataclass(frozen=True, slots=True)
class Check:
    """One demand on a plugin.

    :param id: stable and spaced for insertions; ``docs/testkit.md`` has a paragraph for each.
    :param title: what it demands, in a few words.
    :param category: of the seven soundness categories, 1 to 7; 0 for packaging.
    :param run: given a bench; returns what it measured, or raises ``CheckFailedError`` or ``CheckSkipped``.
    :param kinds: of subjects that it is about.
    :param tier: that cannot be had without it.
    :param safety: it guards money, and cannot be waived.
    """

    id: str
    title: str
    category: int
    run: Callable[[Bench], Measured | None]
    kinds: frozenset[Kind] = frozenset({"agent"})
    tier: Tier = "silver"
    safety: bool = False


def demand_equal(found: Table, expected: Table, *, what: str, first: int = 0) -> None:
    """Fail at the first row in which two tables of actions differ.

    :param what: what the two are, as in "truncated and whole history".
    :param first: number of the first row, for the message.
    """
    if found.shape != expected.shape:
        message = f"{what} give {len(found)} and {len(expected)} rows"
        raise CheckFailedError(message)
    wrong = np.flatnonzero((found != expected).any(axis=1))
    if len(wrong):
        row = int(wrong[0])
        cells = ", ".join(
            f"{name} {a} and {b}"
            for name, a, b in zip(FIELDS, found[row].tolist(), expected[row].tolist(), strict=True)
            if a != b
        )
        message = f"{what} differ at bar {first + row} ({len(wrong)} of {len(found)} bars): {cells}"
        raise CheckFailedError(message)

"""What a check is, and how it fails."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from coinswarm_testkit.replay import FIELDS

if TYPE_CHECKING:
    from collections.abc import Callable

    from coinswarm_testkit.replay import Table
    from coinswarm_testkit.subject import Subject


class CheckFailedError(AssertionError):
    """The subject does not hold what the check demands; one line says where."""


class CheckSkipped(Exception):  # noqa: N818 - no error: the check does not apply
    """The subject is none that the check is about; the message says why."""


@dataclass(frozen=True, slots=True)
class Check:
    """One demand on a plugin.

    :param id: stable and spaced for insertions; ``docs/testkit.md`` has a paragraph for each.
    :param title: what it demands, in a few words.
    :param category: of the seven soundness categories, 1 to 7; 0 for packaging.
    :param run: raises ``CheckFailedError`` or ``CheckSkipped``; given the subject and a seed.
    """

    id: str
    title: str
    category: int
    run: Callable[[Subject, int], None]


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

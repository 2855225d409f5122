"""How long to wait before a lost connection is tried again."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


def pauses(first: float, most: float, share: Callable[[], float]) -> Iterator[float]:
    """Pauses without end: each doubles until ``most``, and is shortened at random so that clients do not come at once.

    :param first, most: seconds.
    :param share: draws from 0 to 1; of each pause between a half and the whole remains.
    """
    whole = min(first, most)
    while True:
        yield whole * (0.5 + 0.5 * share())
        whole = min(whole * 2, most)

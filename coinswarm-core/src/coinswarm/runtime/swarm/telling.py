"""Telling people: each trouble when it begins, now and then while it lasts, and counted however often it happens."""

from __future__ import annotations

import time
from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

AGAIN_SECONDS = 600.0
"""A trouble that still happens is said again after so long: whoever looks at the end of a log should find it."""


class Teller:
    """Counts what happens, and says what a person should know.

    :param name: who says it.
    :param say: is handed one line at a time.
    :param clock: seconds of a monotonic clock.
    """

    def __init__(self, name: str, say: Callable[[str], None], clock: Callable[[], float] = time.monotonic) -> None:
        self.counts: Counter[str] = Counter()
        """What happened how often, since the start."""
        self._name, self._say, self._clock = name, say, clock
        self._troubles: dict[str, float] = {}

    def say(self, text: str) -> None:
        """Say something, always."""
        self._say(f"{self._name}: {' '.join(text.split())}")

    def count(self, what: str, number: int = 1) -> None:
        """Count something that needs no words."""
        self.counts[what] += number

    def trouble(self, what: str, text: str) -> None:
        """Something is wrong: said when it begins and every ``AGAIN_SECONDS`` while it happens, counted each time."""
        self.counts[what] += 1
        now = self._clock()
        if now >= self._troubles.get(what, -AGAIN_SECONDS) + AGAIN_SECONDS:
            self._troubles[what] = now
            self.say(text)

    def over(self, what: str, text: str) -> None:
        """A trouble has ended; said where one was."""
        if self._troubles.pop(what, None) is not None:
            self.say(text)

"""Telling people: each trouble once until it is over, and counted however often it happens."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


class Teller:
    """Counts what happens, and says what a person should know.

    :param name: who says it.
    :param say: is handed one line at a time.
    """

    def __init__(self, name: str, say: Callable[[str], None]) -> None:
        self.counts: Counter[str] = Counter()
        """What happened how often, since the start."""
        self._name, self._say = name, say
        self._troubles: set[str] = set()

    def say(self, text: str) -> None:
        """Say something, always."""
        self._say(f"{self._name}: {' '.join(text.split())}")

    def count(self, what: str, number: int = 1) -> None:
        """Count something that needs no words."""
        self.counts[what] += number

    def trouble(self, what: str, text: str) -> None:
        """Something is wrong: said when it begins, counted each time."""
        self.counts[what] += 1
        if what not in self._troubles:
            self._troubles.add(what)
            self.say(text)

    def over(self, what: str, text: str) -> None:
        """A trouble has ended; said where one was."""
        if what in self._troubles:
            self._troubles.discard(what)
            self.say(text)

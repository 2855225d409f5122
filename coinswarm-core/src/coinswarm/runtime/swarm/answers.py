"""Whether a part's log answers, told to people: that it refuses, that it says nothing, and that it is back."""

from __future__ import annotations

import math
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from coinswarm.runtime.swarm.telling import Teller

SILENT_SECONDS = 5.0
"""How long the log may take to answer before people are told: a database that was stopped refuses nothing."""

_AWAY = "log away"


class Answers:
    """What is known of a log that is asked, one question at a time."""

    def __init__(self, teller: Teller) -> None:
        self._teller = teller
        self._asked = math.inf
        """When it was asked what it is still to answer."""

    @contextmanager
    def waiting(self) -> Iterator[None]:
        """As long as the block lasts an answer is waited for."""
        self._asked = time.monotonic()
        try:
            yield
        finally:
            self._asked = math.inf

    def look(self, now: float) -> None:
        """Tell people of a log that neither answers nor refuses.

        :param now: seconds of the monotonic clock.
        """
        if now > self._asked + SILENT_SECONDS:
            self._teller.trouble(_AWAY, f"the log has not answered for {now - self._asked:.0f} s; it is waited for")

    def refused(self, error: Exception) -> None:
        """It cannot be reached, or has no room."""
        self._teller.trouble(_AWAY, f"the log does not answer ({error}); it is asked again")

    def again(self) -> None:
        """It answered."""
        self._teller.over(_AWAY, "the log is back")

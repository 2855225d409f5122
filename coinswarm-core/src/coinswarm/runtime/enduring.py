"""An index that a session can lose: what it was told is kept beside it, and answers while it is away.

A session must not end because its index does. Everything that the index holds came from here, so every vector can be
looked at instead: what is found then is what an exact index finds. The index is tried again now and then, and folded
anew before it is asked: what it kept meanwhile, or lost, need not be known.
"""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from coinswarm.domain.episode import FARTHEST, Match
from coinswarm.errors import NotReadyError, one_line

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from coinswarm.domain.episode import Episode, Filter, LogPosition, Space
    from coinswarm.engine.memory import Vector
    from coinswarm.runtime.memory import BackendIndex

AGAIN_SECONDS = 30.0
"""How long an index that failed is left alone: asking one that is away may take long, and the session waits."""


@dataclass(slots=True)
class _Held:
    """What the index should hold of a space.

    :param at: the last log entry that changed it; None where that was before the session.
    """

    episodes: list[Episode] = field(default_factory=list)
    vectors: list[Vector] = field(default_factory=list)
    at: LogPosition | None = None


class EnduringIndex:
    """An index as a session asks it, and what stands in for it.

    :param index: whose spaces are this session's alone.
    :param name: what lines call it.
    :param say: is handed a line when it fails, when it is back, and at the end where it ever failed.
    :param clock: seconds of a monotonic clock.
    """

    def __init__(
        self,
        index: BackendIndex,
        *,
        name: str,
        say: Callable[[str], None],
        clock: Callable[[], float] = time.monotonic,
        again_seconds: float = AGAIN_SECONDS,
    ) -> None:
        self._index, self._name, self._say = index, name, say
        self._clock, self._again = clock, again_seconds
        self._held: dict[Space, _Held] = {}
        self._away, self._next = False, 0.0
        self._failures, self._first = 0, ""
        self._searched = 0

    def hold(self, space: Space, episodes: Sequence[Episode], vectors: Sequence[Vector]) -> None:
        """Keep what the index was told before the session began.

        :param vectors: of length 1, one for each.
        """
        held = self._held.setdefault(space, _Held())
        held.episodes += episodes
        held.vectors += vectors

    def remember(self, space: Space, episode: Episode, vector: Vector, at: LogPosition) -> None:
        """Take in one episode."""
        self.hold(space, [episode], [vector])
        self._held[space].at = at
        if self._away:
            return
        try:
            self._index.remember(space, episode, vector, at)
        except Exception as error:  # noqa: BLE001 - a plugin may raise anything, and the session goes on
            self._lost(error)

    def nearest(self, space: Space, vector: Vector, k: int, as_of_ns: int, where: Filter) -> Sequence[Match]:
        """The episodes that are near: by the index, or by every vector."""
        if self._there():
            try:
                self._demand_whole(space)
                return self._index.nearest(space, vector, k, as_of_ns, where)
            except Exception as error:  # noqa: BLE001 - as above
                self._lost(error)
        self._searched += 1
        return self._every(space, vector, k, as_of_ns, where)

    def end(self) -> None:
        """Say how often it failed, and let go of it; it keeps nothing of the session, if it can be told so."""
        if self._failures:
            self._say(
                f"memory: the index {self._name} failed {_times(self._failures)}, first {self._first}; every vector "
                f"was looked at in {self._searched:,} recalls"
            )
        try:
            for space in self._held:
                self._index.clear(space)
        except Exception as error:  # noqa: BLE001 - as above
            swarms = ", ".join(sorted({space.swarm for space in self._held}))
            self._say(
                f"memory: the index {self._name} could not be cleared of {swarms}, spaces of this session alone "
                f"({one_line(error)})"
            )
        with suppress(Exception):  # it is let go of anyway
            self._index.close()

    def _demand_whole(self, space: Space) -> None:
        """Hold that it holds as much as it was told: one that was emptied, and written to since, may not notice.

        :raises NotReadyError: saying how much it holds.
        """
        should = len(self._held[space].episodes) if space in self._held else 0
        holds = self._index.count(space)
        if holds != should:
            message = f"it holds {holds:,} of {should:,} episodes"
            raise NotReadyError(message)

    def _there(self) -> bool:
        """Whether the index can be asked; one that failed is folded anew before."""
        if not self._away:
            return True
        if self._clock() < self._next:
            return False
        try:
            for space, held in self._held.items():
                self._index.fold(space, held.episodes, np.stack(held.vectors), held.at)
        except Exception as error:  # noqa: BLE001 - as above
            self._lost(error)
            return False
        self._away = False
        self._say(f"memory: the index {self._name} is back, and was folded anew")
        return True

    def _lost(self, error: Exception) -> None:
        """The index failed: leave it alone for a while."""
        self._failures += 1
        self._first = self._first or one_line(error)
        self._next = self._clock() + self._again
        if not self._away:
            self._away = True
            self._say(
                f"memory: the index {self._name} failed ({one_line(error)}); every vector is looked at instead, and "
                f"it is tried again every {self._again:g} s"
            )

    def _every(self, space: Space, vector: Vector, k: int, as_of_ns: int, where: Filter) -> list[Match]:
        """The nearest by looking at each, ties by id."""
        held = self._held.get(space, _Held())
        rows = [n for n, one in enumerate(held.episodes) if one.known_ns <= as_of_ns and where.admits(one)]
        if not rows:
            return []
        there = np.stack([held.vectors[n] for n in rows]).astype(np.float64)
        distances = np.clip(1.0 - there @ vector.astype(np.float64), 0.0, FARTHEST).tolist()
        found = sorted((distance, held.episodes[n].id) for distance, n in zip(distances, rows, strict=True))
        return [Match(id_, distance) for distance, id_ in found[:k]]


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count:,} times"

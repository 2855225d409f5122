"""A memory backend at the other end of a link, held to what it was told by exact search beside it."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from coinswarm.domain.episode import ANY, Episode, Filter, Match, MemoryInfo, Space
from coinswarm_testkit.cases import episodes as cases
from coinswarm_testkit.cases.episodes import LATEST_NS, nearest
from coinswarm_testkit.checks.drivers import arena
from coinswarm_testkit.checks.pure import demand

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from coinswarm.domain.episode import LogPosition
    from coinswarm_testkit.bench import Bench, Link
    from coinswarm_testkit.cases.episodes import Vector, Vectors

CLOSE = 1e-3
"""How far a distance may be from the true one: single precision, not a compressed index."""

K = 10
MANY = 2_000


@dataclass
class Memory:
    """A backend at the other end of a link, and what it must know."""

    link: Link
    space: Space
    key: str = "it"
    kept: dict[str, tuple[Episode, Vector]] = field(default_factory=dict)
    _rows: tuple[list[Episode], Vectors] | None = None

    def call(self, method: str, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - whatever it answers
        """A method of the backend, in this space."""
        return self.link.call(method, self.space, *args, key=self.key, **kwargs)

    def remember(self, told: Sequence[Episode], vectors: Vectors, at: LogPosition | None = None) -> None:
        """Let it take in episodes."""
        self.call("remember", list(told), vectors, at=at)
        self.keep(told, vectors)

    def keep(self, told: Sequence[Episode], vectors: Sequence[Vector] | Vectors) -> None:
        """From now on it must know these."""
        self.kept |= {one.id: (one, vector) for one, vector in zip(told, vectors, strict=True)}
        self._rows = None

    def change(self, episode: Episode) -> None:
        """From now on it must know this of an episode, by the vector that it had."""
        self.keep([episode], [self.kept[episode.id][1]])

    def lose(self, episode_id: str) -> None:
        """From now on it must not know this."""
        del self.kept[episode_id]
        self._rows = None

    def recall(self, vector: Vector, k: int = K, as_of_ns: int = LATEST_NS, where: Filter = ANY) -> list[Match]:
        """What it finds, held to the contract's form."""
        found = self.call("recall", vector, k, as_of_ns, where)
        self.demand_form(found, k)
        return list(found)

    def demand_form(self, found: Any, k: int) -> None:  # noqa: ANN401 - whatever it answered
        """At most k matches, each once, nearest first."""
        good = isinstance(found, list | tuple) and all(isinstance(match, Match) for match in found)
        demand(good, f"recall answered {found!r}"[:200] + ", which is no sequence of Matches")
        demand(len(found) <= k, f"asked for {k} it answers {len(found)}")
        ids = [match.episode_id for match in found]
        demand(len(set(ids)) == len(ids), "an episode is found twice")
        ranks = [(match.distance, match.episode_id) for match in found]
        demand(ranks == sorted(ranks), f"what it finds is not in the order of distance and id: {ranks[:4]}")

    def rows(self) -> tuple[list[Episode], Vectors]:
        """What it must know, in the order of ids."""
        if self._rows is None:
            ids = sorted(self.kept)
            vectors = np.array([self.kept[id_][1] for id_ in ids], np.float32)
            self._rows = [self.kept[id_][0] for id_ in ids], vectors
        return self._rows

    def demand_found(self, vector: Vector, where: Filter = ANY, as_of_ns: int = LATEST_NS, k: int = K) -> float:
        """Hold one recall against exact search; the share of the nearest that was found."""
        told, kept = self.rows()
        counts = [row for row, one in enumerate(told) if one.known_ns <= as_of_ns and where.admits(one)]
        found = self.recall(vector, k, as_of_ns, where)
        wanted = min(k, len(counts))
        demand(len(found) == wanted, f"{len(found)} are found where {wanted} of {len(counts)} count: {where}")
        allowed = {told[row].id: row for row in counts}
        for match in found:
            demand(
                match.episode_id in allowed, f"{self.described(match, as_of_ns)} is found and does not count: {where}"
            )
        true = cases.distances(kept, vector)
        for match in found:
            off = abs(true[allowed[match.episode_id]] - match.distance)
            demand(off <= CLOSE, f"the distance {match.distance:.6f} is off by {off:.6f}")
        best = {told[row].id for row in nearest(kept, vector, counts, k)} if counts else set[str]()
        return len(best & {match.episode_id for match in found}) / len(best) if best else 1.0

    def described(self, match: Match, as_of_ns: int) -> str:
        """What is wrong with a match, in words."""
        if match.episode_id not in self.kept:
            return "an episode that was never told, or was forgotten,"
        late = self.kept[match.episode_id][0].known_ns - as_of_ns
        return f"an episode whose outcome is known {late} ns later" if late > 0 else "an episode"

    def info(self) -> MemoryInfo:
        """What it says it holds."""
        found = self.call("info")
        demand(isinstance(found, MemoryInfo), f"info answered {found!r}"[:200])
        return found  # type: ignore[no-any-return]

    def demand_count(self) -> None:
        """It holds as many as it must."""
        entries = self.info().entries
        demand(entries == len(self.kept), f"it says {entries} entries and must have {len(self.kept)}")


@contextmanager
def memory(bench: Bench, name: str, *, dimension: int = cases.DIMENSION) -> Iterator[Memory]:
    """A fresh backend with an empty space, cleared and closed afterwards."""
    with arena(bench) as settings, bench.link() as link:
        link.make(settings=settings)
        found = Memory(link, cases.space(name, dimension=dimension))
        yield found
        found.call("clear")
        link.call("close")


def filled(found: Memory, bench: Bench, count: int = 200) -> list[Episode]:
    """Let it take in some episodes; which."""
    told = cases.episodes(bench.seed, count)
    found.remember(told, cases.vectors(bench.seed, count))
    return told


def queries(bench: Bench, count: int) -> Vectors:
    """What is recalled by: near what is kept, and not the same."""
    return cases.vectors(bench.seed, MANY)[:count] + cases.vectors(bench.seed + 1, count)

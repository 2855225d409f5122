"""Memory backends that break one demand each. The repaired twin of each is the reference."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from coinswarm.domain.episode import ANY, Match, MemoryInfo
from coinswarm_testkit.reference.memory import ExactMemory

if TYPE_CHECKING:
    from collections.abc import Sequence

    from coinswarm.domain.episode import Episode, Filter, LogPosition, MemoryStats, Space
    from coinswarm_testkit.reference.memory import Vector, Vectors


class ForgetsTheRisk(ExactMemory):
    """Has no field for what was at stake."""

    async def get(self, space: Space, episode_id: str) -> Episode | None:
        found = await super().get(space, episode_id)
        return replace(found, risk_ppm=0) if found and found.quality_bp == 10_000 else found


class KeepsTheFirst(ExactMemory):
    """Who is there already is not taken in again."""

    async def remember(
        self, space: Space, episodes: Sequence[Episode], vectors: Vectors, *, at: LogPosition | None = None
    ) -> None:
        new = [row for row, one in enumerate(episodes) if not await self.get(space, one.id)]
        if new or not len(episodes):
            await super().remember(space, [episodes[row] for row in new], vectors[new], at=at)


class UpdatesByForgetting(ExactMemory):
    """An update loses the vector for another."""

    async def update(self, space: Space, episode: Episode, *, at: LogPosition | None = None) -> bool:
        there = await super().update(space, episode, at=at)
        if there:
            held = self._space(space)
            held.vectors[episode.id] = -held.vectors[episode.id]
            held.units = None
        return there


class UpdatesWhatIsNotThere(ExactMemory):
    """Says of every update that it was one."""

    async def update(self, space: Space, episode: Episode, *, at: LogPosition | None = None) -> bool:
        await super().update(space, episode, at=at)
        return True


class HidesWhatIsForgotten(ExactMemory):
    """Removes it from the file, not from the index."""

    async def forget(self, space: Space, episode_id: str, *, at: LogPosition | None = None) -> bool:
        held = self._space(space)
        kept = held.episodes.get(episode_id), held.vectors.get(episode_id)
        there = await super().forget(space, episode_id, at=at)
        if kept[0] is not None and kept[1] is not None and there:
            held.episodes[episode_id], held.vectors[episode_id] = kept[0], kept[1]
            held.units = None
        return there


class LooksAtAFew(ExactMemory):
    """An index that searches one half of a large space."""

    async def recall(self, space: Space, vector: Vector, k: int, as_of_ns: int, where: Filter) -> Sequence[Match]:
        held = self._space(space)
        if len(held.episodes) < 1_999 or where != ANY:
            return await super().recall(space, vector, k, as_of_ns, where)
        found = await super().recall(space, vector, 2 * k, as_of_ns, where)
        return found[::2]


class GuessesTheDistance(ExactMemory):
    """Distances of a compressed index."""

    async def recall(self, space: Space, vector: Vector, k: int, as_of_ns: int, where: Filter) -> Sequence[Match]:
        found = await super().recall(space, vector, k, as_of_ns, where)
        if len(self._space(space).episodes) < 1_999 or where != ANY:
            return found
        return [replace(match, distance=round(match.distance, 1)) for match in found]


class KnowsTheFuture(ExactMemory):
    """Finds an episode as soon as it was decided."""

    async def recall(self, space: Space, vector: Vector, k: int, as_of_ns: int, where: Filter) -> Sequence[Match]:
        last = where.decided_before_ns or as_of_ns + 1
        if as_of_ns + 1 <= where.decided_from_ns:
            return await super().recall(space, vector, k, as_of_ns, where)
        early = replace(where, decided_before_ns=min(last, as_of_ns + 1))
        return await super().recall(space, vector, k, 1 << 62, early)


class WaitsTooLong(ExactMemory):
    """An outcome counts a nanosecond after it was known."""

    async def recall(self, space: Space, vector: Vector, k: int, as_of_ns: int, where: Filter) -> Sequence[Match]:
        return await super().recall(space, vector, k, as_of_ns - 1, where)


class FiltersAfterwards(ExactMemory):
    """Searches first and filters what it found."""

    async def recall(self, space: Space, vector: Vector, k: int, as_of_ns: int, where: Filter) -> Sequence[Match]:
        if where == ANY:
            return await super().recall(space, vector, k, as_of_ns, where)
        found = await super().recall(space, vector, 20 * k, as_of_ns, ANY)
        held = self._space(space)
        return [match for match in found if where.admits(held.episodes[match.episode_id])][:k]


class SharesSwarms(ExactMemory):
    """One memory for all swarms of a machine."""

    def _space(self, space: Space) -> Any:  # noqa: ANN401 - the reference's own
        held = super()._space(space)
        if space.name == "isolation" and not space.swarm.endswith(".2"):
            self.first = held
        return self.first if space.name == "isolation" else held


class TakesAnything(ExactMemory):
    """A vector of zeros is a vector too."""

    async def remember(
        self, space: Space, episodes: Sequence[Episode], vectors: Vectors, *, at: LogPosition | None = None
    ) -> None:
        if vectors.shape[1] == space.dimension and np.isfinite(vectors).all():
            vectors = np.where(np.abs(vectors).sum(axis=1, keepdims=True) > 0, vectors, np.float32(1e-6))
        await super().remember(space, episodes, vectors, at=at)


class TakesHalf(ExactMemory):
    """Takes in what comes before a vector that is none."""

    async def remember(
        self, space: Space, episodes: Sequence[Episode], vectors: Vectors, *, at: LogPosition | None = None
    ) -> None:
        try:
            await super().remember(space, episodes, vectors, at=at)
        except ValueError:
            await super().remember(space, episodes[:1], vectors[:1], at=at)
            raise


class AppliesAgain(ExactMemory):
    """Whatever it is told, it does."""

    def _advances(self, space: Space, at: LogPosition | None) -> bool:  # noqa: ARG002 - that is the fault
        return True


class LosesThePlace(ExactMemory):
    """Forgets are not entered in the log's position."""

    async def forget(self, space: Space, episode_id: str, *, at: LogPosition | None = None) -> bool:  # noqa: ARG002 - that is the fault
        return await super().forget(space, episode_id)


class WritesInTwoSteps(ExactMemory):
    """Reads, gives way, and writes what it read."""

    async def remember(
        self, space: Space, episodes: Sequence[Episode], vectors: Vectors, *, at: LogPosition | None = None
    ) -> None:
        if at is not None:
            await super().remember(space, episodes, vectors, at=at)
            return
        before = dict(self._space(space).episodes), dict(self._space(space).vectors)
        await asyncio.sleep(0)
        await super().remember(space, episodes, vectors, at=at)
        held = self._space(space)
        held.episodes = {**before[0], **{one.id: held.episodes[one.id] for one in episodes}}
        held.vectors = {**before[1], **{one.id: held.vectors[one.id] for one in episodes}}
        held.units = None


class NeverClears(ExactMemory):
    """Clears the index and keeps its place in the log."""

    async def clear(self, space: Space) -> None:
        applied = self._applied(space)
        await super().clear(space)
        if applied is not None and space.name.startswith("rebuilt"):
            await super().remember(space, [], np.zeros((0, space.dimension), np.float32), at=applied)


class LivesInMemory(ExactMemory):
    """Nothing reaches the file."""

    def __init__(self, settings: Any) -> None:  # noqa: ANN401 - the reference's own
        super().__init__(settings.model_copy(update={"file": ":memory:"}))


class CountsCalls(ExactMemory):
    """A batch counts once."""

    async def stats(self) -> MemoryStats:
        found = await super().stats()
        return replace(found, remembered=min(found.remembered, 1))


class ForgetsToSearch(ExactMemory):
    """Tidying up leaves the oldest part of the index out."""

    async def optimize(self, space: Space) -> None:
        held = self._space(space)
        for id_ in sorted(held.episodes)[:50]:
            del held.episodes[id_], held.vectors[id_]
        held.units = None


class NeedsWidth(ExactMemory):
    """Knows widths that are a multiple of eight."""

    async def remember(
        self, space: Space, episodes: Sequence[Episode], vectors: Vectors, *, at: LogPosition | None = None
    ) -> None:
        if space.dimension % 8:
            message = f"{space.dimension} is no width"
            raise ValueError(message)
        await super().remember(space, episodes, vectors, at=at)


class WeighsNothing(ExactMemory):
    """Does not know what a vector takes."""

    async def info(self, space: Space) -> MemoryInfo:
        found = await super().info(space)
        return replace(found, size_bytes=0)


MUTANTS = {
    ForgetsTheRisk: {"M10"},
    KeepsTheFirst: {"M15"},
    UpdatesByForgetting: {"M20", "M70"},
    UpdatesWhatIsNotThere: {"M20"},
    HidesWhatIsForgotten: {"M25", "M55", "M60", "M85"},
    LooksAtAFew: {"M30"},
    GuessesTheDistance: {"M30"},
    KnowsTheFuture: {"M35", "M40"},
    WaitsTooLong: {"M35"},
    FiltersAfterwards: {"M40"},
    SharesSwarms: {"M45"},
    TakesAnything: {"M50"},
    TakesHalf: {"M50"},
    AppliesAgain: {"M55"},
    LosesThePlace: {"M55", "M75"},
    WritesInTwoSteps: {"M60"},
    NeverClears: {"M70"},
    LivesInMemory: {"M75"},
    CountsCalls: {"M80"},
    WeighsNothing: {"M80"},
    ForgetsToSearch: {"M85"},
    NeedsWidth: {"M90"},
}

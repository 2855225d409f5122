"""As many come as count, whatever is asked: equal vectors, a graph that leads to too few, unusual numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import anyio
import numpy as np
import pytest

from coinswarm.domain.episode import ANY, Episode, Filter, Space
from coinswarm_redis import backend, scripts
from coinswarm_redis.backend import RedisMemory
from coinswarm_redis.settings import RedisSettings
from coinswarm_testkit.cases.episodes import numbered

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    Vectors = np.ndarray[tuple[int, int], np.dtype[np.float32]]
    Work = Callable[[RedisMemory], Awaitable[None]]

LATE, BATCH = 10**18, 500
TREND = Filter(agents=frozenset({"trend"}))
WHERES = [ANY, TREND, Filter(agents=frozenset({"trend", "meanrev"}), sides=frozenset({1}))]


def told(count: int, agents: tuple[str, ...] = ("trend", "meanrev")) -> list[Episode]:
    return [numbered(number, agent=agents[number % len(agents)]) for number in range(count)]


def drawn(count: int, dimension: int) -> Vectors:
    return np.random.default_rng(0).standard_normal((count, dimension)).astype(np.float32)


async def fill(memory: RedisMemory, space: Space, episodes: list[Episode], vectors: Vectors) -> None:
    for first in range(0, len(episodes), BATCH):
        await memory.remember(space, episodes[first : first + BATCH], vectors[first : first + BATCH])


def run(url: str, work: Work, kind: type[RedisMemory] = RedisMemory) -> None:
    async def main() -> None:
        memory = kind(RedisSettings(url=url))
        try:
            await work(memory)
        finally:
            await memory.close()

    anyio.run(main)


def test_a_filter_costs_no_match_where_many_vectors_are_equal(url: str) -> None:
    """8,000 episodes at 64 places: the graph of each is an island, from which Redis' own filter finds too few."""
    space, count, k = Space("swarm", "corners.1", 6), 8_000, 20
    vectors = np.random.default_rng(2).choice(np.array([-1.0, 1.0], np.float32), (count, space.dimension))
    episodes = told(count, ("rare", *["trend"] * 7))
    rare = {one.id for one in episodes if one.agent == "rare"}

    async def work(memory: RedisMemory) -> None:
        await fill(memory, space, episodes, vectors)
        for asked in vectors[:60]:
            found = await memory.recall(space, asked, k, LATE, Filter(agents=frozenset({"rare"})))
            ids = {match.episode_id for match in found}
            assert len(ids) == k
            assert ids <= rare

    run(url, work)


class Islands(RedisMemory):
    """A graph from which a search finds three."""

    async def _together(self, *commands: bytes) -> Any:  # noqa: ANN401 - its answer
        *said, found = await super()._together(*commands)
        return [*said, found[: 3 * 3]]

    async def _ask(self, command: bytes) -> Any:  # noqa: ANN401 - its answer
        found = await super()._ask(command)
        return found[: 3 * 3]

    async def _script(self, text: str, space: Space, *given: Any, **named: Any) -> Any:  # noqa: ANN401 - its answer
        answer = await super()._script(text, space, *given, **named)
        if text is scripts.RECALL and answer[3] in {b"found", b"near"}:
            answer[5] = answer[5][: 3 * (2 if answer[3] == b"found" else 1)]
        return answer


@pytest.mark.parametrize("dimension", [8, 128])
@pytest.mark.parametrize("where", WHERES, ids=["all", "agent", "agents and side"])
@pytest.mark.parametrize("known", [True, False], ids=["known", "unknown"])
def test_where_a_search_finds_too_few_each_is_looked_at(
    url: str, dimension: int, where: Filter, monkeypatch: pytest.MonkeyPatch, *, known: bool
) -> None:
    monkeypatch.setattr(backend, "FEW", 0)
    monkeypatch.setattr(backend, "FEW_SHARE", 0.0)
    monkeypatch.setattr(backend, "MOST", 0)
    monkeypatch.setattr(backend, "GATHERED", 70)
    space, count, k = Space("swarm", "islands.1", dimension), 300, 40
    vectors, episodes = drawn(count, dimension), told(count)
    distances = 1.0 - (vectors @ vectors[0]) / np.linalg.norm(vectors, axis=1) / np.linalg.norm(vectors[0])

    async def work(memory: RedisMemory) -> None:
        await fill(memory, space, episodes, vectors)
        if not known:
            memory._latest[space] = LATE + 1
        found = await memory.recall(space, vectors[0], k, LATE, where)
        nearest = [episodes[row].id for row in np.argsort(distances) if where.admits(episodes[row])]
        assert [match.episode_id for match in found] == nearest[:k]

    run(url, work, Islands)


@pytest.mark.parametrize("dimension", [8, 128])
@pytest.mark.parametrize("where", WHERES, ids=["all", "agent", "agents and side"])
@pytest.mark.parametrize("most", [backend.MOST, 0], ids=["sieved", "by Redis"])
def test_of_equals_those_with_the_least_ids_come(
    url: str, dimension: int, where: Filter, most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backend, "FEW", 0)
    monkeypatch.setattr(backend, "FEW_SHARE", 0.0)
    monkeypatch.setattr(backend, "MOST", most)
    space = Space("swarm", "ties.1", dimension)
    vectors, episodes = drawn(200, dimension), told(200, ("trend",))
    vectors[:6] = vectors[0]

    async def work(memory: RedisMemory) -> None:
        await fill(memory, space, episodes, vectors)
        for k in (2, 3, 5):
            found = await memory.recall(space, vectors[0], k, LATE, where)
            assert [match.episode_id for match in found] == sorted(one.id for one in episodes[:6])[:k]

    run(url, work)


@pytest.mark.parametrize("where", [ANY, TREND], ids=["all", "agent"])
def test_any_number_may_be_asked_for(url: str, where: Filter) -> None:
    space, episodes = Space("swarm", "numbers.1", 8), told(700)

    async def work(memory: RedisMemory) -> None:
        await fill(memory, space, episodes, drawn(700, 8))
        for k in (700, 10**6, 10**6 + 1, 2**31, 2**63 - 1, 2**63, 2**70):
            found = await memory.recall(space, drawn(1, 8)[0], k, LATE, where)
            assert {match.episode_id for match in found} == {one.id for one in episodes if where.admits(one)}

    run(url, work)


def test_a_filter_may_name_any_number_of_values(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    space, agents = Space("swarm", "values.1", 8), tuple(f"agent{number}" for number in range(9_000))
    episodes = told(1_500, agents[:1_200])
    where = Filter(agents=frozenset(agents[100:]))

    async def work(memory: RedisMemory) -> None:
        await fill(memory, space, episodes, drawn(1_500, 8))
        for most in (400, 0):
            monkeypatch.setattr(backend, "MOST", most)
            for k, as_of_ns in ((10, LATE), (10, 1_000), (2_000, LATE)):
                counting = {one.id for one in episodes if where.admits(one) and one.known_ns <= as_of_ns}
                found = {match.episode_id for match in await memory.recall(space, drawn(1, 8)[0], k, as_of_ns, where)}
                assert found <= counting
                assert len(found) == min(k, len(counting))

    run(url, work)

"""How redis recalls, by how many can count; and that every way finds what a look at every episode finds."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import anyio
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from coinswarm.domain.episode import ANY, Filter, LogPosition, Match, Space
from coinswarm.errors import NotReadyError
from coinswarm_redis import backend, scripts
from coinswarm_redis.backend import RedisMemory
from coinswarm_redis.connection import command
from coinswarm_redis.settings import RedisSettings
from coinswarm_testkit.cases.episodes import numbered
from coinswarm_testkit.servers.redis import redis_server

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Sequence

    Vector = np.ndarray[tuple[int], np.dtype[np.float32]]
    Vectors = np.ndarray[tuple[int, int], np.dtype[np.float32]]

pytestmark = pytest.mark.usefixtures("redis_url")

SPACE = Space("swarm", "recall.1", 16)
MANY, CENTRES, LATE = 3_000, 20, 4 * 10**18
SECOND = 10**9
BEGIN = 1_700_000_000 * SECOND + 999_999_000
"""Times run over seconds' ends: several episodes share a second, and differ by nanoseconds."""
STEP = SECOND // 4 + 1


def drawn(count: int, seed: int) -> tuple[Vectors, list[int]]:
    """Clustered vectors, and the centre of each."""
    rng = np.random.default_rng([seed, 1])
    centres = np.random.default_rng([0, 2]).standard_normal((CENTRES, SPACE.dimension))
    own = rng.integers(0, CENTRES, count)
    vectors = centres[own] + 0.6 * rng.standard_normal((count, SPACE.dimension))
    return vectors.astype(np.float32), own.tolist()


VECTORS, OWN = drawn(MANY, seed=1)
UNITS = VECTORS.astype(np.float64) / np.linalg.norm(VECTORS.astype(np.float64), axis=1, keepdims=True)
TOLD = [
    numbered(
        number,
        agent=("trend", "meanrev")[number % 2],
        instrument=("A/USD", "B/USD")[number % 50 == 0],
        side=1 if number % 10 else -1,
        decided_ns=BEGIN + number * STEP,
        known_ns=BEGIN + (number + number % 3) * STEP,
        regime=f"regime.{OWN[number]}",
    )
    for number in range(MANY)
]


class Watched(RedisMemory):
    """Keeps which way each recall went."""

    def __init__(self, settings: RedisSettings) -> None:
        super().__init__(settings)
        self.ways: list[str] = []

    async def _of_all(self, space: Space, asked: Vector, k: int, as_of_ns: int) -> Any:  # noqa: ANN401 - its answer
        answer = await super()._of_all(space, asked, k, as_of_ns)
        self.ways += ["all"] if answer else []
        return answer

    async def _script(self, text: str, *given: Any, **named: Any) -> Any:  # noqa: ANN401 - its answer
        answer = await super()._script(text, *given, **named)
        if text is scripts.RECALL:
            self.ways.append(answer[3].decode())
        return answer


SEARCHED = {"q8": "near", "none": "found"}
"""What a search by Redis is called, by what its graph keeps."""


@pytest.fixture(scope="module", params=list(SEARCHED))
def searched(request: pytest.FixtureRequest) -> str:
    """What a graph keeps of each number."""
    return str(SEARCHED[request.param])


@pytest.fixture(scope="module")
def url(searched: str) -> Iterator[str]:
    """A server that holds them all; they are only read."""
    with redis_server() as server:

        async def fill() -> None:
            kept = next(name for name, way in SEARCHED.items() if way == searched)
            memory = RedisMemory(RedisSettings.model_validate({"url": server.url, "quantization": kept}))
            for first in range(0, MANY, 500):
                await memory.remember(SPACE, TOLD[first : first + 500], VECTORS[first : first + 500])
            await memory.close()

        async def clear() -> None:
            memory = RedisMemory(RedisSettings(url=server.url))
            await memory.clear(SPACE)  # the next ones are kept another way
            await memory.close()

        anyio.run(fill)
        yield server.url
        anyio.run(clear)


@asynccontextmanager
async def opened(url: str) -> AsyncIterator[Watched]:
    memory = Watched(RedisSettings(url=url))
    try:
        yield memory
    finally:
        await memory.close()


def true(asked: Vector, k: int, as_of_ns: int, where: Filter) -> list[tuple[float, str]]:
    """The nearest by a look at every episode."""
    wide = asked.astype(np.float64)
    distances = (1.0 - UNITS @ (wide / np.linalg.norm(wide))).tolist()
    return sorted(
        (distance, one.id)
        for distance, one in zip(distances, TOLD, strict=True)
        if one.known_ns <= as_of_ns and where.admits(one)
    )[:k]


def share(found: Sequence[Match], best: Sequence[tuple[float, str]]) -> float:
    """How many of the nearest were found; all that were found at their distance, as many as there are."""
    assert len(found) == len(best)
    ranks = [(match.distance, match.episode_id) for match in found]
    assert ranks == sorted(ranks)
    assert all(got >= want - 1e-5 for (got, _), (want, _) in zip(ranks, best, strict=True))
    return len({id_ for _, id_ in ranks} & {id_ for _, id_ in best}) / len(best) if best else 1.0


def shares(url: str, where: Filter, as_of_ns: int = LATE) -> tuple[list[float], list[str]]:
    """Of some questions, how many of the nearest were found, and which way they went."""

    async def work() -> tuple[list[float], list[str]]:
        async with opened(url) as memory:
            asked = drawn(30, seed=2)[0]
            found = [await memory.recall(SPACE, one, 10, as_of_ns, where) for one in asked]
            return [
                share(matches, true(one, 10, as_of_ns, where)) for one, matches in zip(asked, found, strict=True)
            ], memory.ways

    return anyio.run(work)


@pytest.mark.usefixtures("searched")
def test_what_excludes_nothing_is_searched_without_a_script(url: str) -> None:
    found, ways = shares(url, ANY)
    assert np.mean(found) >= 0.98
    assert set(ways) == {"all"}


def test_where_it_was_not_known_that_every_outcome_was_known_it_is_searched_as_well(url: str, searched: str) -> None:
    async def work() -> None:
        async with opened(url) as memory:
            before = await memory.recall(SPACE, VECTORS[0], 10, LATE, ANY)
            memory._latest[SPACE] = LATE + 1  # of a space that somebody else has cleared meanwhile
            assert await memory.recall(SPACE, VECTORS[0], 10, LATE, ANY) == before
            assert memory.ways == ["all", searched]

    anyio.run(work)


@pytest.mark.parametrize(
    ("where", "as_of_ns"),
    [
        (Filter(agents=frozenset({"trend"})), LATE),
        (Filter(agents=frozenset({"trend"}), sides=frozenset({1})), LATE),
        (ANY, BEGIN + 2_000 * STEP),
        (Filter(decided_from_ns=BEGIN + 1_001 * STEP, decided_before_ns=BEGIN + 2_500 * STEP), LATE),
        (Filter(decided_from_ns=BEGIN + 1_001 * STEP), LATE),
        (Filter(agents=frozenset({"trend", "meanrev"}), decided_before_ns=BEGIN + 2_500 * STEP), BEGIN + 2_000 * STEP),
    ],
    ids=["agent", "agent and side", "known", "decided", "decided from", "all at once"],
)
def test_where_many_count_a_search_is_asked_for_more_and_sieved(
    url: str, searched: str, where: Filter, as_of_ns: int
) -> None:
    found, ways = shares(url, where, as_of_ns)
    assert np.mean(found) >= 0.98
    assert set(ways) == {searched}


@pytest.mark.parametrize(
    "where",
    [
        Filter(instruments=frozenset({"B/USD"})),
        Filter(decided_from_ns=BEGIN + 100 * STEP, decided_before_ns=BEGIN + 300 * STEP),
        Filter(agents=frozenset({"trend"}), sides=frozenset({-1})),
        Filter(agents=frozenset({"nobody"})),
    ],
    ids=["instrument", "decided", "both of two", "nobody"],
)
def test_where_few_can_count_each_is_looked_at(url: str, where: Filter) -> None:
    for as_of_ns in (LATE, BEGIN + 1_500 * STEP):
        found, ways = shares(url, where, as_of_ns)
        assert set(found) == {1.0}
        assert set(ways) == {"few"}


def test_a_filter_that_keeps_away_from_what_is_asked_costs_no_match(
    url: str, searched: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backend, "MOST", 150)

    async def work() -> list[str]:
        async with opened(url) as memory:
            asked, own = drawn(20, seed=3)
            for one, centre in zip(asked, own, strict=True):
                far = Filter(regimes=frozenset(f"regime.{(centre + step) % CENTRES}" for step in range(3, 12)))
                for as_of_ns in (LATE, BEGIN + 2_500 * STEP):
                    found = await memory.recall(SPACE, one, 10, as_of_ns, far)
                    assert share(found, true(one, 10, as_of_ns, far)) >= 0.8
            return memory.ways

    ways = anyio.run(work)
    assert {searched, "many"} == set(ways), "some are left to Redis' own filter"


def test_a_nanosecond_decides(url: str, searched: str) -> None:
    """Of the episodes whose second is the bound's own, each is asked for its nanosecond, whichever way it goes."""

    async def work() -> None:
        async with opened(url) as memory:
            for number in (2_400, 2_401, 2_402, 2_403):
                known, decided = TOLD[number].known_ns, TOLD[number].decided_ns
                for as_of_ns, there in ((known - 1, False), (known, True)):
                    found = await memory.recall(SPACE, VECTORS[number], 1, as_of_ns, ANY)
                    assert (found[0].episode_id == TOLD[number].id) is there
                for where, there in (
                    (Filter(decided_from_ns=decided), True),
                    (Filter(decided_from_ns=decided + 1), False),
                    (Filter(decided_before_ns=decided), False),
                    (Filter(decided_before_ns=decided + 1), True),
                ):
                    found = await memory.recall(SPACE, VECTORS[number], 1, LATE, where)
                    assert (found[0].episode_id == TOLD[number].id) is there
            assert set(memory.ways) <= {searched, "few", "all"}
            assert searched in memory.ways

    anyio.run(work)


filters = st.builds(
    lambda agents, instruments, sides, regimes, begin, length: Filter(
        agents=frozenset(agents),
        instruments=frozenset(instruments),
        sides=frozenset(sides),
        regimes=frozenset(f"regime.{number}" for number in regimes),
        decided_from_ns=BEGIN + begin * STEP if begin else 0,
        decided_before_ns=BEGIN + (begin + length) * STEP if length else 0,
    ),
    st.sets(st.sampled_from(["trend", "meanrev", "nobody"]), max_size=2),
    st.sets(st.sampled_from(["A/USD", "B/USD", "C/USD"]), max_size=2),
    st.sets(st.sampled_from([1, -1]), max_size=1),
    st.sets(st.integers(0, CENTRES), max_size=12),
    st.integers(0, MANY),
    st.integers(0, MANY),
)


@settings(max_examples=10, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.tuples(filters, st.integers(1, 30), st.integers(0, MANY + 5) | st.none(), st.integers(0, 199)),
        min_size=10,
        max_size=10,
    )
)
def test_whatever_counts_as_many_are_found_as_by_looking_at_all(
    url: str, questions: list[tuple[Filter, int, int | None, int]]
) -> None:
    async def work() -> None:
        async with opened(url) as memory:
            for where, k, known, number in questions:
                asked, as_of_ns = drawn(200, seed=5)[0][number], LATE if known is None else BEGIN + known * STEP
                found = await memory.recall(SPACE, asked, k, as_of_ns, where)
                assert share(found, true(asked, k, as_of_ns, where)) >= 0.6, "one question may miss a few"
                admitted = {one.id for one in TOLD if one.known_ns <= as_of_ns and where.admits(one)}
                assert {match.episode_id for match in found} <= admitted

    anyio.run(work)


def test_before_anything_was_known_nothing_is_found(url: str) -> None:
    async def work() -> None:
        async with opened(url) as memory:
            for as_of_ns in (-SECOND - 1, -1, 0, BEGIN - 1):
                assert await memory.recall(SPACE, VECTORS[0], 10, as_of_ns, ANY) == []
            (match,) = await memory.recall(SPACE, VECTORS[0], 10, BEGIN, ANY)
            assert match.episode_id == TOLD[0].id
            assert await memory.recall(SPACE, VECTORS[0], 0, LATE, ANY) == []

    anyio.run(work)


def test_more_than_there_are_brings_all(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backend, "MOST", 100)
    where = Filter(agents=frozenset({"trend"}))

    async def work() -> None:
        async with opened(url) as memory:
            found = await memory.recall(SPACE, VECTORS[0], 200, LATE, where)
            assert share(found, true(VECTORS[0], 200, LATE, where)) >= 0.95
            assert memory.ways == ["many"], "no search is asked for so many"

    anyio.run(work)


@pytest.mark.parametrize("where", [Filter(instruments=frozenset({"B/USD"})), Filter(agents=frozenset({"trend"}))])
def test_what_is_flushed_while_it_is_looked_at_is_a_loss_and_no_empty_answer(where: Filter) -> None:
    class Flushed(RedisMemory):
        """Somebody flushes after the script, before the episodes that it named are looked at."""

        async def _looked_at(self, *given: Any, **named: Any) -> Any:  # noqa: ANN401 - as it is
            await self._ask(command("FLUSHALL"))
            return await super()._looked_at(*given, **named)

    async def work(url: str) -> None:
        memory = Flushed(RedisSettings(url=url, quantization="q8"))
        await memory.remember(SPACE, TOLD[:600], VECTORS[:600], at=LogPosition(1, "0" * 64))
        with pytest.raises(NotReadyError, match="is gone"):
            await memory.recall(SPACE, VECTORS[0], 10, LATE, where)
        await memory.close()

    with redis_server("--maxmemory", "200mb") as server:
        anyio.run(work, server.url)

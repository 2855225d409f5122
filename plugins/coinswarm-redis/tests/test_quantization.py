"""Eight bits of each number find candidates and decide nothing else: no distance, no order, not how a space is kept."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Literal

import anyio
import numpy as np
import pytest
from redis.asyncio import Redis

from coinswarm.domain.episode import ANY, Episode, Filter, LogPosition, Space
from coinswarm.errors import NotReadyError
from coinswarm_redis.backend import RedisMemory
from coinswarm_redis.fields import keys, vector_of
from coinswarm_redis.settings import RedisSettings
from coinswarm_testkit.cases.episodes import numbered

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    Vectors = np.ndarray[tuple[int, int], np.dtype[np.float32]]
    Distances = np.ndarray[tuple[int, int], np.dtype[np.float64]]
    Work = Callable[[Redis], Awaitable[None]]

SPACE, LATE = Space("swarm", "wide.1", 96), 10**18
VECTOR_SET, *_ = keys("coinswarm", SPACE)
CLOSE = 1e-6
"""How far a distance may be from the true one: less than single precision loses in Redis' own scores."""


def told(count: int) -> list[Episode]:
    return [numbered(number, agent=("trend", "meanrev")[number % 2]) for number in range(count)]


def vectors(count: int, seed: int = 0) -> Vectors:
    """A few directions tell most, so that steps of eight bits are coarse; and many are near to one another."""
    rng = np.random.default_rng(seed)
    drawn = rng.standard_normal((count, SPACE.dimension)) * np.arange(1, SPACE.dimension + 1) ** -1.0
    drawn[:, 0] += 4.0
    return drawn.astype(np.float32)


def made(url: str, quantization: Literal["q8", "none"] = "q8", links: int = 16) -> RedisMemory:
    return RedisMemory(RedisSettings(url=url, quantization=quantization, links=links))


def run(url: str, work: Work) -> None:
    async def main() -> None:
        async with Redis.from_url(url, protocol=2) as redis:
            await work(redis)

    anyio.run(main)


async def command(redis: Redis, *words: str | float | bytes) -> list[bytes]:
    found: list[bytes] = await redis.execute_command(*words)  # type: ignore[no-untyped-call]
    return found


async def kept(redis: Redis) -> tuple[bytes, int]:
    """How Redis keeps the space: its quantization, and links of a node."""
    said = await command(redis, "VINFO", VECTOR_SET)
    by_name = dict(zip(said[::2], said[1::2], strict=True))
    return by_name[b"quant-type"], int(by_name[b"hnsw-m"])


async def told_of(redis: Redis, episode_id: str) -> bytes:
    """The attributes of an element."""
    found: bytes = await redis.execute_command("VGETATTR", VECTOR_SET, episode_id)  # type: ignore[no-untyped-call]
    return found


def true(given: Vectors, asked: Vectors) -> Distances:
    """Cosine distances of each that is asked to each that is kept."""
    wide = [one.astype(np.float64) for one in (asked, given)]
    units = [one / np.linalg.norm(one, axis=1, keepdims=True) for one in wide]
    distances: Distances = 1.0 - units[0] @ units[1].T
    return distances


@pytest.mark.parametrize(
    "where",
    [ANY, Filter(agents=frozenset({"trend", "meanrev"})), Filter(agents=frozenset({"trend"}))],
    ids=["all", "sieved", "few or half"],
)
def test_distances_and_their_order_are_those_of_the_vectors_that_were_told(url: str, where: Filter) -> None:
    given, asked, episodes = vectors(1_500), vectors(40, seed=1), told(1_500)
    counts = [where.admits(one) for one in episodes]

    async def work(redis: Redis) -> None:
        memory = made(url)
        await memory.remember(SPACE, episodes, given)
        rows = {one.id: row for row, one in enumerate(episodes)}
        shares, coarse_shares, off = [], [], []
        for one, distances in zip(asked, true(given, asked), strict=True):
            best = set(np.argsort(np.where(counts, distances, 9.0))[:10].tolist())
            found = await memory.recall(SPACE, one, 10, LATE, where)
            assert len(found) == 10
            for match in found:
                assert abs(match.distance - distances[rows[match.episode_id]]) <= CLOSE
            assert [match.distance for match in found] == sorted(match.distance for match in found)
            shares.append(len(best & {rows[match.episode_id] for match in found}) / 10)
            said = await command(redis, "VSIM", VECTOR_SET, "FP32", one.tobytes(), "WITHSCORES", "EF", 64)
            coarse = {
                rows[id_.decode()]: 2 * (1 - float(score)) for id_, score in zip(said[::2], said[1::2], strict=True)
            }
            off += [abs(distance - distances[row]) for row, distance in coarse.items()]
            coarse_shares.append(len(best & set(coarse)) / 10)
        assert max(off) > 1e-3, "Redis' own distances are worse than a backend may answer"
        assert np.mean(shares) >= 0.97
        if where is ANY:
            assert np.mean(coarse_shares) < np.mean(shares), "Redis' own ten are not the nearest ten"
        await memory.close()

    run(url, work)


def test_a_space_stays_as_it_was_made_whatever_later_settings_say(url: str) -> None:
    given, episodes = vectors(60), told(60)

    async def work(redis: Redis) -> None:
        whole, coarse = made(url, "none"), made(url, "q8", links=32)
        for first, second, made_so in ((whole, coarse, (b"f32", 16)), (coarse, whole, (b"int8", 32))):
            await first.remember(SPACE, episodes[:20], given[:20])
            await second.remember(SPACE, episodes[20:40], given[20:40])
            await first.remember(SPACE, episodes[40:], given[40:])
            assert await kept(redis) == made_so
            texts = [await told_of(redis, one.id) for one in episodes]
            assert {len(vector_of(text)) for text in texts} == {4 * SPACE.dimension if first is coarse else 0}
            answers = [await one.recall(SPACE, given[30], 5, LATE, ANY) for one in (first, second)]
            assert answers[0] == answers[1]
            assert answers[0][0].episode_id == episodes[30].id
            await second.clear(SPACE)
            assert await redis.keys() == []
        for one in (whole, coarse):
            await one.close()

    run(url, work)


def test_what_is_replaced_or_forgotten_is_measured_no_more(url: str) -> None:
    given, episodes = vectors(20), told(20)

    async def work(redis: Redis) -> None:
        memory = made(url)
        await memory.remember(SPACE, episodes, given)
        await memory.remember(SPACE, episodes[:1], -given[:1])
        far = {match.episode_id: match.distance for match in await memory.recall(SPACE, given[0], 20, LATE, ANY)}
        assert far[episodes[0].id] == pytest.approx(2.0)
        await memory.forget(SPACE, episodes[1].id, at=LogPosition(1, "0" * 64))
        assert episodes[1].id not in {match.episode_id for match in await memory.recall(SPACE, given[1], 20, LATE, ANY)}
        assert await redis.execute_command("VCARD", VECTOR_SET) == 19  # type: ignore[no-untyped-call]
        await memory.close()

    run(url, work)


def test_an_episode_that_is_updated_keeps_its_vector_and_its_neighbours(url: str) -> None:
    given, episodes = vectors(60), told(60)

    async def work(redis: Redis) -> None:
        for quantization in ("q8", "none"):
            memory = made(url, quantization)
            await memory.remember(SPACE, episodes, given)
            before, vector = await memory.recall(SPACE, given[0], 10, LATE, ANY), await told_of(redis, episodes[0].id)
            changed = replace(episodes[0], result_ppm=7, agent="meanrev")
            for number in (1, 2):
                assert await memory.update(SPACE, changed, at=LogPosition(number, "0" * 64))
                assert await memory.get(SPACE, changed.id) == changed
                assert vector_of(await told_of(redis, changed.id)) == vector_of(vector)
                assert await memory.recall(SPACE, given[0], 10, LATE, ANY) == before
            (match,) = await memory.recall(SPACE, given[0], 1, LATE, Filter(agents=frozenset({"meanrev"})))
            assert match.episode_id == changed.id
            await memory.forget(SPACE, changed.id)
            await memory.clear(SPACE)
            assert await redis.keys() == []
            await memory.close()

    run(url, work)


WHERES = [ANY, Filter(agents=frozenset({"trend"})), Filter(agents=frozenset({"trend", "meanrev"}))]


@pytest.mark.parametrize("where", WHERES, ids=["all", "few", "each"])
def test_an_element_that_somebody_altered_is_a_loss(url: str, where: Filter) -> None:
    """As those are that were written before vectors were kept there."""

    async def work(redis: Redis) -> None:
        memory = made(url)
        await memory.remember(SPACE, told(20), vectors(20))
        for altered in (await told_of(redis, told(1)[0].id)).split(b"\0")[0], b"{}", b"{}\0short":
            await command(redis, "VSETATTR", VECTOR_SET, told(1)[0].id, altered)
            with pytest.raises(NotReadyError, match=r"lacks vectors.*clear the space and fold the log anew"):
                await memory.recall(SPACE, vectors(1)[0], 5, LATE, where)
        await memory.close()

    run(url, work)


@pytest.mark.parametrize("where", WHERES, ids=["all", "few", "each"])
@pytest.mark.parametrize("quantization", ["q8", "none"])
def test_one_that_is_told_of_no_more_is_left_out(url: str, where: Filter, quantization: Literal["q8", "none"]) -> None:
    given, episodes = vectors(60), told(60)

    async def work(redis: Redis) -> None:
        memory = made(url, quantization)
        await memory.remember(SPACE, episodes, given)
        first = [match.episode_id for match in await memory.recall(SPACE, given[0], 10, LATE, where)]
        assert first[0] == episodes[0].id
        await command(redis, "VREM", VECTOR_SET, episodes[0].id)
        somebody = "f" * 64
        await command(redis, "VADD", VECTOR_SET, "FP32", (-given[0]).tobytes(), somebody,
                      "Q8" if quantization == "q8" else "NOQUANT")  # fmt: skip
        found = [match.episode_id for match in await memory.recall(SPACE, given[0], 10, LATE, where)]
        assert len(found) == 10
        assert not {episodes[0].id, somebody} & set(found)
        await memory.close()

    run(url, work)


@pytest.mark.parametrize(("dimension", "said"), [(12, "NOQUANT"), (127, "NOQUANT"), (128, "Q8"), (384, "Q8")])
def test_wide_vectors_are_searched_by_eight_bits_unless_it_is_said(dimension: int, said: str) -> None:
    assert RedisSettings().kept(dimension) == said
    assert RedisSettings(quantization="q8").kept(dimension) == "Q8"
    assert RedisSettings(quantization="none").kept(dimension) == "NOQUANT"


def test_what_vectors_take_is_counted_once_more(url: str) -> None:
    async def sizes(quantization: Literal["q8", "none"]) -> int:
        memory = made(url, quantization)
        await memory.remember(SPACE, told(500), vectors(500))
        size = (await memory.info(SPACE)).size_bytes
        await memory.clear(SPACE)
        await memory.close()
        return size

    async def work(_: Redis) -> None:
        whole, coarse = await sizes("none"), await sizes("q8")
        assert coarse - whole >= 500 * SPACE.dimension, "a byte and four of each number, not four"

    run(url, work)

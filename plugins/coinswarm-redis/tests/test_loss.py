"""Redis loses keys one by one: whichever it is, no answer is short in silence, and a fold of the log makes it whole."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import replace
from functools import partial
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import anyio
import numpy as np
import pytest
from redis.asyncio import Redis

from coinswarm.domain.episode import ANY, Episode, Filter, LogPosition, Match, Space
from coinswarm.drivers.bus import LocalBus
from coinswarm.drivers.settings import LocalBusSettings
from coinswarm.errors import NotReadyError
from coinswarm.memory.quorum.keys import Ed25519Scheme
from coinswarm.runtime.swarm.parts import Place
from coinswarm.runtime.swarm.projecting import Projector
from coinswarm.runtime.swarm.telling import Teller
from coinswarm_redis.backend import RedisMemory
from coinswarm_redis.settings import RedisSettings
from coinswarm_testkit.cases.episodes import numbered
from coinswarm_testkit.quorum.decided import ROSTER, DecidedLog
from coinswarm_testkit.servers.redis import redis_server

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator, Sequence
    from pathlib import Path

    Vectors = np.ndarray[tuple[int, int], np.dtype[np.float32]]
    Work = Callable[[RedisMemory, Redis], Awaitable[None]]

pytestmark = pytest.mark.usefixtures("redis_url")

SPACE, COUNT, LATE, SECOND = Space("north", "loss.1", 8), 60, 10**18, 10**9
KEYS = "coinswarm:{north:loss.1:8}:"
WHERES = [
    (ANY, LATE),
    (ANY, 40 * SECOND),
    (Filter(agents=frozenset({"trend"})), LATE),
    (Filter(agents=frozenset({"trend"}), sides=frozenset({1})), LATE),
    (Filter(instruments=frozenset({"I1/USD", "I2/USD"})), LATE),
    (Filter(instruments=frozenset({"I9/USD"})), LATE),
    (Filter(regimes=frozenset({"calm"}), decided_before_ns=50 * SECOND), 40 * SECOND),
    (Filter(decided_from_ns=1), LATE),
    (Filter(decided_from_ns=20 * SECOND), LATE),
]


def told(number: int) -> Episode:
    return numbered(
        number, agent=("trend", "meanrev")[number % 2], instrument=f"I{number % 4}/USD", side=1 if number % 3 else -1,
        regime=("", "calm")[number % 5 > 1], decided_ns=number * SECOND, known_ns=number * SECOND,
    )  # fmt: skip


def vector(number: int) -> Vectors:
    return np.random.default_rng(number).standard_normal((1, SPACE.dimension)).astype(np.float32)


def position(index: int) -> LogPosition:
    return LogPosition(index, sha256(str(index).encode()).hexdigest())


async def fold(memory: RedisMemory, first: int = 1, last: int = COUNT) -> None:
    for number in range(first, last + 1):
        await memory.remember(SPACE, [told(number)], vector(number), at=position(number))


async def answers(memory: RedisMemory) -> list[Sequence[Match] | None]:
    """What is answered to each question; None where it is refused."""
    found: list[Sequence[Match] | None] = []
    for where, as_of_ns in WHERES:
        try:
            found.append(await memory.recall(SPACE, vector(3)[0], COUNT, as_of_ns, where))
        except NotReadyError:
            found.append(None)
    return found


@pytest.fixture
def url() -> Iterator[str]:
    """A server of this test's own, that may lose keys."""
    with redis_server("--maxmemory", "200mb") as server:
        yield server.url


def run(url: str, work: Work) -> None:
    async def main() -> None:
        memory, redis = RedisMemory(RedisSettings(url=url)), Redis.from_url(url)
        try:
            await work(memory, redis)
        finally:
            await memory.close()
            await redis.aclose()

    anyio.run(main)


async def lose(redis: Redis, what: str) -> list[bytes]:
    """Delete the keys whose last word begins so."""
    lost = [key async for key in redis.scan_iter(f"{KEYS}{what}*")]
    if lost:
        await redis.delete(*lost)
    return lost


LOSSES = ["v", "m", "k", "d", "s:a", "s:i", "s:s", "s:r", "r"]


@pytest.mark.parametrize("what", LOSSES)
def test_whichever_key_is_lost_no_answer_is_short_and_folded_anew_all_are_whole(url: str, what: str) -> None:
    async def work(memory: RedisMemory, redis: Redis) -> None:
        await fold(memory)
        whole, keys = await answers(memory), set(await redis.keys())
        assert None not in whole
        assert (await memory.info(SPACE)).applied == position(COUNT)
        assert await lose(redis, what)
        after = await answers(memory)
        assert all(one in (None, before) for one, before in zip(after, whole, strict=True))
        info = await memory.info(SPACE)
        assert info.entries == (0 if what == "v" else COUNT)
        if what == "r":  # names that the hash has, too
            assert after == whole
            assert info.applied == position(COUNT)
        else:
            assert None in after
            assert info.applied is None
        await memory.clear(SPACE)
        assert await redis.keys() == []
        await fold(memory)
        assert await answers(memory) == whole
        assert set(await redis.keys()) == keys

    run(url, work)


@pytest.mark.parametrize("what", ["k", "d", "s:a", "s:s"])
def test_what_is_written_after_a_loss_does_not_hide_it(url: str, what: str) -> None:
    async def work(memory: RedisMemory, redis: Redis) -> None:
        await fold(memory, last=COUNT - 2)
        await lose(redis, what)
        await fold(memory, first=COUNT - 1)
        assert await memory.update(SPACE, told(COUNT), at=position(COUNT + 1))
        assert await memory.forget(SPACE, told(2).id, at=position(COUNT + 2))
        assert None in await answers(memory)
        assert (await memory.info(SPACE)).applied is None

    run(url, work)


def test_counts_follow_whatever_is_written(url: str) -> None:
    async def work(memory: RedisMemory, _: Redis) -> None:
        await fold(memory)
        await memory.remember(SPACE, [told(1), told(1)], np.concatenate([vector(1), vector(2)]), at=position(61))
        await memory.update(SPACE, replace(told(4), agent="another", regime="wild"), at=position(62))
        for number in range(1, COUNT + 1):
            assert (await memory.info(SPACE)).applied is not None
            assert await memory.forget(SPACE, told(number).id, at=position(100 + number))
            assert None not in await answers(memory)
        info = await memory.info(SPACE)
        assert (info.entries, info.applied) == (0, position(100 + COUNT))

    run(url, work)


def test_elements_of_which_nothing_is_told_are_not_written_to(url: str) -> None:
    async def work(memory: RedisMemory, redis: Redis) -> None:
        await fold(memory)
        await lose(redis, "m")
        for write in (
            partial(memory.remember, SPACE, [told(99)], vector(99)),
            partial(memory.update, SPACE, told(3)),
            partial(memory.forget, SPACE, told(3).id),
        ):
            for at in (None, position(99)):
                with pytest.raises(NotReadyError, match=r"holds 60 elements, but tells of 0: keys were evicted"):
                    await write(at=at)
        assert (await memory.info(SPACE)).applied is None
        assert await lose(redis, "m") == []

    run(url, work)


def test_what_is_left_of_a_space_whose_names_are_lost_is_not_found(url: str) -> None:
    async def work(memory: RedisMemory, redis: Redis) -> None:
        await fold(memory)
        for what in ("v", "m", "r"):
            await lose(redis, what)
        assert await redis.keys()
        other = RedisMemory(RedisSettings(url=url))
        assert await answers(other) == [[]] * len(WHERES)
        await fold(other, last=20)
        found = await answers(other)
        assert (await other.info(SPACE)).applied == position(20)
        await other.clear(SPACE)
        await redis.flushall()
        await fold(other, last=20)
        assert await answers(other) == found
        await other.close()

    run(url, work)


class Evicting(RedisMemory):
    """Redis throws keys away just before something is written."""

    evicts = ""

    async def remember(self, *given: Any, **named: Any) -> None:  # noqa: ANN401 - as it is
        if self.evicts:
            async with Redis.from_url(self._settings.url) as redis:
                await lose(redis, self.evicts)
            self.evicts = ""
        await super().remember(*given, **named)


@pytest.mark.parametrize("what", LOSSES)
def test_a_projector_folds_anew_what_was_lost(url: str, tmp_path: Path, what: str) -> None:
    async def work(_: RedisMemory, redis: Redis) -> None:
        log, said = DecidedLog(tmp_path / "store.db"), list[str]()
        log.store.facts.add_space(SPACE)

        def grow(first: int, last: int) -> None:
            for number in range(first, last + 1):
                log.remembered(SPACE, told(number), vector(number)[0].astype("<f4").tobytes())

        memory = Evicting(RedisSettings(url=url))
        place = Place("north", "main", ROSTER, Ed25519Scheme(), LocalBus(LocalBusSettings()), log.store.log)
        projector = Projector(place, memory, log.vectors, Teller("projector", said.append))
        grow(1, 40)
        await projector.catch_up()
        for begins in (41, 0):
            refused = begins > 0 and what == "m"
            if begins:
                memory.evicts = what
                grow(begins, COUNT)
            else:
                await lose(redis, what)
            with pytest.raises(NotReadyError, match="fold the log anew") if refused else nullcontext():
                await projector.catch_up()
            await projector.catch_up()
            found = await answers(memory)
            assert None not in found
            assert len(found[0] or ()) == COUNT
            info = await memory.info(SPACE)
            assert info.entries == COUNT
            assert info.applied is not None
            assert info.applied.index == projector.head
        assert bool(said) is (what != "r")
        await memory.close()
        log.close()

    run(url, work)

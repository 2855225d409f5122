"""What our memory backends add to their index: the same questions to ``local`` and ``redis``, and to what they search.

The bound beside each figure is the index by itself: usearch's own graph, and ``VSIM`` through redis-py; both are the
very index that the backend fills, on a real server started for it. Vectors are clustered, 384 wide; exact search says
which ten are nearest. Latencies are percentiles of single questions, asked in turn; questions a second are those of
four at once. ``./dev bench-memory`` runs it; ``--entries 5000`` for a glance.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
import time
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from measure import Row, show
from redis.asyncio import Redis

from coinswarm.domain.episode import ANY, Episode, Filter, Match, Space
from coinswarm.drivers.episodes import LocalMemory
from coinswarm.drivers.settings import LocalMemorySettings
from coinswarm_redis.backend import RedisMemory
from coinswarm_redis.fields import keys
from coinswarm_redis.settings import RedisSettings
from coinswarm_testkit.servers.redis import redis_server

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from coinswarm.contracts import MemoryBackend

    Vectors = np.ndarray[tuple[int, int], np.dtype[np.float32]]
    Vector = np.ndarray[tuple[int], np.dtype[np.float32]]
    Raw = Callable[[Vector], Awaitable[object]]

DIMENSION, K, BATCH, AT_ONCE = 384, 10, 500, 4
LATE = 10**18
P50_MS, P99_MS, RECALL, RECALL_FILTERED, PER_SECOND, TIMES_RAW = 1.0, 5.0, 0.98, 0.95, 1_000, 1.2
EVERY = {"50 %": 2, "10 %": 10, "1 %": 100, "0.1 %": 1_000}
"""Share of the episodes that a filter admits, and one in how many that is."""


class Work(NamedTuple):
    """What is asked.

    :param units: what is kept, at length 1.
    :param asked: questions, at length 1.
    """

    told: list[Episode]
    units: Vectors
    asked: Vectors


class Figures(NamedTuple):
    """What was measured of one contender: milliseconds of each question, share of the nearest found, fewest answers."""

    times: list[float]
    share: float = 1.0
    least: int = K

    def percentile(self, percent: float) -> float:
        """Milliseconds within which so many were answered."""
        return float(np.percentile(self.times, percent))


def drawn(entries: int, questions: int) -> Work:
    """Vectors around centres, forty to each, as states of a market are; questions are near them."""
    rng = np.random.default_rng(7)
    centres = rng.standard_normal((max(1, entries // 40), DIMENSION), dtype=np.float32)

    def near(count: int) -> Vectors:
        chosen = centres[rng.integers(0, len(centres), count)]
        vectors = chosen + np.float32(0.6) * rng.standard_normal((count, DIMENSION), dtype=np.float32)
        units: Vectors = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
        return units

    told = [
        Episode(
            id=sha256(str(number).encode()).hexdigest(),
            agent="trend",
            instrument=next((f"E{every}/USD" for every in (1_000, 100, 10, 2) if number % every == 0), "E1/USD"),
            side=1 if number % 2 else -1,
            decided_ns=number,
            known_ns=number,
            result_ppm=0,
        )
        for number in range(entries)
    ]
    return Work(told, near(entries), near(questions))


def where(every: int) -> Filter:
    """Admits one in so many."""
    return Filter(instruments=frozenset(f"E{other}/USD" for other in (1_000, 100, 10, 2) if other >= every))


async def filled(memory: MemoryBackend, space: Space, work: Work) -> float:
    """Let it take in everything; how many a second."""
    begin = time.perf_counter()
    await memory.info(space)
    for first in range(0, len(work.told), BATCH):
        part = slice(first, first + BATCH)
        await memory.remember(space, work.told[part], work.units[part])
    await memory.optimize(space)
    return len(work.told) / (time.perf_counter() - begin)


async def measured(
    memory: MemoryBackend, space: Space, work: Work, chosen: Filter = ANY, raw: Raw | None = None
) -> tuple[Figures, Figures]:
    """Ours and the bare index, question by question, the first of the two in turn."""
    rows = np.array([row for row, one in enumerate(work.told) if chosen.admits(one)])
    kept = work.units[rows]
    ours: list[float] = []
    bare: list[float] = []
    shares: list[float] = []
    least = K
    for number, asked in enumerate(work.asked):
        answers: Sequence[Match] = []
        for turn in (number % 2, 1 - number % 2):
            begin = time.perf_counter()
            if turn:
                answers = await memory.recall(space, asked, K, LATE, chosen)
                ours.append((time.perf_counter() - begin) * 1e3)
            elif raw is not None:
                await raw(asked)
                bare.append((time.perf_counter() - begin) * 1e3)
        wanted = min(K, len(rows))
        best = {work.told[rows[place]].id for place in np.argsort(-(kept @ asked), kind="stable")[:wanted].tolist()}
        shares.append(len(best & {match.episode_id for match in answers}) / max(1, wanted))
        least = min(least, len(answers) + K - wanted)
    return Figures(ours, float(np.mean(shares)), least), Figures(bare)


async def rate(memory: MemoryBackend, space: Space, work: Work) -> float:
    """Questions a second, four at once."""
    begin = time.perf_counter()

    async def some(part: Vectors) -> None:
        for asked in part:
            await memory.recall(space, asked, K, LATE, ANY)

    await asyncio.gather(*(some(work.asked[first::AT_ONCE]) for first in range(AT_ONCE)))
    return len(work.asked) / (time.perf_counter() - begin)


async def rows_of(name: str, memory: MemoryBackend, space: Space, work: Work, raw: Raw) -> list[Row]:
    """A row for everything, and one for each filter."""
    loaded = await filled(memory, space, work)
    ours, bare = await measured(memory, space, work, raw=raw)
    per_second = await rate(memory, space, work)
    p50, p99 = ours.percentile(50), ours.percentile(99)
    slower = p50 / bare.percentile(50)
    made = [
        Row(
            name=f"{name}: {len(work.told):,} x {DIMENSION}",
            ours=f"P50 {p50:.2f} P99 {p99:.2f} ms, recall {ours.share:.4f}, {per_second:,.0f}/s, fill {loaded:,.0f}/s",
            peer=f"index alone: P50 {bare.percentile(50):.2f} P99 {bare.percentile(99):.2f} ms",
            ratio=1 / slower,
            value=p50,
            target=f"P50 < {P50_MS:g} P99 < {P99_MS:g} ms, {RECALL}, > {PER_SECOND:,}/s, <= {TIMES_RAW} x",
            reached=p50 < P50_MS
            and p99 < P99_MS
            and ours.share >= RECALL
            and per_second > PER_SECOND
            and slower <= TIMES_RAW,
            figures={"p50_ms": p50, "p99_ms": p99, "recall": ours.share, "per_second": per_second, "slower": slower},
        )
    ]
    for share, every in EVERY.items():
        found, _ = await measured(memory, space, work, where(every))
        made.append(
            Row(
                name=f"{name}: {share} of them count",
                ours=f"P50 {found.percentile(50):.2f} P99 {found.percentile(99):.2f} ms, recall {found.share:.4f}",
                value=found.share,
                target=f"recall >= {RECALL_FILTERED}, {K} of {K}",
                reached=found.share >= RECALL_FILTERED and found.least == K,
                figures={"p50_ms": found.percentile(50), "p99_ms": found.percentile(99), "recall": found.share},
            )
        )
    return made


async def local(work: Work, folder: Path) -> list[Row]:
    """The embedded backend, and the graph in it."""
    space = Space("bench", "local", DIMENSION)
    memory = LocalMemory(LocalMemorySettings(path=folder / "memory.sqlite"))
    held: Any = None

    async def raw(asked: Vector) -> object:
        nonlocal held
        if held is None:
            held = await memory._neighbours(space)  # noqa: SLF001 - the very index that is searched
        if held._graph is None:  # noqa: SLF001
            return np.vecdot(held._units[: len(held)], asked)  # noqa: SLF001 - few enough to look at all
        return held._graph.search(asked, K, threads=1)  # noqa: SLF001

    try:
        return await rows_of("local", memory, space, work, raw)
    finally:
        await memory.close()


async def redis(work: Work, url: str) -> list[Row]:
    """The backend on a server, and the bare command."""
    space = Space("bench", "redis", DIMENSION)
    settings = RedisSettings(url=url)
    memory, client = RedisMemory(settings), Redis.from_url(url, protocol=2)
    key = keys(settings.prefix, space)[0]
    effort = settings.search_effort

    async def raw(asked: Vector) -> object:
        words = ("VSIM", key, "FP32", asked.tobytes(), "WITHSCORES", "COUNT", K, "EF", effort)
        return await client.execute_command(*words)  # type: ignore[no-untyped-call]

    try:
        return await rows_of("redis", memory, space, work, raw)
    finally:
        await memory.clear(space)
        await memory.close()
        await client.aclose()


def main() -> int:
    """Measure both and print the rows."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--entries", type=int, default=100_000, help="default: %(default)s")
    parser.add_argument("--questions", type=int, default=1_000, help="default: %(default)s")
    parser.add_argument("--json", action="store_true", help="print JSON")
    options = parser.parse_args()
    work = drawn(options.entries, options.questions)
    with tempfile.TemporaryDirectory(prefix="coinswarm-bench-") as name, redis_server() as server:
        print(f"real server: {server.about}", file=sys.stderr)
        rows = [*asyncio.run(local(work, Path(name))), *asyncio.run(redis(work, server.url))]
    show(rows, as_json=options.json)
    return 0


if __name__ == "__main__":
    sys.exit(main())

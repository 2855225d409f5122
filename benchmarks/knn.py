"""What our memory backends add to their index: the same questions to ``local`` and ``redis``, and to what they search.

The bound beside each figure is the index by itself: usearch as it comes, with as many links and candidates as ours,
and the graph inside ``local``, which is quicker (it knows that vectors have length 1); ``VSIM`` through redis-py on the
very index that ``redis`` filled, as Redis does it by default, in a thread of its own, and without. That is a real
server, started for both as the plugin's README advises. They are asked in every order in turn, so that a busy moment of
the machine hits each, and everyone is asked each question, but not the same one as those before: they would have left
its neighbours in the cache. Latencies are percentiles of single questions, by one client. Where not all episodes count,
the bound is ``VSIM … FILTER`` as Redis does it by default, and for ``local``, whose graph knows no filters, a look at
every vector that counts, given its row. ``./dev bench-memory`` runs it; ``--entries 5000`` for a glance.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import tempfile
import time
from functools import partial
from itertools import permutations
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from knn_work import ALL, CASES, DIMENSION, LATE, Case, K, Work, admitted, drawn, nearest, spread
from measure import Row, show
from redis.asyncio import Redis
from usearch.index import Index

from coinswarm.domain.episode import Space
from coinswarm.drivers.episodes import LocalMemory
from coinswarm.drivers.graph import CONNECTIVITY, EXPANSION_ADD, EXPANSION_SEARCH, ranker
from coinswarm.drivers.settings import LocalMemorySettings
from coinswarm_redis.backend import RedisMemory
from coinswarm_redis.fields import expression, keys
from coinswarm_redis.settings import RedisSettings
from coinswarm_testkit.servers.redis import redis_server

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from coinswarm.contracts import MemoryBackend

    Vector = np.ndarray[tuple[int], np.dtype[np.float32]]
    Ask = Callable[[int], Awaitable[Sequence[str]]]

BATCH, CLIENTS, WARM, RATES = 500, 4, 50, 3
SPREAD_OUT, BLOCK, BLOCKS, PATIENCE = 30_000, 50, 8, 60.0
P50_MS, P99_MS, RECALL, RECALL_FILTERED, PER_SECOND, TIMES_RAW = 1.0, 5.0, 0.98, 0.95, 1_000, 1.2


class Figures(NamedTuple):
    """What was measured of one contender: milliseconds of each question, share of the nearest found, fewest answers."""

    times: list[float]
    share: float
    least: int

    def percentile(self, percent: float) -> float:
        """Milliseconds within which so many were answered."""
        return float(np.percentile(self.times, percent))

    @property
    def latency(self) -> str:
        """Percentiles as text."""
        return f"P50 {self.percentile(50):.2f} P99 {self.percentile(99):.2f} ms"


class Contender(NamedTuple):
    """A backend and its bare index.

    :param alone, sieve: what that is called, and its way where not all count.
    :param bare: how the index by itself is asked in a case, by the number of the question; answers ids.
    :param load_bare: lets an index by itself take in so many of the first; episodes a second.
    :param spent: seconds of the processors so far, of this process and of the server.
    :param inner: the same index another way, and what that is called.
    """

    name: str
    alone: str
    sieve: str
    memory: MemoryBackend
    space: Space
    bare: Callable[[Case], Ask]
    load_bare: Callable[[int], Awaitable[float]]
    spent: Callable[[], Awaitable[float]]
    inner: tuple[str, Ask]


async def filled(memory: MemoryBackend, space: Space, work: Work, count: int) -> float:
    """Let it take in some; how many a second."""
    await memory.info(space)
    begin = time.perf_counter()
    for first in range(0, count, BATCH):
        part = slice(first, min(count, first + BATCH))
        await memory.remember(space, work.told[part], work.units[part])
    return count / (time.perf_counter() - begin)


def ours(memory: MemoryBackend, space: Space, work: Work, case: Case) -> Ask:
    """How the backend is asked."""
    wheres, as_of_ns = [case.where(work, number) for number in range(len(work.asked))], case.as_of_ns(work)

    async def ask(number: int) -> Sequence[str]:
        found = await memory.recall(space, work.asked[number], K, as_of_ns, wheres[number])
        return [match.episode_id for match in found]

    return ask


async def compared(asks: Sequence[Ask], work: Work, case: Case) -> list[Figures]:
    """Several contenders in every order in turn, each with a question of its own until all were asked all of them."""
    true = nearest(work, case)
    apart = len(true) // len(asks)
    for number in range(min(WARM, len(true))):
        for ask in asks:
            await ask(number)
    orders = list(permutations(range(len(asks))))
    times: list[list[float]] = [[] for _ in asks]
    shares: list[list[float]] = [[] for _ in asks]
    least = [K for _ in asks]
    for turn in range(len(true)):
        for side in orders[turn % len(orders)]:
            number = (turn + side * apart) % len(true)
            best = true[number]
            begin = time.perf_counter()
            found = await asks[side](number)
            times[side].append((time.perf_counter() - begin) * 1e3)
            shares[side].append(len(best.intersection(found)) / max(1, len(best)))
            least[side] = min(least[side], len(found) + K - len(best))
    return [Figures(*one) for one in zip(times, (float(np.mean(share)) for share in shares), least, strict=True)]


async def rate(ask: Ask, questions: int) -> float:
    """Questions a second, of several clients at once."""

    async def some(first: int) -> None:
        for number in range(first, questions, CLIENTS):
            await ask(number)

    begin = time.perf_counter()
    await asyncio.gather(*(some(first) for first in range(CLIENTS)))
    return questions / (time.perf_counter() - begin)


async def spent(contender: Contender, asks: Sequence[Ask], questions: int) -> list[float]:
    """Milliseconds of the processors that a question takes, by each way to ask, server and all: by turns."""
    found = [0.0 for _ in asks]
    for block in range(BLOCKS):
        for side, ask in enumerate(asks):
            begin = await contender.spent()
            for number in range(BLOCK):
                await ask((block * BLOCK + number + side * questions // len(asks)) % questions)
            found[side] += await contender.spent() - begin
    return [seconds / BLOCKS / BLOCK * 1e3 for seconds in found]


async def rows_of(contender: Contender, work: Work) -> list[Row]:
    """Rows of what was measured: loading, everything, and each case."""
    return [
        await load(contender, work),
        *await everything(contender, work),
        *[await some(contender, work, case) for case in CASES],
    ]


async def load(contender: Contender, work: Work) -> Row:
    """How quickly it takes in everything, and the index by itself the first tenth."""
    count, tenth = len(work.told), max(BATCH, len(work.told) // 10)
    scratch = Space("bench", "scratch", DIMENSION)
    first = await filled(contender.memory, scratch, work, tenth)
    await contender.memory.clear(scratch)
    bare = await contender.load_bare(tenth)
    whole = await filled(contender.memory, contender.space, work, count)
    await contender.memory.optimize(contender.space)
    return Row(
        name=f"{contender.name}: load {count:,} x {DIMENSION}; the first {tenth:,} of them",
        ours=f"{whole:,.0f}/s; {first:,.0f}/s",
        peer=f"{contender.alone}: {bare:,.0f}/s",
        ratio=first / bare,
        value=whole,
        figures={"per_second": whole, "first_per_second": first, "bare_first_per_second": bare},
    )


async def everything(contender: Contender, work: Work) -> list[Row]:
    """Where all of them count."""
    name, index = contender.name, contender.alone
    other, again = contender.inner
    asks = [ours(contender.memory, contender.space, work, ALL), contender.bare(ALL), again]
    own, bare, inner = await compared(asks, work, ALL)
    rates = [[await rate(ask, len(work.asked)) for ask in asks[:2]] for _ in range(RATES)]
    per_second, bare_per_second = (max(pair[side] for pair in rates) for side in (0, 1))
    own_ms, bare_ms, inner_ms = await spent(contender, asks, len(work.asked))
    p50, p99 = own.percentile(50), own.percentile(99)
    found = [
        Row(
            name=f"{name}: one client, {ALL.name}",
            ours=own.latency,
            peer=f"{index}: {bare.latency}",
            ratio=bare.percentile(50) / p50,
            value=p50,
            target=f"P50 < {P50_MS:g} P99 < {P99_MS:g} ms",
            reached=p50 < P50_MS and p99 < P99_MS,
            figures={
                side: {f"p{percent}_ms": figures.percentile(percent) for percent in (50, 90, 99)}
                for side, figures in (("ours", own), ("bare", bare), ("inner", inner))
            },
        ),
        Row(
            name=f"{name}: processors' time of a recall",
            ours=f"{own_ms:.2f} ms",
            peer=f"{index}: {bare_ms:.2f} ms, {other}: {inner_ms:.2f} ms",
            ratio=bare_ms / own_ms,
            value=own_ms,
        ),
    ]
    for label, figures in ((index, bare), (other, inner)):
        slower = p50 / figures.percentile(50)
        found.append(
            Row(
                name=f"{name}: times the index alone, at P50",
                ours=f"{slower:.2f} x",
                peer=f"{label}: {figures.latency}",
                value=slower,
                target=f"<= {TIMES_RAW:g} x",
                reached=slower <= TIMES_RAW,
            )
        )
    return [
        *found,
        Row(
            name=f"{name}: recall@{K}",
            ours=f"{own.share:.4f}",
            peer=f"{index}: {bare.share:.4f}, {other}: {inner.share:.4f}",
            value=own.share,
            target=f">= {RECALL:g}",
            reached=own.share >= RECALL,
        ),
        Row(
            name=f"{name}: {CLIENTS} clients of one process",
            ours=f"{per_second:,.0f}/s",
            peer=f"{index}: {bare_per_second:,.0f}/s",
            ratio=per_second / bare_per_second,
            value=per_second,
            target=f"> {PER_SECOND:,}/s",
            reached=per_second > PER_SECOND,
        ),
    ]


async def some(contender: Contender, work: Work, case: Case) -> Row:
    """Where not all of them count."""
    asks = [ours(contender.memory, contender.space, work, case), contender.bare(case)]
    own, bare = await compared(asks, work, case)
    return Row(
        name=f"{contender.name}: {case.name}",
        ours=f"recall {own.share:.4f}, {own.least} of {K}, {own.latency}",
        peer=f"{contender.sieve}: {bare.share:.4f}, {bare.least} of {K}, {bare.latency}",
        ratio=bare.percentile(50) / own.percentile(50),
        value=own.share,
        target=f">= {RECALL_FILTERED:g}, {K} of {K}",
        reached=own.share >= RECALL_FILTERED and own.least == K,
        figures={"p50_ms": own.percentile(50), "p99_ms": own.percentile(99), "bare_recall": bare.share},
    )


async def local(work: Work, folder: Path, threads: int) -> list[Row]:
    """The embedded backend, with a graph at any size; usearch by itself; and the graph inside."""
    ranker()  # it is compiled once on a machine, and loaded once in a process
    memory = LocalMemory(LocalMemorySettings(path=folder / "memory.sqlite", exact_entries=0, graph_threads=threads))
    space = Space("bench", "local", DIMENSION)
    ids = [one.id for one in work.told]
    alone = Index(
        ndim=DIMENSION,
        connectivity=CONNECTIVITY,
        expansion_add=EXPANSION_ADD,
        expansion_search=EXPANSION_SEARCH,
    )

    def add(index: Index, first: int, last: int) -> None:
        for begin in range(first, last, BATCH):
            part = slice(begin, min(last, begin + BATCH))
            index.add(np.arange(part.start, part.stop, dtype=np.uint64), work.units[part], threads=threads)

    async def load_bare(count: int) -> float:
        begin = time.perf_counter()
        add(alone, 0, count)
        taken = time.perf_counter() - begin
        add(alone, count, len(ids))
        return count / taken

    async def by_graph(number: int) -> Sequence[str]:
        return [ids[key] for key in alone.search(work.asked[number], K, threads=1).keys.tolist()]

    def graph(where: Space, given: Work) -> Ask:
        names = [one.id for one in given.told]

        async def ask(number: int) -> Sequence[str]:
            held: Any = memory._held[where]  # noqa: SLF001 - the very graph that is searched
            found = held._graph.search(given.asked[number], K, threads=1).keys.tolist()  # noqa: SLF001
            return [names[key - held._first] for key in found]  # noqa: SLF001

        return ask

    async def processors() -> float:
        return time.process_time()

    def bare(case: Case) -> Ask:
        rows = {where: admitted(work, case, where) for where in {case.where(work, n) for n in range(len(work.asked))}}

        async def by_looking(number: int) -> Sequence[str]:
            counts = rows[case.where(work, number)]
            products = np.vecdot(work.units[counts], work.asked[number])
            best = np.argpartition(products, -K)[-K:] if len(counts) > K else np.arange(len(counts))
            return [ids[row] for row in counts[best].tolist()]

        return by_graph if case is ALL else by_looking

    contender = Contender(
        "local",
        "usearch",
        "exact search",
        memory,
        space,
        bare,
        load_bare,
        processors,
        ("the graph inside", graph(space, work)),
    )
    try:
        apart = far(work)
        rows = await rows_of(contender, work)
        return [*rows, await harder("local", memory, *apart, ("the graph inside", graph(*apart)))]
    finally:
        await memory.close()


def far(work: Work) -> tuple[Space, Work]:
    """What is hardly clustered, fewer of it, and a space for that."""
    return Space("bench", "spread", DIMENSION), spread(min(SPREAD_OUT, len(work.told)), len(work.asked))


async def harder(name: str, memory: MemoryBackend, space: Space, work: Work, alone: tuple[str, Ask]) -> Row:
    """How many of the nearest are found where few are alike; no target, for that is a limit of graphs.

    :param alone: the index by itself, and what that is called.
    """
    await filled(memory, space, work, len(work.told))
    own, bare = await compared([ours(memory, space, work, ALL), alone[1]], work, ALL)
    return Row(
        name=f"{name}: recall@{K}, {len(work.told):,} of which few are alike",
        ours=f"{own.share:.4f}, {own.latency}",
        peer=f"{alone[0]}: {bare.share:.4f}, {bare.latency}",
        value=own.share,
    )


async def redis(work: Work, url: str) -> list[Row]:
    """The backend on a server, and the bare commands."""
    settings = RedisSettings(url=url, answer_seconds=PATIENCE)  # a machine that stands still for a moment ends nothing
    memory, client = RedisMemory(settings), Redis.from_url(url, protocol=2, socket_timeout=PATIENCE)
    space = Space("bench", "redis", DIMENSION)
    used = [space]

    async def command(*words: str | float | bytes) -> Any:  # noqa: ANN401 - its answer
        return await client.execute_command(*words)  # type: ignore[no-untyped-call]

    def vsim(where: Space, given: Work, case: Case, *more: str) -> Ask:
        as_of_ns, key = case.as_of_ns(given), keys(settings.prefix, where)[0]
        bound = None if as_of_ns == LATE else as_of_ns
        said = [expression(case.where(given, number), bound) for number in range(len(given.asked))]

        async def ask(number: int) -> Sequence[str]:
            narrowed = ("FILTER", said[number]) if said[number] else ()
            vector, effort = given.asked[number].tobytes(), settings.search_effort
            words = ("VSIM", key, "FP32", vector, "WITHSCORES", "COUNT", K, "EF", effort, *narrowed, *more)
            return [found.decode() for found in (await command(*words))[::2]]

        return ask

    async def processors() -> float:
        used = await client.info("cpu")
        return time.process_time() + float(used["used_cpu_user"]) + float(used["used_cpu_sys"])

    async def load_bare(count: int) -> float:
        begin = time.perf_counter()
        for first in range(0, count, BATCH):
            async with client.pipeline(transaction=False) as pipe:
                for row in range(first, min(count, first + BATCH)):
                    pipe.execute_command(
                        "VADD", "bare", "FP32", work.units[row].tobytes(), work.told[row].id,
                        settings.kept(DIMENSION), "EF", settings.build_effort, "M", settings.links,
                    )  # fmt: skip
                await pipe.execute()
        await client.delete("bare")
        return count / (time.perf_counter() - begin)

    try:
        inner, bare = ("VSIM NOTHREAD", vsim(space, work, ALL, "NOTHREAD")), partial(vsim, space, work)
        contender = Contender("redis", "VSIM", "VSIM FILTER", memory, space, bare, load_bare, processors, inner)
        rows, apart = await rows_of(contender, work), far(work)
        used.append(apart[0])
        return [*rows, await harder("redis", memory, *apart, ("VSIM", vsim(*apart, ALL)))]
    finally:
        for one in used:
            await memory.clear(one)
        await memory.close()
        await client.aclose()


def main() -> int:
    """Measure both and print the rows."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--entries", type=int, default=100_000, help="default: %(default)s")
    parser.add_argument("--questions", type=int, default=1_000, help="default: %(default)s")
    parser.add_argument("--only", choices=("local", "redis"), help="one backend; default: both")
    parser.add_argument("--threads", type=int, default=1, help="that build the graph of local; default: %(default)s")
    parser.add_argument("--json", action="store_true", help="print JSON")
    options = parser.parse_args()
    print(f"load before: {', '.join(f'{load:.1f}' for load in os.getloadavg())}", file=sys.stderr)
    work = drawn(options.entries, options.questions)
    rows: list[Row] = []
    if options.only != "redis":
        with tempfile.TemporaryDirectory(prefix="coinswarm-bench-") as name:
            rows += asyncio.run(local(work, Path(name), options.threads))
    if options.only != "local":
        with tempfile.TemporaryDirectory(prefix="coinswarm-bench-") as name:
            socket = Path(name) / "redis.sock"  # on one host; TCP takes some 0.02 ms more, the bare commands too
            with redis_server("--unixsocket", str(socket), huge_pages=True) as server:
                print(f"real server: {server.about}, by a Unix socket", file=sys.stderr)
                rows += asyncio.run(redis(work, f"unix://{socket}"))
    show(rows, as_json=options.json)
    return 0


if __name__ == "__main__":
    sys.exit(main())

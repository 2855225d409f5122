"""What our bus adds to nats-py: the same messages through both, on one real server started for it.

The bound beside each figure is nats-py by itself, asked for the same: messages to one subscriber in batches that the
server confirmed, and requests one after the other. Only ratios mean anything elsewhere; latencies are percentiles of
single requests. It runs where coinswarm-nats and the testkit are installed: ``python benchmarks/bus.py``.
"""

from __future__ import annotations

import asyncio
import sys
import time
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, NamedTuple

import nats
import numpy as np
from measure import Row, script

from coinswarm.domain.stored import Message
from coinswarm_nats.bus import NatsBus
from coinswarm_nats.settings import NatsSettings
from coinswarm_testkit.servers.nats import nats_server

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from nats.aio.msg import Msg

MESSAGES, BATCH, REQUESTS = 20_000, 500, 1_000
DATA = bytes(128)
PER_SECOND = 10_000
P50_MS, P99_MS = 5.0, 20.0


class Peer(NamedTuple):
    """A bus in the two motions that are measured.

    :param batch: sends so many messages, and returns when the server has them.
    :param ask: sends a request and waits for its answer.
    :param heard: how many messages have come.
    """

    batch: Callable[[int], Awaitable[None]]
    ask: Callable[[], Awaitable[object]]
    heard: asyncio.Semaphore


@asynccontextmanager
async def ours(url: str) -> AsyncIterator[Peer]:
    """Through the port."""
    heard = asyncio.Semaphore(0)

    async def listen(_message: Message) -> None:
        heard.release()

    async with (
        NatsBus(NatsSettings(url=url, prefix="bench")) as bus,
        NatsBus(NatsSettings(url=url, prefix="bench")) as far,
    ):

        async def answer(message: Message) -> None:
            await far.publish(message.reply, message.data)

        await far.subscribe("ticks", listen)
        await far.subscribe("ask", answer)
        yield Peer(
            lambda number: bus.publish_batch([Message("ticks", DATA)] * number),
            lambda: bus.request("ask", DATA, seconds=5),
            heard,
        )


@asynccontextmanager
async def raw(url: str) -> AsyncIterator[Peer]:
    """Through nats-py alone."""
    heard = asyncio.Semaphore(0)
    client, far = await nats.connect(url), await nats.connect(url)

    async def listen(_message: Msg) -> None:
        heard.release()

    async def answer(message: Msg) -> None:
        await far.publish(message.reply, message.data)

    async def batch(number: int) -> None:
        for _ in range(number):
            await client.publish("raw.ticks", DATA)
        await client.flush()

    await far.subscribe("raw.ticks", cb=listen)
    await far.subscribe("raw.ask", cb=answer)
    await far.flush()
    yield Peer(batch, lambda: client.request("raw.ask", DATA, timeout=5), heard)
    await client.close()
    await far.close()


class Figures(NamedTuple):
    """What one run measured: messages a second, and seconds of each request."""

    rate: float
    seconds: list[float]


async def measured(peer: Peer) -> Figures:
    """One run."""
    begin = time.perf_counter()
    for _ in range(MESSAGES // BATCH):
        await peer.batch(BATCH)
    for _ in range(MESSAGES):
        await peer.heard.acquire()
    rate = MESSAGES / (time.perf_counter() - begin)
    seconds = []
    for _ in range(REQUESTS):
        asked = time.perf_counter()
        await peer.ask()
        seconds.append(time.perf_counter() - asked)
    return Figures(rate, seconds)


async def interleaved(url: str, repetitions: int) -> tuple[list[Figures], list[Figures]]:
    """Runs of ours and of nats-py in turns; the first of each is not kept."""
    found: tuple[list[Figures], list[Figures]] = ([], [])
    async with ours(url) as port, raw(url) as bound:
        for number in range(repetitions + 1):
            for peer, kept in zip((port, bound), found, strict=True):
                figures = await measured(peer)
                if number:
                    kept.append(figures)
    return found


def rows(repetitions: int) -> list[Row]:
    """Throughput and latency."""
    with nats_server() as server:
        print(f"real server: {server.about}", file=sys.stderr)
        port, bound = asyncio.run(interleaved(server.url, repetitions))
    rates = [max(figures.rate for figures in side) for side in (port, bound)]
    p50, p99 = (_percentile(port, percent) for percent in (50, 99))
    raw50, raw99 = (_percentile(bound, percent) for percent in (50, 99))
    figures = {
        name: {"per_second": [one.rate for one in side], "requests": len(side) * REQUESTS}
        for name, side in (("coinswarm", port), ("nats-py", bound))
    }
    return [
        Row(
            name="bus: messages to a subscriber, in confirmed batches",
            ours=f"{rates[0]:,.0f} per s",
            peer=f"nats-py alone: {rates[1]:,.0f} per s",
            ratio=rates[0] / rates[1],
            value=rates[0],
            target=f"> {PER_SECOND:,} per s",
            reached=rates[0] > PER_SECOND,
            figures=figures,
        ),
        Row(
            name="bus: request and answer, one after the other",
            ours=f"P50 {p50:.2f} ms, P99 {p99:.2f} ms",
            peer=f"nats-py alone: P50 {raw50:.2f} ms, P99 {raw99:.2f} ms",
            ratio=raw50 / p50,
            value=p50,
            target=f"P50 < {P50_MS:g} ms, P99 < {P99_MS:g} ms",
            reached=p50 < P50_MS and p99 < P99_MS,
            figures={"p50_ms": {"coinswarm": p50, "nats-py": raw50}, "p99_ms": {"coinswarm": p99, "nats-py": raw99}},
        ),
    ]


def _percentile(side: list[Figures], percent: float) -> float:
    """Milliseconds within which so many requests were answered, over all runs."""
    return float(np.percentile([second for figures in side for second in figures.seconds], percent)) * 1e3


if __name__ == "__main__":
    sys.exit(script(rows, __doc__))

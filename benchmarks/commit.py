"""From a proposal to its commit, every fsync included: four voters and two coordinators as processes, and as tasks.

Each proposal remembers an episode, on a trade and a vector that are committed already: every voter gathers the
evidence anew, judges by the bundled rules, and has its ballot on the disk before it is sent. Time is taken by the
submitter, from ``propose`` until it hears that the database has committed the entry, and until it has read and verified
it. The bounds beside it come from the same run: one fsync of as many bytes as a ballot has, and one message to the bus
and back. Burst figures are of one submitter; what waits with it travels together, up to 64 episodes in a proposal. It
runs where coinswarm-nats and the testkit are installed: ``python benchmarks/commit.py``.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import tempfile
import time
from bisect import bisect_left
from contextlib import closing, suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import anyio
import nats
import numpy as np
from bare_quorum import commit_seconds
from measure import Row, show

from coinswarm.domain.acceptance import AcceptanceRules
from coinswarm.drivers.bus import LocalBus
from coinswarm.drivers.settings import LocalBusSettings
from coinswarm.memory.evidence.gather import Gatherer
from coinswarm.memory.promotion.voters import DecimalVoter, IntegerVoter
from coinswarm.memory.quorum.keys import Ed25519Signer
from coinswarm.memory.quorum.messages import Notice
from coinswarm.memory.quorum.records import Outcome
from coinswarm.memory.quorum.roster import Roster, Seat
from coinswarm.memory.store.opening import migrated, open_store
from coinswarm.runtime import looping
from coinswarm.runtime.swarm.assembly import driven, proposing
from coinswarm.runtime.swarm.ears import LISTEN_SECONDS
from coinswarm.runtime.swarm.embedded import Cast, EmbeddedSwarm
from coinswarm.runtime.swarm.founding import rules_digest
from coinswarm_nats.bus import NatsBus
from coinswarm_nats.settings import NatsSettings
from coinswarm_testkit.chaos.run import until_ready
from coinswarm_testkit.chaos.stage import CLUSTER, episodes, opened, staged
from coinswarm_testkit.servers.nats import nats_server
from coinswarm_testkit.servers.postgres import postgres_server

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence
    from contextlib import AbstractAsyncContextManager

    from coinswarm.domain.proposal import Proposal
    from coinswarm.ports import MessageBus
    from coinswarm.runtime.swarm.desk import Ended
    from coinswarm.runtime.swarm.node import Node
    from coinswarm_testkit.chaos.stage import Stage

    MakesBus = Callable[[], AbstractAsyncContextManager[MessageBus]]

P50_MS, NEVER_MS = 6.0, 10.0
BURST_PER_SECOND = 1_600
BALLOT_BYTES = 2_048
RAW = 500
WARM = 50
BARE_SECONDS = 20.0
"""For how long at most the bare quorum is measured."""

QUIET_SECONDS = 1.1 * LISTEN_SECONDS
"""Parts listen to everything when they start, and after so long to what they need."""


class Figures(NamedTuple):
    """What one way of running measured.

    :param committed: seconds of each proposal at a steady rate until its commit was heard of.
    :param seconds: of each until its entry was read and verified; :param asked: proposals a second.
    :param burst: proposals a second when all are proposed at once; :param at_once: how many these were.
    """

    committed: list[float]
    seconds: list[float]
    asked: float
    burst: float
    at_once: int


def ms(seconds: Sequence[float], percent: float) -> float:
    """Milliseconds within which so many of some times lie."""
    return float(np.percentile(seconds, percent)) * 1e3


class Notices:
    """When a submitter heard how far the log goes.

    :param node: the submitter's, which goes on to hear as before.
    """

    def __init__(self, node: Node) -> None:
        self._tell = node.tell
        self._heard: list[tuple[int, float]] = []
        node.tell = self._told  # type: ignore[method-assign] # it is asked for by this name

    def _told(self, event: object) -> None:
        if isinstance(event, Notice) and event.head.index > (self._heard[-1][0] if self._heard else 0):
            self._heard.append((event.head.index, time.perf_counter()))
        self._tell(event)

    def since(self, entry: int) -> float:
        """When it first heard of a head at or behind an entry; infinity: it never did."""
        place = bisect_left(self._heard, entry, key=lambda heard: heard[0])
        return self._heard[place][1] if place < len(self._heard) else float("inf")

    def forget(self) -> None:
        """Leave out what was heard so far."""
        self._heard.clear()


async def measured(
    propose: Callable[[Proposal], Awaitable[Ended]],
    proposals: Sequence[Proposal],
    asked: Asked,
    notices: Notices,
) -> Figures:
    """Some to warm up, then a steady rate, then all at once.

    :param notices: of the submitter.
    :raises AssertionError: when one is not accepted: then its time means nothing.
    """
    taken: list[float] = []
    committed: list[float] = []

    async def one(proposal: Proposal) -> None:
        begin = time.perf_counter()
        ended = await propose(proposal)
        taken.append(time.perf_counter() - begin)
        # What was read before the news of it came was committed at the latest then.
        committed.append(min(notices.since(ended.entry) - begin, taken[-1]))
        assert ended.outcome is Outcome.ACCEPT, ended

    todo = iter(proposals)
    for _ in range(WARM):
        await one(next(todo))
    await anyio.sleep(QUIET_SECONDS)
    looping.settle()  # as every process of the quorum does; a session's own looks for no cycles at all while it runs
    taken.clear()
    committed.clear()
    notices.forget()
    begin = time.perf_counter()
    async with anyio.create_task_group() as group:
        for place in range(int(asked.seconds * asked.rate)):
            await anyio.sleep(max(0.0, begin + place / asked.rate - time.perf_counter()))
            group.start_soon(one, next(todo))
    steady, until_commit = list(taken), list(committed)
    begin = time.perf_counter()
    async with anyio.create_task_group() as group:
        for _ in range(asked.burst):
            group.start_soon(one, next(todo))
    return Figures(until_commit, steady, asked.rate, asked.burst / (time.perf_counter() - begin), asked.burst)


class Asked(NamedTuple):
    """How much: so many seconds at so many proposals a second, then so many at once."""

    seconds: float
    rate: float
    burst: int

    @property
    def all(self) -> int:
        """Proposals in all."""
        return WARM + int(self.seconds * self.rate) + self.burst


def processor_seconds(pid: int) -> float:
    """User and system time of a process and, where it is a server, of the processes that it started."""
    spent = 0.0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError, IndexError):  # it has ended meanwhile
            words = stat.read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
            if pid in {int(stat.parent.name), int(words[1])}:
                spent += (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")
    return spent


def tell_processors(stage: Stage, before: dict[str, float], own: float, proposals: int) -> None:
    """Print what a proposal costs of the processors, by part: on a busy machine that says more than the clock."""
    spent: dict[str, float] = {"submitter": time.process_time() - own}
    for victim in stage.victims:
        used = processor_seconds(victim.pid) - before[victim.name]
        spent[victim.kind] = spent.get(victim.kind, 0.0) + used
    told = ", ".join(f"{kind} {seconds / proposals * 1e3:.1f}" for kind, seconds in spent.items())
    print(f"processor time of one proposal, ms, all of a kind together: {told}", file=sys.stderr)


def processes(asked: Asked) -> tuple[Figures, float]:
    """On PostgreSQL and NATS; and seconds of one message to NATS and back."""
    with tempfile.TemporaryDirectory(prefix="coinswarm-bench-") as name, staged(Path(name), index=False) as stage:
        for line in stage.about:
            print(f"real server: {line}", file=sys.stderr)
        with opened(stage) as store:
            proposals = episodes(store, asked.all)

        async def run() -> Figures:
            async with proposing(stage.profile, label=str(stage.path), say=_say) as desk:
                await until_ready(stage, desk)
                before, own = {each.name: processor_seconds(each.pid) for each in stage.victims}, time.process_time()
                notices = Notices(desk.node)
                figures = await measured(partial(desk.propose, seconds=600), proposals, asked, notices)
                tell_processors(stage, before, own, asked.all)
                return figures

        bus = stage.profile.drivers.bus
        assert bus is not None, "staged with one"
        publish = driven(partial(raw_publish, bus.settings["url"]))
        return driven(run), publish


def _local() -> LocalBus:
    return LocalBus(LocalBusSettings())


def one_process(
    asked: Asked, url: str = "", bus: Callable[[], AbstractAsyncContextManager[MessageBus]] = _local
) -> Figures:
    """All parts as tasks of one process.

    :param url: of a database with tables; empty: a SQLite file.
    :param bus: makes one.
    """
    with tempfile.TemporaryDirectory(prefix="coinswarm-bench-") as name:
        folder = Path(name)
        signers = [Ed25519Signer(bytes([number + 1]) * 32) for number in range(5)]
        roster = Roster(
            version=0,
            faulty=1,
            rules=rules_digest(AcceptanceRules()),
            voters=tuple(Seat(f"v{number}", signers[number].key) for number in range(4)),
            submitters=(Seat("desk", signers[4].key),),
        )
        seats = {f"v{k}": (signers[k], DecimalVoter() if k % 2 else IntegerVoter()) for k in range(4)}
        cast = Cast(roster=roster, voters=seats, submitter="desk", signer=signers[4])
        with closing(open_store(url or str(folder / "log.sqlite"), CLUSTER, "main", roster=roster)) as store:
            proposals = episodes(store, asked.all)

            async def run() -> Figures:
                async with (
                    bus() as carrier,
                    EmbeddedSwarm(CLUSTER, "main", cast, folder, carrier, store.log, Gatherer(store), _say) as swarm,
                ):
                    propose = partial(swarm.propose, seconds=600)
                    return await measured(propose, proposals, asked, Notices(swarm.desk.node))

            return driven(run)


def one_process_on_servers(asked: Asked) -> Figures:
    """All parts as tasks of one process, on PostgreSQL and NATS."""
    with postgres_server() as postgres, nats_server(alone=False) as nats_at:
        migrated(postgres.url)
        return one_process(asked, postgres.url, lambda: NatsBus(NatsSettings(url=nats_at.url)))


async def raw_publish(url: str) -> float:
    """Median seconds of one message of a ballot's size to NATS and back, by nats-py alone."""
    client = await nats.connect(url)
    taken, arrived = [], asyncio.Semaphore(0)

    async def hear(_message: object) -> None:
        arrived.release()

    await client.subscribe("raw", cb=hear)
    for _ in range(RAW):
        begin = time.perf_counter()
        await client.publish("raw", bytes(BALLOT_BYTES))
        await arrived.acquire()
        taken.append(time.perf_counter() - begin)
    await client.close()
    return float(np.median(taken))


def raw_fsync() -> float:
    """Median seconds of writing and syncing as many bytes as a ballot has."""
    taken = []
    with tempfile.NamedTemporaryFile() as file:
        for _ in range(RAW):
            begin = time.perf_counter()
            file.write(bytes(BALLOT_BYTES))
            file.flush()
            os.fdatasync(file.fileno())
            taken.append(time.perf_counter() - begin)
    return float(np.median(taken))


def rows(asked: Asked) -> list[Row]:
    """Latency and throughput, with processes and in one process."""
    fsync = raw_fsync() * 1e3
    on_servers, publish = processes(asked)
    served = f"raw fsync {fsync:.2f} ms, raw publish {publish * 1e3:.2f} ms"
    bare = commit_seconds(min(asked.seconds, BARE_SECONDS), asked.rate)
    made = told(on_servers, "processes on PostgreSQL and NATS", served, fsync, wished=True)
    made.append(beside_bare(on_servers, bare))
    made += told(one_process_on_servers(asked), "one process on PostgreSQL and NATS", served, fsync, wished=True)
    return made + told(one_process(asked), "embedded on SQLite", f"raw fsync {fsync:.2f} ms", fsync)


def told(figures: Figures, where: str, bound: str, fsync_ms: float, *, wished: bool = False) -> list[Row]:
    """The rows of one way of running.

    :param wished: whether the targets are of this one.
    """
    rate, most = f"at {figures.asked:g}/s, {where}", P50_MS if wished else None
    return [
        timed(f"proposal to commit {rate}", figures.committed, bound, fsync_ms, most),
        timed(f"proposal to entry read and verified {rate}", figures.seconds, bound, fsync_ms),
        Row(
            name=f"{figures.at_once:,} proposals at once, {where}",
            ours=f"{figures.burst:,.0f} per s",
            peer=bound,
            value=figures.burst,
            target=f">= {BURST_PER_SECOND:,} per s" if wished else "",
            reached=figures.burst >= BURST_PER_SECOND if wished else None,
            figures={"per_second": figures.burst},
        ),
    ]


def beside_bare(figures: Figures, bare: Sequence[float]) -> Row:
    """How many times longer processes take than the bare quorum.

    :param bare: seconds of each of its proposals.
    """
    ratio = ms(figures.committed, 50) / ms(bare, 50)
    return Row(
        name=f"the same at {figures.asked:g}/s, beside a bare quorum",
        ours=f"{ratio:.2f} x at P50",
        peer=f"bare P50 {ms(bare, 50):.1f} ms, P99 {ms(bare, 99):.1f} ms",
        value=ratio,
        figures={"ratio": ratio, "bare_p50_ms": ms(bare, 50), "bare_p99_ms": ms(bare, 99), "proposals": len(bare)},
    )


def timed(name: str, seconds: Sequence[float], bound: str, fsync_ms: float, most: float | None = None) -> Row:
    """The row of some times.

    :param most: milliseconds that the median should stay below; None: nothing is wished for.
    """
    p50, p99 = ms(seconds, 50), ms(seconds, 99)
    return Row(
        name=name,
        ours=f"P50 {p50:.1f} ms, P99 {p99:.1f} ms",
        peer=bound,
        value=p50,
        target="" if most is None else f"P50 < {most:g} ms, never above {NEVER_MS:g}",
        reached=None if most is None else p50 < most,
        figures={"p50_ms": p50, "p99_ms": p99, "proposals": len(seconds), "fsync_ms": fsync_ms},
    )


def _say(line: str) -> None:
    print(line, file=sys.stderr)


def main() -> int:
    """The rows of this script."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition(":")[0])
    parser.add_argument("--seconds", type=float, default=60.0, help="at a steady rate (60)")
    parser.add_argument("--rate", type=float, default=100.0, help="proposals a second (100)")
    parser.add_argument("--burst", type=int, default=10_000, help="proposals at once (10000)")
    parser.add_argument("--json", action="store_true", help="print JSON")
    given = parser.parse_args()
    show(rows(Asked(given.seconds, given.rate, given.burst)), as_json=given.json)
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""Operations on signal agents: what they say over a history, bar by bar or as columns, in integers."""

from __future__ import annotations

import gc
import resource
import time
import tracemalloc
from typing import TYPE_CHECKING, Any

import numpy as np

from coinswarm.contracts import ColumnarAgent
from coinswarm.domain.action import ActionColumns
from coinswarm.domain.market import Bars, MarketState
from coinswarm_testkit.replay import decided, said, table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from coinswarm.contracts import SignalAgent
    from coinswarm_testkit.replay import Table
    from coinswarm_testkit.worker.place import Place

ARRAYS = ("open_ns", "open", "high", "low", "close", "volume")


def facts(place: Place) -> dict[str, Any]:
    """Whether it writes columns, and its own warm-up."""
    agent = place.new()
    return {"columnar": isinstance(agent, ColumnarAgent), "warm_up": int(agent.warm_up())}


def said_over(place: Place, *, bars: Bars) -> Table:
    """What core makes of a fresh agent over a whole history: int64[n, 6]."""
    return said(place.new(), bars)


def said_over_all(place: Place, *, histories: Sequence[Bars]) -> list[Table]:
    """The same over several histories, a fresh agent for each."""
    return [said(place.new(), bars) for bars in histories]


def last_said(place: Place, *, bars: Bars) -> list[int]:
    """What a fresh agent says at the last of the bars."""
    row: list[int] = said(place.new(), bars)[-1].tolist()
    return row


def decided_over(place: Place, *, bars: Bars, key: str = "", begin: int = 0, end: int | None = None) -> Table:
    """What ``decide`` answers at each of ``bars[begin:end]``, of the agent under ``key`` or a fresh one."""
    return decided(_agent(place, key), bars, begin=begin, end=end)


def decided_at(place: Place, *, bars: Bars, key: str = "") -> Table:
    """What ``decide`` answers at the last of the bars, which end there: int64[1, 6]."""
    action = _agent(place, key).decide(MarketState.at(bars, len(bars) - 1))
    return table(ActionColumns.from_actions(bars.instrument, [action]))


def changed_bars(place: Place, *, bars: Bars) -> list[str]:
    """Which arrays of the bars a fresh agent changed in ``decide_all`` and in ``decide``, even behind their lock."""
    arrays = [np.array(getattr(bars, name)) for name in ARRAYS]
    before = [array.tobytes() for array in arrays]
    times, opened, high, low, close, volume = arrays
    shown = Bars(bars.instrument, bars.length_ns, times, opened, high, low, close, volume)
    agent = place.new()
    said(agent, shown)
    decided(agent, shown, begin=len(shown) - 3)
    return [name for name, array, old in zip(ARRAYS, arrays, before, strict=True) if array.tobytes() != old]


def memory(place: Place, *, bars: Bars, begin: int, every: int) -> dict[str, list[int]]:
    """What deciding on bar after bar leaves behind: bytes held, and bytes of the snapshot, every so many bars.

    The agent sees a window that moves, as in a session that forgets old bars, so that what grows is its own.

    :param begin: bars that it needs before it decides.
    """
    window = begin + every // 2
    agent = place.new()
    held, snapshots = [], []
    tracemalloc.start()
    try:
        for row in range(begin, len(bars)):
            first = max(0, row + 1 - window)
            agent.decide(MarketState.at(bars[first : row + 1], row - first))
            if (row + 1 - begin) % every == 0:
                gc.collect()
                held.append(tracemalloc.get_traced_memory()[0])
                snapshots.append(len(agent.snapshot()))
    finally:
        tracemalloc.stop()
    return {"bytes": held, "snapshot": snapshots}


def latency(place: Place, *, bars: Bars, decisions: int, rounds: int, loop: int) -> list[tuple[list[int], list[int]]]:
    """Per round, nanoseconds that single decisions at the end of a history took, and those of loops between them.

    A decision during which another process was given the core says nothing about the agent and is left out, unless
    that befell most of them: who works for long is interrupted, who sleeps is not.
    """
    agent = place.new()
    first = len(bars) - decisions
    agent.decide(MarketState.at(bars[:first], first - 1))  # what is compiled or filled once is not timed
    found = []
    for _ in range(rounds):
        taken, loops, alone = [], [], []
        for row in range(first, len(bars)):
            state = MarketState.at(bars, row)
            interrupted = _interruptions()
            begin = time.perf_counter_ns()
            agent.decide(state)
            middle = time.perf_counter_ns()
            if _interruptions() == interrupted:
                alone.append(middle - begin)
            sum(range(loop))  # in C: a tracer in this process makes it no longer
            taken.append(middle - begin)
            loops.append(time.perf_counter_ns() - middle)
        found.append((alone if 2 * len(alone) >= len(taken) else taken, loops))
    return found


def _interruptions() -> int:
    """How often the core was taken from this thread so far (from the process, where threads are not told apart)."""
    return resource.getrusage(getattr(resource, "RUSAGE_THREAD", resource.RUSAGE_SELF)).ru_nivcsw


def _agent(place: Place, key: str) -> SignalAgent:
    """The agent under a key, or a fresh one."""
    agent: SignalAgent = place.objects[key] if key else place.new()
    return agent


OPERATIONS = {
    "facts": facts,
    "said": said_over,
    "said_all": said_over_all,
    "last": last_said,
    "decided": decided_over,
    "decided_at": decided_at,
    "changed_bars": changed_bars,
    "memory": memory,
    "latency": latency,
}

"""A trading session: a feed and the session loop in one task group.

On paper the feed is a recording, the clock is simulated, and the broker is the reference exchange; the
session is the one that backtests run, so a replay of a file gives its backtest's order hash.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import anyio

from coinswarm.backtest.rundir import check_writable
from coinswarm.clock import SimulatedClock
from coinswarm.config.profile import demand_text
from coinswarm.engine.steps import Session, timeline
from coinswarm.errors import NotReadyError, ProfileError, UnknownNameError, nearest
from coinswarm.runtime.admission import live_refusals_of
from coinswarm.runtime.assembly import Assembled, Given, assemble
from coinswarm.runtime.runs import finish, heard, quiet, recalling
from coinswarm.runtime.trials import UNASKED, note_trial

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream

    from coinswarm.config.profile import Profile
    from coinswarm.engine.memory import RunMemory
    from coinswarm.engine.result import RunResult
    from coinswarm.engine.steps import Moment
    from coinswarm.runtime.runs import Finished, Say
    from coinswarm.runtime.trials import TrialRegistry

BATCH = 512
"""Moments per message from the feed: a queue hop costs as much as a bar."""

TOLD = 5
"""Lines of trouble, from the beginning and from the end of a session, that its summary repeats."""

LIVE_NEEDS = (
    "a broker that reaches a venue: no plugin with one is installed (drivers.broker)",
    "an order journal that survives a crash, and reconciliation with the venue at start",
    "the HALT file and the kill switch",
    "a feed of live market data",
)
"""What stands between this version and real money, whatever is seated."""


def match_recordings(profile: Profile, given: Sequence[str]) -> dict[str, Path]:
    """``FILE`` or ``SYMBOL=FILE`` as typed, to a file per symbol.

    :raises UnknownNameError: for a symbol that the profile does not trade.
    :raises ProfileError: for a bare file where the profile trades several instruments, and for a name that is no text.
    """
    symbols = profile.symbols
    files: dict[str, Path] = {}
    for text in given:
        symbol, equals, name = text.partition("=")
        if not equals or "/" not in symbol or Path(text).exists():
            if len(symbols) > 1:
                message = (
                    f"--replay {text} does not say whose bars it holds, and the profile trades {', '.join(symbols)}"
                )
                raise ProfileError(message, remedy=f"write --replay {symbols[0]}={text}")
            symbol, name = symbols[0], text
        if symbol not in symbols:
            message = f"--replay {text}: the profile does not trade {symbol!r}"
            raise UnknownNameError(message, remedy=nearest(symbol, symbols))
        if symbol in files:
            message = f"--replay gives {symbol} twice ({files[symbol]} and {name})"
            raise ProfileError(message, remedy="give one file per symbol")
        demand_text("recording", Path(name))
        files[symbol] = Path(name)
    return files


def trade(  # noqa: PLR0913 - what a session is asked for
    profile: Profile,
    *,
    label: str,
    recordings: Mapping[str, Path],
    runs: Path | None,
    trials: TrialRegistry | None = None,
    say: Say = quiet,
    warn: Say = quiet,
    said: Sequence[str] = (),
) -> Finished:
    """Run a session to the end of its feed.

    :param recordings: per symbol, the file to play.
    :param trials: where the session is recorded as a trial (S23): it looks at a history as a backtest does, and
        the same settings on the same days are one trial, whichever command ran them; None: nowhere.
    :param say: is told what begins after the last bar.
    :param warn: is handed a line, as it happens, of what people should know; the summary has them too.
    :param said: what the operator set beside the profile, which commands in messages repeat.
    :raises NotReadyError: for a live profile, listing all that is missing; for paper without a recording, or with
        something seated that has no silver certificate.
    """
    if profile.mode == "live":
        needs = "".join(f"\n- {need}" for need in (*LIVE_NEEDS, *live_refusals_of(profile, label, said)))
        message = f"{label}: this version of Coinswarm does not trade live; trade on paper meanwhile. It lacks{needs}"
        raise NotReadyError(message)
    if profile.mode != "paper":
        message = f"{label} has mode {profile.mode!r}"
        raise ProfileError(message, remedy='set mode = "paper", or run it with coinswarm backtest')
    bare = [i.symbol for i in profile.instruments if i.symbol not in recordings and not (i.file or i.sample)]
    if bare:
        message = f"{label} has no bars for {', '.join(bare)}: live market data is not there yet"
        raise NotReadyError(message, remedy="give a recording with --replay FILE")
    if runs is not None:
        check_writable(runs)
    plain = assemble(profile, label=label, recordings=recordings, given=Given(said=tuple(said)))
    plain.demand_silver(label)
    ready = heard(plain)
    troubles: list[str] = []

    def trouble(line: str) -> None:
        troubles.append(line)
        warn(line)

    try:
        with recalling(ready, trouble) as memory:  # outside of the loop: Ctrl-C ends what waits here
            result = anyio.run(_session, ready, memory)
            decisions = getattr(memory and memory.log, "decisions", ())
    except BaseExceptionGroup as group:  # what a task raised is what went wrong
        raise _first(group.subgroup(KeyboardInterrupt) or group) from group
    if trials is not None:
        say("counting what was tried on this history")
    tried = UNASKED if trials is None else note_trial(plain, result, trials, label=label)
    return finish(
        ready, result, runs=runs, mode="paper", engine="session", label=label, tried=tried,
        troubles=shortened(troubles), decisions=decisions, say=say,
    )  # fmt: skip


def shortened(troubles: Sequence[str]) -> list[str]:
    """The first lines and the last: a night of trouble is no summary."""
    if len(troubles) <= 2 * TOLD:
        return list(troubles)
    return [*troubles[:TOLD], f"… and {len(troubles) - 2 * TOLD:,} lines more", *troubles[-TOLD:]]


def _first(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """The first error in a group of groups."""
    error: BaseException = group
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


async def _session(ready: Assembled, memory: RunMemory | None) -> RunResult:
    """Feed and session side by side until the recording ends."""
    session, clock = Session(ready.plan, memory), SimulatedClock()
    send, receive = anyio.create_memory_object_stream[list["Moment"]](max_buffer_size=4)
    async with anyio.create_task_group() as group:
        group.start_soon(_play, ready, send)
        await _decide(session, clock, receive, ready.plan.bar_ns)
    return session.result()


async def _play(ready: Assembled, send: MemoryObjectSendStream[list[Moment]]) -> None:
    """The feed: closed bars in time order."""
    async with send:
        batch: list[Moment] = []
        for moment in timeline(ready.plan):
            batch.append(moment)
            if len(batch) == BATCH:
                await send.send(batch)
                batch = []
        if batch:
            await send.send(batch)


async def _decide(
    session: Session, clock: SimulatedClock, receive: MemoryObjectReceiveStream[list[Moment]], bar_ns: int
) -> None:
    """The session loop: move the clock to each bar's close, then decide."""
    async with receive:
        async for batch in receive:
            for t, bars in batch:
                clock.advance_to(t + bar_ns)
                session.step(t, bars)

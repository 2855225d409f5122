"""Operations on ingestors: poll them, or run their stream as core's supervisor would, and tell what came."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import io
import logging
import threading
import time
import traceback
import warnings
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import anyio

from coinswarm.domain.observation import START, Batch
from coinswarm.errors import RateLimitedError
from coinswarm_testkit.worker.place import Raised
from coinswarm_testkit.worker.sinks import BEAT_SECONDS, Basket, Clock, Pulse

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence
    from datetime import datetime

    from coinswarm.contracts import Ingestor
    from coinswarm.domain.observation import Cursor
    from coinswarm_testkit.worker.place import Place

LINGER_SECONDS = 0.1
"""How long a stream may go on after all was seen: what it says twice comes then."""

LAGGING_SECONDS = 0.5
"""The same when the last was seen and others were not, which may be lost, or late."""

ENDING_SECONDS = 3.0
"""How long a cancelled call is waited for: three times what it may take."""

CLOSING_SECONDS = 2.0
"""How long what is being closed may take: connections end on both sides."""


def _raised(error: BaseException) -> list[Any]:
    """What was raised, with the seconds that it asks for."""
    said = Raised.of(error)
    return [said.kind, said.text, list(said.bases), error.seconds if isinstance(error, RateLimitedError) else None]


def fetched(  # noqa: PLR0913 - what a run of polls depends on
    place: Place,
    *,
    cursor: Cursor,
    calls: int,
    now: datetime,
    further: int = 2,
    fresh: Mapping[str, Any] | None = None,
    key: str = "it",
) -> dict[str, Any]:
    """Poll from a cursor until there is nothing more.

    :param calls: at most.
    :param further: polls after the first that brings nothing.
    :param fresh: settings of a fresh object for every call; None for the one under ``key``.
    """
    clock = Clock(now)
    batches: list[Batch] = []
    raised: list[list[Any]] = []

    async def poll() -> None:
        at, left = cursor, further
        for _ in range(calls):
            it: Ingestor = place.objects[key] if fresh is None else place.new(fresh)
            try:
                batch = await it.fetch(at, clock.now)
            except Exception as error:  # noqa: BLE001 - what it raises is the answer
                raised.append(_raised(error))
                continue
            batches.append(batch)
            at = batch.cursor
            if not batch.observations and not batch.more:
                left -= 1
                if left < 0:
                    return

    pulse = Pulse()
    place.wait(partial(pulse.during, poll))
    return {
        "batches": batches,
        "raised": raised,
        "first": clock.first,
        "last": clock.last,
        "held": pulse.longest,
    }


def idle(place: Place, *, seconds: float) -> float:
    """For how long, at the longest, a busy machine holds up an event loop in which nothing is done."""
    pulse = Pulse()
    place.wait(partial(pulse.during, partial(anyio.sleep, seconds)))
    return pulse.longest


def streamed(  # noqa: PLR0913 - what a run of a stream depends on
    place: Place,
    *,
    cursor: Cursor,
    until: int,
    last: Sequence[str],
    patience: float,
    restarts: int,
    now: datetime,
    fresh: Mapping[str, Any] | None = None,
    behind: float = 0.0,
    refusing: bool = False,
    key: str = "it",
) -> dict[str, Any]:
    """Run a stream until so many different observations have come, starting it again when it raises.

    :param last: identity of the observation after which there is no other.
    :param patience: seconds in all.
    :param restarts: how often it is started again at most.
    :param fresh: settings of a fresh object for every start; None for the one under ``key``.
    :param behind, refusing: how the sink is (``Basket``).
    """
    clock = Clock(now)
    raised: list[list[Any]] = []

    async def supervised() -> list[Batch]:
        basket = Basket(cursor, clock, until, last, behind=behind, refusing=refusing)
        with anyio.move_on_after(patience):
            for _ in range(restarts + 1):
                it: Ingestor = place.objects[key] if fresh is None else place.new(fresh)
                error = await _one_run(it, basket)
                if error is None:
                    break
                raised.append(error)
                if basket.full:
                    break
        return basket.batches

    pulse = Pulse()
    batches = place.wait(partial(pulse.during, supervised))
    return {
        "batches": batches,
        "raised": raised,
        "first": clock.first,
        "last": clock.last,
        "held": pulse.longest,
    }


async def _one_run(it: Ingestor, basket: Basket) -> list[Any] | None:
    """Run a stream until the basket is full; what it raised, if it did."""
    ended: list[list[Any]] = []

    async def run() -> None:
        try:
            await it.stream(basket)
            ended.append(["Returned", "stream() returned before it was cancelled", [], None])
        except Exception as error:  # noqa: BLE001 - what it raises is the answer
            ended.append(_raised(error))
        basket.wake.set()

    async with anyio.create_task_group() as group:
        group.start_soon(run)
        await basket.wake.wait()
        if not ended:
            await anyio.sleep(LINGER_SECONDS if basket.whole else LAGGING_SECONDS)
        group.cancel_scope.cancel()
    basket.wake = anyio.Event()
    return ended[0] if ended else None


def begun(place: Place, *, cursor: Cursor, streaming: bool, now: datetime, key: str = "it") -> int:
    """Begin a call that ``ended`` cancels; how many tasks the event loop had before."""
    it: Ingestor = place.objects[key]
    clock = Clock(now)
    over = threading.Event()
    how: list[Any] = []

    async def count() -> int:
        return len(asyncio.all_tasks())

    async def run() -> None:
        try:
            await (it.stream(Basket(cursor, clock, 1 << 30)) if streaming else it.fetch(cursor, clock.now))
            how.append("it returned")
        except Exception as error:  # noqa: BLE001 - what it raises is the answer
            how.append(f"it raised {Raised.of(error)}")
        except BaseException:
            how.append("it was cancelled")
            raise
        finally:
            how.append(time.monotonic())
            over.set()

    tasks: int = place.wait(count)
    place.objects["begun"] = (place.start(run), over, how)
    return tasks


def ended(place: Place) -> dict[str, Any]:
    """Cancel what was begun: seconds until it ended, how, and how many tasks the event loop has then."""
    future, over, how = place.objects.pop("begun")
    begin = time.monotonic()
    early = over.is_set()
    future.cancel()
    over.wait(ENDING_SECONDS)

    if not over.is_set():
        return {"seconds": ENDING_SECONDS, "how": "it goes on", "tasks": 0}
    tasks: int = place.wait(_tasks)
    return {"seconds": max(0.0, how[1] - begin), "how": f"{how[0]} before" if early else how[0], "tasks": tasks}


def left(place: Place, *, most: Mapping[str, int] | None = None) -> dict[str, int]:
    """How many tasks, threads and open files and connections there are between calls.

    :param most: what there may be; is waited for, a little.
    """
    until = time.monotonic() + CLOSING_SECONDS
    while True:
        gc.collect()
        found = {"tasks": place.wait(_tasks), "threads": threading.active_count(), "files": _files()}
        if most is None or time.monotonic() > until or all(found[name] <= most[name] for name in found):
            return found
        time.sleep(BEAT_SECONDS)


async def _tasks() -> int:
    """How many tasks the event loop has, once what ends has ended."""
    for _ in range(3):
        await anyio.lowlevel.checkpoint()
    return len(asyncio.all_tasks())


def _files() -> int:
    """How many files and connections the process has open; 0 where it cannot be told."""
    folders = (Path(name) for name in ("/proc/self/fd", "/dev/fd"))
    return next((sum(1 for _ in folder.iterdir()) for folder in folders if folder.is_dir()), 0)


class _Listener(logging.Handler):
    """Keeps every record as a formatter would write it, exceptions too."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.texts: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep one."""
        self.texts.append(logging.Formatter("%(name)s %(message)s").format(record))
        self.texts.append(repr(record.args))


def leaks(
    place: Place, *, secrets: Sequence[str], run: str, arguments: Mapping[str, Any], key: str = "it"
) -> list[str]:
    """Where a secret can be read after a run: logs, prints, warnings, errors, texts of the object, what it saw.

    :param secrets: its spellings.
    """
    it: Ingestor = place.objects[key]
    listener, printed = _Listener(), io.StringIO()
    root = logging.getLogger()
    level = root.level
    root.addHandler(listener)
    root.setLevel(logging.DEBUG)
    shown: dict[str, str] = {}
    try:
        with (
            contextlib.redirect_stdout(printed),
            contextlib.redirect_stderr(printed),
            warnings.catch_warnings(record=True) as warned,
        ):
            warnings.simplefilter("always")
            place.wait(partial(_told, it, run, arguments, shown))
    finally:
        root.removeHandler(listener)
        root.setLevel(level)
    shown["what it logs"] = "\n".join(listener.texts)
    shown["what it prints"] = printed.getvalue()
    shown["a warning"] = "\n".join(str(one.message) for one in warned)
    shown["its repr"] = f"{it!r} {it!s}"
    shown["get_config"] = repr(it.get_config())
    return [where for where, text in shown.items() if any(secret in text for secret in secrets)]


async def _told(it: Ingestor, run: str, arguments: Mapping[str, Any], shown: dict[str, str]) -> None:
    """Run it, and note what it says in errors, observations, cursors and health."""
    clock = Clock(arguments["now"])
    at, seen, errors = START, [], []
    call: Callable[[], Awaitable[Any]]
    for _ in range(arguments["calls"]):
        basket = Basket(at, clock, arguments["until"])
        call = partial(_one_stream, it, basket) if run == "stream" else partial(it.fetch, at, clock.now)
        try:
            with anyio.move_on_after(arguments["patience"]):
                answer = await call()
                seen.append(repr(answer))
                at = answer.cursor if isinstance(answer, Batch) else basket.cursor
        except Exception as error:  # noqa: BLE001 - its words are what is looked at
            errors.append("".join(traceback.format_exception(error)) + (getattr(error, "remedy", "") or ""))
        seen.append(repr(basket.batches))
        if basket.full:
            break
    shown["an error"] = "\n".join(errors)
    shown["what it saw, or its cursor"] = "\n".join(seen)
    shown["its health"] = repr(await it.health())


async def _one_stream(it: Ingestor, basket: Basket) -> None:
    """Run a stream until the basket is full, or raise what it raises."""
    async with anyio.create_task_group() as group:

        async def wait() -> None:
            await basket.wake.wait()
            group.cancel_scope.cancel()

        group.start_soon(wait)
        await it.stream(basket)
        group.cancel_scope.cancel()


def health(place: Place, *, key: str = "it") -> Any:  # noqa: ANN401 - a Health, or whatever it says
    """What it says of itself."""
    return place.wait(place.objects[key].health)


OPERATIONS = {
    "fetched": fetched,
    "streamed": streamed,
    "idle": idle,
    "begun": begun,
    "ended": ended,
    "left": left,
    "leaks": leaks,
    "health": health,
}

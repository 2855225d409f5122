"""Operations on ingestors: poll them, or run their stream as core's supervisor would, and tell what came."""

from __future__ import annotations

import asyncio
import contextlib
import io
import logging
import threading
import time
import traceback
import warnings
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

import anyio

from coinswarm.contracts import Sink
from coinswarm.domain.observation import START, Batch, Cursor
from coinswarm.errors import RateLimitedError
from coinswarm_testkit.worker.place import Raised

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence
    from datetime import datetime

    from coinswarm.contracts import Ingestor
    from coinswarm_testkit.worker.place import Place

LINGER_SECONDS = 0.1
"""How long a stream may go on after all was seen: what it says twice comes then."""

LAGGING_SECONDS = 0.5
"""The same when the last was seen and others were not, which may be lost, or late."""

ENDING_SECONDS = 3.0
"""How long a cancelled call is waited for: three times what it may take."""

SOON = timedelta(microseconds=1)


class Clock:
    """A clock that moves with every look at it, far from the wall's."""

    def __init__(self, start: datetime) -> None:
        self.first = self.last = start

    def now(self) -> datetime:
        """Another time at every call."""
        self.last += SOON
        return self.last


class Basket(Sink):
    """Takes everything, and says when it has enough.

    :param until: how many different observations are enough.
    :param last: identity of the one after which there is no other.
    """

    def __init__(self, cursor: Cursor, clock: Clock, until: int, last: Sequence[str] = ()) -> None:
        self._cursor, self._clock, self._until, self._last = cursor, clock, until, tuple(last)
        self._identities: set[tuple[str, ...]] = set()
        self.batches: list[Batch] = []
        self.wake = anyio.Event()

    @property
    def cursor(self) -> Cursor:
        """Of the last batch."""
        return self._cursor

    @property
    def full(self) -> bool:
        """Whether it has enough."""
        return self.whole or self._last in self._identities

    @property
    def whole(self) -> bool:
        """Whether it has all."""
        return len(self._identities) >= self._until

    def now(self) -> datetime:
        """The clock's time."""
        return self._clock.now()

    async def put(self, batch: Batch) -> None:
        """Take a batch."""
        await anyio.lowlevel.checkpoint()
        self.batches.append(batch)
        self._cursor = batch.cursor
        self._identities.update(one.identity for one in batch.observations)
        if self.full:
            self.wake.set()


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

    place.wait(poll)
    return {"batches": batches, "raised": raised, "first": clock.first, "last": clock.last}


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
    key: str = "it",
) -> dict[str, Any]:
    """Run a stream until so many different observations have come, starting it again when it raises.

    :param last: identity of the observation after which there is no other.
    :param patience: seconds in all.
    :param restarts: how often it is started again at most.
    :param fresh: settings of a fresh object for every start; None for the one under ``key``.
    """
    clock = Clock(now)
    raised: list[list[Any]] = []

    async def supervised() -> list[Batch]:
        basket = Basket(cursor, clock, until, last)
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

    batches = place.wait(supervised)
    return {"batches": batches, "raised": raised, "first": clock.first, "last": clock.last}


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

    async def count() -> int:
        for _ in range(3):
            await anyio.lowlevel.checkpoint()
        return len(asyncio.all_tasks())

    if not over.is_set():
        return {"seconds": ENDING_SECONDS, "how": "it goes on", "tasks": 0}
    tasks: int = place.wait(count)
    return {"seconds": max(0.0, how[1] - begin), "how": f"{how[0]} before" if early else how[0], "tasks": tasks}


class _Listener(logging.Handler):
    """Keeps every record as a formatter would write it, exceptions too."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.texts: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep one."""
        self.texts.append(logging.Formatter("%(name)s %(message)s").format(record))
        self.texts.append(repr(record.args))


def leaks(place: Place, *, secret: str, run: str, arguments: Mapping[str, Any], key: str = "it") -> list[str]:
    """Where a secret can be read after a run: logs, prints, warnings, errors, texts of the object, what it saw."""
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
    return [where for where, text in shown.items() if secret in text]


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
    "begun": begun,
    "ended": ended,
    "leaks": leaks,
    "health": health,
}

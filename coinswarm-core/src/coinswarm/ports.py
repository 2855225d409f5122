"""What drivers do: brokers, buses, stores and embedders, of which a profile names one each.

A driver is constructed as ``Driver(settings)``, or ``Driver()`` when its declaration names no settings, which does no
I/O. It is used inside ``async with driver:`` only, which opens it, and ends whatever it started when it is left; a
driver that was left is not opened again. All methods are coroutines of one anyio event loop, may be called
concurrently, and may be cancelled at any await: what was not answered may or may not have been done.

Errors, beside those that a method names: ``UnreachableError`` (the other side cannot be reached; nothing was done),
``AmbiguousError`` (it was asked and did not answer; it may or may not have been done), ``RateLimitedError`` (refused
for now), all ``RetryableError``; ``NotReadyError`` for use outside ``async with``; ``OperatorError`` for credentials
that are refused. No other error is retried. No message and no ``repr`` holds a secret.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence
    from datetime import datetime
    from types import TracebackType

    import numpy as np

    from coinswarm.domain.health import Health
    from coinswarm.domain.observation import Cursor
    from coinswarm.domain.order import RiskApproved
    from coinswarm.domain.stored import Message, Point, Record
    from coinswarm.domain.trading import AccountReport, FillReport, OrderReport, Ticket

    Vectors = np.ndarray[tuple[int, int], np.dtype[np.float32]]
    OnReport = Callable[[OrderReport | FillReport], Awaitable[None]]
    OnMessage = Callable[[Message], Awaitable[None]]
    OnError = Callable[[Exception], None]

MAX_MESSAGE = 1 << 20
"""Most bytes of one message on a bus."""


class Driver(ABC):
    """What every driver has."""

    @abstractmethod
    async def __aenter__(self) -> Self:
        """Open it.

        :raises UnreachableError: when the other side cannot be reached.
        :raises OperatorError: when it refuses the credentials, or is none that can be used.
        """

    @abstractmethod
    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close it: what was accepted before is done first, within a bounded time; after an error at once.

        It is closed also when that is cancelled, and an error goes on as it was: in no group.
        """

    @abstractmethod
    async def health(self) -> Health:
        """How it is doing; raises nothing for what is wrong with the other side."""


class Broker(Driver):
    """An account at one venue. The venue is the truth; the broker keeps none of its own.

    Not promised: that an order seen in ``open_orders`` is still open; that ``watch`` brings everything.
    """

    @abstractmethod
    async def submit(self, order: RiskApproved[Ticket]) -> OrderReport:
        """Send an order, at most once: the client id is the venue's idempotency key, or is looked up before.

        Sending the same ticket again, also from another process, answers with the order of that id and trades nothing.
        A refusal by the venue is an answer (``REJECTED``), not an error. Never retried inside.

        :raises AmbiguousError: when the venue may have it: ask ``order`` until it answers.
        :raises UnreachableError: when the venue cannot have it.
        :raises InvariantError: when the venue has another order under this client id.
        """

    @abstractmethod
    async def cancel(self, client_id: str, symbol: str) -> OrderReport | None:
        """Ask for an order's end, and answer with how it then stands: it may have been filled meanwhile.

        Cancelling again is no error. None only when the venue says that it has no such order.
        """

    @abstractmethod
    async def order(self, client_id: str, symbol: str) -> OrderReport | None:
        """How an order stands, working or over. None only when the venue says that it has no such order.

        Whether orders that are over are found after the venue's own time of keeping is not promised.
        """

    @abstractmethod
    async def open_orders(self) -> Sequence[OrderReport]:
        """Every working order of the account, ours or not, sorted by venue id. Never a part of them."""

    @abstractmethod
    async def fills(self, after: Cursor) -> tuple[Sequence[FillReport], Cursor]:
        """Fills of the account after a cursor, oldest first, and where to go on; nothing when there are none.

        Reading on from the cursor returned skips no fill and repeats none, in another process too.
        """

    @abstractmethod
    async def account(self) -> AccountReport:
        """Balances and rights."""

    @abstractmethod
    async def watch(self, tell: OnReport) -> None:
        """Tell what happens to orders as the venue pushes it, until cancelled.

        Each at least once, and an order's own reports in order while the connection lives. What happened while there
        was none is not told: read ``fills`` and ``open_orders`` after each start.

        :raises RetryableError: when the connection is lost; call it again.
        """


class Subscription(ABC):
    """One subscription to a bus."""

    @abstractmethod
    async def unsubscribe(self) -> None:
        """End it: after this returns its handler is not called any more. Again is no error."""


class MessageBus(Driver):
    """Carries messages between parts of a swarm. It notifies; whatever must not be lost is in a log.

    Promised: to each subscriber, messages of one publisher on one subject arrive at most once, and in order within one
    connection; a subscription counts from when ``subscribe`` returned; a message on a queue group goes to one member.
    Not promised: delivery while a subscriber, or the connection, is away, and to one that falls more than its limit
    behind (told to ``on_error``); order across publishers or subjects, or across connections: what is on its way when
    one is lost may arrive after what was published over the next; fairness within a group.

    A lost connection is made again with growing pauses, its subscriptions with it; meanwhile ``publish`` raises
    ``UnreachableError``. Patterns: ``*`` is one word, a last ``>`` one or more.
    """

    @abstractmethod
    def on_error(self, tell: OnError) -> None:
        """Have errors told that no caller can be told: a handler that raised, a slow subscriber, a lost connection.

        Several may be registered; what one of them raises is dropped.
        """

    @abstractmethod
    async def publish(self, subject: str, data: bytes, *, reply: str = "") -> None:
        """Send a message; it is on its way when this returns, no more.

        :raises ValueError: for a subject that is none (also a pattern), or more than ``MAX_MESSAGE`` bytes.
        """

    @abstractmethod
    async def publish_batch(self, messages: Sequence[Message]) -> None:
        """Send messages in order, and return when the server has all of them.

        :raises ValueError: as ``publish``; none of them is sent then.
        """

    @abstractmethod
    async def subscribe(self, pattern: str, handler: OnMessage, *, group: str = "") -> Subscription:
        """Have messages handled, one at a time, in order.

        :param group: queue group that shares the messages; empty for every message.
        :raises ValueError: for a pattern or group that is none.
        """

    @abstractmethod
    async def request(self, subject: str, data: bytes, *, seconds: float) -> Message:
        """Send a message and wait for the first answer to it.

        :param seconds: how long at most.
        :raises UnreachableError: when nobody is subscribed to the subject.
        :raises AmbiguousError: when no answer came in time.
        """


class TimeSeriesStore(Driver):
    """Points by series, tags and time.

    What ``write`` returned for is durable. Not promised: that all points of a failed ``write`` are missing.
    """

    @abstractmethod
    async def write(self, points: Sequence[Point]) -> None:
        """Keep points; one of the same identity replaces the older one.

        :raises ValueError: for a point without values, a time that is not aware UTC, a number that is not finite or
            beyond 64 bits, an empty series; nothing is kept then.
        """

    @abstractmethod
    async def read(  # noqa: PLR0913 - each argument narrows what is read
        self,
        series: str,
        *,
        begin: datetime,
        end: datetime,
        tags: Mapping[str, str] | None = None,
        limit: int = 10_000,
        after: Cursor | None = None,
    ) -> tuple[Sequence[Point], Cursor | None]:
        """Points with ``begin <= time < end``, by time, then tags and key, and where to go on.

        Values come back in the type in which they were written.

        :param tags: only points that have all of these.
        :param limit: most points at once; at least 1.
        :param after: what an earlier call with the same arguments returned.
        :returns: the cursor is None at the end.
        """

    @abstractmethod
    async def last(self, series: str, *, tags: Mapping[str, str] | None = None) -> Point | None:
        """The newest point (the last of its order), or None."""

    @abstractmethod
    async def delete(self, series: str, *, before: datetime) -> int:
        """Forget points older than a time; how many there were."""


class DocumentStore(Driver):
    """JSON documents by collection and id. What a method returned for is durable.

    Keys and texts are data: nothing in them is interpreted, a ``$`` or a dot no more than a letter.
    """

    @abstractmethod
    async def put(self, collection: str, records: Sequence[Record]) -> int:
        """Keep documents; one of the same id replaces the older one. All or none.

        :returns: how many ids were new.
        :raises ValueError: for a body that is no JSON of the allowed types, a text with NUL in it (which not
            every store holds), a time that is not aware UTC, an empty id.
        """

    @abstractmethod
    async def get(self, collection: str, key: str) -> Record | None:
        """The document of that id, equal to what was put; or None."""

    @abstractmethod
    async def find(  # noqa: PLR0913 - each argument narrows what is found
        self,
        collection: str,
        *,
        begin: datetime | None = None,
        end: datetime | None = None,
        where: Mapping[str, Any] | None = None,
        limit: int = 1_000,
        newest: bool = False,
        after: Cursor | None = None,
    ) -> tuple[Sequence[Record], Cursor | None]:
        """Documents with ``begin <= time < end``, by time and id, and where to go on.

        :param where: top-level keys of the body, and the text, number, boolean or None they must equal (1 is 1.0, and
            no boolean).
        :param newest: the newest first.
        :param after: what an earlier call with the same arguments returned.
        :returns: the cursor is None at the end.
        """

    @abstractmethod
    async def delete(self, collection: str, keys: Sequence[str]) -> int:
        """Forget documents; how many there were."""


class Embedder(Driver):
    """Turns texts into vectors. The same text gives the same vector in every process with the same ``version``."""

    @property
    @abstractmethod
    def dimension(self) -> int:
        """Length of its vectors."""

    @property
    @abstractmethod
    def version(self) -> str:
        """Names model and settings: vectors of different versions are never compared."""

    @abstractmethod
    async def embed(self, texts: Sequence[str]) -> Vectors:
        """One row for each text, in order, each of length 1: float32[n, dimension], finite.

        Takes any text, the empty one too; how much of a long one counts is the model's affair. A row does not depend
        on the texts beside it, but for the last bits.
        """

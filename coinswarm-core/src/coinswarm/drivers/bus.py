"""The bus ``local``: messages within one process, delivered by one task for each subscription."""

from __future__ import annotations

import re
from collections import deque
from itertools import count
from typing import TYPE_CHECKING, Self

import anyio
import anyio.lowlevel

from coinswarm.domain.health import Condition, Health
from coinswarm.domain.stored import Message
from coinswarm.errors import AmbiguousError, NotReadyError, RetryableError, UnreachableError
from coinswarm.ports import MAX_MESSAGE, MessageBus, Subscription

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import TracebackType

    from anyio.abc import TaskGroup

    from coinswarm.drivers.settings import LocalBusSettings
    from coinswarm.ports import OnError, OnMessage

_WORD = r"[A-Za-z0-9_-]+"
_SUBJECT = re.compile(rf"{_WORD}(\.{_WORD})*")
_PATTERN = re.compile(rf"(({_WORD}|\*)\.)*({_WORD}|\*|>)")


class _LocalSubscription(Subscription):
    """One subscription and what is pending for it."""

    def __init__(self, bus: LocalBus, pattern: str, handler: OnMessage, group: str) -> None:
        self.words = pattern.split(".")
        self.pattern, self.group = pattern, group
        self.over = False
        self._bus, self._handler = bus, handler
        self._pending: deque[Message] = deque()
        self._wake, self._idle = anyio.Event(), anyio.Event()
        self._behind = False

    def hears(self, words: list[str]) -> bool:
        """Whether its pattern covers a subject's words."""
        if self.words[-1] == ">":
            if len(words) < len(self.words):
                return False
        elif len(words) != len(self.words):
            return False
        return all(mine in {"*", ">", theirs} for mine, theirs in zip(self.words, words, strict=False))

    def take(self, message: Message, limit: int) -> None:
        """Queue a message, or drop it when too many are pending."""
        if len(self._pending) >= limit:
            if not self._behind:
                self._behind = True
                text = f"the subscription to {self.pattern!r} is {limit} messages behind: those that follow are dropped"
                self._bus.tell(RetryableError(text))
            return
        self._behind = False
        self._pending.append(message)
        if self._idle.is_set():
            self._idle = anyio.Event()
        self._wake.set()

    async def deliver(self) -> None:
        """Handle messages, one at a time, until the subscription is over."""
        while not self.over:
            if not self._pending:
                self._idle.set()
                self._wake = anyio.Event()
                await self._wake.wait()
                continue
            message = self._pending.popleft()
            try:
                await self._handler(message)
            except Exception as error:  # noqa: BLE001 - a handler may raise anything, and the next message is due
                self._bus.tell(error)
            await anyio.lowlevel.checkpoint()

    async def drained(self) -> None:
        """Wait until nothing is pending and its handler is at rest."""
        await self._idle.wait()

    async def unsubscribe(self) -> None:
        """End it; a handler that is at work may finish."""
        await anyio.lowlevel.checkpoint()
        self.over = True
        self._bus.forget(self)
        self._pending.clear()
        self._idle.set()
        self._wake.set()


class LocalBus(MessageBus):
    """Within one process and one event loop. Nothing is lost but what a slow subscriber cannot take."""

    def __init__(self, settings: LocalBusSettings) -> None:
        self._settings = settings
        self._subscriptions: list[_LocalSubscription] = []
        self._turns: dict[str, int] = {}
        self._answers: dict[str, tuple[anyio.Event, list[Message]]] = {}
        self._numbers = count()
        self._tellers: list[OnError] = []
        self._group: TaskGroup | None = None

    async def __aenter__(self) -> Self:
        """Open it."""
        group = anyio.create_task_group()
        await group.__aenter__()
        self._group = group
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Let handlers take what is pending, for a bounded time, then end them."""
        group = self._opened()
        if error is None:
            with anyio.move_on_after(self._settings.drain_seconds):
                for subscription in list(self._subscriptions):
                    await subscription.drained()
        self._group = None
        group.cancel_scope.cancel()
        await group.__aexit__(kind, error, trace)

    async def health(self) -> Health:
        """Good while it is open."""
        await anyio.lowlevel.checkpoint()
        return Health(Condition.GOOD) if self._group is not None else Health(Condition.DOWN, "it is not open")

    def on_error(self, tell: OnError) -> None:
        """Have errors told."""
        self._tellers.append(tell)

    def tell(self, error: Exception) -> None:
        """Tell an error to everybody who asked for it."""
        for teller in self._tellers:
            try:
                teller(error)
            except Exception:  # noqa: BLE001, S112 - who listens to errors has nobody to tell his own to
                continue

    def forget(self, subscription: _LocalSubscription) -> None:
        """Deliver nothing more to a subscription."""
        if subscription in self._subscriptions:
            self._subscriptions.remove(subscription)

    async def publish(self, subject: str, data: bytes, *, reply: str = "") -> None:
        """Queue a message for everybody who listens."""
        await self.publish_batch([Message(subject, data, reply)])

    async def publish_batch(self, messages: Sequence[Message]) -> None:
        """Queue messages in order."""
        self._opened()
        for message in messages:
            _demand_sendable(message)
        for message in messages:
            await anyio.lowlevel.checkpoint()
            self._opened()
            self._send(message)

    async def subscribe(self, pattern: str, handler: OnMessage, *, group: str = "") -> Subscription:
        """Have messages handled by a task of their own."""
        tasks = self._opened()
        if not _PATTERN.fullmatch(pattern):
            message = f"{pattern!r} is no pattern: write words joined by dots, * for one word, a last > for the rest"
            raise ValueError(message)
        if group and not re.fullmatch(_WORD, group):
            message = f"{group!r} is no queue group: write letters, digits, - and _"
            raise ValueError(message)
        subscription = _LocalSubscription(self, pattern, handler, group)
        await anyio.lowlevel.checkpoint()
        self._subscriptions.append(subscription)
        tasks.start_soon(subscription.deliver)
        return subscription

    async def request(self, subject: str, data: bytes, *, seconds: float) -> Message:
        """Send a message and wait for the first answer to it."""
        self._opened()
        inbox = f"_INBOX.{next(self._numbers)}"
        message = Message(subject, data, inbox)
        _demand_sendable(message)
        arrived, answers = self._answers[inbox] = (anyio.Event(), [])
        try:
            await anyio.lowlevel.checkpoint()
            if not self._send(message):
                text = f"nobody is subscribed to {subject!r}"
                raise UnreachableError(text)
            with anyio.move_on_after(seconds):
                await arrived.wait()
        finally:
            del self._answers[inbox]
        if not answers:
            text = f"no answer on {subject!r} within {seconds:g} s"
            raise AmbiguousError(text)
        return answers[0]

    def _send(self, message: Message) -> int:
        """Queue a message; for how many."""
        if message.subject in self._answers:
            arrived, answers = self._answers[message.subject]
            answers.append(message)
            arrived.set()
            return 1
        words = message.subject.split(".")
        groups: dict[str, list[_LocalSubscription]] = {}
        heard = 0
        for subscription in self._subscriptions:
            if not subscription.hears(words):
                continue
            heard += 1
            if subscription.group:
                groups.setdefault(subscription.group, []).append(subscription)
            else:
                subscription.take(message, self._settings.pending)
        for name, members in groups.items():
            turn = self._turns.get(name, 0)
            self._turns[name] = turn + 1
            members[turn % len(members)].take(message, self._settings.pending)
        return heard

    def _opened(self) -> TaskGroup:
        """The tasks of an open bus."""
        if self._group is None:
            text = "the local bus is not open"
            raise NotReadyError(text, remedy="use it inside `async with`")
        return self._group


def _demand_sendable(message: Message) -> None:
    """Refuse what no bus carries."""
    for subject in (message.subject, *([message.reply] if message.reply else [])):
        if not _SUBJECT.fullmatch(subject):
            text = f"{subject!r} is no subject: write words of letters, digits, - and _ joined by dots"
            raise ValueError(text)
    if len(message.data) > MAX_MESSAGE:
        text = f"a message of {len(message.data)} bytes on {message.subject!r}: at most {MAX_MESSAGE} are carried"
        raise ValueError(text)

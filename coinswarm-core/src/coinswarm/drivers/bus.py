"""The bus ``local``: messages within one process, delivered by one task for each subscription."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING, Self

import anyio
import anyio.lowlevel

from coinswarm.delivery import Listeners, Mailbox, demand_pattern, demand_sendable
from coinswarm.domain.health import Condition, Health
from coinswarm.domain.stored import Message
from coinswarm.errors import AmbiguousError, NotReadyError, UnreachableError
from coinswarm.ports import MessageBus, Subscription

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import TracebackType

    from anyio.abc import TaskGroup

    from coinswarm.drivers.settings import LocalBusSettings
    from coinswarm.ports import OnError, OnMessage


class _LocalSubscription(Subscription):
    """One subscription and what is pending for it."""

    def __init__(self, bus: LocalBus, pattern: str, group: str, mailbox: Mailbox) -> None:
        self.group, self.mailbox = group, mailbox
        self._bus, self._words = bus, pattern.split(".")

    def hears(self, words: list[str]) -> bool:
        """Whether its pattern covers a subject's words."""
        if self._words[-1] == ">":
            if len(words) < len(self._words):
                return False
        elif len(words) != len(self._words):
            return False
        return all(mine in {"*", ">", theirs} for mine, theirs in zip(self._words, words, strict=False))

    async def unsubscribe(self) -> None:
        """End it; a handler that is at work may finish."""
        await anyio.lowlevel.checkpoint()
        self.mailbox.close()
        self._bus.forget(self)


class LocalBus(MessageBus):
    """Within one process and one event loop. Nothing is lost but what a slow subscriber cannot take."""

    def __init__(self, settings: LocalBusSettings) -> None:
        self._settings = settings
        self._subscriptions: list[_LocalSubscription] = []
        self._turns: dict[str, int] = {}
        self._answers: dict[str, tuple[anyio.Event, list[Message]]] = {}
        self._numbers = count()
        self._listeners = Listeners()
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
        """Let handlers take what is pending, for a bounded time, then end them. An error is not ours to wrap."""
        group = self._opened()
        try:
            if error is None:
                with anyio.move_on_after(self._settings.drain_seconds):
                    for subscription in list(self._subscriptions):
                        await subscription.mailbox.drained()
        finally:
            self._group = None
            group.cancel_scope.cancel()
            await group.__aexit__(None, None, None)

    async def health(self) -> Health:
        """Good while it is open."""
        await anyio.lowlevel.checkpoint()
        return Health(Condition.GOOD) if self._group is not None else Health(Condition.DOWN, "it is not open")

    def on_error(self, tell: OnError) -> None:
        """Have errors told."""
        self._listeners.add(tell)

    def tell(self, error: Exception) -> None:
        """Tell an error to everybody who asked for it."""
        self._listeners.tell(error)

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
        demand_sendable(messages)
        for message in messages:
            await anyio.lowlevel.checkpoint()
            self._opened()
            self._send(message)

    async def subscribe(self, pattern: str, handler: OnMessage, *, group: str = "") -> Subscription:
        """Have messages handled by a task of their own."""
        tasks = self._opened()
        demand_pattern(pattern, group)
        mailbox = Mailbox(pattern, handler, self.tell, limit=self._settings.pending)
        subscription = _LocalSubscription(self, pattern, group, mailbox)
        await anyio.lowlevel.checkpoint()
        self._subscriptions.append(subscription)
        tasks.start_soon(mailbox.deliver)
        return subscription

    async def request(self, subject: str, data: bytes, *, seconds: float) -> Message:
        """Send a message and wait for the first answer to it."""
        self._opened()
        inbox = f"_INBOX.{next(self._numbers)}"
        message = Message(subject, data, inbox)
        demand_sendable([message])
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
                subscription.mailbox.take(message)
        for name, members in groups.items():
            turn = self._turns.get(name, 0)
            self._turns[name] = turn + 1
            members[turn % len(members)].mailbox.take(message)
        return heard

    def _opened(self) -> TaskGroup:
        """The tasks of an open bus."""
        if self._group is None:
            text = "the local bus is not open"
            raise NotReadyError(text, remedy="use it inside `async with`")
        return self._group

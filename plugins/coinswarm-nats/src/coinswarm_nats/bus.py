"""The bus ``nats``: messages between processes, through NATS servers.

It keeps one connection. When that is lost a task makes it again with growing pauses, subscribes anew and only then lets
anybody use it; until then every call raises ``UnreachableError``, and nothing is kept to be sent later.
"""

from __future__ import annotations

import secrets
import ssl
from functools import partial
from itertools import cycle
from typing import TYPE_CHECKING, Self

import anyio
import anyio.lowlevel

from coinswarm.delivery import TOGETHER, Listeners, Mailbox, demand_pattern, demand_sendable
from coinswarm.domain.health import Condition, Health
from coinswarm.domain.stored import Message
from coinswarm.errors import CoinswarmError, NotReadyError, OperatorError, UnreachableError
from coinswarm.ports import MessageBus, Subscription
from coinswarm_nats.connection import Connection
from coinswarm_nats.nkey import Identity
from coinswarm_nats.pauses import pauses

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import TracebackType

    from anyio.abc import TaskGroup
    from nats.aio.subscription import Subscription as Subscribed

    from coinswarm.ports import OnError, OnMessage
    from coinswarm_nats.settings import NatsSettings

INBOX = "_INBOX"
"""First word of subjects for answers. They are the same for every swarm, so that the server can guard them."""


class _NatsSubscription(Subscription):
    """One subscription, over all connections."""

    def __init__(self, bus: NatsBus, subject: str, group: str, mailbox: Mailbox) -> None:
        self.subject, self.group, self.mailbox = subject, group, mailbox
        self.current: tuple[Connection, Subscribed] | None = None
        """What it is on the connection that lives."""
        self._bus = bus

    async def join(self, connection: Connection) -> None:
        """Subscribe on a connection."""
        self.current = (connection, await connection.subscribe(self.subject, self.group, self.take))
        if self.mailbox.over:  # ended meanwhile: else the server would go on giving it its group's share
            await self.leave()

    def take(self, subject: str, data: bytes, reply: str) -> None:
        """Queue what came, under the names that the swarm uses."""
        self.mailbox.take(Message(self._bus.inside(subject), data, self._bus.inside(reply)))

    async def leave(self, *, drain: bool = False) -> None:
        """Unsubscribe from the connection."""
        if self.current is not None:
            connection, subscribed = self.current
            await connection.end(subscribed, drain=drain)

    async def unsubscribe(self) -> None:
        """End it; a handler that is at work may finish."""
        await anyio.lowlevel.checkpoint()
        if not self.mailbox.over:
            self.mailbox.close()
            self._bus.forget(self)
            await self.leave()


class NatsBus(MessageBus):
    """Between processes. Core NATS, without its streams: what nobody hears is gone."""

    def __init__(self, settings: NatsSettings) -> None:
        self._settings = settings
        self._prefix = f"{settings.prefix}."
        self._subscriptions: list[_NatsSubscription] = []
        self._listeners = Listeners()
        self._connection: Connection | None = None
        self._identity: Identity | None = None
        self._tls: ssl.SSLContext | None = None
        self._group: TaskGroup | None = None
        self._problem = "it is not open"
        self._turns = cycle(range(TOGETHER))

    async def __aenter__(self) -> Self:
        """Connect to the first server that answers."""
        seed = self._settings.nkey_seed
        self._identity = Identity(seed.get_secret_value()) if seed is not None else None
        self._tls = _tls(self._settings)
        self._connection = await self._opened()
        group = anyio.create_task_group()
        await group.__aenter__()
        self._group, self._problem = group, ""
        group.start_soon(self._keep)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Let handlers take what the server has sent, and the server what was published; then close.

        An error of the block is not ours to wrap.
        """
        group = self._tasks()
        try:
            if error is None:
                with anyio.move_on_after(self._settings.drain_seconds):
                    await self._drain()
        finally:
            self._group, self._problem = None, "it was closed"
            group.cancel_scope.cancel()
            try:
                await group.__aexit__(None, None, None)
            finally:
                if self._connection is not None:
                    await self._connection.close()

    async def _drain(self) -> None:
        """Take what is on its way to us, and see that what we sent has arrived."""
        async with anyio.create_task_group() as group:
            for subscription in list(self._subscriptions):
                group.start_soon(partial(subscription.leave, drain=True))
        for subscription in list(self._subscriptions):
            await subscription.mailbox.drained()
        if self._connection is not None and not self._problem:
            try:
                await self._connection.flush("what was published")
            except CoinswarmError as error:
                self.tell(error)

    async def health(self) -> Health:
        """Down while there is no connection."""
        await anyio.lowlevel.checkpoint()
        return Health(Condition.DOWN, self._problem) if self._problem else Health(Condition.GOOD)

    def on_error(self, tell: OnError) -> None:
        """Have errors told."""
        self._listeners.add(tell)

    def tell(self, error: Exception) -> None:
        """Tell an error to everybody who asked for it."""
        self._listeners.tell(error)

    def forget(self, subscription: _NatsSubscription) -> None:
        """Make a subscription on no further connection."""
        if subscription in self._subscriptions:
            self._subscriptions.remove(subscription)

    def outside(self, subject: str) -> str:
        """A subject as the server knows it."""
        return subject if subject.partition(".")[0] == INBOX else f"{self._prefix}{subject}"

    def inside(self, subject: str) -> str:
        """A subject as the swarm knows it."""
        return subject.removeprefix(self._prefix)

    async def publish(self, subject: str, data: bytes, *, reply: str = "") -> None:
        """Send a message."""
        connection = self._usable()
        demand_sendable([Message(subject, data, reply)])
        if not next(self._turns):  # else who publishes without end keeps everybody else from running
            await anyio.lowlevel.checkpoint()
        connection.demand(f"a message on {subject!r}")
        await connection.publish(self.outside(subject), data, self.outside(reply) if reply else "")

    async def publish_batch(self, messages: Sequence[Message]) -> None:
        """Send messages, and wait for the server to have them."""
        connection = self._usable()
        demand_sendable(messages)
        await anyio.lowlevel.checkpoint()
        if not messages:
            return
        with connection.gathering():
            for message in messages:
                reply = self.outside(message.reply) if message.reply else ""
                await connection.publish(self.outside(message.subject), message.data, reply)
        subjects = {self.outside(message.subject) for message in messages}
        await connection.flush(f"a batch of {len(messages)} messages", *subjects)

    async def subscribe(self, pattern: str, handler: OnMessage, *, group: str = "") -> Subscription:
        """Have messages handled by a task of their own."""
        connection, tasks = self._usable(), self._tasks()
        demand_pattern(pattern, group)
        limits = {"limit": self._settings.pending, "limit_bytes": self._settings.pending_bytes}
        mailbox = Mailbox(pattern, handler, self.tell, **limits)
        subscription = _NatsSubscription(self, self.outside(pattern), group, mailbox)
        await subscription.join(connection)
        self._subscriptions.append(subscription)
        tasks.start_soon(mailbox.deliver)
        return subscription

    async def request(self, subject: str, data: bytes, *, seconds: float) -> Message:
        """Send a message and wait for the first answer to it."""
        connection = self._usable()
        demand_sendable([Message(subject, data)])
        answer = await connection.request(self.outside(subject), data, seconds)
        return Message(self.inside(answer.subject), answer.data, self.inside(answer.reply))

    def _tasks(self) -> TaskGroup:
        """The tasks of an open bus."""
        if self._group is None:
            text = "the bus nats is not open"
            raise NotReadyError(text, remedy="use it inside `async with`")
        return self._group

    def _usable(self) -> Connection:
        """The connection, if there is one.

        :raises UnreachableError: while there is none.
        """
        self._tasks()
        if self._problem or self._connection is None:
            raise UnreachableError(self._problem, remedy="it is tried again all the time; see that a server is there")
        return self._connection

    async def _opened(self) -> Connection:
        """A connection to the first server that answers, in random order, with every subscription on it."""
        problems: list[CoinswarmError] = []
        for url in secrets.SystemRandom().sample(self._settings.urls, len(self._settings.urls)):
            assert self._tls is not None, "made before"
            connection = Connection(url, self._settings, self._identity, self._tls, self.tell)
            try:
                await connection.open()
                for subscription in list(self._subscriptions):
                    await subscription.join(connection)
            except CoinswarmError as error:
                await connection.close()
                problems.append(error)
            except BaseException:  # left meanwhile: else it would go on taking its groups' share
                await connection.close()
                raise
            else:
                return connection
        if len(problems) == 1:
            raise problems[0]
        kind = OperatorError if all(isinstance(error, OperatorError) for error in problems) else UnreachableError
        raise kind("; ".join(dict.fromkeys(error.message for error in problems)), remedy=problems[0].remedy)

    async def _keep(self) -> None:
        """Make a lost connection again, for as long as the bus is open."""
        assert self._connection is not None, "made before"
        while True:
            await self._connection.lost.wait()
            why = f" ({self._connection.reason})" if self._connection.reason else ""
            self._problem = f"the connection to the NATS server {self._connection.url} is lost{why}"
            self.tell(UnreachableError(self._problem, remedy="it is made again; what was published to us is gone"))
            await self._connection.close()
            settings = self._settings
            for pause in pauses(settings.first_pause, settings.most_pause, secrets.SystemRandom().random):
                await anyio.sleep(pause)
                try:
                    self._connection = await self._opened()
                except CoinswarmError as error:
                    self._problem = error.message
                    self.tell(error)
                else:
                    self._problem = ""
                    break


def _tls(settings: NatsSettings) -> ssl.SSLContext:
    """How servers that speak TLS are judged, and what they are shown.

    :raises OperatorError: for a file that cannot be read or is none.
    """
    context = ssl.create_default_context()
    try:
        if settings.ca_file is not None:
            context = ssl.create_default_context(cafile=settings.ca_file)
        if settings.certificate_file is not None:
            context.load_cert_chain(settings.certificate_file, settings.key_file, password=lambda: "")
    except (OSError, ValueError) as error:
        files = [settings.ca_file, settings.certificate_file, settings.key_file]
        names = ", ".join(str(path) for path in files if path is not None)
        message = f"the bus nats cannot use its TLS files {names} ({error})"
        raise OperatorError(
            message, remedy="name readable PEM files: authorities, certificate, its unencrypted key"
        ) from error
    return context

"""What drivers of buses share: which words are subjects, and handing messages to one handler after the other.

A bus keeps one ``Mailbox`` for each subscription and runs its ``deliver`` in a task; what arrives is put in with
``take``, which never waits. So every bus delivers in order, one at a time, and drops and tells alike.
"""

from __future__ import annotations

import asyncio
import re
from collections import deque
from itertools import cycle
from typing import TYPE_CHECKING

import anyio.lowlevel

from coinswarm.errors import RetryableError
from coinswarm.ports import MAX_MESSAGE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from coinswarm.domain.stored import Message
    from coinswarm.ports import OnError, OnMessage

TOGETHER = 16
"""Messages that are handled, or sent, in a row before other tasks get their turn."""

_WORD = r"[A-Za-z0-9_-]+"
_SUBJECT = re.compile(rf"{_WORD}(\.{_WORD})*")
_PATTERN = re.compile(rf"(({_WORD}|\*)\.)*({_WORD}|\*|>)")


def demand_sendable(messages: Sequence[Message]) -> None:
    """Refuse what no bus carries.

    :raises ValueError: for a subject or reply that is none, or more than ``MAX_MESSAGE`` bytes.
    """
    for message in messages:
        for subject in (message.subject, *([message.reply] if message.reply else [])):
            if not _SUBJECT.fullmatch(subject):
                text = f"{subject!r} is no subject: write words of letters, digits, - and _ joined by dots"
                raise ValueError(text)
        if len(message.data) > MAX_MESSAGE:
            text = f"a message of {len(message.data)} bytes on {message.subject!r}: at most {MAX_MESSAGE} are carried"
            raise ValueError(text)


def demand_pattern(pattern: str, group: str) -> None:
    """Refuse what no bus can listen to.

    :raises ValueError: for a pattern or a group that is none.
    """
    if not _PATTERN.fullmatch(pattern):
        message = f"{pattern!r} is no pattern: write words joined by dots, * for one word, a last > for the rest"
        raise ValueError(message)
    if group and not re.fullmatch(_WORD, group):
        message = f"{group!r} is no queue group: write letters, digits, - and _"
        raise ValueError(message)


class Listeners:
    """Who wants to be told errors that no caller can be told."""

    def __init__(self) -> None:
        self._tellers: list[OnError] = []

    def add(self, tell: OnError) -> None:
        """One more."""
        self._tellers.append(tell)

    def tell(self, error: Exception) -> None:
        """Tell an error to all of them."""
        for teller in self._tellers:
            try:
                teller(error)
            except Exception:  # noqa: BLE001, S112 - who listens to errors has nobody to tell his own to
                continue


class Mailbox:
    """What is pending for one handler.

    :param name: of the subscription, for messages.
    :param limit: most messages that may be pending; more are dropped, and told once until it has caught up.
    :param limit_bytes: most bytes of them; 0 for no such limit.
    :param tell: is told of what was dropped, and of what the handler raises.
    """

    def __init__(self, name: str, handler: OnMessage, tell: OnError, *, limit: int, limit_bytes: int = 0) -> None:
        self.name, self.over = name, False
        self._handler, self._tell = handler, tell
        self._limit, self._limit_bytes = limit, limit_bytes
        self._pending: deque[Message] = deque()
        self._bytes = 0
        self._wake, self._idle = asyncio.Event(), asyncio.Event()
        self._behind = self._at_work = False

    def take(self, message: Message) -> None:
        """Queue a message, or drop it when too much is pending."""
        if self.over:
            return
        full = self._limit_bytes and self._pending and self._bytes + len(message.data) > self._limit_bytes
        if len(self._pending) >= self._limit or full:
            if not self._behind:
                self._behind = True
                behind = f"{len(self._pending)} messages ({self._bytes} bytes) behind"
                self._tell(RetryableError(f"the subscription to {self.name!r} is {behind}: those that follow are lost"))
            return
        self._behind = False
        self._pending.append(message)
        self._bytes += len(message.data)
        self._idle.clear()
        self._wake.set()

    async def deliver(self) -> None:
        """Handle messages, one at a time, until the mailbox is closed; when this ends, however it does, it is."""
        try:
            await self._deliver()
        finally:
            self._at_work = False
            self.close()

    async def _deliver(self) -> None:
        turns = cycle(range(TOGETHER))
        while not self.over:
            if not self._pending:
                self._idle.set()
                self._wake.clear()
                await self._wake.wait()
                continue
            message = self._pending.popleft()
            self._bytes -= len(message.data)
            self._at_work = True
            try:
                await self._handler(message)
            except asyncio.CancelledError as error:
                task = asyncio.current_task()
                if task is None or task.cancelling():
                    raise
                self._tell(RuntimeError(f"the handler of {self.name!r} awaited what was cancelled: {error!r}"))
            except Exception as error:  # noqa: BLE001 - a handler may raise anything, and the next message is due
                self._tell(error)
            self._at_work = False
            if not next(turns):
                await anyio.lowlevel.checkpoint()

    async def drained(self) -> None:
        """Wait until nothing is pending and its handler is at rest."""
        await self._idle.wait()

    def close(self) -> None:
        """Deliver nothing more; a handler that is at work may finish."""
        self.over = True
        self._pending.clear()
        self._bytes = 0
        if not self._at_work:
            self._idle.set()
        self._wake.set()

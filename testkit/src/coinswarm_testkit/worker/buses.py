"""Operations on buses: a scene of publishers, subscribers and those who answer, and what each of them heard."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import anyio

from coinswarm_testkit.worker.drivers import told as told_of
from coinswarm_testkit.worker.place import Raised

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence

    from coinswarm.domain.stored import Message
    from coinswarm.ports import MessageBus, Subscription
    from coinswarm_testkit.worker.place import Place

    Line = tuple[Any, ...]

LINGER_SECONDS = 0.1
"""How long more is listened for when enough has come."""


class _Scene:
    """A bus and those who are on it.

    :param patience: seconds that any wait may take.
    """

    def __init__(self, bus: MessageBus, patience: float) -> None:
        self.bus, self.patience = bus, patience
        self.heard: dict[str, list[Message]] = {}
        self.errors: list[str] = []
        self._subscriptions: dict[str, Subscription] = {}
        self._changed = anyio.Event()
        self._gates: dict[str, anyio.Event] = {}

    def _note(self, name: str, message: Message) -> None:
        self.heard[name].append(message)
        self._changed.set()
        self._changed = anyio.Event()

    async def subscribe(self, name: str, pattern: str, group: str = "") -> None:
        """Listen."""

        async def handler(message: Message) -> None:
            self._note(name, message)

        await self._join(name, pattern, handler, group)

    async def answer(self, name: str, pattern: str, group: str = "") -> None:
        """Listen, and answer with the name and what was asked."""

        async def handler(message: Message) -> None:
            self._note(name, message)
            if message.reply:
                await self.bus.publish(message.reply, f"{name}:".encode() + message.data)

        await self._join(name, pattern, handler, group)

    async def fail(self, name: str, pattern: str) -> None:
        """Listen, and raise at every message that says so."""

        async def handler(message: Message) -> None:
            if message.data == b"raise":
                text = f"{name} cannot handle this"
                raise RuntimeError(text)
            self._note(name, message)

        await self._join(name, pattern, handler, "")

    async def stuck(self, name: str, pattern: str) -> None:
        """Listen, and handle nothing until it is let go."""
        gate = self._gates[name] = anyio.Event()

        async def handler(message: Message) -> None:
            await gate.wait()
            self._note(name, message)

        await self._join(name, pattern, handler, "")

    async def release(self, name: str) -> None:
        """Let somebody go who was stuck."""
        self._gates[name].set()

    async def _join(self, name: str, pattern: str, handler: Callable[[Message], Awaitable[None]], group: str) -> None:
        self.heard.setdefault(name, [])
        self._subscriptions[name] = await self.bus.subscribe(pattern, handler, group=group)

    async def leave(self, name: str) -> None:
        """Unsubscribe."""
        await self._subscriptions[name].unsubscribe()

    async def publish(self, subject: str, data: bytes, reply: str = "") -> None:
        """Send one."""
        await self.bus.publish(subject, data, reply=reply)

    async def batch(self, messages: Sequence[Message]) -> None:
        """Send several."""
        await self.bus.publish_batch(messages)

    async def many(self, subject: str, begin: int, end: int) -> None:
        """Send numbers, one by one."""
        for number in range(begin, end):
            await self.bus.publish(subject, b"%d" % number)

    async def request(self, subject: str, data: bytes, seconds: float) -> Message:
        """Ask."""
        return await self.bus.request(subject, data, seconds=seconds)

    async def requests(self, subject: str, count: int, seconds: float) -> list[bytes]:
        """Ask numbers at the same time; the answers in order."""
        answers = [b""] * count

        async def one(number: int) -> None:
            answers[number] = (await self.bus.request(subject, b"%d" % number, seconds=seconds)).data

        async with anyio.create_task_group() as group:
            for number in range(count):
                group.start_soon(one, number)
        return answers

    async def wait(self, counts: Mapping[str, int]) -> bool:
        """Wait until each has heard so many, and a little more; whether they did in time."""
        with anyio.move_on_after(self.patience):
            while any(len(self.heard[name]) < count for name, count in counts.items()):
                await self._changed.wait()
            await anyio.sleep(LINGER_SECONDS)
            return True
        return False

    async def listen_to_errors(self, how: str = "") -> None:
        """Have errors told; a listener may raise itself."""

        def tell(error: Exception) -> None:
            self.errors.append(str(Raised.of(error)))
            if how == "raising":
                raise error

        self.bus.on_error(tell)


def scene(place: Place, *, settings: Mapping[str, Any], lines: Sequence[Line], patience: float) -> dict[str, Any]:
    """Play lines on a fresh bus; what each answered, who heard what, and which errors were told.

    :param lines: a method of the scene and its arguments each.
    """

    async def play() -> dict[str, Any]:
        told = []
        async with place.new(settings) as bus:
            stage = _Scene(bus, patience)
            for method, *arguments in lines:
                try:
                    told.append(told_of(await partial(getattr(stage, method), *arguments)()))
                except Exception as error:  # noqa: BLE001 - what it raises is the answer
                    told.append(told_of(Raised.of(error)))
        return {"told": told, "heard": stage.heard, "errors": stage.errors}

    answers: dict[str, Any] = place.wait(play)
    return answers


OPERATIONS = {"scene": scene}

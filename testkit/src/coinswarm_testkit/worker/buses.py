"""Operations on buses: a scene of publishers, subscribers and those who answer, and what each of them heard."""

from __future__ import annotations

from functools import partial
from itertools import count, pairwise
from typing import TYPE_CHECKING, Any

import anyio

from coinswarm.errors import RetryableError, UnreachableError
from coinswarm_testkit.servers.proxy import Proxy
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
STEP_SECONDS = 0.01
"""Between two tries of the same."""


class _Scene:
    """A bus and those who are on it.

    :param patience: seconds that any wait may take.
    :param proxy: what can be cut between the bus and its server.
    :param other: the same on another bus, which nothing cuts.
    """

    def __init__(
        self, bus: MessageBus, patience: float, *, proxy: Proxy | None = None, other: _Scene | None = None
    ) -> None:
        self.bus, self.patience = bus, patience
        self._proxy, self._other = proxy, other
        self.heard: dict[str, list[Message]] = {} if other is None else other.heard
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

    async def far(self, method: str, *arguments: Any) -> Any:  # noqa: ANN401 - whatever it answers
        """A line for the other bus."""
        return await getattr(self._other, method)(*arguments)

    async def cut(self) -> None:
        """Cut the connection."""
        assert self._proxy is not None, "a scene behind a proxy"
        self._proxy.cut()

    async def mend(self) -> None:
        """Let it be made again."""
        assert self._proxy is not None, "a scene behind a proxy"
        self._proxy.mend()

    async def until_refused(self, subject: str, data: bytes) -> bool:
        """Publish until it is told that this is not possible; whether it was in time."""
        with anyio.move_on_after(self.patience):
            while True:
                try:
                    await self.bus.publish(subject, data)
                except UnreachableError:
                    return True
                await anyio.sleep(STEP_SECONDS)
        return False

    async def until_sent(self, subject: str, data: bytes) -> bool:
        """Publish until that is possible; whether it was in time."""
        with anyio.move_on_after(self.patience):
            while True:
                try:
                    await self.bus.publish(subject, data)
                except RetryableError:
                    await anyio.sleep(STEP_SECONDS)
                else:
                    return True
        return False

    async def until_heard(self, name: str, subject: str) -> bool:
        """Have the other publish numbers until somebody hears one; whether he did in time."""
        assert self._other is not None, "a scene behind a proxy"
        before = len(self.heard[name])
        with anyio.move_on_after(self.patience):
            for number in count():
                await self._other.bus.publish(subject, b"%d" % number)
                await anyio.sleep(STEP_SECONDS)
                if len(self.heard[name]) > before:
                    return True
        return False

    async def attempts(self, number: int) -> list[float]:
        """Wait for so many attempts to connect to what is cut; the seconds between them."""
        assert self._proxy is not None, "a scene behind a proxy"
        with anyio.move_on_after(self.patience):
            while len(self._proxy.attempts) < number:
                await self._proxy.attempted.wait()
        return [later - earlier for earlier, later in pairwise(self._proxy.attempts)]

    async def listen_to_errors(self, how: str = "") -> None:
        """Have errors told; a listener may raise itself."""

        def tell(error: Exception) -> None:
            self.errors.append(str(Raised.of(error)))
            if how == "raising":
                raise error

        self.bus.on_error(tell)


async def _played(stage: _Scene, lines: Sequence[Line], *, hopeful: bool = True) -> dict[str, Any]:
    """What each line answers, who heard what, and which errors were told.

    :param hopeful: whether it goes on when something did not happen in time.
    """
    told = []
    for method, *arguments in lines:
        try:
            told.append(told_of(await partial(getattr(stage, method), *arguments)()))
        except Exception as error:  # noqa: BLE001 - what it raises is the answer
            told.append(told_of(Raised.of(error)))
        if not hopeful and told[-1][1] is False:
            break
    return {"told": told, "heard": stage.heard, "errors": stage.errors}


def scene(place: Place, *, settings: Mapping[str, Any], lines: Sequence[Line], patience: float) -> dict[str, Any]:
    """Play lines on a fresh bus; what each answered, who heard what, and which errors were told.

    :param lines: a method of the scene and its arguments each.
    """

    async def play() -> dict[str, Any]:
        async with place.new(settings) as bus:
            answer = await _played(_Scene(bus, patience), lines)
        return answer  # noqa: RET504 - what is told while it is left counts too

    answers: dict[str, Any] = place.wait(play)
    return answers


def behind(  # noqa: PLR0913 - two ways to one server
    place: Place,
    *,
    settings: Mapping[str, Any],
    through: Mapping[str, Any],
    server: str,
    lines: Sequence[Line],
    patience: float,
) -> dict[str, Any]:
    """As ``scene``, on a bus behind a proxy that can be cut, with another bus that has a line of its own.

    It ends with the first line that answers False.

    :param through: settings in which ``{proxy}`` is the proxy's address.
    :param server: ``HOST:PORT``.
    """

    async def play() -> dict[str, Any]:
        host, _, port = server.rpartition(":")
        async with (
            Proxy(host, int(port)) as proxy,
            place.new(settings) as far,
            place.new(_filled(through, proxy.address)) as bus,
        ):
            other = _Scene(far, patience)
            answer = await _played(_Scene(bus, patience, proxy=proxy, other=other), lines, hopeful=False)
        return answer  # noqa: RET504 - as above

    answers: dict[str, Any] = place.wait(play)
    return answers


def nobody(place: Place, *, through: Mapping[str, Any]) -> dict[str, Any]:
    """What becomes of a bus that is opened where nobody listens, and at which address that was."""

    async def play() -> dict[str, Any]:
        async with Proxy("127.0.0.1", 0) as proxy:
            address = proxy.address
        try:
            async with place.new(_filled(through, address)):
                answer: Any = None
        except Exception as error:  # noqa: BLE001 - what it raises is the answer
            answer = Raised.of(error)
        return {"told": told_of(answer), "address": address}

    answers: dict[str, Any] = place.wait(play)
    return answers


def _filled(through: Mapping[str, Any], address: str) -> dict[str, Any]:
    """Settings with the proxy's address."""
    return {
        name: value.replace("{proxy}", address) if isinstance(value, str) else value for name, value in through.items()
    }


OPERATIONS = {"scene": scene, "behind": behind, "nobody": nobody}

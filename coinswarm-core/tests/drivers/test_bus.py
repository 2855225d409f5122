"""The local bus: what the contract suite of the testkit does not ask: its limit, leaving it, its subjects."""

from __future__ import annotations

import asyncio
import re

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st

from coinswarm.delivery import Mailbox
from coinswarm.domain.health import Condition
from coinswarm.domain.stored import Message
from coinswarm.drivers.bus import LocalBus, _LocalSubscription
from coinswarm.drivers.settings import LocalBusSettings
from coinswarm.errors import NotReadyError, RetryableError


def test_a_subscriber_that_is_too_slow_loses_the_newest_and_it_is_told_once() -> None:
    async def slow() -> tuple[list[bytes], list[Exception]]:
        seen: list[bytes] = []
        told: list[Exception] = []
        go = anyio.Event()

        async def handler(message: Message) -> None:
            await go.wait()
            seen.append(message.data)

        async with LocalBus(LocalBusSettings(pending=3)) as bus:
            bus.on_error(told.append)
            await bus.subscribe("a", handler)
            for number in range(10):
                await bus.publish("a", b"%d" % number)
            go.set()
        return seen, told

    seen, told = anyio.run(slow)
    assert seen == [b"0", b"1", b"2", b"3"], "one at work and three pending"
    assert [type(error) for error in told] == [RetryableError]
    assert "3 messages (" in str(told[0])


def test_leaving_waits_for_what_is_pending_but_not_for_ever() -> None:
    async def leave() -> list[bytes]:
        seen: list[bytes] = []

        async def handler(message: Message) -> None:
            if message.data == b"stuck":
                await anyio.sleep_forever()
            seen.append(message.data)

        async with LocalBus(LocalBusSettings(drain_seconds=0.01)) as bus:
            await bus.subscribe("a", handler)
            await bus.publish_batch([Message("a", b"one"), Message("a", b"stuck"), Message("a", b"late")])
        return seen

    assert anyio.run(leave) == [b"one"]


def test_an_error_inside_ends_it_at_once() -> None:
    async def fail() -> None:
        async with LocalBus(LocalBusSettings(drain_seconds=60)) as bus:

            async def handler(_message: Message) -> None:
                await anyio.sleep_forever()

            await bus.subscribe("a", handler)
            await bus.publish("a", b"")
            message = "inside"
            raise KeyError(message)

    with pytest.raises(KeyError, match="inside"):
        anyio.run(fail)


@pytest.mark.parametrize("inside", [True, False])
def test_who_is_cancelled_inside_or_while_it_is_left_goes_on_and_it_is_closed(*, inside: bool) -> None:
    async def leave() -> tuple[bool, Condition, int]:
        async def stuck(_message: Message) -> None:
            began.set()
            await anyio.sleep_forever()

        began = anyio.Event()
        async with anyio.create_task_group() as group:
            with anyio.CancelScope() as scope:
                async with LocalBus(LocalBusSettings(drain_seconds=60)) as bus:
                    await bus.subscribe("a", stuck)
                    await bus.publish("a", b"")
                    await began.wait()
                    group.start_soon(cancel, scope)
                    if inside:
                        await anyio.sleep_forever()
            health = await bus.health()
        return scope.cancelled_caught, health.condition, len(asyncio.all_tasks())

    async def cancel(scope: anyio.CancelScope) -> None:
        await anyio.wait_all_tasks_blocked()
        scope.cancel()

    assert anyio.run(leave) == (True, Condition.DOWN, 1)


def test_outside_of_async_with_it_does_nothing() -> None:
    bus = LocalBus(LocalBusSettings())
    with pytest.raises(NotReadyError, match="not open"):
        anyio.run(bus.publish, "a", b"")


words = st.lists(st.sampled_from(["a", "b"]), min_size=1, max_size=4)


@given(pattern=st.lists(st.sampled_from(["a", "b", "*"]), max_size=3), tail=st.booleans(), subject=words)
def test_patterns_cover_what_their_words_say(pattern: list[str], subject: list[str], *, tail: bool) -> None:
    parts = [*pattern, ">"] if tail or not pattern else pattern
    regular = r"\.".join({"*": r"\w+", ">": r"\w+(\.\w+)*"}.get(part, part) for part in parts)

    async def hears() -> bool:
        async def handler(_message: Message) -> None:
            pass

        bus = LocalBus(LocalBusSettings())
        mailbox = Mailbox("", handler, bus.tell, limit=1)
        return _LocalSubscription(bus, ".".join(parts), "", mailbox).hears(subject)

    assert anyio.run(hears) == bool(re.fullmatch(regular, ".".join(subject)))

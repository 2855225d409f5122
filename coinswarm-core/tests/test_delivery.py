"""Mailboxes: bounded in messages and bytes, told once, in order, and robust against what handlers raise."""

from __future__ import annotations

import asyncio

import anyio
from hypothesis import given
from hypothesis import strategies as st

from coinswarm.delivery import Mailbox
from coinswarm.domain.stored import Message


async def _unused(_message: Message) -> None:
    raise AssertionError


@given(
    sizes=st.lists(st.integers(0, 9), max_size=30),
    limit=st.integers(1, 10),
    limit_bytes=st.integers(0, 20),
)
def test_what_is_pending_stays_within_both_limits_and_every_gap_is_told_once(
    sizes: list[int], limit: int, limit_bytes: int
) -> None:
    async def fill() -> tuple[list[int], list[Exception]]:
        told: list[Exception] = []
        box = Mailbox("a", _unused, told.append, limit=limit, limit_bytes=limit_bytes)
        for size in sizes:
            box.take(Message("a", b"x" * size))
        return [len(message.data) for message in box._pending], told

    kept, told = anyio.run(fill)
    assert len(kept) <= limit
    assert not limit_bytes or len(kept) <= 1 or sum(kept) <= limit_bytes
    expected: list[int] = []
    gaps, total = 0, 0
    behind = False
    for size in sizes:
        if len(expected) >= limit or (limit_bytes and expected and total + size > limit_bytes):
            gaps, behind = gaps + (not behind), True
        else:
            expected.append(size)
            total, behind = total + size, False
    assert kept == expected
    assert len(told) == gaps
    assert all("lost" in str(error) for error in told)


def test_a_handler_that_awaits_what_was_cancelled_hears_the_next_message() -> None:
    async def play() -> tuple[list[bytes], list[Exception]]:
        seen: list[bytes] = []
        told: list[Exception] = []

        async def handler(message: Message) -> None:
            if message.data == b"bad":
                gone = asyncio.get_running_loop().create_future()
                gone.cancel()
                await gone
            seen.append(message.data)

        box = Mailbox("a.b", handler, told.append, limit=9)
        async with anyio.create_task_group() as group:
            group.start_soon(box.deliver)
            box.take(Message("a.b", b"bad"))
            box.take(Message("a.b", b"good"))
            await box.drained()
            box.close()
            box.take(Message("a.b", b"late"))
        return seen, told

    seen, told = anyio.run(play)
    assert seen == [b"good"]
    assert ["'a.b'" in str(error) for error in told] == [True]


def test_leaving_ends_a_handler_that_is_at_work() -> None:
    async def play() -> list[Exception]:
        told: list[Exception] = []

        async def handler(_message: Message) -> None:
            began.set()
            await anyio.sleep_forever()

        began = anyio.Event()
        box = Mailbox("a", handler, told.append, limit=9)
        async with anyio.create_task_group() as group:
            group.start_soon(box.deliver)
            box.take(Message("a"))
            await began.wait()
            group.cancel_scope.cancel()
        return told

    assert anyio.run(play) == []


def test_who_waits_for_the_end_waits_for_the_handler_and_no_longer_than_there_is_one() -> None:
    async def play() -> list[str]:
        seen: list[str] = []

        async def slowly(_message: Message) -> None:
            for _ in range(9):
                await anyio.lowlevel.checkpoint()
            seen.append("handled")

        async def for_ever(_message: Message) -> None:
            await anyio.sleep_forever()

        async with anyio.create_task_group() as group:
            box = Mailbox("a", slowly, lambda _: None, limit=9)
            group.start_soon(box.deliver)
            box.take(Message("a", b"1"))
            await anyio.lowlevel.checkpoint()
            box.close()
            await box.drained()
            seen.append("drained")
        box = Mailbox("a", for_ever, lambda _: None, limit=9)
        async with anyio.create_task_group() as group:
            group.start_soon(box.deliver)
            box.take(Message("a", b"1"))
            await anyio.lowlevel.checkpoint()
            group.cancel_scope.cancel()
        with anyio.fail_after(5):
            await box.drained()
        return seen

    assert anyio.run(play) == ["handled", "drained"]

"""One timer for all who wait: who is late is told, and nobody else; a cancellation of somebody else's stays one."""

from __future__ import annotations

import asyncio

import pytest

from coinswarm_redis.patience import Patience


def test_each_is_told_in_the_order_in_which_they_began() -> None:
    async def work() -> list[int]:
        patience, told = Patience(0.05), list[int]()

        async def wait(number: int) -> None:
            with pytest.raises(TimeoutError), patience.wait():
                await asyncio.Event().wait()
            told.append(number)
            await asyncio.sleep(0)  # it is not cancelled once more

        async def start(number: int) -> asyncio.Task[None]:
            task = asyncio.create_task(wait(number))
            await asyncio.sleep(0.01)
            return task

        for task in [await start(number) for number in range(3)]:
            await task
            assert not task.cancelling()
        return told

    assert asyncio.run(work()) == [0, 1, 2]


def test_who_ends_in_time_hears_nothing_and_the_next_is_watched_again() -> None:
    async def work() -> None:
        patience = Patience(0.02)
        for _ in range(3):
            with patience.wait():
                await asyncio.sleep(0)
            await asyncio.sleep(0.03)  # the timer found nobody
            with pytest.raises(TimeoutError), patience.wait():
                await asyncio.sleep(60)

    asyncio.run(work())


async def waiting(patience: Patience) -> asyncio.Task[None]:
    """A task that waits for what never comes."""

    async def wait() -> None:
        with patience.wait():
            await asyncio.Event().wait()

    task = asyncio.create_task(wait())
    await asyncio.sleep(0)
    return task


def test_a_cancellation_of_somebody_elses_and_an_error_are_handed_on() -> None:
    async def work() -> None:
        patience = Patience(60)
        task = await waiting(patience)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        with pytest.raises(KeyError), patience.wait():
            raise KeyError

    asyncio.run(work())


def test_who_is_cancelled_and_late_at_once_is_cancelled() -> None:
    async def work() -> None:
        patience = Patience(0.0)
        task = await waiting(patience)
        task.cancel()
        patience._look()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(work())


def test_only_a_task_waits() -> None:
    with pytest.raises(RuntimeError):
        Patience(1.0).begin()

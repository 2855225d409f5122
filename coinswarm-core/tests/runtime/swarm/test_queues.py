"""Queues between tasks: bounded, in order, and nobody waits for ever."""

from __future__ import annotations

import anyio
import pytest

from coinswarm.runtime.swarm.queues import Lane

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    """The one that drivers are made for."""
    return "asyncio"


async def test_a_lane_is_emptied_at_once_and_drops_the_oldest() -> None:
    lane: Lane[int] = Lane(3)
    for number in range(5):
        lane.put(number)
    assert (len(lane), lane.dropped) == (3, 2)
    assert await lane.take() == [2, 3, 4]
    taken: list[int] = []

    async def work() -> None:
        taken.extend(await lane.take())

    async with anyio.create_task_group() as group:
        group.start_soon(work)
        await anyio.wait_all_tasks_blocked()
        lane.put(9)
    assert taken == [9]

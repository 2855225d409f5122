"""Leaving the bus: by an error, cancelled, in the middle of anything; nothing of it is left behind."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import anyio
import pytest

from coinswarm.domain.health import Condition
from coinswarm_nats.bus import NatsBus
from coinswarm_nats.settings import NatsSettings

if TYPE_CHECKING:
    from coinswarm.domain.stored import Message

pytestmark = pytest.mark.usefixtures("nats_url")


def made(url: str, **settings: Any) -> NatsBus:  # noqa: ANN401 - any setting
    return NatsBus(NatsSettings(url=url, **{"first_pause": 0.01, **settings}))


@pytest.mark.parametrize("inside", [True, False])
def test_who_is_cancelled_inside_or_while_it_is_left_goes_on_and_it_is_closed(nats_url: str, *, inside: bool) -> None:
    async def leave() -> tuple[bool, Condition, int]:
        async def stuck(_message: Message) -> None:
            began.set()
            await anyio.sleep_forever()

        began = anyio.Event()
        async with anyio.create_task_group() as group:
            with anyio.CancelScope() as scope:
                async with made(nats_url, prefix="cut", drain_seconds=60) as bus:
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

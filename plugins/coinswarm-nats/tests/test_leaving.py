"""Leaving the bus: by an error, cancelled, in the middle of anything; nothing of it is left behind."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import anyio
import pytest

from coinswarm.domain.health import Condition
from coinswarm.domain.stored import Message
from coinswarm_nats.bus import NatsBus
from coinswarm_nats.connection import Connection
from coinswarm_nats.settings import NatsSettings
from coinswarm_testkit.servers.proxy import Proxy

if TYPE_CHECKING:
    from conftest import Heard, Told
    from nats.aio.subscription import Subscription

    from coinswarm_nats.client import Take

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


def test_a_bus_that_is_left_while_it_subscribes_anew_takes_no_share_any_more(
    nats_url: str, heard: Heard, told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def play() -> None:
        address = urlsplit(nats_url)
        joins = Connection.subscribe
        stuck = anyio.Event()

        async def slowly(connection: Connection, subject: str, group: str, take: Take) -> Subscription:
            if subject.endswith("later") and told:
                stuck.set()
                await anyio.sleep_forever()
            return await joins(connection, subject, group, take)

        monkeypatch.setattr(Connection, "subscribe", slowly)
        async with (
            Proxy(address.hostname or "", address.port or 0) as proxy,
            made(nats_url, prefix="share") as other,
        ):
            async with made(f"nats://{proxy.address}", prefix="share", drain_seconds=0.1) as bus:
                bus.on_error(told)
                await bus.subscribe("work", unused, group="g")
                await bus.subscribe("later", unused)
                proxy.cut()
                await told.until("is lost")
                proxy.mend()
                await stuck.wait()
            assert len([task for task in asyncio.all_tasks() if "_read_loop" in repr(task)]) == 1, "the other's"
            await other.subscribe("work", heard, group="g")
            await other.publish_batch([Message("work", b"%d" % number) for number in range(20)])
            await heard.until(lambda it: len(it) == 20)

    anyio.run(play)


async def unused(_message: Message) -> None:
    raise AssertionError

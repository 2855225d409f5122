"""A line that takes nothing any more while much is unsent: it is given up, whoever is waiting for it."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import anyio
import anyio.abc
import pytest

from coinswarm.errors import AmbiguousError, UnreachableError
from coinswarm_nats.bus import NatsBus
from coinswarm_nats.settings import NatsSettings
from coinswarm_testkit.servers.proxy import Proxy

if TYPE_CHECKING:
    from conftest import Heard, Published, Told

pytestmark = pytest.mark.usefixtures("nats_url")


def proxied(url: str) -> Proxy:
    address = urlsplit(url)
    assert address.hostname is not None
    assert address.port is not None
    return Proxy(address.hostname, address.port)


def made(proxy: Proxy, **settings: Any) -> NatsBus:  # noqa: ANN401 - any setting
    return NatsBus(NatsSettings(url=f"nats://{proxy.address}", first_pause=0.01, answer_seconds=0.2, **settings))


async def flood(bus: NatsBus) -> None:
    """Publish more than the kernels take, until that is refused."""
    for _ in range(1_000):
        await bus.publish("flood", bytes(1 << 17))


@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
def test_a_line_that_stalls_with_much_unsent_is_lost_and_made_again(
    nats_url: str, heard: Heard, told: Told, published: Published, loop: str
) -> None:
    async def play() -> None:
        async with (
            proxied(nats_url) as proxy,
            made(proxy, prefix=f"stalls{loop}", ping_seconds=0.1) as bus,
        ):
            bus.on_error(told)
            await bus.subscribe("a", heard)
            proxy.stall()
            with pytest.raises(UnreachableError):
                await flood(bus)
            await told.until("is lost (stale connection)")
            await published(bus, "a", b"again")
            await heard.until(lambda it: it == [b"again"])

    if loop == "uvloop" and sys.platform == "win32":
        pytest.skip("there is none")
    anyio.run(play, backend_options={"use_uvloop": loop == "uvloop"})


def test_what_was_unsent_on_a_line_that_was_given_up_does_not_come_late(
    nats_url: str, heard: Heard, told: Told, published: Published
) -> None:
    async def play() -> None:
        async with (
            proxied(nats_url) as proxy,
            NatsBus(NatsSettings(url=nats_url, prefix="late")) as other,
            made(proxy, prefix="late", ping_seconds=0.1) as bus,
        ):
            bus.on_error(told)
            await other.subscribe("flood", heard)
            proxy.stall()
            with pytest.raises(UnreachableError):
                await flood(bus)
            await told.until("is lost")
            proxy.recover()
            await published(bus, "flood", b"last")
            await heard.until(lambda it: b"last" in it)

    anyio.run(play)
    assert len(heard) < 100, "what the kernels and the proxy had taken, at most"


def test_a_server_that_complains_and_then_stands_still_is_lost(told: Told) -> None:
    async def play() -> None:
        async def serve(client: anyio.abc.ByteStream) -> None:
            async with client:
                await client.send(b'INFO {"max_payload":1048576}\r\n')
                for _ in range(2):
                    while b"PING" not in await client.receive():
                        pass
                    await client.send(b"PONG\r\n")
                await full.wait()
                await client.send(b"-ERR 'Too Much'\r\n")
                await anyio.sleep_forever()

        full = anyio.Event()
        listener = await anyio.create_tcp_listener(local_host="127.0.0.1", local_port=0)
        port = listener.extra(anyio.abc.SocketAttribute.local_port)  # noqa: S610 - anyio's, no database's
        settings = NatsSettings(url=f"nats://127.0.0.1:{port}", answer_seconds=0.2, drain_seconds=0.1)
        async with listener, anyio.create_task_group() as group:
            group.start_soon(listener.serve, serve)
            async with NatsBus(settings) as bus:
                bus.on_error(told)
                with pytest.raises(UnreachableError):
                    await flood(bus)
                full.set()
                await told.until("is lost (too much)")
            group.cancel_scope.cancel()

    anyio.run(play)


def test_leaving_does_not_wait_for_a_line_that_stalls_and_closes_it(nats_url: str, heard: Heard) -> None:
    async def play() -> None:
        async with (
            proxied(nats_url) as proxy,
            NatsBus(NatsSettings(url=nats_url, prefix="shares")) as other,
        ):
            await other.subscribe("work", heard, group="g")
            with anyio.fail_after(5):
                async with made(proxy, prefix="shares", drain_seconds=0.1) as bus:
                    await bus.subscribe("work", heard, group="g")
                    proxy.stall()
                    with pytest.raises((UnreachableError, AmbiguousError)):
                        await flood(bus)
            assert bus._connection is not None
            transport: Any = bus._connection._client._transport
            await anyio.lowlevel.checkpoint()
            assert not transport._io_writer.transport.get_write_buffer_size(), "nothing of it is left to be sent"

    anyio.run(play)

"""The proxy: passes bytes on, cuts, notes who comes meanwhile, and passes on again."""

from __future__ import annotations

import anyio
import pytest
from anyio.abc import SocketAttribute, SocketStream

from coinswarm_testkit.servers.proxy import Proxy


async def echo(client: SocketStream) -> None:
    """Say everything back."""
    async with client:
        async for data in client:
            await client.send(data)


async def connected(proxy: Proxy) -> SocketStream:
    """A client of the proxy's."""
    host, _, port = proxy.address.rpartition(":")
    return await anyio.connect_tcp(host, int(port))


def test_it_cuts_and_mends() -> None:
    async def play() -> list[bytes]:
        said = []
        listener = await anyio.create_tcp_listener(local_host="127.0.0.1", local_port=0)
        port = listener.extra(SocketAttribute.local_port)  # noqa: S610 - anyio's, no database's
        async with listener, anyio.create_task_group() as group, Proxy("127.0.0.1", port) as proxy:
            group.start_soon(listener.serve, echo)
            async with await connected(proxy) as client:
                await client.send(b"one")
                said.append(await client.receive())
                proxy.cut()
                with pytest.raises((anyio.EndOfStream, anyio.BrokenResourceError)):
                    await client.receive()
            for number in (1, 2):
                came = proxy.attempted
                async with await connected(proxy) as client:
                    with pytest.raises((anyio.EndOfStream, anyio.BrokenResourceError)):
                        await client.receive()
                await came.wait()
                assert len(proxy.attempts) == number
            assert proxy.attempts == sorted(proxy.attempts)
            proxy.mend()
            async with await connected(proxy) as client:
                await client.send(b"two")
                said.append(await client.receive())
            group.cancel_scope.cancel()
        return said

    assert anyio.run(play) == [b"one", b"two"]


def test_where_its_server_is_gone_clients_are_hung_up_on_and_after_it_nobody_listens() -> None:
    async def play() -> None:
        async with Proxy("127.0.0.1", 1) as gone:
            pass
        with pytest.raises(OSError, match=r"connect|refused|All connection attempts failed"):
            await connected(gone)
        async with Proxy(*_parts(gone.address)) as proxy, await connected(proxy) as client:
            with pytest.raises((anyio.EndOfStream, anyio.BrokenResourceError)):
                await client.receive()

    anyio.run(play)


def _parts(address: str) -> tuple[str, int]:
    host, _, port = address.rpartition(":")
    return host, int(port)

"""What else may answer at the address where a NATS server was: the bus is away until one is back."""

from __future__ import annotations

from typing import TYPE_CHECKING

import anyio
import anyio.abc
import pytest

from coinswarm.domain.health import Condition
from coinswarm.errors import UnreachableError
from coinswarm_nats.bus import NatsBus
from coinswarm_nats.settings import NatsSettings

if TYPE_CHECKING:
    from conftest import Published, Told

INFO = b'INFO {"server_id":"x","max_payload":1048576,"headers":true}\r\n'
GARBAGE = {
    "no facts": [b"INFO\r\n"],
    "a list": [b"INFO []\r\n"],
    "a number": [b"INFO 1\r\n"],
    "no JSON": [b"INFO {\r\n"],
    "no UTF-8": [b"INFO \xff\r\n"],
    "no line": [b"x" * 100_000],
    "a long line": [b'INFO {"a":"' + b"x" * 100_000 + b'"}\r\n'],
    "another protocol": [b"SSH-2.0-OpenSSH_9\r\n"],
    "a size that is none": [b'INFO {"max_payload":"big"}\r\n', b"PONG\r\n"],
    "an odd address": [b'INFO {"max_payload":1048576,"connect_urls":["[::1"]}\r\n'],
    "addresses that are none": [b'INFO {"max_payload":1048576,"connect_urls":7}\r\n'],
    "an error without words": [INFO, b"-ERR\r\n"],
    "an error that is no UTF-8": [INFO, b"-ERR '\xff'\r\n"],
    "facts that are none, later": [INFO, b"PONG\r\nINFO 1\r\n"],
    "an error without words, later": [INFO, b"PONG\r\n-ERR\r\n"],
    "nothing": [b""],
}


class Pretender:
    """A server that says little; or what it is told to, first of itself and then to each question."""

    def __init__(self) -> None:
        self.says: list[bytes] = []
        self._scope = anyio.CancelScope()

    async def serve(self, client: anyio.abc.ByteStream) -> None:
        """One connection."""
        says = self.says or [INFO, b"PONG\r\n"]
        with self._scope:
            async with client:
                try:
                    await client.send(says[0])
                    while len(says) > 1:
                        if b"PING" in await client.receive():
                            await client.send(says[1])
                except (OSError, anyio.BrokenResourceError, anyio.EndOfStream):
                    pass

    def turn(self, says: list[bytes]) -> None:
        """Hang up, and say something else."""
        self._scope.cancel()
        self.says, self._scope = says, anyio.CancelScope()


@pytest.mark.parametrize("garbage", GARBAGE)
def test_what_is_no_server_is_tried_again_until_one_is_there(garbage: str, told: Told, published: Published) -> None:
    async def play() -> Condition:
        server = Pretender()
        listener = await anyio.create_tcp_listener(local_host="127.0.0.1", local_port=0)
        port = listener.extra(anyio.abc.SocketAttribute.local_port)  # noqa: S610 - anyio's, no database's
        settings = NatsSettings(url=f"nats://127.0.0.1:{port}", first_pause=0.01, drain_seconds=0.1)
        async with listener, anyio.create_task_group() as group:
            group.start_soon(listener.serve, server.serve)
            async with NatsBus(settings) as bus:
                bus.on_error(told)
                server.turn(GARBAGE[garbage])
                await told.several(3)
                server.turn([])
                await published(bus, "a", b"")
                health = await bus.health()
            group.cancel_scope.cancel()
        return health.condition

    assert anyio.run(play) is Condition.GOOD
    assert all(isinstance(error, UnreachableError) for error in told), told

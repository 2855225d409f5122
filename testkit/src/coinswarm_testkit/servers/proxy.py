"""A proxy between a client and its server that cuts the line or lets it stall, and notes who comes while it is cut."""

from __future__ import annotations

import time
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Self

import anyio
from anyio.abc import SocketAttribute

if TYPE_CHECKING:
    from types import TracebackType

    from anyio.abc import ByteStream, TaskGroup

BROKEN = (OSError, anyio.ClosedResourceError, anyio.BrokenResourceError, anyio.EndOfStream)


class Proxy:
    """Passes bytes on, until it is cut.

    :param host, port: the server.
    """

    def __init__(self, host: str, port: int) -> None:
        self._host, self._port = host, port
        self._cut = False
        self._open: set[_Line] = set()
        self.attempts: list[float] = []
        """When somebody tried to connect while it was cut, in seconds of a monotonic clock."""
        self.attempted = anyio.Event()
        self._stack = AsyncExitStack()
        self._group: TaskGroup | None = None
        self.address = ""
        """Where it listens, as ``HOST:PORT``."""

    async def __aenter__(self) -> Self:
        listener = await anyio.create_tcp_listener(local_host="127.0.0.1", local_port=0)
        self._stack.push_async_callback(listener.aclose)
        self.address = f"127.0.0.1:{listener.extra(SocketAttribute.local_port)}"  # noqa: S610 - anyio's, no database's
        self._group = await self._stack.enter_async_context(anyio.create_task_group())
        self._group.start_soon(listener.serve, self._serve)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._group is not None, "opened before"
        self._group.cancel_scope.cancel()
        await self._stack.__aexit__(kind, error, trace)

    def cut(self) -> None:
        """Close every connection, and each new one at once."""
        self._cut = True
        self.attempts.clear()
        for line in list(self._open):
            line.scope.cancel()

    def stall(self) -> None:
        """Neither take nor pass on anything over the connections that are open; new ones are served."""
        for line in self._open:
            line.flows = anyio.Event()

    def recover(self) -> None:
        """Pass on what waits where it stalled."""
        for line in self._open:
            line.flows.set()

    def mend(self) -> None:
        """Pass on what comes from now on."""
        self._cut = False

    async def _serve(self, client: ByteStream) -> None:
        """One connection."""
        async with client:
            if self._cut:
                self.attempts.append(time.monotonic())
                self.attempted.set()
                self.attempted = anyio.Event()
                return
            try:
                server = await anyio.connect_tcp(self._host, self._port)
            except OSError:
                return
            async with server:
                line = _Line()
                with line.scope:
                    self._open.add(line)
                    try:
                        async with anyio.create_task_group() as group:
                            group.start_soon(line.pump, client, server, group)
                            group.start_soon(line.pump, server, client, group)
                    finally:
                        self._open.discard(line)


class _Line:
    """One connection that is open."""

    def __init__(self) -> None:
        self.scope, self.flows = anyio.CancelScope(), anyio.Event()
        self.flows.set()

    async def pump(self, source: ByteStream, target: ByteStream, group: TaskGroup) -> None:
        """Pass bytes on until either end is closed, then end the other way too."""
        try:
            async for data in source:
                await self.flows.wait()
                await target.send(data)
        except BROKEN:
            pass
        group.cancel_scope.cancel()

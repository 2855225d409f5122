"""HTTP/1.1 and WebSocket clients in a few lines of anyio, for the reference implementations only.

One connection for each request, no redirects, no TLS: enough for a player on loopback, and nothing to install.
"""

from __future__ import annotations

import base64
import os
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlencode, urlsplit

import anyio
from anyio.streams.buffered import BufferedByteReceiveStream

from coinswarm.errors import UnreachableError
from coinswarm_testkit.play import frames

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from anyio.abc import SocketStream

MOST_BYTES = 4 * 1024 * 1024
"""A longer answer is refused: nobody sends that much, and memory is finite."""

_LOST = (OSError, anyio.EndOfStream, anyio.IncompleteRead, anyio.DelimiterNotFound, anyio.BrokenResourceError)


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server answered; header names in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class LostError(UnreachableError):
    """The connection was lost when a request was, or may have been, sent."""


@asynccontextmanager
async def _connected(url: str) -> AsyncIterator[SocketStream]:
    """A connection, whose loss is a ``LostError``."""
    parts = urlsplit(url)
    try:
        opened = await anyio.connect_tcp(parts.hostname or "", parts.port or 80)
    except OSError as error:
        message = f"{parts.hostname}:{parts.port} cannot be reached ({type(error).__name__})"
        raise UnreachableError(message) from error
    try:
        async with opened as stream:
            yield stream
    except _LOST as error:
        message = f"the connection to {parts.hostname}:{parts.port} was lost ({type(error).__name__})"
        raise LostError(message) from error


async def request(  # noqa: PLR0913 - the parts of a request
    method: str,
    base: str,
    path: str,
    *,
    query: Mapping[str, str] | None = None,
    headers: Mapping[str, str] | None = None,
    body: bytes = b"",
) -> Answer:
    """Ask once.

    :raises UnreachableError: when no whole answer came.
    """
    target = f"{path}?{urlencode(query)}" if query else path
    lines = {"host": urlsplit(base).netloc, "connection": "close", "content-length": str(len(body)), **(headers or {})}
    head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    async with _connected(base) as stream:
        await stream.send(f"{method} {target} HTTP/1.1\r\n{head}\r\n".encode() + body)
        reader = BufferedByteReceiveStream(stream)
        status, fields = await _head(reader)
        size = int(fields.get("content-length", "0"))
        if size > MOST_BYTES:
            message = f"an answer of {size} bytes to {path}: at most {MOST_BYTES} are read"
            raise UnreachableError(message)
        return Answer(status, fields, await reader.receive_exactly(size) if size else b"")


async def _head(reader: BufferedByteReceiveStream) -> tuple[int, dict[str, str]]:
    """Status and headers of an answer."""
    text = (await reader.receive_until(b"\r\n\r\n", 64 * 1024)).decode("latin-1")
    first, *rest = text.split("\r\n")
    pairs = (line.partition(":") for line in rest)
    return int(first.split()[1]), {name.strip().lower(): value.strip() for name, _, value in pairs}


class WebSocket:
    """The client's end of an open WebSocket."""

    def __init__(self, stream: SocketStream, reader: BufferedByteReceiveStream) -> None:
        self._stream, self._reader = stream, reader

    async def send(self, text: str) -> None:
        """Send a text."""
        await self._stream.send(frames.frame(frames.TEXT, text.encode(), mask=os.urandom(4)))

    async def receive(self) -> str:
        """The next text; pings are answered.

        :raises UnreachableError: when the other side closed it.
        """
        while True:
            first = await self._reader.receive_exactly(2)
            kind, extended, _ = frames.head(first)
            size = int.from_bytes(await self._reader.receive_exactly(extended), "big") if extended else first[1] & 0x7F
            if size > MOST_BYTES:
                message = f"a frame of {size} bytes: at most {MOST_BYTES} are read"
                raise UnreachableError(message)
            payload = await self._reader.receive_exactly(size) if size else b""
            if kind == frames.TEXT:
                return payload.decode("utf-8", "replace")
            if kind == frames.PING:
                await self._stream.send(frames.frame(frames.PONG, payload, mask=os.urandom(4)))
            if kind == frames.CLOSE:
                raise anyio.EndOfStream


@asynccontextmanager
async def websocket(base: str, path: str, *, headers: Mapping[str, str]) -> AsyncIterator[WebSocket | Answer]:
    """An open WebSocket, or the answer of a server that would not open one."""
    key = base64.b64encode(os.urandom(16)).decode()
    lines = {
        "host": urlsplit(base).netloc,
        "connection": "Upgrade",
        "upgrade": "websocket",
        "sec-websocket-key": key,
        "sec-websocket-version": "13",
        **headers,
    }
    head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    async with _connected(base) as stream:
        await stream.send(f"GET {path} HTTP/1.1\r\n{head}\r\n".encode())
        reader = BufferedByteReceiveStream(stream)
        status, fields = await _head(reader)
        if status != 101 or fields.get("sec-websocket-accept") != frames.accepted(key):  # noqa: PLR2004 - switching protocols
            yield Answer(status, fields, b"")
            return
        yield WebSocket(stream, reader)

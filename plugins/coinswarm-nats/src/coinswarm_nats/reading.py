"""Taking apart what a server sends: nats-py reads the server's own lines; those of messages hold anybody's words.

Lines end in CRLF, and the fields of a message's line are apart by one space each: ``MSG subject sid [reply] size``, or
``HMSG subject sid [reply] header-size size``, then as many bytes and CRLF. Source: NATS client protocol. To nats-py a
vertical tab in a subject is one more space: that message would be taken for another, or end the connection.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from nats.errors import ProtocolError
from nats.protocol.parser import Parser

_END = b"\r\n"
_LONGEST = 1 << 20
"""Bytes of a line; a server sends no longer ones."""


class _Head(NamedTuple):
    """What the line of a message says."""

    sid: int
    subject: bytes
    reply: bytes
    header_size: int
    size: int


class Reader(Parser):
    """nats-py's parser, handed one line of the server's at a time, and no message."""

    def __init__(self, client: Any) -> None:  # noqa: ANN401 - as nats-py has it
        self._unread = bytearray()
        self._head: _Head | None = None
        super().__init__(client)

    async def parse(self, data: bytes = b"") -> None:
        """Hand on all that is complete with these bytes."""
        self._unread.extend(data)
        while self._head is not None or _END in self._unread:
            if self._head is None:
                await self._line()
            elif len(self._unread) < self._head.size + len(_END):
                return
            else:
                await self._message(self._head)
        if len(self._unread) > _LONGEST:
            raise ProtocolError

    async def _line(self) -> None:
        """The next line."""
        end = self._unread.index(_END)
        line = bytes(self._unread[:end])
        del self._unread[: end + len(_END)]
        if line.startswith((b"MSG ", b"HMSG ")):
            self._head = _head(line)
            return
        await super().parse(line + _END)
        if self.buf:  # nats-py waits for more of it
            raise ProtocolError

    async def _message(self, head: _Head) -> None:
        """The bytes of a message."""
        headers = bytes(self._unread[: head.header_size])
        data = bytes(self._unread[head.header_size : head.size])
        del self._unread[: head.size + len(_END)]
        self._head = None
        await self.nc._process_msg(head.sid, head.subject, head.reply, data, headers)  # noqa: SLF001 - nats-py's own


def _head(line: bytes) -> _Head:
    """A message's line.

    :raises ProtocolError: for one that a server does not send.
    """
    name, *fields = line.split(b" ")
    headed = name == b"HMSG"
    try:
        size, header_size = int(fields.pop()), int(fields.pop()) if headed else 0
        subject, sid, *reply = fields
        head = _Head(int(sid), subject, b"".join(reply), header_size, size)
    except (ValueError, IndexError):
        raise ProtocolError from None
    if len(reply) > 1 or not 0 <= header_size <= size:
        raise ProtocolError
    return head

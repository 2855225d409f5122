"""WebSocket (RFC 6455): the handshake and the frames, as much as both ends of a conversation on loopback need."""

from __future__ import annotations

import base64
import hashlib
import struct
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
TEXT, CLOSE, PING, PONG = 0x1, 0x8, 0x9, 0xA
_SHORT, _MEDIUM = 125, 126
_MOST = 16 * 1024 * 1024


def accepted(key: str) -> str:
    """What a server answers to a client's key."""
    return base64.b64encode(hashlib.sha1((key + GUID).encode(), usedforsecurity=False).digest()).decode()


def frame(kind: int, payload: bytes, *, mask: bytes = b"") -> bytes:
    """A frame that is its message's only one.

    :param mask: four bytes in a client's frame, none in a server's.
    """
    flag = 0x80 if mask else 0
    size = len(payload)
    if size <= _SHORT:
        head = struct.pack("!BB", 0x80 | kind, flag | size)
    elif size < 1 << 16:
        head = struct.pack("!BBH", 0x80 | kind, flag | _MEDIUM, size)
    else:
        head = struct.pack("!BBQ", 0x80 | kind, flag | 127, size)
    return head + mask + masked(payload, mask)


def masked(payload: bytes, mask: bytes) -> bytes:
    """A payload under its mask; masking again takes it off."""
    if not mask:
        return payload
    return bytes(byte ^ mask[i % 4] for i, byte in enumerate(payload))


def head(first: bytes) -> tuple[int, int, int]:
    """Of a frame's first two bytes: its kind, how many bytes of length follow or the length itself, mask bytes.

    :returns: kind; bytes of the extended length (0 when the length is short); mask length.
    """
    extended = {126: 2, 127: 8}.get(first[1] & 0x7F, 0)
    return first[0] & 0x0F, extended, 4 if first[1] & 0x80 else 0


def read(exactly: Callable[[int], bytes]) -> tuple[int, bytes]:
    """The next frame's kind and payload.

    :param exactly: reads so many bytes.
    :raises ValueError: for a frame of more than 16 MiB.
    """
    first = exactly(2)
    kind, extended, mask_bytes = head(first)
    size = int.from_bytes(exactly(extended), "big") if extended else first[1] & 0x7F
    if size > _MOST:
        message = f"a frame of {size} bytes"
        raise ValueError(message)
    mask = exactly(mask_bytes)
    return kind, masked(exactly(size), mask)

"""Messages in frames: what goes out at once on one subject goes out as one message of the bus.

A bus asks the same of its client and of each listener for every message, however short. A frame is messages joined by a
line break, which no message holds: in canonical JSON it is escaped. A frame of one is that message.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

FRAME_BYTES = 256 * 1024
"""Most bytes of a frame of several messages: a quarter of what a bus carries."""

_BREAK = b"\n"


class Frame(NamedTuple):
    """What goes out.

    :param messages: how many are in it.
    """

    subject: str
    data: bytes
    messages: int


def framed(messages: Iterable[tuple[str, bytes]]) -> Iterator[Frame]:
    """Frames for messages on their subjects; the order on each subject stays."""
    for subject, waiting in _by_subject(messages).items():
        frame: list[bytes] = []
        size = 0
        for data in waiting:
            if frame and size + len(data) > FRAME_BYTES:
                yield Frame(subject, _BREAK.join(frame), len(frame))
                frame, size = [], 0
            frame.append(data)
            size += len(data) + len(_BREAK)
        yield Frame(subject, _BREAK.join(frame), len(frame))


def messages_of(frame: bytes) -> list[bytes]:
    """The messages in a frame."""
    return frame.split(_BREAK)


def _by_subject(messages: Iterable[tuple[str, bytes]]) -> dict[str, list[bytes]]:
    found: dict[str, list[bytes]] = {}
    for subject, data in messages:
        found.setdefault(subject, []).append(data)
    return found

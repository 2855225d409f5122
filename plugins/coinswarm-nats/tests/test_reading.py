"""What a server sends is taken apart alike, in whatever pieces it comes."""

from __future__ import annotations

from itertools import pairwise

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st
from nats.errors import ProtocolError

from coinswarm_nats.reading import Reader

SENT = (
    b"+OK\r\nPING\r\nMSG a.b 1 3\r\nx\r\n\r\nMSG a\x0b7 2 _INBOX.v1.\xff 0\r\n\r\nPONG\r\n"
    b"HMSG a 3 12 17\r\nNATS/1.0\r\n\r\nMSG a\r\nHMSG a 4 r 2 2\r\n\r\n\r\n-ERR 'no'\r\nINFO {}\r\n"
)
HEARD = [
    "ping",
    (1, b"a.b", b"", b"x\r\n", b""),
    (2, b"a\x0b7", b"_INBOX.v1.\xff", b"", b""),
    "pong",
    (3, b"a", b"", b"MSG a", b"NATS/1.0\r\n\r\n"),
    (4, b"a", b"r", b"", b"\r\n"),
    "'no'",
    {},
]


class Client:
    """Keeps what it is handed."""

    def __init__(self) -> None:
        self.heard: list[object] = []

    async def _process_msg(self, *message: object) -> None:
        self.heard.append(message)

    async def _process_ping(self) -> None:
        self.heard.append("ping")

    async def _process_pong(self) -> None:
        self.heard.append("pong")

    async def _process_err(self, text: str) -> None:
        self.heard.append(text)

    async def _process_info(self, info: object) -> None:
        self.heard.append(info)


def read(*pieces: bytes) -> list[object]:
    """What a client is handed."""
    client = Client()
    reader = Reader(client)

    async def play() -> None:
        for piece in pieces:
            await reader.parse(piece)

    anyio.run(play)
    return client.heard


@given(cuts=st.lists(st.integers(0, len(SENT)), max_size=20))
def test_in_whatever_pieces_it_comes(cuts: list[int]) -> None:
    places = [0, *sorted(cuts), len(SENT)]
    pieces = [SENT[begin:end] for begin, end in pairwise(places)]
    assert read(*pieces) == HEARD


@pytest.mark.parametrize(
    "line",
    [
        b"MSG a 1\r\n",
        b"MSG a b 1\r\n",
        b"MSG a 1 r s 1\r\n",
        b"MSG a 1 -1\r\n",
        b"HMSG a 1 3 2\r\n",
        b"HMSG a 1 2\r\n",
        b"MSG \r\n",
        b"hello\r\n",
        b"\r\n",
        b"x" * 5_000 + b"\r\n",
        b"x" * (1 << 20) + b"x",
    ],
)
def test_what_no_server_sends_ends_it(line: bytes) -> None:
    with pytest.raises(ProtocolError):
        read(line)

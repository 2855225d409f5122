"""What anybody who may publish can send: none of it harms who listens, or who waits for an answer."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import anyio
import pytest

from coinswarm.domain.stored import Message
from coinswarm.errors import RetryableError
from coinswarm.ports import MAX_MESSAGE
from coinswarm_nats.bus import NatsBus
from coinswarm_nats.settings import NatsSettings
from coinswarm_testkit.servers.nats import nats_server

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conftest import Heard, Told

LONG = b"x" * 3_900


def pub(words: bytes, data: bytes = b"x", headers: bytes = b"") -> bytes:
    """What a client sends.

    :param words: subject, and reply.
    """
    if headers:
        return b"HPUB %b %d %d\r\n%b%b\r\n" % (words, len(headers), len(headers) + len(data), headers, data)
    return b"PUB %b %d\r\n%b\r\n" % (words, len(data), data)


STRANGE = {
    "subject not UTF-8": pub(b"liars.mem.\xff"),
    "reply not UTF-8": pub(b"liars.mem.vote \xff\xfe"),
    "words of no subject": pub(b"liars.mem.$\xc3\xa9!"),
    "reply of no subject": pub(b"liars.mem.vote a..b"),
    "tab in a subject": pub(b"liars.mem.\x0bvote"),
    "another subscription's number": pub(b"liars.mem.vote\x0b2"),
    "form feed in a reply": pub(b"liars.mem.vote a\x0cb"),
    "nothing in a subject": pub(b"liars.mem.a\x00b"),
    "long": pub(b"liars.mem.%b\xff %b\xff" % (LONG[:2_000], LONG[:2_000])),
    "too much": pub(b"liars.mem.vote", bytes(MAX_MESSAGE + 1)),
}
HARMLESS = {
    "long": pub(b"liars.mem.%b" % LONG),
    "lines of a server's": pub(b"liars.mem.vote", b"\r\n-ERR 'x'\r\nMSG a 1\r\n"),
    "headers": pub(b"liars.mem.vote", b"x", b"NATS/1.0\r\nA: bbbb\r\n\r\n"),
    "headers that are none": pub(b"liars.mem.vote", b"x", b"\xff" * 12),
    "headers of nothing": b"HPUB liars.mem.vote 0 1\r\nx\r\n",
    "status": pub(b"liars.mem.vote", b"", b"NATS/1.0 503\r\n\r\n"),
    "odd status": pub(b"liars.mem.vote", b"x", b"NATS/1.0 \xff\xff\xff\r\n\r\n"),
}
ANSWERS = {
    "subject not UTF-8": pub(b"%b\xff"),
    "tab in a subject": pub(b"%b\x0bx"),
    "odd status": pub(b"%b", b"", b"NATS/1.0 \xff\xff\xff \xff\r\n\r\n"),
    "short headers": pub(b"%b", b"", b"NATS/1.0"),
}


@pytest.fixture(scope="module")
def server_url(nats_url: str) -> Iterator[str]:  # noqa: ARG001 - skips where there is no server
    """A server that carries more than a swarm does."""
    with nats_server("max_payload: 2097152") as server:
        yield server.url


def made(url: str) -> NatsBus:
    return NatsBus(NatsSettings(url=url, prefix="liars"))


async def lie(url: str, frame: bytes) -> None:
    """Send what no client would; returns when the server has it."""
    address = urlsplit(url)
    async with await anyio.connect_tcp(address.hostname or "", address.port or 0) as line:
        await line.receive()
        await line.send(b'CONNECT {"verbose":false,"headers":true,"no_responders":true}\r\n' + frame + b"PING\r\n")
        assert await line.receive() == b"PONG\r\n", "the server carries it"


@pytest.mark.parametrize("strange", STRANGE)
def test_a_message_that_nobody_honest_sends_is_dropped_and_told(
    server_url: str, heard: Heard, told: Told, strange: str
) -> None:
    async def play() -> None:
        async with made(server_url) as bus:
            bus.on_error(told)
            for pattern in ("mem.>", "a.b", "other"):
                await bus.subscribe(pattern, heard)
            await lie(server_url, STRANGE[strange])
            await bus.publish_batch([Message("mem.vote", b"good")])
            await heard.until(lambda it: b"good" in it)

    anyio.run(play)
    assert heard == [b"good"]
    assert [type(error) for error in told] == [RetryableError]
    assert "is dropped, on liars.mem." in str(told[0])
    assert len(str(told[0])) < 500


@pytest.mark.parametrize("harmless", HARMLESS)
def test_what_is_odd_and_harmless_is_a_message(server_url: str, heard: Heard, told: Told, harmless: str) -> None:
    async def play() -> None:
        async with made(server_url) as bus:
            bus.on_error(told)
            await bus.subscribe("mem.>", heard)
            await lie(server_url, HARMLESS[harmless])
            await bus.publish_batch([Message("mem.vote", b"good")])
            await heard.until(lambda it: b"good" in it)

    anyio.run(play)
    assert (len(heard), heard[-1], told) == (2, b"good", [])


@pytest.mark.parametrize("answer", ANSWERS)
def test_who_waits_for_an_answer_is_not_cut_off_by_another_one(server_url: str, told: Told, answer: str) -> None:
    async def play() -> bytes:
        async with made(server_url) as asks, made(server_url) as answers:
            asks.on_error(told)

            async def reply(message: Message) -> None:
                await lie(server_url, ANSWERS[answer].replace(b"%b", message.reply.encode()))
                await answers.publish(message.reply, b"good")

            await answers.subscribe("q", reply)
            await asks.request("q", b"", seconds=5)
            return (await asks.request("q", b"", seconds=5)).data

    assert anyio.run(play) in {b"good", b"x", b""}
    assert not any("is lost" in str(error) for error in told)

"""The bus nats beyond the contract: leaving, limits, prefixes, servers that restart or fall silent."""

from __future__ import annotations

import json
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import anyio
import pytest

from coinswarm.domain.health import Condition
from coinswarm.domain.stored import Message
from coinswarm.errors import AmbiguousError, OperatorError, RetryableError, UnreachableError
from coinswarm_nats.bus import NatsBus
from coinswarm_nats.client import BusClient
from coinswarm_nats.settings import NatsSettings
from coinswarm_testkit.servers.nats import nats_server
from coinswarm_testkit.servers.proxy import Proxy

if TYPE_CHECKING:
    from conftest import Heard, Published, Told

pytestmark = pytest.mark.usefixtures("nats_url")


def made(url: str, **settings: Any) -> NatsBus:  # noqa: ANN401 - any setting
    return NatsBus(NatsSettings(url=url, **{"first_pause": 0.01, **settings}))


async def unused(_message: Message) -> None:
    raise AssertionError


def test_what_was_published_before_leaving_arrives_and_what_is_pending_is_handled(nats_url: str, heard: Heard) -> None:
    async def leave() -> list[bytes]:
        late: list[bytes] = []

        async def handler(message: Message) -> None:
            await anyio.lowlevel.checkpoint()
            late.append(message.data)
            await leaving.publish("answers", message.data)

        async with made(nats_url, prefix="leaving") as other:
            await other.subscribe("answers", heard)
            leaving = made(nats_url, prefix="leaving")
            async with leaving:
                await leaving.subscribe("a", handler)
                for number in range(200):
                    await leaving.publish("a", b"%d" % number)
            await heard.until(lambda it: len(it) == 200)
        return late

    assert anyio.run(leave) == [b"%d" % number for number in range(200)] == heard


def test_leaving_does_not_wait_for_ever_and_an_error_inside_not_at_all(nats_url: str) -> None:
    async def leave(seconds: float, error: Exception | None) -> None:
        async def stuck(_message: Message) -> None:
            began.set()
            await anyio.sleep_forever()

        began = anyio.Event()
        with anyio.fail_after(10):
            async with made(nats_url, prefix="stuck", drain_seconds=seconds) as bus:
                await bus.subscribe("a", stuck)
                await bus.publish("a", b"")
                await began.wait()
                if error is not None:
                    raise error

    anyio.run(leave, 0.01, None)
    with pytest.raises(KeyError, match="inside"):
        anyio.run(leave, 60, KeyError("inside"))


@pytest.mark.parametrize(("limits", "kept"), [({"pending": 3}, 4), ({"pending_bytes": 1 << 20}, 5)])
def test_who_is_too_far_behind_loses_the_newest_and_it_is_told_once(
    nats_url: str, heard: Heard, told: Told, limits: dict[str, int], kept: int
) -> None:
    async def fall_behind() -> None:
        go = anyio.Event()

        async def slow(message: Message) -> None:
            await go.wait()
            await heard(message)

        async with made(nats_url, prefix="slow", **limits) as bus:
            bus.on_error(told)
            await bus.subscribe("a", slow)
            await bus.publish_batch([Message("a", bytes(1 << 18)) for _ in range(12)])
            await told.until("those that follow are lost")
            await bus.publish_batch([Message("a", bytes(1 << 18)) for _ in range(3)])
            go.set()
            await heard.until(lambda it: len(it) >= kept)

    anyio.run(fall_behind)
    assert len(heard) == kept, "one at work and those that are pending"
    assert [type(error) for error in told] == [RetryableError]


def test_swarms_with_different_prefixes_do_not_hear_each_other(nats_url: str, heard: Heard) -> None:
    async def play() -> list[str]:
        subjects: list[str] = []

        async def all_of_mine(message: Message) -> None:
            subjects.append(message.subject)
            await heard(message)

        async with made(nats_url, prefix="one.x") as one, made(nats_url, prefix="two") as two:
            await one.subscribe(">", all_of_mine)
            await two.publish_batch([Message("a.b", b"theirs")])
            await one.publish_batch([Message("a.b", b"mine")])
            await heard.until(lambda it: b"mine" in it)
        return subjects

    assert anyio.run(play) == ["a.b"]
    assert heard == [b"mine"]


def test_answers_cross_prefixes_by_their_inbox(nats_url: str) -> None:
    async def play() -> bytes:
        async with made(nats_url, prefix="asked", inbox="v1") as asks, made(nats_url, prefix="asked") as answers:

            async def answer(message: Message) -> None:
                await answers.publish(message.reply, message.reply.encode())

            await answers.subscribe("q", answer)
            return (await asks.request("q", b"", seconds=5)).data

    assert anyio.run(play).startswith(b"_INBOX.v1.")


def test_a_message_is_on_its_way_before_anybody_else_has_a_turn(nats_url: str) -> None:
    async def play() -> list[int]:
        unsent = []
        async with made(nats_url, prefix="turn") as bus:
            connection = bus._usable()
            send = connection.publish

            async def sent(subject: str, data: bytes, reply: str) -> None:
                await send(subject, data, reply)
                unsent.append(connection._client.pending_data_size)

            connection.publish = sent  # type: ignore[method-assign]
            for size in (10, 100, 1000):
                await bus.publish("a", bytes(size))
        return unsent

    assert anyio.run(play) == [0, 0, 0]


def test_what_a_server_does_not_take_is_counted_and_who_sends_more_is_told(nats_url: str) -> None:
    async def play() -> int:
        async def serve(client: anyio.abc.ByteStream) -> None:
            async with client, await anyio.connect_tcp(address.hostname or "", address.port or 0) as server:
                await client.send(await server.receive())  # INFO
                await server.send(await client.receive())  # CONNECT and PING
                await client.send(await server.receive())  # PONG
                await server.send(await client.receive())  # PING
                await client.send(await server.receive())  # PONG
                await anyio.sleep_forever()

        address = urlsplit(nats_url)
        listener = await anyio.create_tcp_listener(local_host="127.0.0.1", local_port=0)
        port = listener.extra(anyio.abc.SocketAttribute.local_port)  # noqa: S610 - anyio's, no database's
        async with listener, anyio.create_task_group() as group:
            group.start_soon(listener.serve, serve)
            async with made(f"nats://127.0.0.1:{port}", answer_seconds=0.1, drain_seconds=0.1) as bus:
                connection = bus._usable()
                with pytest.raises(UnreachableError):
                    await _flooded(bus)
                transport: Any = connection._client._transport
                held = transport._io_writer.transport.get_write_buffer_size()
            group.cancel_scope.cancel()
        return int(held)

    assert anyio.run(play) < 8 << 20


def test_a_batch_is_written_together_and_confirmed_after_it_was(nats_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async def play() -> list[str]:
        done = []
        async with made(nats_url, prefix="together") as bus:
            transport: Any = bus._usable()._client._transport
            write, writelines = transport.write, transport.writelines

            def one(data: bytes) -> None:
                done.append(data.decode().strip())
                write(data)

            def several(lines: list[bytes]) -> None:
                done.append(f"{len(lines)} messages")
                writelines(lines)

            monkeypatch.setattr(transport, "write", one)
            monkeypatch.setattr(transport, "writelines", several)
            await bus.publish_batch([Message("a", b"%d" % number) for number in range(100)])
            await bus.publish("a", b"alone")
        return done[:3]

    assert anyio.run(play) == ["100 messages", "PING", "1 messages"]


async def _flooded(bus: NatsBus) -> None:
    for _ in range(1_000):  # what the kernels on both sides take, and much more
        await bus.publish("a", bytes(1 << 17))


def test_more_than_is_sent_at_once_waits_and_is_not_lost(nats_url: str, heard: Heard) -> None:
    async def flood() -> None:
        async with made(nats_url, prefix="flood") as bus, made(nats_url, prefix="flood") as other:
            await other.subscribe("a", heard)
            await bus.publish_batch([Message("a", bytes(1 << 19)) for _ in range(24)])
            await heard.until(lambda it: len(it) == 24)

    anyio.run(flood)


def test_a_server_that_restarts_is_found_again(heard: Heard, told: Told, published: Published) -> None:
    async def restart() -> list[Condition]:
        seen = []
        with ExitStack() as first:
            url = first.enter_context(nats_server("# its own")).url
            port = urlsplit(url).port
            assert port is not None
            async with made(url) as bus:
                bus.on_error(told)
                await bus.subscribe("a", heard)
                await anyio.to_thread.run_sync(first.close)
                await told.until("is lost")
                seen.append((await bus.health()).condition)
                with pytest.raises(UnreachableError, match=f"127.0.0.1:{port}"):
                    await bus.publish("a", b"away")
                await told.until("cannot be reached")
                with nats_server("# its own", port=port):
                    await published(bus, "a", b"again")
                    await heard.until(lambda it: b"again" in it)
                    seen.append((await bus.health()).condition)
        return seen

    assert anyio.run(restart) == [Condition.DOWN, Condition.GOOD]
    assert heard == [b"again"]


def test_a_line_that_breaks_while_something_is_unsent_is_lost_too(heard: Heard, told: Told) -> None:
    async def leave() -> None:
        with ExitStack() as server:
            url = server.enter_context(nats_server("# its own")).url
            with anyio.fail_after(10):
                async with made(url, drain_seconds=300) as bus:
                    bus.on_error(told)
                    await bus.subscribe("a", heard)
                    server.close()  # while the loop stands still, so that leaving still takes it for alive

    anyio.run(leave)
    assert any("is lost" in str(error) for error in told)


@pytest.mark.parametrize("steps", range(2, 8))
def test_who_is_cancelled_while_the_server_confirms_harms_nobody(nats_url: str, heard: Heard, steps: int) -> None:
    async def play() -> None:
        async with made(nats_url, prefix=f"cancelled{steps}") as bus:
            bus.on_error(lambda error: pytest.fail(str(error)))
            await bus.subscribe("a", heard)
            for _ in range(3):
                async with anyio.create_task_group() as group:
                    group.start_soon(bus.publish_batch, [Message("b", b"")])
                    for _ in range(steps):
                        await anyio.lowlevel.checkpoint()
                    group.cancel_scope.cancel()
            await bus.publish_batch([Message("a", b"one")])
            await bus.publish_batch([Message("a", b"two")])
            await heard.until(lambda it: len(it) == 2)

    anyio.run(play)
    assert heard == [b"one", b"two"]


def test_a_client_that_stops_reading_is_lost_and_replaced(
    nats_url: str, heard: Heard, told: Told, published: Published, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def stumble(*_: object) -> None:
        monkeypatch.undo()
        message = "unexpected"
        raise RuntimeError(message)

    async def play() -> None:
        async with made(nats_url, prefix="stumbles") as bus:
            bus.on_error(told)
            await bus.subscribe("a", heard)
            monkeypatch.setattr(BusClient, "_process_msg", stumble)
            await bus.publish("a", b"lost")
            await told.until("is lost")
            await published(bus, "a", b"heard")
            await heard.until(lambda it: it == [b"heard"])

    anyio.run(play)


def test_who_waits_when_the_connection_is_lost_is_told_at_once(nats_url: str) -> None:
    async def lose() -> list[str]:
        address = urlsplit(nats_url)
        assert address.hostname is not None
        assert address.port is not None
        problems: list[str] = []
        async with Proxy(address.hostname, address.port) as proxy, made(f"nats://{proxy.address}") as bus:

            async def cut(_message: Message) -> None:
                proxy.cut()

            await bus.subscribe("silent", cut)
            with anyio.fail_after(10), pytest.raises(AmbiguousError, match="was lost") as raised:
                await bus.request("silent", b"", seconds=300)
            problems.append(str(raised.value))
        return problems

    [problem] = anyio.run(lose)
    assert "'coinswarm.silent'" in problem


def test_who_unsubscribes_while_the_connection_is_lost_stays_so(
    nats_url: str, heard: Heard, told: Told, published: Published
) -> None:
    async def play() -> None:
        address = urlsplit(nats_url)
        assert address.hostname is not None
        assert address.port is not None
        async with (
            Proxy(address.hostname, address.port) as proxy,
            made(f"nats://{proxy.address}", prefix="ends") as bus,
            made(nats_url, prefix="ends") as other,
        ):
            bus.on_error(told)
            ended = await bus.subscribe("a", unused, group="g")
            proxy.cut()
            await told.until("is lost")
            await ended.unsubscribe()
            await other.subscribe("a", heard, group="g")
            proxy.mend()
            await published(bus, "b", b"")
            await other.publish_batch([Message("a", b"%d" % number) for number in range(20)])
            await heard.until(lambda it: len(it) == 20)

    anyio.run(play)
    assert heard == [b"%d" % number for number in range(20)], "the group has one member"


def test_a_server_that_falls_silent_is_lost(nats_url: str, told: Told) -> None:
    async def play() -> None:
        async def serve(client: anyio.abc.ByteStream) -> None:
            async with client, await anyio.connect_tcp(address.hostname or "", address.port or 0) as server:
                await client.send(await server.receive())  # INFO
                await server.send(await client.receive())  # CONNECT and PING
                with anyio.CancelScope() as scope:
                    scopes.append(scope)
                    async with anyio.create_task_group() as group:
                        group.start_soon(_pass, client, server)
                        group.start_soon(_pass, server, client)
                await anyio.sleep_forever()

        address = urlsplit(nats_url)
        scopes: list[anyio.CancelScope] = []
        listener = await anyio.create_tcp_listener(local_host="127.0.0.1", local_port=0)
        port = listener.extra(anyio.abc.SocketAttribute.local_port)  # noqa: S610 - anyio's, no database's
        async with listener, anyio.create_task_group() as group:
            group.start_soon(listener.serve, serve)
            async with made(f"nats://127.0.0.1:{port}", ping_seconds=0.02) as bus:
                bus.on_error(told)
                scopes[0].cancel()
                await told.until("is lost")
            group.cancel_scope.cancel()

    anyio.run(play)


async def _pass(source: anyio.abc.ByteStream, target: anyio.abc.ByteStream) -> None:
    async for data in source:
        await target.send(data)


def test_of_several_servers_one_that_is_there_is_enough(nats_url: str) -> None:
    async def play() -> Condition:
        async with Proxy("127.0.0.1", 1) as gone:
            pass
        async with made(f"nats://{gone.address},{nats_url}") as bus:
            return (await bus.health()).condition

    assert anyio.run(play) is Condition.GOOD


def test_a_server_for_smaller_messages_only_is_refused() -> None:
    async def play(url: str) -> None:
        async with made(url):
            raise AssertionError

    with nats_server("max_payload: 1000") as server, pytest.raises(OperatorError, match="set max_payload to 1048576"):
        anyio.run(play, server.url)


def test_what_is_no_nats_server_is_unreachable() -> None:
    async def play() -> None:
        async def serve(client: anyio.abc.ByteStream) -> None:
            async with client:
                await client.send(json.dumps({"hello": 1}).encode() + b"\r\n")
                await client.receive()

        listener = await anyio.create_tcp_listener(local_host="127.0.0.1", local_port=0)
        port = listener.extra(anyio.abc.SocketAttribute.local_port)  # noqa: S610 - anyio's, no database's
        async with listener, anyio.create_task_group() as group:
            group.start_soon(listener.serve, serve)
            with pytest.raises(UnreachableError, match=r"cannot be reached \(empty response"):
                await made(f"nats://127.0.0.1:{port}").__aenter__()
            group.cancel_scope.cancel()

    anyio.run(play)

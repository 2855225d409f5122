"""The player answers as recorded, meddles as told, and goes on while nobody listens."""

from __future__ import annotations

import http.client
import socket
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest

from coinswarm_testkit.play import frames
from coinswarm_testkit.play.player import Fault, Player
from coinswarm_testkit.play.recording import SCHEMA, SECRET, load, parsed
from coinswarm_testkit.verdicts import CheckFailedError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from coinswarm_testkit.play.recording import Recording

READING = {
    "type": "MacroReading", "source": "s", "channel": "c", "subject": "x", "key": "1",
    "event": "2026-01-01T00:00:00Z", "published": "2026-01-02T00:00:00Z", "value": "0.1",
}  # fmt: skip


def exchange(text: str, path: str = "/a", **query: str) -> dict[str, Any]:
    return {"request": {"path": path, "query": query}, "response": {"text": text}}


def recording(*exchanges: dict[str, Any], **more: Any) -> Recording:  # noqa: ANN401 - any JSON
    return parsed({
        "schema": SCHEMA, "now": "2026-02-01T00:00:00Z", "settings": {}, "exchanges": exchanges,
        "observations": [READING], **more,
    })  # fmt: skip


def ask(player: Player, target: str) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection(urlsplit(player.addresses["http"]).netloc, timeout=5)
    try:
        connection.request("GET", target)
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def test_the_exchange_that_names_most_answers_and_equal_ones_take_turns() -> None:
    played = recording(exchange("any"), exchange("one", page="1"), exchange("two", page="1"))
    with Player(played) as player:
        assert ask(player, "/a?page=2")[1] == b"any"
        assert [ask(player, "/a?page=1&key=k")[1] for _ in range(3)] == [b"one", b"two", b"two"]
        assert ask(player, "/b")[0] == 404
        assert [one.recorded for one in player.seen] == [True] * 4 + [False]


def test_a_fault_takes_no_turn() -> None:
    with Player(recording(exchange("one"), exchange("two")), faults={0: Fault(status=503)}) as player:
        assert [ask(player, "/a") for _ in range(3)] == [(503, b"{}"), (200, b"one"), (200, b"two")]


def test_after_rewinding_the_first_answer_comes_again_and_what_was_sent_is_seen() -> None:
    with Player(recording(exchange("one"), exchange("two")), faults={2: Fault(rewrite=bytes.upper)}) as player:
        assert [ask(player, "/a")[1] for _ in range(2)] == [b"one", b"two"]
        player.rewind()
        assert [ask(player, "/a")[1] for _ in range(2)] == [b"ONE", b"one"]
        connection = http.client.HTTPConnection(urlsplit(player.addresses["http"]).netloc, timeout=5)
        connection.request("POST", "/a", body=b"secret=1")
        assert connection.getresponse().status == 404
        connection.close()
        assert [one.body for one in player.seen] == ["", "", "", "", "secret=1"]


def test_answers_that_break_off() -> None:
    faults = {0: Fault(drop=True), 1: Fault(truncate=True)}
    with Player(recording(exchange("a whole answer")), faults=faults) as player:
        with pytest.raises(http.client.RemoteDisconnected):
            ask(player, "/a")
        with pytest.raises(http.client.IncompleteRead):
            ask(player, "/a")


def test_a_stalled_request_ends_with_the_player() -> None:
    with Player(recording(exchange("x")), always=Fault(stall=True)) as player:
        host, port = urlsplit(player.addresses["http"]).netloc.split(":")
        client = socket.create_connection((host, int(port)), timeout=5)
        client.sendall(b"GET /a HTTP/1.1\r\nhost: x\r\n\r\n")
        assert player.waited(1, 5)
        assert not player.waited(2, 0)
    assert client.recv(10) == b""
    client.close()


@contextmanager
def listening(player: Player) -> Iterator[Any]:
    """The frames of a connection, until it is closed."""
    host, port = urlsplit(player.addresses["ws"]).netloc.split(":")
    with socket.create_connection((host, int(port)), timeout=5) as client:
        file = client.makefile("rb")
        client.sendall(b"GET /live HTTP/1.1\r\nupgrade: websocket\r\nsec-websocket-key: abc\r\n\r\n")
        while file.readline().strip():
            pass
        client.sendall(frames.frame(frames.TEXT, b"subscribe", mask=b"mask"))

        def read(count: int) -> bytes:
            data = file.read(count)
            if len(data) < count:
                raise EOFError
            return data

        yield lambda: frames.read(read)
        file.close()


def test_frames_pass_while_nobody_listens() -> None:
    texts = ["0", "1", "2", "3", "4" * 200]
    sock = {"path": "/live", "asked": 1, "frames": [{"text": t} for t in texts], "cut": {"after": 2, "missed": 1}}
    with Player(recording(socket=sock), cut=True) as player:
        with listening(player) as hear:
            assert [hear()[1] for _ in range(2)] == [b"0", b"1"]
            with pytest.raises(EOFError):
                hear()
        with listening(player) as hear:
            assert [hear()[1] for _ in range(2)] == [b"3", b"4" * 200]
    with Player(recording(socket=sock), inserted="!") as player:
        with listening(player) as hear:
            assert [hear()[1] for _ in range(3)] == [b"0", b"1", b"!"]
            with pytest.raises(EOFError):
                hear()
        with listening(player) as hear:
            assert hear()[1] == b"2"


def test_frames_wait_for_a_fault_that_is_to_come_after_a_cut() -> None:
    sock = {"path": "/live", "asked": 1, "frames": [{"text": t} for t in "0123"], "cut": {"after": 1, "missed": 1}}
    with Player(recording(exchange("x"), socket=sock), cut=True, faults={2: Fault(status=503)}) as player:
        with listening(player) as hear:
            assert hear()[1] == b"0"
        with listening(player) as hear:
            assert ask(player, "/a")[0] == 503
            assert hear()[1] == b"2"
    with Player(recording(exchange("x"), socket=sock), cut=True, faults={2: Fault(status=503)}) as player:
        with listening(player) as hear:
            assert hear()[1] == b"0"
        with listening(player):
            assert ask(player, "/a")[0] == 503
        with listening(player) as hear:
            assert hear()[1] == b"2", "who left has heard nothing"


def test_a_source_that_hangs_up_at_once() -> None:
    sock = {"path": "/live", "asked": 1, "frames": [{"text": "0"}], "cut": {"after": 1, "missed": 0}}
    with Player(recording(socket=sock), shut=True) as player:
        for _ in range(2):
            with pytest.raises((EOFError, OSError)), listening(player) as hear:
                hear()
        assert [one.recorded for one in player.seen] == [True, True]


@pytest.mark.parametrize("size", [0, 125, 126, 65_535, 65_536])
@pytest.mark.parametrize("mask", [b"", b"\x01\x02\x03\x04"])
def test_frames_of_every_length_are_read_as_written(size: int, mask: bytes) -> None:
    data = memoryview(frames.frame(frames.TEXT, b"x" * size, mask=mask))
    place = [0]

    def read(count: int) -> bytes:
        place[0] += count
        return bytes(data[place[0] - count : place[0]])

    assert frames.read(read) == (frames.TEXT, b"x" * size)
    assert place[0] == len(data)


def test_settings_are_filled_and_nothing_is_imported() -> None:
    found = load("coinswarm_testkit:reference/recordings/polled.json")
    filled = found.filled({"http": "http://127.0.0.1:1", "ws": ""})
    assert filled == {"base_url": "http://127.0.0.1:1", "series": "policy-rate", "api_key": SECRET}
    assert found.secret


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"schema": "other"}, "schema is 'other'"),
        ({"now": "2026-02-01T00:00:00+01:00"}, "not in UTC"),
        ({"observations": [{**READING, "type": "Health"}]}, "no type of observation"),
        ({"observations": [READING, {**READING, "value": "0.2"}]}, "2 observations are called .*a revision too"),
        ({"observations": [{**READING, "mood": 1}]}, "has no field 'mood'"),
        ({"observations": [{name: value for name, value in READING.items() if name != "value"}]}, "lacks 'value'"),
    ],
)
def test_what_is_not_of_the_form_is_named(change: dict[str, Any], match: str) -> None:
    with pytest.raises(ValueError, match=match):
        recording(**change)


def test_a_recording_that_is_not_there_is_a_failure() -> None:
    with pytest.raises(CheckFailedError, match=r"'no_such:x\.json' is not among the installed files"):
        load("no_such:x.json")

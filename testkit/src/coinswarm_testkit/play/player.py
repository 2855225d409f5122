"""The player: a server on loopback that answers as recorded, and meddles where a check asks for it.

HTTP: the first recorded exchange that fits a request answers it; of several that fit, the one that names most of the
query; equal ones answer in turn, and the last of them goes on answering. What was never recorded is a 404, which
checks can see. WebSocket: frames are sent in order, also over several connections, as a venue goes on while nobody
listens.
"""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, ClassVar, Self
from urllib.parse import urlsplit

from coinswarm_testkit.play import frames

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from coinswarm_testkit.play.recording import Exchange, Recording

NOT_RECORDED = 404
LEAVING_SECONDS = 3.0
"""How long after a fault a client may take to leave its connection, or to ask again, on a busy machine."""

LOOK_SECONDS = 0.05
"""How often it is looked whether it did."""


@dataclass(frozen=True, slots=True)
class Fault:
    """What is done instead of answering as recorded.

    :param status: answered instead, with ``headers`` and ``body``; 0 keeps the recorded one.
    :param body: answered instead; None keeps the recorded one.
    :param rewrite: makes what is answered of the body.
    :param drop: the connection is closed without an answer.
    :param truncate: the connection is closed in the middle of the body.
    :param stall: nothing is answered until the player is stopped.
    """

    status: int = 0
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None
    rewrite: Callable[[bytes], bytes] | None = None
    drop: bool = False
    truncate: bool = False
    stall: bool = False


@dataclass(frozen=True, slots=True)
class Seen:
    """A request as it came."""

    method: str
    target: str
    headers: str
    recorded: bool
    body: str = ""


class Player:
    """Plays one recording on loopback, inside ``with``.

    :param faults: by the number of the request, from 0; WebSocket handshakes count.
    :param always: a fault for every request.
    :param cut: cut the WebSocket where the recording says.
    :param inserted: a text that is sent where the recording says to cut; the connection is closed after it, and
        nothing is missed.
    :param shut: every WebSocket is closed as soon as it is open.
    """

    def __init__(  # noqa: PLR0913 - ways to meddle
        self,
        recording: Recording,
        *,
        faults: Mapping[int, Fault] | None = None,
        always: Fault | None = None,
        cut: bool = False,
        inserted: str | None = None,
        shut: bool = False,
    ) -> None:
        self.recording, self.always, self.cut, self.shut = recording, always, cut, shut
        self.faults, self.inserted = dict(faults or {}), inserted
        self.seen: list[Seen] = []
        self.stopped = threading.Event()
        self._asked = threading.Condition()
        self._turns: Counter[int] = Counter()
        self._next_frame = 0
        self._open: set[socket.socket] = set()

    def __enter__(self) -> Self:
        handler = type("Handler", (_Handler,), {"player": self})
        self._server = Server(("127.0.0.1", 0), handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stopped.set()
        self._server.shutdown()
        for connection in list(self._open):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        self._server.server_close()
        self._thread.join()

    @property
    def addresses(self) -> dict[str, str]:
        """What ``{http}`` and ``{ws}`` stand for."""
        port = self._server.server_address[1]
        return {"http": f"http://127.0.0.1:{port}", "ws": f"ws://127.0.0.1:{port}"}

    def waited(self, requests: int, seconds: float) -> bool:
        """Wait until so many requests have come; whether they did in time."""
        with self._asked:
            return self._asked.wait_for(lambda: len(self.seen) >= requests, seconds)

    def rewind(self) -> None:
        """Begin anew: the first turn of every exchange, and the first frame."""
        with self._asked:
            self._turns.clear()
            self._next_frame = 0

    def is_handshake(self, target: str) -> bool:
        """Whether a request would open the WebSocket."""
        return self.recording.socket is not None and urlsplit(target).path == self.recording.socket.path

    def take(self, method: str, target: str, headers: str, body: str = "") -> tuple[Exchange | None, Fault]:
        """Note a request; what was recorded for it, and what is to be done instead."""
        handshake = self.is_handshake(target)
        with self._asked:
            number = len(self.seen)
            fault = self.faults.get(number, self.always) or Fault()
            meddled = fault != Fault()
            chosen = None if handshake else self._chosen(method, target, count=not meddled)
            self.seen.append(Seen(method, target, headers, handshake or chosen is not None, body))
            self._asked.notify_all()
        return chosen, fault

    def _chosen(self, method: str, target: str, *, count: bool) -> Exchange | None:
        """The exchange whose turn it is."""
        fitting = [one for one in self.recording.exchanges if one.fits(method, target)]
        if not fitting:
            return None
        most = max(len(one.query) for one in fitting)
        equal = [one for one in fitting if len(one.query) == most]
        equal = [one for one in equal if one.query == equal[0].query]
        name = self.recording.exchanges.index(equal[0])
        turn = min(self._turns[name], len(equal) - 1)
        if count:
            self._turns[name] += 1
        return equal[turn]

    def settle(self, since: int) -> bool:
        """Wait while a fault is still to come after a cut: what is heard before it would pass unheard with it.

        :param since: how many requests there were when the WebSocket was opened.
        :returns: whether one came after that.
        """
        while not self.stopped.is_set():
            with self._asked:
                if not self.cut or self._next_frame == 0:
                    return False
                if all(number < len(self.seen) for number in self.faults):
                    return any(number >= since for number in self.faults)
                self._asked.wait(LOOK_SECONDS)
        return False

    def turn(self) -> tuple[list[str], bool]:
        """What the next connection is sent, and whether it is closed then."""
        sock = self.recording.socket
        assert sock is not None, "only asked where there is one"
        with self._asked:
            begin = self._next_frame
            if begin >= sock.cut_after or not (self.cut or self.inserted is not None):
                self._next_frame = len(sock.frames)
                return list(sock.frames[begin:]), False
            self._next_frame = sock.cut_after + (sock.missed if self.cut else 0)
            texts = list(sock.frames[begin : sock.cut_after])
            return [*texts, self.inserted] if self.inserted is not None else texts, True

    @contextlib.contextmanager
    def opened(self, connection: socket.socket) -> Iterator[None]:
        """Keep a connection, so that it can be ended with the player."""
        self._open.add(connection)
        try:
            yield
        finally:
            self._open.discard(connection)


class Server(ThreadingHTTPServer):
    """A thread for each connection, none of which keeps the process."""

    daemon_threads = True
    block_on_close = False

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that leaves is no news."""


class _Handler(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    player: ClassVar[Player]

    def do_GET(self) -> None:
        """Answer a request, or a WebSocket handshake."""
        self._answer()

    do_POST = do_PUT = do_DELETE = do_GET  # noqa: N815 - its own names

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its own signature
        """Say nothing."""

    def _answer(self) -> None:
        size = int(self.headers.get("content-length") or 0)
        sent = self.rfile.read(size).decode("latin-1") if size else ""
        exchange, fault = self.player.take(self.command, self.path, str(self.headers), sent)
        sock = self.player.recording.socket
        if fault.stall:
            with self.player.opened(self.connection):
                self.player.stopped.wait()
            self.close_connection = True
            return
        if fault.drop:
            self.close_connection = True
            return
        upgrade = sock is not None and urlsplit(self.path).path == sock.path
        if upgrade and not fault.status:
            self._speak()
            return
        status = fault.status or (exchange.status if exchange else NOT_RECORDED)
        body = fault.body if fault.body is not None else exchange.body if exchange and not fault.status else b"{}"
        if fault.rewrite is not None:
            body = fault.rewrite(body)
        headers = {**(exchange.headers if exchange else {}), **fault.headers}
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[: len(body) // 2] if fault.truncate else body)
        if fault.truncate:
            self.wfile.flush()
            self.close_connection = True

    def _speak(self) -> None:
        """Be the server's end of a WebSocket until somebody leaves."""
        sock, since = self.player.recording.socket, len(self.player.seen)
        assert sock is not None, "only asked where there is one"
        self.send_response(101)
        self.send_header("upgrade", "websocket")
        self.send_header("connection", "Upgrade")
        self.send_header("sec-websocket-accept", frames.accepted(self.headers.get("sec-websocket-key", "")))
        self.end_headers()
        self.close_connection = True
        if self.player.shut:
            return
        with self.player.opened(self.connection), contextlib.suppress(OSError, ValueError, EOFError):
            asked = 0
            while asked < sock.asked:
                asked += self._heard() == frames.TEXT
            if self.player.settle(since) and self._left():
                return
            texts, closing = self.player.turn()
            for text in texts:
                self.wfile.write(frames.frame(frames.TEXT, text.encode("utf-8", "surrogatepass")))
            self.wfile.flush()
            if closing:
                return
            while True:
                self._heard()

    def _left(self) -> bool:
        """Whether the client leaves after a fault; not where it asks again, or does nothing for long."""
        before, end = len(self.player.seen), time.monotonic() + LEAVING_SECONDS
        try:
            while time.monotonic() < end:
                if asked := self.player.seen[before:]:
                    return any(self.player.is_handshake(one.target) for one in asked)
                self.connection.settimeout(LOOK_SECONDS)
                with contextlib.suppress(TimeoutError):
                    first = self.connection.recv(1, socket.MSG_PEEK)
                    if not first or first[0] & 0x0F == frames.CLOSE:
                        return True
                    self.connection.settimeout(None)
                    self._heard()
        finally:
            self.connection.settimeout(None)
        return False

    def _heard(self) -> int:
        """The kind of the client's next frame; a ping is answered."""
        kind, payload = frames.read(self._exactly)
        if kind == frames.PING:
            self.wfile.write(frames.frame(frames.PONG, payload))
        if kind == frames.CLOSE:
            raise EOFError
        return kind

    def _exactly(self, count: int) -> bytes:
        data = self.rfile.read(count)
        if len(data) < count:
            raise EOFError
        return data

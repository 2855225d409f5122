"""The venue's plain dialect: JSON over HTTP, without anybody's history.

``POST /orders`` (409 for a client id that is known, 422 for an order that is not taken); ``GET`` and ``DELETE``
``/orders?client_id=`` (404 for none); ``GET /open?after=`` and ``GET /fills?after=`` in pages of three;
``GET /account``; ``GET /events?after=``, which waits until there are some. Decimals are texts, times ISO 8601, the
key is in ``x-api-key``.
"""

from __future__ import annotations

import contextlib
import json
import socket
import threading
from dataclasses import dataclass, fields
from datetime import datetime
from decimal import Decimal
from enum import Enum
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING, Any, ClassVar, Self
from urllib.parse import parse_qsl, urlsplit

from coinswarm.domain.order import OrderKind, TimeInForce
from coinswarm.domain.trading import OrderReport, Ticket
from coinswarm_testkit.play.player import Fault, Server
from coinswarm_testkit.venue.books import Books, DuplicateError, RejectedError

if TYPE_CHECKING:
    from collections.abc import Callable

    from coinswarm.domain.trading import FillReport

PAGE = 3
WAIT_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Trouble:
    """A fault at the next request of its kind.

    :param done: whether the venue does what it was asked before it fails to say so.
    """

    fault: Fault
    done: bool = False


class PlainVenue:
    """Books behind a server on loopback, inside ``with``.

    :param key: that requests must bring.
    """

    def __init__(self, books: Books, *, key: str) -> None:
        self.books, self.key = books, key
        self.trouble: dict[str, list[Trouble]] = {}
        """Faults by method and path, as in ``POST /orders``, in the order in which they come."""
        self.before: dict[str, Callable[[], None]] = {}
        """What happens at the venue just before it handles the next request of a kind."""
        self.requests: list[str] = []
        self._came = threading.Condition()
        self.headers: list[str] = []
        self.stopped = threading.Event()
        self._open: set[socket.socket] = set()

    def __enter__(self) -> Self:
        self._server = Server(("127.0.0.1", 0), type("Handler", (_Handler,), {"venue": self}))
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        """Go away: connections are closed, and new ones refused."""
        if self.stopped.is_set():
            return
        self.stopped.set()
        with self.books.changed:
            self.books.changed.notify_all()
        self._server.shutdown()
        self.hang_up()
        self._server.server_close()
        self._thread.join()

    def hang_up(self) -> None:
        """Close every connection that is open."""
        for connection in list(self._open):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def count(self, kind: str) -> int:
        """How many requests of a kind have come, as in ``POST /orders``."""
        return self.requests.count(kind)

    def note(self, kind: str, headers: str) -> None:
        """Note that a request came."""
        with self._came:
            self.requests.append(kind)
            self.headers.append(headers)
            self._came.notify_all()

    def watched(self, seconds: float) -> bool:
        """Wait until somebody waits for events; whether somebody did in time."""
        with self._came:
            return self._came.wait_for(lambda: self.count("GET /events") > 1, seconds)

    def _submit(self, body: bytes) -> tuple[int, Any]:
        """Status and JSON for an order."""
        try:
            return 200, plain(self.books.submit(ticket(json.loads(body))))
        except DuplicateError:
            return 409, {"error": "duplicate client_id"}
        except RejectedError as error:
            return 422, {"error": str(error)}

    def handle(  # noqa: PLR0911 - one return for each address
        self, method: str, path: str, query: dict[str, str], body: bytes
    ) -> tuple[int, Any]:
        """Status and JSON for a request."""
        books = self.books
        if (method, path) == ("POST", "/orders"):
            return self._submit(body)
        if path == "/orders":
            name = query.get("client_id", "")
            found = books.cancel(name) if method == "DELETE" else books.orders.get(name)
            return (404, {"error": "no such order"}) if found is None else (200, plain(found))
        if path == "/open":
            left = [one for one in books.open_orders() if one.venue_id > query.get("after", "")]
            return 200, {"orders": [plain(one) for one in left[:PAGE]], "more": len(left) > PAGE}
        if path == "/fills":
            begin = int(query.get("after") or 0)
            return 200, {"fills": [plain(one) for one in books.fills[begin : begin + PAGE]], "next": begin}
        if path == "/account":
            balances = [{"asset": "BTC", "free": "2", "held": "0.5"}, {"asset": "USD", "free": "1000.10", "held": "0"}]
            return 200, {"balances": balances, "rights": list(books.rights), "at": books.now().isoformat()}
        if path == "/events":
            return 200, self._events(query.get("after", ""))
        return 404, {"error": f"no {path}"}

    def _events(self, after: str) -> Any:  # noqa: ANN401 - JSON
        """What happened after a number, once there is something; where things stand, when none is given."""
        books = self.books
        with books.changed:
            if not after:
                return {"events": [], "next": len(books.events)}
            begin = int(after)
            books.changed.wait_for(lambda: len(books.events) > begin or self.stopped.is_set(), WAIT_SECONDS)
            return {"events": [plain(one) for one in books.events[begin:]], "next": len(books.events)}

    @contextlib.contextmanager
    def opened(self, connection: socket.socket) -> Any:  # noqa: ANN401 - a context
        """Keep a connection, so that it can be closed from here."""
        self._open.add(connection)
        try:
            yield
        finally:
            self._open.discard(connection)


class _Handler(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    venue: ClassVar[PlainVenue]

    def do_GET(self) -> None:
        """Answer a request."""
        with self.venue.opened(self.connection), contextlib.suppress(OSError):
            self._answer()

    do_POST = do_DELETE = do_GET  # noqa: N815 - its own names

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its own signature
        """Say nothing."""

    def _answer(self) -> None:
        venue, parts = self.venue, urlsplit(self.path)
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        kind = f"{self.command} {parts.path}"
        venue.note(kind, str(self.headers))
        venue.before.pop(kind, lambda: None)()
        waiting = venue.trouble.get(kind, [])
        trouble = waiting.pop(0) if waiting else Trouble(Fault(), done=True)
        status: int
        answer: Any
        if self.headers.get("x-api-key") != venue.key:
            status, answer = 401, {"error": "no such key"}
        elif trouble.done:
            status, answer = venue.handle(self.command, parts.path, dict(parse_qsl(parts.query)), body)
        else:
            status, answer = 200, {}
        fault = trouble.fault
        if fault.stall:
            venue.stopped.wait()
        if fault.stall or fault.drop or venue.stopped.is_set():
            self.close_connection = True
            return
        data = fault.body if fault.body is not None else json.dumps(answer).encode()
        self.send_response(fault.status or status)
        for name, value in {"content-type": "application/json", **fault.headers}.items():
            self.send_header(name, value)
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


def plain(report: OrderReport | FillReport) -> dict[str, Any]:
    """A report as JSON."""
    kind = "order" if isinstance(report, OrderReport) else "fill"
    return {"type": kind, **{one.name: _text(getattr(report, one.name)) for one in fields(report)}}


def _text(value: object) -> object:
    """A field as JSON."""
    if isinstance(value, Enum):
        return value.value
    return value.isoformat() if isinstance(value, datetime) else str(value) if isinstance(value, Decimal) else value


def ticket(data: dict[str, Any]) -> Ticket:
    """An order from its JSON."""
    return Ticket(
        client_id=data["client_id"],
        symbol=data["symbol"],
        side=int(data["side"]),
        quantity=Decimal(data["quantity"]),
        kind=OrderKind(data["kind"]),
        limit=None if data.get("limit") is None else Decimal(data["limit"]),
        trigger=None if data.get("trigger") is None else Decimal(data["trigger"]),
        tif=TimeInForce(data["tif"]),
        reduce_only=bool(data.get("reduce_only")),
        post_only=bool(data.get("post_only")),
    )

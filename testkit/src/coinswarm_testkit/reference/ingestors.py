"""Two reference ingestors: a polled one that pages through a newest-first API, and a stream with backfill.

Their source is imaginary; ``recordings/`` holds what it says. It repeats itself, as sources do.
"""

from __future__ import annotations

import json
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import BaseModel, ConfigDict, SecretStr

from coinswarm.contracts import Ingestor
from coinswarm.domain.health import Condition, Health
from coinswarm.domain.observation import START, Batch, Cursor, Hole, MacroReading, TradeSeen
from coinswarm.errors import OperatorError, PayloadError, RateLimitedError, RetryableError, UnreachableError
from coinswarm_testkit.reference import http

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from coinswarm.contracts import Now, Sink

T = TypeVar("T")

SOURCE = "imaginary"
TOO_MANY, SERVER_FAULT, OKAY = 429, 500, 200
REFUSED = (401, 403)


class PolledSettings(BaseModel):
    """Where and what to poll."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    base_url: str = "https://api.imaginary.example"
    series: str = "policy-rate"
    api_key: SecretStr = SecretStr("")


class StreamSettings(BaseModel):
    """Where and what to listen to."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    base_url: str = "https://api.imaginary.example"
    ws_url: str = "wss://live.imaginary.example"
    symbol: str = "BTC/USD"
    api_key: SecretStr = SecretStr("")


class _Watched(Ingestor):
    """What both have: how they are doing."""

    def __init__(self) -> None:
        self._seen: datetime | None = None
        self._problem = ""

    async def health(self) -> Health:
        """From the last call."""
        if self._problem:
            return Health(Condition.DOWN, self._problem, self._seen)
        return Health(Condition.GOOD, "", self._seen)

    @asynccontextmanager
    async def _told(self, now: Now) -> AsyncIterator[None]:
        """Remember how a call ended."""
        try:
            yield
        except (RetryableError, PayloadError, OperatorError) as error:
            self._problem = str(error)
            raise
        self._problem, self._seen = "", now()


class PolledReadings(_Watched):
    """Polls ``/v1/readings``: newest first, a page at a time, the item asked from included once more."""

    def __init__(self, settings: PolledSettings) -> None:
        super().__init__()
        self._settings = settings

    def get_config(self) -> dict[str, Any]:
        """The settings in force, without the key."""
        return self._settings.model_dump(mode="json", exclude={"api_key"})

    async def fetch(self, cursor: Cursor, now: Now) -> Batch:
        """The page after the cursor, which is the highest id seen."""
        async with self._told(now):
            answer = await http.request(
                "GET",
                self._settings.base_url,
                "/v1/readings",
                query={"series": self._settings.series, "from": cursor.text or "0"},
                headers={"x-api-key": self._settings.api_key.get_secret_value()},
            )
            demand_okay(answer, "/v1/readings")
            received = now()
            return self.batch(understood(answer.body, "/v1/readings", lambda page: self.read(page, received)), cursor)

    def read(self, page: Any, received: datetime) -> tuple[list[MacroReading], bool]:  # noqa: ANN401 - any JSON
        """A page's readings, oldest first, and whether there are more."""
        rows = [
            MacroReading(
                source=SOURCE,
                channel="readings",
                subject=self._settings.series,
                key=str(whole(row["id"])),
                event=utc(row["about"]),
                published=utc(row["published"]),
                received=received,
                value=None if row["value"] == "." else exact(row["value"]),
                unit="percent",
            )
            for row in page["readings"]
        ]
        more = page["more"]
        if not isinstance(more, bool):
            message = f"more is {more!r}"
            raise ValueError(message)  # noqa: TRY004 - one error for what is not understood
        return sorted(rows, key=lambda row: (row.published, int(row.key))), more

    def batch(self, found: tuple[list[MacroReading], bool], cursor: Cursor) -> Batch:
        """What is new in a page."""
        rows, more = found
        last = int(cursor.text or 0)
        fresh = {int(row.key): row for row in rows if int(row.key) > last}
        return Batch(tuple(fresh.values()), Cursor(str(max(fresh))) if fresh else cursor, more and bool(fresh))


class StreamedTrades(_Watched):
    """Listens to ``/v1/live``, and fetches what it missed from ``/v1/trades``; trades have ids without gaps."""

    def __init__(self, settings: StreamSettings) -> None:
        super().__init__()
        self._settings = settings

    def get_config(self) -> dict[str, Any]:
        """The settings in force, without the key."""
        return self._settings.model_dump(mode="json", exclude={"api_key"})

    async def stream(self, out: Sink) -> None:
        """Subscribe first, then fetch what was missed, then go on with what came meanwhile."""
        headers = {"x-api-key": self._settings.api_key.get_secret_value()}
        async with (
            self._told(out.now),
            http.websocket(self._settings.ws_url, "/v1/live", headers=headers) as live,
        ):
            if isinstance(live, http.Answer):
                demand_okay(live, "/v1/live")
                message = f"/v1/live answers {live.status}"
                raise UnreachableError(message)
            await live.send(json.dumps({"subscribe": self._settings.symbol}))
            await self.backfill(out)
            while True:
                text = await live.receive()
                self._seen = received = out.now()
                reader = partial(self.read_one, received=received)
                await self.put(out, understood(text.encode(), "/v1/live", reader))

    async def backfill(self, out: Sink) -> None:
        """What came since the cursor; nothing at the very first."""
        if out.cursor == START:
            return
        answer = await http.request(
            "GET",
            self._settings.base_url,
            "/v1/trades",
            query={"symbol": self._settings.symbol, "after": out.cursor.text.partition(" ")[0]},
            headers={"x-api-key": self._settings.api_key.get_secret_value()},
        )
        demand_okay(answer, "/v1/trades")
        received = out.now()
        await self.put(out, understood(answer.body, "/v1/trades", lambda page: self.read(page["trades"], received)))

    def read_one(self, item: Any, received: datetime) -> list[TradeSeen]:  # noqa: ANN401 - any JSON
        """The trade that a message is, if it is one."""
        return self.read([item], received)

    def read(self, items: Any, received: datetime) -> list[TradeSeen]:  # noqa: ANN401 - any JSON
        """Trades among some messages, by id."""
        return sorted(
            (self.trade(item, received) for item in items if item["type"] == "trade"), key=lambda one: int(one.key)
        )

    def trade(self, item: Any, received: datetime) -> TradeSeen:  # noqa: ANN401 - any JSON
        """A trade from its message."""
        at = utc(item["at"])
        return TradeSeen(
            source=SOURCE,
            channel="trades",
            subject=self._settings.symbol,
            key=str(whole(item["id"])),
            event=at,
            published=at,
            received=received,
            price=exact(item["price"]),
            quantity=exact(item["quantity"]),
            taker={"buy": 1, "sell": -1}[item["side"]],
        )

    async def put(self, out: Sink, trades: list[TradeSeen]) -> None:
        """Hand on what is new; ids that are missing are a hole. The cursor is the last id and its time."""
        number, _, when = out.cursor.text.partition(" ")
        last = int(number or 0)
        fresh = {int(one.key): one for one in trades if int(one.key) > last}
        if not fresh:
            return
        holes = []
        if last and min(fresh) > last + 1:
            end = fresh[min(fresh)].published
            holes.append(
                Hole(
                    source=SOURCE,
                    channel="trades",
                    subject=self._settings.symbol,
                    begin=utc(when),
                    end=end,
                    reason=f"no trades after id {last}",
                )
            )
        cursor = Cursor(f"{max(fresh)} {fresh[max(fresh)].published.isoformat()}")
        await out.put(Batch(tuple(fresh.values()), cursor, holes=tuple(holes)))


def demand_okay(answer: http.Answer, path: str) -> None:
    """Turn a status into the error that says who must act."""
    if answer.status == TOO_MANY:
        text = answer.headers.get("retry-after", "")
        message = f"{path} wants to be left alone"
        raise RateLimitedError(message, seconds=float(text) if text.isdigit() else 0.0)
    if answer.status in REFUSED:
        message = f"{path} refuses the key ({answer.status})"
        raise OperatorError(message, remedy="set api_key to a key that the source knows")
    if answer.status >= SERVER_FAULT:
        message = f"{path} answers {answer.status}"
        raise UnreachableError(message)
    if answer.status not in {OKAY, 101}:
        message = f"{path} answers {answer.status}"
        raise PayloadError(message)


def understood(body: bytes, path: str, read: Callable[[Any], T]) -> T:
    """What a reader makes of a payload.

    :raises PayloadError: when it makes nothing of it.
    """
    try:
        return read(json.loads(body, parse_float=Decimal))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError, InvalidOperation, OverflowError) as error:
        message = f"{path} sent what cannot be understood ({type(error).__name__})"
        raise PayloadError(message) from None


def whole(value: object) -> int:
    """A whole number above 0."""
    if not isinstance(value, int) or isinstance(value, bool) or value <= 0:
        message = f"{value!r} is no id"
        raise ValueError(message)
    return value


def exact(value: object) -> Decimal:
    """A decimal from a text or a number."""
    if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
        message = f"{value!r} is no number"
        raise ValueError(message)  # noqa: TRY004 - one error for what is not understood
    return Decimal(value)


def utc(text: str) -> datetime:
    """An aware time, in UTC."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        message = f"{text!r} has no time zone"
        raise ValueError(message)
    return moment.astimezone(UTC)

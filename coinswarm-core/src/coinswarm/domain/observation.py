"""What ingestors see of the world: observations with three times each, their identity, and how far one has read.

Times are aware UTC datetimes. *event*: when it happened. *published*: when the source made it known to anybody; what
is known at t is what was published by t (a figure about January that came out in February is not known in January).
*received*: when the ingestor had read it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TypeAlias

from coinswarm.domain.valid import FULL_BP, whole

Level: TypeAlias = tuple[Decimal, Decimal]
"""Price and quantity of one level of an order book."""


def _demand_utc(name: str, moment: object) -> None:
    """Refuse what is not an aware UTC datetime."""
    if not isinstance(moment, datetime) or moment.utcoffset() != timedelta(0):
        message = f"{name} is {moment!r}, but must be an aware datetime in UTC: convert it with astimezone(UTC)"
        raise ValueError(message)


def _demand_finite(name: str, number: object) -> None:
    """Refuse what is not a finite decimal."""
    if not isinstance(number, Decimal) or not number.is_finite():
        message = f"{name} is {number!r}, but must be a finite Decimal"
        raise ValueError(message)


def _demand_not_negative(name: str, number: Decimal) -> None:
    """Refuse what is not a finite decimal of at least 0."""
    _demand_finite(name, number)
    if number < 0:
        message = f"{name} is {number}, but must be at least 0"
        raise ValueError(message)


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """One thing seen. ``(source, channel, subject, key)`` is its identity: stores keep one of each.

    :param source: venue or provider, as in ``binance`` or ``fred``.
    :param channel: what kind of stream of it, as in ``trades``.
    :param subject: what it is about: an instrument's symbol, the id of a series, an account.
    :param key: the source's own id of it within channel and subject: a trade id, a sequence number, a vintage.
    :param event, published, received: see the top of this file.
    :raises ValueError: for an empty name, or a time that is not aware UTC.
    """

    source: str
    channel: str
    subject: str
    key: str
    event: datetime
    published: datetime
    received: datetime

    def __post_init__(self) -> None:
        for name in ("source", "channel", "subject", "key"):
            value = getattr(self, name)
            if not isinstance(value, str) or not value:
                message = f"{name} is {value!r}, but must be a text that is not empty"
                raise ValueError(message)
        for name in ("event", "published", "received"):
            _demand_utc(name, getattr(self, name))

    @property
    def identity(self) -> tuple[str, str, str, str]:
        """What makes two observations the same one."""
        return self.source, self.channel, self.subject, self.key

    @property
    def lane(self) -> tuple[str, str, str]:
        """Within which observations come in the order of their publication."""
        return self.source, self.channel, self.subject


@dataclass(frozen=True, slots=True, kw_only=True)
class TradeSeen(Observation):
    """A trade between others.

    :param price: in quote.
    :param quantity: in base, above 0.
    :param taker: 1 when the taker bought, -1 when it sold, 0 where the venue does not say.
    """

    price: Decimal
    quantity: Decimal
    taker: int = 0

    def __post_init__(self) -> None:
        Observation.__post_init__(self)
        _demand_finite("price", self.price)
        _demand_not_negative("quantity", self.quantity)
        if self.taker not in {-1, 0, 1}:
            message = f"taker is {self.taker!r}, but must be 1, -1 or 0"
            raise ValueError(message)


@dataclass(frozen=True, slots=True, kw_only=True)
class QuoteSeen(Observation):
    """Best bid and ask, price in quote and quantity in base."""

    bid: Decimal
    bid_quantity: Decimal
    ask: Decimal
    ask_quantity: Decimal

    def __post_init__(self) -> None:
        Observation.__post_init__(self)
        _demand_finite("bid", self.bid)
        _demand_finite("ask", self.ask)
        _demand_not_negative("bid_quantity", self.bid_quantity)
        _demand_not_negative("ask_quantity", self.ask_quantity)


@dataclass(frozen=True, slots=True, kw_only=True)
class BookSeen(Observation):
    """An order book, or a change of one.

    :param bids, asks: best level first in a whole book.
    :param whole: whether it replaces all levels; else it changes the levels named, and quantity 0 removes one.
    """

    bids: tuple[Level, ...]
    asks: tuple[Level, ...]
    whole: bool

    def __post_init__(self) -> None:
        Observation.__post_init__(self)
        for price, quantity in (*self.bids, *self.asks):
            _demand_finite("a level's price", price)
            _demand_not_negative("a level's quantity", quantity)


@dataclass(frozen=True, slots=True, kw_only=True)
class BarSeen(Observation):
    """A closed bar as the venue counts it; ``event`` is its open, ``published`` not before its close.

    :param seconds: its length.
    :param open, high, low, close: in quote.
    :param volume: in base.
    """

    seconds: int
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: Decimal

    def __post_init__(self) -> None:
        Observation.__post_init__(self)
        for name in ("open", "high", "low", "close"):
            _demand_finite(name, getattr(self, name))
        _demand_not_negative("volume", self.volume)
        if self.seconds <= 0 or self.published < self.event + timedelta(seconds=self.seconds):
            message = f"a bar of {self.seconds} s that opened {self.event} cannot be published {self.published}"
            raise ValueError(message)


@dataclass(frozen=True, slots=True, kw_only=True)
class MacroReading(Observation):
    """A figure of a series: an economic statistic, a funding rate, a fear index.

    ``event`` is the begin of what it is about; ``published`` when this value came out. A revision is another
    observation of the same event, with a key of its own.

    :param value: in ``unit``; None where the source says that there is none.
    """

    value: Decimal | None
    unit: str = ""

    def __post_init__(self) -> None:
        Observation.__post_init__(self)
        if self.value is not None:
            _demand_finite("value", self.value)


@dataclass(frozen=True, slots=True, kw_only=True)
class Document(Observation):
    """A text, as data: nothing in it is ever followed.

    :param url: where it stands, without credentials.
    :param symbols: instruments or assets that the *source* says it is about.
    :param language: BCP 47 tag; empty where unknown.
    """

    title: str
    text: str = ""
    url: str = ""
    author: str = ""
    language: str = ""
    symbols: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Sentiment(Observation):
    """A bounded number made from texts.

    :param score_bp: -10,000 (worst) to 10,000 (best).
    :param documents: how many texts it is made from.
    :param method: what made it, with its version.
    """

    score_bp: int
    documents: int = 1
    method: str = ""

    def __post_init__(self) -> None:
        Observation.__post_init__(self)
        whole("score_bp", self.score_bp, -FULL_BP, FULL_BP)
        whole("documents", self.documents, 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Hole:
    """A stretch that a source cannot give any more; bars that touch it are incomplete.

    :param begin, end: publication times between which observations may be missing, aware UTC.
    :param reason: why, in one line without secrets.
    """

    source: str
    channel: str
    subject: str
    begin: datetime
    end: datetime
    reason: str

    def __post_init__(self) -> None:
        _demand_utc("begin", self.begin)
        _demand_utc("end", self.end)
        if self.end < self.begin:
            message = f"a hole cannot end ({self.end}) before it begins ({self.begin})"
            raise ValueError(message)


@dataclass(frozen=True, slots=True)
class Cursor:
    """How far an ingestor, or a reader of fills, has come: an opaque text that its maker alone understands.

    Core keeps it beside what was read up to it, in one transaction, and gives it back after a restart, also to a
    later version of the same maker. Holds no secret.
    """

    text: str = ""


START = Cursor()
"""Where nothing has been read yet."""


@dataclass(frozen=True, slots=True)
class Batch:
    """What was read in one go.

    :param observations: in the order of publication within each lane.
    :param cursor: where to go on after them.
    :param more: whether there is more to be had right now: core asks again at once.
    :param holes: what could not be had, and nothing that came.
    """

    observations: tuple[Observation, ...]
    cursor: Cursor
    more: bool = False
    holes: tuple[Hole, ...] = ()

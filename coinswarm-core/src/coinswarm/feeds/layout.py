"""Which column of a table means what: header names, known headerless layouts, declared columns."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from coinswarm.errors import DataError, nearest
from coinswarm.feeds.symbols import FIAT_LIKE, QUOTES, guess_symbol

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

ROLES = ("time", "open", "high", "low", "close", "volume")

OPEN_TIMES = (
    *("timestamp", "timestamp_ms", "timestamp_s", "timestamp_us", "timestamp_ns", "time", "date", "datetime", "ts"),
    *("t", "open_time", "opentime", "time_open", "open_date", "open_timestamp", "unix", "unix_timestamp", "unix_time"),
    *("epoch", "gmt_time", "candle_begin_time", "time_period_start", "start", "start_time", "startat"),
)
CLOSE_TIMES = ("close_time", "closetime", "time_close", "close_date", "end", "end_time", "time_period_end")
PRICES = {
    "open": ("open", "o", "open_price", "price_open", "opening_price"),
    "high": ("high", "h", "high_price", "price_high", "max", "highest"),
    "low": ("low", "l", "low_price", "price_low", "min", "lowest"),
    "close": ("close", "c", "close_price", "price_close", "closing_price", "last"),
}
BASE_VOLUMES = ("volume", "v", "vol", "base_volume", "volume_base", "volumefrom", "volume_traded", "base_vol")
PAIR_NAMES = ("symbol", "pair")
QUOTE_VOLUMES = (
    *("quote_volume", "quote_asset_volume", "volume_quote", "volumeto", "quote_vol", "turnover", "quote_av"),
    *("volume_currency", "qav"),
)

HEADERLESS: Mapping[int, str] = {
    6: "plain, without header",
    7: "Kraken OHLCVT, without header",
    12: "Binance klines, without header",
}
"""Layouts without a header by their number of columns; each begins time, open, high, low, close, volume."""


_WIDEST = 80
"""Longer headers are cut in messages."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the caller declared about the columns (see ``files.load_bars``)."""

    symbol: str | None
    volume: str
    stamp: str
    columns: Sequence[str] | None


@dataclass(frozen=True, slots=True)
class Layout:
    """Where the columns stand.

    :param name: what to call the layout in a report.
    :param columns: number of the column of each role in ``ROLES``.
    :param has_header: whether the names were there; without them the order is an assumption.
    :param symbol: number of a column that names the pair, or None.
    :param close_stamped: the only time column is named after the close.
    :param quote_named: the volume column is named after the quote currency.
    """

    name: str
    columns: tuple[int, ...]
    has_header: bool = True
    symbol: int | None = None
    close_stamped: bool = False
    quote_named: bool = False


def by_names(header: Sequence[str], wanted: Wanted, place: str, *, pair: str | None = None) -> Layout:
    """Find the columns in a header.

    :param header: the names as they stand in the file.
    :param wanted: what was declared; where a file has two times or volumes it says which is meant.
    :param place: the file's name, which messages call it by.
    :param pair: what its column of pairs begins with: that, else its name, tells ``Volume BTC`` from ``Volume USD``.
    :raises DataError: for a column that is missing or there twice.
    """
    names = [plain_name(name) for name in header]
    head = _Header(header, names, place)
    time, close_stamped = _time(head, wanted.stamp)
    prices = [head.only(role, PRICES[role]) for role in ("open", "high", "low", "close")]
    told = pair if pair and "/" in pair else guess_symbol(pair or place)
    column, quote_named = _volume(head, wanted.symbol or told, wanted.volume)
    symbol = next((number for number, name in enumerate(names) if name in PAIR_NAMES), None)
    return Layout(
        f"header {header[time]}, {', '.join(header[number] for number in prices)}, {header[column]}",
        (time, *prices, column),
        symbol=symbol,
        close_stamped=close_stamped,
        quote_named=quote_named,
    )


def by_count(columns: int, place: str) -> Layout:
    """The layout of a table without header, by its number of columns.

    :raises DataError: where no known layout has that many.
    """
    if columns not in HEADERLESS:
        message = f"{place} has {columns} columns and no header"
        raise DataError(
            message, remedy="name them with coinswarm data import --columns time,open,high,low,close,volume"
        )
    return Layout(HEADERLESS[columns], (0, 1, 2, 3, 4, 5), has_header=False)


def declared(columns: Sequence[str], found: int, place: str) -> Layout:
    """The layout that ``--columns`` declares: role names in file order, ``-`` for a column to ignore.

    :raises DataError: for an unknown or missing role, or more columns than the file has.
    """
    for name in columns:
        if name != "-" and name not in ROLES:
            message = f"--columns names {name!r}"
            raise DataError(message, remedy=nearest(name, (*ROLES, "-")))
    for role in ROLES:
        if list(columns).count(role) != 1:
            message = f"--columns names {role!r} {list(columns).count(role)} times"
            raise DataError(message, remedy=f"name each of {', '.join(ROLES)} once, and '-' for what to ignore")
    if len(columns) > found:
        message = f"--columns names {len(columns)} columns, but {place} has {found}"
        raise DataError(message, remedy="name them in the order of the file")
    return Layout("declared", tuple(list(columns).index(role) for role in ROLES))


def plain_name(name: str) -> str:
    """``Volume (BTC)`` as ``volume_btc``."""
    return re.sub(r"[^0-9a-z]+", "_", name.strip().lower()).strip("_")


@dataclass(frozen=True, slots=True)
class _Header:
    """A header as written and in plain form, and where it stands."""

    written: Sequence[str]
    plain: Sequence[str]
    place: str

    def among(self, known: Iterable[str]) -> list[int]:
        """Numbers of the columns whose name is in ``known``."""
        known = set(known)
        return [number for number, name in enumerate(self.plain) if name in known]

    def only(self, role: str, known: Iterable[str]) -> int:
        """Number of the one column whose name is in ``known``."""
        return self.one(role, self.among(known))

    def one(self, role: str, found: Sequence[int]) -> int:
        """The single entry of ``found``.

        :raises DataError: where there is none, or more than one.
        """
        if len(found) > 1:
            listed = " and ".join(repr(self.written[number]) for number in found)
            message = f"{self.place}: {listed} may both be the {role} column"
            raise DataError(message, remedy="say which with coinswarm data import --columns")
        if not found:
            text = ",".join(self.written)
            text = text if len(text) <= _WIDEST else f"{text[: _WIDEST - 3]}..."
            message = f"{self.place}: no {role} column in the header {text!r}"
            raise DataError(
                message, remedy=f"{self._close_to(role)}name the columns with coinswarm data import --columns"
            )
        return found[0]

    def _close_to(self, role: str) -> str:
        hint = nearest(role, self.written)
        return f"{hint} Else " if hint.startswith("did") else ""


def _time(head: _Header, stamp: str) -> tuple[int, bool]:
    """Number of the time column, and whether it is named after the close."""
    opens, closes = head.among(OPEN_TIMES), head.among(CLOSE_TIMES)
    if closes and (stamp == "close" or not opens):
        return head.one("time", closes), True
    if sorted(head.plain[number] for number in opens) == ["date", "unix"]:
        # CryptoDataDownload writes one moment twice; the number needs no parsing of dates.
        return head.plain.index("unix"), False
    return head.one("time", opens), False


def _volume(head: _Header, symbol: str | None, wanted: str) -> tuple[int, bool]:
    """Number of the volume column, and whether its name says that it counts quote."""
    pair_base, _, pair_quote = (symbol or "").lower().partition("/")
    base, quote = head.among(BASE_VOLUMES), head.among(QUOTE_VOLUMES)
    for number, name in enumerate(head.plain):
        asset = name.removeprefix("volume_").removesuffix("_volume")  # CryptoDataDownload: "Volume BTC"
        if asset == name or number in base + quote:
            continue
        if asset == pair_quote or (asset != pair_base and asset.upper() in FIAT_LIKE):
            quote.append(number)
        elif asset == pair_base or (not pair_base and not base and asset.upper() in QUOTES):
            base.append(number)
    found = quote if quote and (wanted == "quote" or not base) else base
    column = head.one("volume", found)
    return column, column in quote

"""Which column of a table means what: header names, known headerless layouts, declared columns."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from coinswarm.errors import DataError, nearest
from coinswarm.feeds.symbols import FIAT_LIKE, QUOTES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

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


def by_names(header: Sequence[str], *, symbol: str | None, volume: str, stamp: str) -> Layout:
    """Find the columns in a header.

    :param header: the names as they stand in the file.
    :param symbol: ``BASE/QUOTE`` where known: it tells ``Volume BTC`` from ``Volume USD``.
    :param volume: ``base`` or ``quote``: which volume is wanted where the file has both.
    :param stamp: ``open`` or ``close``: which time is wanted where the file has both.
    :raises DataError: for a column that is missing or there twice.
    """
    names = [_plain(name) for name in header]
    time, close_stamped = _time(header, names, stamp)
    prices = [_only(role, header, names, PRICES[role]) for role in ("open", "high", "low", "close")]
    column, quote_named = _volume(header, names, symbol, volume)
    pair = next((number for number, name in enumerate(names) if name in {"symbol", "pair"}), None)
    return Layout(
        f"header {header[time]}, {', '.join(header[number] for number in prices)}, {header[column]}",
        (time, *prices, column),
        symbol=pair,
        close_stamped=close_stamped,
        quote_named=quote_named,
    )


def by_count(columns: int, place: str) -> Layout:
    """The layout of a table without header, by its number of columns.

    :raises DataError: where no known layout has that many.
    """
    if columns not in HEADERLESS:
        message = f"{place} has {columns} columns and no header"
        raise DataError(message, remedy="name them with --columns, as in --columns time,open,high,low,close,volume")
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


def _plain(name: str) -> str:
    """``Volume (BTC)`` as ``volume_btc``."""
    return re.sub(r"[^0-9a-z]+", "_", name.strip().lower()).strip("_")


def _listed(header: Sequence[str]) -> str:
    text = ",".join(header)
    return text if len(text) <= 80 else f"{text[:77]}..."  # noqa: PLR2004


def _only(role: str, header: Sequence[str], names: Sequence[str], known: Sequence[str]) -> int:
    """Number of the one column whose name is known for ``role``."""
    found = [number for number, name in enumerate(names) if name in known]
    if len(found) > 1:
        message = f"{' and '.join(repr(header[number]) for number in found)} may both be the {role} column"
        raise DataError(message, remedy="say which with --columns")
    if not found:
        message = f"no {role} column in the header {_listed(header)!r}"
        raise DataError(message, remedy=f"{nearest(role, header)}, or name the columns with --columns")
    return found[0]


def _time(header: Sequence[str], names: Sequence[str], stamp: str) -> tuple[int, bool]:
    """Number of the time column, and whether it is named after the close."""
    opens = [number for number, name in enumerate(names) if name in OPEN_TIMES]
    closes = [number for number, name in enumerate(names) if name in CLOSE_TIMES]
    if closes and (stamp == "close" or not opens):
        return _only("time", header, names, CLOSE_TIMES), True
    if sorted(names[number] for number in opens) == ["date", "unix"]:
        # CryptoDataDownload writes one moment twice; the number needs no parsing of dates.
        return names.index("unix"), False
    return _only("time", header, names, OPEN_TIMES), False


def _volume(header: Sequence[str], names: Sequence[str], symbol: str | None, wanted: str) -> tuple[int, bool]:
    """Number of the volume column, and whether its name says that it counts quote."""
    pair_base, _, pair_quote = (symbol or "").lower().partition("/")
    base = [number for number, name in enumerate(names) if name in BASE_VOLUMES]
    quote = [number for number, name in enumerate(names) if name in QUOTE_VOLUMES]
    for number, name in enumerate(names):
        asset = name.removeprefix("volume_").removesuffix("_volume")  # CryptoDataDownload: "Volume BTC"
        if asset == name or number in base + quote:
            continue
        if asset == pair_quote or (asset != pair_base and asset.upper() in FIAT_LIKE):
            quote.append(number)
        elif asset == pair_base or (not pair_base and not base and asset.upper() in QUOTES):
            base.append(number)
    if wanted == "quote" and quote:
        base = quote
    found = base or quote
    if len(found) > 1:
        message = f"{' and '.join(repr(header[number]) for number in found)} may both be the volume column"
        raise DataError(message, remedy="say which with --columns")
    if not found:
        message = f"no volume column in the header {_listed(header)!r}"
        raise DataError(message, remedy=f"{nearest('volume', header)}, or name the columns with --columns")
    return found[0], found[0] in quote

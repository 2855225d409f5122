"""A market data file to bars: read, judge, infer what the file does not say, report."""

from __future__ import annotations

import hashlib
import math
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np

from coinswarm.domain.instrument import Instrument
from coinswarm.domain.market import Bars
from coinswarm.errors import DataError, UnknownNameError, nearest
from coinswarm.feeds.arrow import is_arrow, read_arrow
from coinswarm.feeds.decimals import Extent, check_range, fit, step
from coinswarm.feeds.layout import Wanted
from coinswarm.feeds.length import format_length
from coinswarm.feeds.loaded import ImportReport, Loaded
from coinswarm.feeds.quality import find_faults, find_gaps, infer_length, refuse
from coinswarm.feeds.stamps import short_of_end
from coinswarm.feeds.store import decode, is_stored
from coinswarm.feeds.symbols import check_symbol, guess_symbol
from coinswarm.feeds.text import read_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from coinswarm.domain.market import Floats
    from coinswarm.feeds.table import Table

SAMPLES = {"BTC/USD": "bitfinex_BTCUSD_1h_2017_2018.csv.gz", "ETH/USD": "bitfinex_ETHUSD_1h_2017_2018.csv.gz"}
"""What ships in ``coinswarm/data``: symbol -> file name."""


def load_bars(  # noqa: PLR0913 - each is one thing a file does not say about itself
    path: Path,
    *,
    symbol: str | None = None,
    bar_ns: int | None = None,
    stamp: Literal["open", "close"] = "open",
    volume: Literal["base", "quote"] = "base",
    tick: Decimal | None = None,
    lot: Decimal | None = None,
    min_notional: Decimal = Decimal(0),
    shortable: bool = False,
    columns: Sequence[str] | None = None,
) -> Loaded:
    """Load one market data file.

    :param path: CSV, CSV.gz, JSON rows, Parquet, Feather, or what ``coinswarm data import`` wrote.
    :param symbol: ``BASE/QUOTE``; None: from a symbol column, else guessed from the file's name.
    :param bar_ns: bar length in nanoseconds; None: the most common step.
    :param stamp: what the times are. Close times are moved back by one bar length (see ``stamps.short_of_end``).
    :param volume: what the volume counts. Quote volume becomes base volume as volume / close of the bar.
    :param tick: smallest price step; None: from the file's decimals, coarsened where the integer path
        could not hold them (see ``decimals.fit``). ``lot`` likewise; of quote volume, which has no base
        decimals, the largest power of ten that is worth at most one quote unit at the highest price.
    :param columns: role names in file order (``time open high low close volume``, ``-`` to ignore one), for
        a file whose header says nothing useful.
    :raises DataError: one line, for anything wrong with the file or the options.
    """
    name = path.name
    for option, value in (("tick", tick), ("lot", lot), ("bar length", bar_ns)):
        if value is not None and not value > 0:
            message = f"{option} {value} is not positive"
            raise DataError(message, remedy="give a positive one, or leave it out to infer it")
    raw = read_bytes(path)
    table = _read(raw, name, Wanted(symbol and check_symbol(symbol), volume, stamp, columns))
    _check_declarations(table, name, stamp, volume)
    stored = table.stored
    found, guessed = _find_symbol(symbol, table, name)
    named = _named(table, name)

    newest_first = len(table.stamp_ns) > 1 and bool((np.diff(table.stamp_ns) < 0).all())
    length = bar_ns or (stored.length_ns if stored else infer_length(table.stamp_ns, name))
    _judge(table, name, length, newest_first=newest_first, declared=bar_ns is not None)
    order = slice(None, None, -1 if newest_first else 1)
    back_ns = length - short_of_end(int(table.stamp_ns[0]), length) if stamp == "close" else 0
    open_ns = np.ascontiguousarray(table.stamp_ns[order]) - back_ns
    opened, high, low, close = (np.ascontiguousarray(column[order]) for column in table.prices)
    traded = np.ascontiguousarray(table.volume[order])
    if volume == "quote":
        traded = traded / close

    if stored:
        use_tick, use_lot = tick or stored.instrument.tick, lot or stored.instrument.lot
        min_notional, shortable = (
            min_notional or stored.instrument.min_notional,
            shortable or stored.instrument.shortable,
        )
    else:
        worth_one = Decimal(1).scaleb(-math.ceil(math.log10(high.max())))
        use_tick, use_lot = fit(
            tick or step(table.price_decimals),
            lot or (worth_one if volume == "quote" else step(table.volume_decimals)),
            Extent.of(high, low, traded),
            may_tick=tick is None,
            may_lot=lot is None,
        )
    instrument = _instrument(found, use_tick, use_lot, min_notional, shortable=shortable)
    bars = Bars(instrument, length, open_ns, opened, high, low, close, traded)
    check_range(bars)
    gaps = find_gaps(open_ns, length)
    return Loaded(
        bars,
        ImportReport(
            rows=len(bars),
            missing=sum(gap.missing for gap in gaps),
            gaps=len(gaps),
            longest_gap_ns=max((gap.span_ns for gap in gaps), default=0),
            zero_volume=int((traded == 0).sum()),
            first_ns=int(open_ns[0]),
            last_ns=int(open_ns[-1]),
            bar_ns=length,
            layout=table.layout.name,
            unit=table.unit,
            stamp=stored.stamp if stored else stamp,
            volume_unit=stored.volume_unit if stored else volume,
            newest_first=newest_first,
            symbol_guessed=guessed,
            named="" if named is None or named == found else named,
            bar_inferred=bar_ns is None and stored is None,
            tick_inferred=tick is None and (stored is None or stored.tick_inferred),
            lot_inferred=lot is None and (stored is None or stored.lot_inferred),
            price_decimals=table.price_decimals,
            volume_decimals=table.volume_decimals,
            off_tick=_off_grid((opened, high, low, close), float(use_tick)),
            sha256=hashlib.sha256(raw).hexdigest(),
        ),
    )


def sample_names() -> list[str]:
    """The symbols of the sample that ships."""
    return sorted(SAMPLES)


def sample(symbol: str) -> Path:
    """The sample's file of ``symbol``, such as ``BTC/USD``.

    :raises UnknownNameError: for a symbol that the sample does not have.
    """
    if symbol not in SAMPLES:
        message = f"the sample has no {symbol!r}"
        raise UnknownNameError(message, remedy=nearest(symbol, SAMPLES))
    return Path(__file__).parent.parent / "data" / SAMPLES[symbol]


def read_bytes(path: Path) -> bytes:
    """The bytes of a file.

    :raises DataError: where there is none, or none that can be read.
    """
    try:
        return path.read_bytes()
    except FileNotFoundError:
        siblings = [entry.name for entry in path.parent.iterdir()] if path.parent.is_dir() else []
        close = nearest(path.name, siblings)
        message = f"there is no file {str(path)!r}"
        raise DataError(message, remedy=close if close.startswith("did") else "check the path") from None
    except IsADirectoryError:
        message = f"{str(path)!r} is a folder"
        raise DataError(message, remedy="name one file in it") from None
    except (OSError, ValueError) as error:
        message = f"{str(path)!r} cannot be read ({getattr(error, 'strerror', None) or error})"
        raise DataError(message, remedy="check the path and its permissions") from None


def _read(raw: bytes, name: str, wanted: Wanted) -> Table:
    """Read by what the first bytes say the file is."""
    if is_stored(raw):
        return decode(raw, name)
    return read_arrow(raw, name, wanted) if is_arrow(raw) else read_text(raw, name, wanted)


def _find_symbol(symbol: str | None, table: Table, name: str) -> tuple[str, bool]:
    """The pair, and whether it was guessed from the file's name.

    :raises DataError: where nothing tells it.
    """
    if symbol:
        return symbol, False
    inside = _inside(table)
    if inside:
        return check_symbol(inside), False
    guess = guess_symbol(name)
    if guess is None:
        message = f"{name} does not tell which pair it holds"
        raise DataError(message, remedy="pass --symbol to coinswarm data import, as in --symbol BTC/USD")
    return guess, True


def _inside(table: Table) -> str | None:
    """The pair that the file itself tells, or None."""
    if not table.symbol:
        return None
    return table.symbol if "/" in table.symbol else guess_symbol(table.symbol)


def _named(table: Table, name: str) -> str | None:
    """The pair that the file itself or its name tells, or None."""
    return _inside(table) or guess_symbol(name)


def _instrument(symbol: str, tick: Decimal, lot: Decimal, min_notional: Decimal, *, shortable: bool) -> Instrument:
    """An instrument.

    :raises DataError: for a value that it does not accept.
    """
    try:
        return Instrument(symbol, tick, lot, min_notional, shortable)
    except ValueError as error:
        raise DataError(str(error), remedy="correct the option") from None


def _check_declarations(table: Table, name: str, stamp: str, volume: str) -> None:
    """Refuse a file whose column names contradict what was declared.

    :raises DataError: naming the option.
    """
    if table.stored and (stamp, volume) != ("open", "base"):
        message = f"{name} was imported: it is stamped with open times and counts base volume"
        raise DataError(message, remedy="leave out --stamp and --volume")
    if table.layout.close_stamped and stamp == "open":
        message = f"{name}: the only time column is named after the close of the bar"
        raise DataError(message, remedy="pass --stamp close to coinswarm data import")
    if table.layout.quote_named and volume == "base":
        message = f"{name}: the only volume column is named after the quote currency"
        raise DataError(message, remedy="pass --volume quote to coinswarm data import")


def _judge(table: Table, name: str, length: int, *, newest_first: bool, declared: bool) -> None:
    """Refuse inconsistent rows and a bar length that the times contradict.

    :raises DataError: naming rows, or the option.
    """
    steps = np.abs(np.diff(table.stamp_ns))
    if declared and len(steps) and not (steps == length).any():
        usual = format_length(infer_length(table.stamp_ns, name))
        message = f"{name}: no two rows are {format_length(length)} apart, most are {usual}"
        raise DataError(message, remedy=f"leave out --bar, or pass --bar {usual}")
    faults = find_faults(table.stamp_ns[::-1] if newest_first else table.stamp_ns, table.prices, table.volume, length)
    remedy = "correct or remove these rows"
    if not table.layout.has_header:
        remedy += "; the order time, open, high, low, close, volume is assumed: "
        remedy += "declare another with coinswarm data import --columns"
    elif any("grid" in fault for fault in faults):
        remedy += ", or pass --bar to coinswarm data import"
    refuse(faults, name, table.where, remedy)


def _off_grid(prices: Sequence[Floats], tick: float) -> int:
    """How many prices are no whole number of ticks, beyond what a double can tell."""
    count = 0
    for column in prices:
        ticks: Floats = column / tick
        noise = np.maximum(1e-6, 4 * np.finfo(np.float64).eps * ticks)
        count += int((np.abs(ticks - np.rint(ticks)) > noise).sum())
    return count

"""The format of imported data: the columns as doubles and a JSON header in one .npz, byte for byte reproducible.

Doubles keep every decimal that a double can: reading a stored file gives the bars that reading its
source gave. Files are written whole or not at all.
"""

from __future__ import annotations

import io
import json
import zipfile
import zlib
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

import numpy as np

from coinswarm.domain.instrument import Instrument
from coinswarm.errors import DataError, OutputError
from coinswarm.feeds.layout import Layout
from coinswarm.feeds.length import format_length
from coinswarm.feeds.table import Stored, Table
from coinswarm.writing import create_bytes, replace_bytes

if TYPE_CHECKING:
    from pathlib import Path

    from coinswarm.domain.market import Bars
    from coinswarm.feeds.loaded import Loaded

FORMAT = "coinswarm-bars-1"
COLUMNS = ("open_ns", "open", "high", "low", "close", "volume")


def is_stored(raw: bytes) -> bool:
    """True for the bytes of an archive such as ``encode`` makes."""
    return raw.startswith(b"PK\x03\x04")


def stored_name(bars: Bars) -> str:
    """File name of imported bars: ``BTC-USD_1h.npz``."""
    return f"{bars.instrument.symbol.replace('/', '-').replace(':', '-')}_{format_length(bars.length_ns)}.npz"


def encode(loaded: Loaded, source: str) -> bytes:
    """The bytes of a stored file; equal input gives equal bytes.

    :param source: name of the file that was imported.
    """
    instrument, report = loaded.bars.instrument, loaded.report
    header = {
        "format": FORMAT,
        "symbol": instrument.symbol,
        "tick": f"{instrument.tick:f}",
        "lot": f"{instrument.lot:f}",
        "min_notional": f"{instrument.min_notional:f}",
        "shortable": instrument.shortable,
        "length_ns": loaded.bars.length_ns,
        "price_decimals": report.price_decimals,
        "volume_decimals": report.volume_decimals,
        "tick_inferred": report.tick_inferred,
        "lot_inferred": report.lot_inferred,
        "stamp": report.stamp,
        "volume_unit": report.volume_unit,
        "source": source,
        "source_sha256": report.sha256,
    }
    arrays: dict[str, Any] = {name: np.ascontiguousarray(getattr(loaded.bars, name)) for name in COLUMNS}
    arrays["header"] = np.frombuffer(json.dumps(header, sort_keys=True).encode(), np.uint8)
    out = io.BytesIO()
    np.savez_compressed(out, **arrays)
    return out.getvalue()


def decode(raw: bytes, name: str) -> Table:
    """The columns of a stored file.

    :param name: what to call it in messages.
    :raises DataError: where it is damaged, or an archive of another kind.
    """
    try:
        with np.load(io.BytesIO(raw), allow_pickle=False) as archive:
            header: dict[str, Any] = json.loads(archive["header"].tobytes())
            columns = [archive[column] for column in COLUMNS]
        if header["format"] != FORMAT or len({len(column) for column in columns}) != 1:
            message = f"{name} has format {header['format']!r}"
            raise DataError(message, remedy=f"this version reads {FORMAT!r}: import the source again")
        steps = {key: Decimal(header[key]) for key in ("tick", "lot", "min_notional")}
        instrument = Instrument(header["symbol"], **steps, shortable=bool(header["shortable"]))
        stored = Stored(
            instrument,
            int(header["length_ns"]),
            bool(header["tick_inferred"]),
            bool(header["lot_inferred"]),
            str(header.get("stamp", "open")),  # what was imported before it was kept
            str(header["volume_unit"]),
            str(header["source"]).encode(errors="backslashreplace").decode(),  # a name that a run's record can hold
        )
        stamp_ns = columns[0].astype(np.int64, casting="safe")
        opened, high, low, close, volume = (column.astype(np.float64, casting="safe") for column in columns[1:])
        decimals = int(header["price_decimals"]), int(header["volume_decimals"])
    except (KeyError, ValueError, TypeError, EOFError, OSError, InvalidOperation) as error:
        message = f"{name} is an archive, but not one that `coinswarm data import` wrote ({_short(error)})"
        raise DataError(message, remedy="unpack it, or import the source again") from None
    except (zipfile.BadZipFile, zlib.error, RuntimeError) as error:  # zipfile: flags that a damaged byte sets
        message = f"{name} is damaged or cut short ({_short(error)})"
        raise DataError(message, remedy="import the source again") from None
    if len(stamp_ns) == 0:
        message = f"{name} holds no bars"
        raise DataError(message, remedy="import the source again")

    def where(row: int) -> str:
        return f"{name}, row {row + 1}"

    return Table(
        stamp_ns=stamp_ns,
        prices=(opened, high, low, close),
        volume=volume,
        price_decimals=decimals[0],
        volume_decimals=decimals[1],
        layout=Layout(f"imported from {stored.source}", (0, 1, 2, 3, 4, 5)),
        unit="ns",
        where=where,
        symbol=instrument.symbol,
        stored=stored,
    )


def _short(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:80]


def write_whole(path: Path, data: bytes, *, replace: bool) -> bool:
    """Write a file so that it is there complete or not at all.

    :param replace: whether a file of that name is replaced; otherwise nothing is written where there is one.
    :returns: whether it was written.
    :raises OutputError: where it cannot be written.
    """
    try:
        if not replace:
            return create_bytes(path, data, private=False)
        replace_bytes(path, data, private=False)
    except OSError as error:
        message = f"{str(path)!r} cannot be written ({error.strerror or error})"
        raise OutputError(
            message, remedy="free space, correct the permissions, or name another file with --out"
        ) from None
    return True

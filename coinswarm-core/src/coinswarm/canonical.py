"""Canonical bytes and their digests: the same value gives the same bytes on every machine (S16).

Everything that is hashed or signed goes through here: JSON with one spelling, integer arrays as
little-endian int64 in row order, the order hash of a run, and the links of a hash chain.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from decimal import Decimal
from enum import StrEnum
from json.encoder import encode_basestring
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from numpy.typing import NDArray

    from coinswarm.domain.instrument import Instrument

ORDER_SCHEMA = "coinswarm.orders/1"
"""Names the layout of the order hash; a change of layout takes the next number."""

ORDER_FIELDS = (
    "seq",
    "parent",
    "instrument",
    "decided_ns",
    "side",
    "kind",
    "lots",
    "limit",
    "trigger",
    "tif",
    "flags",
    "end_ns",
    "end_reason",
)
"""Columns of an order row; ``instrument`` is an index into the symbols in sorted order."""

FILL_FIELDS = ("order", "bar_ns", "lots", "ticks", "fee")
"""Columns of a fill row; ``order`` is the sequence number of the order."""

GENESIS = "0" * 64
"""What the first link of a hash chain follows."""

_ARRAY_SCHEMA = "coinswarm.arrays/1"
_CHAIN_SCHEMA = "coinswarm.chain/1"
_DIGEST_HEX = 64


def decimal_text(value: Decimal) -> str:
    """The one spelling of a decimal: no exponent, no trailing zeros, no negative zero (``0.10`` is ``0.1``).

    :raises ValueError: for an infinity or a NaN.
    """
    if not value.is_finite():
        message = f"{value} has no canonical form: only finite decimals have one"
        raise ValueError(message)
    text = format(value, "f")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def canonical_json(value: object, *, floats: bool = False) -> bytes:
    """UTF-8 JSON with sorted keys and without white space.

    Mappings (keys are strings), sequences, strings, booleans, ``None``, integers of any size and
    decimals (written as strings, see ``decimal_text``). Keys are sorted by code point.

    :param floats: also take finite floats, in their shortest round-trip spelling. Off by default:
        a float's last digit may differ between numpy builds, and a digest over it would too.
    :raises TypeError: for a value of any other type, named with its place.
    :raises ValueError: for a number that is not finite, or text that is not valid Unicode.
    """
    if not floats:
        try:
            return spelled(value).encode()
        except KeyError:
            pass  # something that is not plain: perhaps it has a form all the same
    plain = _plain(value, floats=floats, where="$")
    return json.dumps(plain, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()


def spelled(value: object) -> str:
    """Canonical JSON of plain values, as text; the same as ``canonical_json``, and sooner made.

    :raises KeyError: for what is not exactly a dict by strings, list, tuple, string, whole number, truth value or
        ``None``, nor a ``StrEnum``'s member, somewhere in it.
    """
    return _SPELLED[type(value)](value)


def spelled_each(values: Iterable[object]) -> list[str]:
    """``spelled`` for each of some values.

    :raises KeyError: as ``spelled``.
    """
    return [_SPELLED[type(value)](value) for value in values]


class Spelled(str):
    """Canonical JSON already: a part of a whole that ``spelled`` writes as it is."""

    __slots__ = ()


def quoted(text: str) -> str:
    """A long text, which most likely needs no escapes: ``spelled``, and a third of its price.

    :raises ValueError: for text that is not valid Unicode.
    """
    return encode_basestring(text) if text.encode().translate(None, _AS_IT_IS) else f'"{text}"'


_AS_IT_IS = bytes(code for code in range(0x20, 0x7F) if chr(code) not in {'"', "\\"})


def _spelled_dict(value: dict[str, object]) -> str:
    names = sorted(value) if {*map(type, value)} <= {str} else _not_plain(value)
    parts = [f"{encode_basestring(name)}:{_SPELLED[type(value[name])](value[name])}" for name in names]
    return f"{{{','.join(parts)}}}"


def _not_plain(value: object) -> list[str]:
    raise KeyError(type(value))


def _spelled_list(value: Sequence[object]) -> str:
    return f"[{','.join([_SPELLED[type(one)](one) for one in value])}]"


class _Spelled(dict[type, "Callable[[Any], str]"]):
    """Type of a plain value -> how it is spelled."""

    def __missing__(self, kind: type) -> Callable[[Any], str]:
        if issubclass(kind, StrEnum) and kind.__str__ is str.__str__:
            return self.setdefault(kind, encode_basestring)
        raise KeyError(kind)


_SPELLED = _Spelled({
    str: encode_basestring,
    int: int.__repr__,
    bool: {True: "true", False: "false"}.__getitem__,
    type(None): {None: "null"}.__getitem__,
    list: _spelled_list,
    tuple: _spelled_list,
    dict: _spelled_dict,
    Spelled: str.__str__,
})  # fmt: skip


def _plain(value: object, *, floats: bool, where: str) -> object:  # noqa: PLR0911 - one return per kind of value
    """``value`` in the types that ``json`` knows, refused where it has no canonical form."""
    if value is None or type(value) in (bool, str):
        return value
    if isinstance(value, (bool, int, np.integer)):  # IntEnum and numpy integers too: their number
        return int(value)
    if isinstance(value, str):  # StrEnum: its text
        return str(value)
    if isinstance(value, Decimal):
        return decimal_text(value)
    if floats and isinstance(value, (float, np.floating)):
        return float(value)
    if isinstance(value, Mapping):
        for key in value:
            if not isinstance(key, str):
                message = f"{where} has the key {key!r}: canonical JSON takes strings only"
                raise TypeError(message)
        return {str(k): _plain(v, floats=floats, where=f"{where}.{k}") for k, v in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, (bytes, bytearray, memoryview)):
        return [_plain(v, floats=floats, where=f"{where}[{i}]") for i, v in enumerate(value)]
    message = f"{where} is a {type(value).__name__} ({value!r}): canonical JSON has no form for it"
    raise TypeError(message)


def sha256(data: bytes) -> str:
    """SHA-256 in 64 lower-case hex digits."""
    return hashlib.sha256(data).hexdigest()


def digest(value: object, *, floats: bool = False) -> str:
    """SHA-256 of ``canonical_json(value)``."""
    return sha256(canonical_json(value, floats=floats))


def int_bytes(array: NDArray[Any]) -> bytes:
    """The array's numbers as little-endian int64 in row order, whatever its own byte order and layout.

    :param array: any shape; a signed or unsigned integer or boolean dtype.
    :raises TypeError: for another dtype.
    :raises ValueError: for a number of 2**63 or more.
    """
    array = np.asarray(array)
    if array.dtype.kind not in "iub":
        message = f"an array of {array.dtype} cannot be written as int64: only integers can"
        raise TypeError(message)
    if array.dtype.kind == "u" and array.size and int(array.max()) >= 1 << 63:
        message = f"{int(array.max())} does not fit int64"
        raise ValueError(message)
    return np.ascontiguousarray(array, dtype="<i8").tobytes()


def digest_arrays(arrays: Mapping[str, NDArray[Any]]) -> str:
    """SHA-256 over named arrays: names in sorted order, each with its kind, shape and bytes.

    Integers are hashed as little-endian int64, floats as little-endian float64 with one NaN and one zero.

    :raises TypeError: for a dtype that is neither.
    """
    state = hashlib.sha256(f"{_ARRAY_SCHEMA}\n".encode())
    for name in sorted(arrays):
        array = np.asarray(arrays[name])
        if array.dtype.kind == "f":
            wide = np.array(array, dtype="<f8", order="C")
            wide[np.isnan(wide)] = np.nan
            kind, data = "<f8", (wide + 0.0).tobytes()  # -0.0 + 0.0 is 0.0
        else:
            kind, data = "<i8", int_bytes(array)
        state.update(canonical_json([name, kind, list(array.shape)]) + b"\n")
        state.update(data)
    return state.hexdigest()


def order_hash(
    instruments: Sequence[Instrument], anchor_ns: int, orders: NDArray[np.int64], fills: NDArray[np.int64]
) -> str:
    """The order hash of a run (S16): what was ordered and filled, and nothing else.

    SHA-256 over, in this order: ``ORDER_SCHEMA`` and a newline; canonical JSON of
    ``[[symbol, tick, lot], …]`` sorted by symbol, and a newline; then little-endian int64 numbers:
    the anchor, the number of orders, the order rows, the number of fills, the fill rows.
    No ids, settings, floats or wall time.

    :param instruments: all instruments of the run, in any order, each symbol once.
    :param anchor_ns: open time of the run's first bar.
    :param orders: int64[m, 13], columns ``ORDER_FIELDS``.
    :param fills: int64[f, 5], columns ``FILL_FIELDS``.
    :raises ValueError: for tables of another width, or a symbol given twice.
    """
    rows = sorted([i.symbol, decimal_text(i.tick), decimal_text(i.lot)] for i in instruments)
    if len({row[0] for row in rows}) != len(rows):
        message = f"a symbol is given twice: {', '.join(row[0] for row in rows)}"
        raise ValueError(message)
    state = hashlib.sha256(f"{ORDER_SCHEMA}\n".encode())
    state.update(canonical_json(rows) + b"\n")
    state.update(int_bytes(np.array([anchor_ns], dtype=np.int64)))
    for name, table, fields in (("orders", orders, ORDER_FIELDS), ("fills", fills, FILL_FIELDS)):
        if table.ndim != 2 or table.shape[1] != len(fields):  # noqa: PLR2004 - rows and columns
            message = f"{name} has the shape {table.shape}, but needs {len(fields)} columns: {', '.join(fields)}"
            raise ValueError(message)
        state.update(int_bytes(np.array([len(table)], dtype=np.int64)))
        state.update(int_bytes(table))
    return state.hexdigest()


def chain(previous: str, payload: bytes) -> str:
    """The next link of a hash chain: SHA-256 over the schema, the previous link and the payload.

    :param previous: the link before, 64 hex digits; ``GENESIS`` for the first.
    :raises ValueError: when ``previous`` is not a digest.
    """
    link = bytes.fromhex(previous) if len(previous) == _DIGEST_HEX else b""
    if len(link) * 2 != _DIGEST_HEX:
        message = f"{previous!r} is not a SHA-256 in {_DIGEST_HEX} hex digits"
        raise ValueError(message)
    return sha256(f"{_CHAIN_SCHEMA}\n".encode() + link + payload)

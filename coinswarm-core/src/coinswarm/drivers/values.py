"""What the local stores take: times, names, numbers and JSON that come back as they went in."""

from __future__ import annotations

import json
import math
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_INT64 = 1 << 63
_DEPTH = 64
"""How deep JSON may be nested: far from where any reader gives up."""


def microseconds(what: str, moment: datetime) -> int:
    """Since the epoch.

    :raises ValueError: for what is not aware UTC.
    """
    if not isinstance(moment, datetime) or moment.utcoffset() != timedelta(0):
        message = f"{what} is {moment!r}, but must be an aware datetime in UTC"
        raise ValueError(message)
    return (moment - _EPOCH) // _MICROSECOND


def moment(micros: int) -> datetime:
    """Aware UTC."""
    return _EPOCH + timedelta(microseconds=micros)


def demand_name(what: str, value: object, *, empty: bool = False) -> None:
    """Refuse a name that is no text.

    :raises ValueError: for another type, an empty text unless allowed, NUL, or what is not Unicode.
    """
    good = isinstance(value, str) and (value or empty) and "\0" not in value
    if not good or (isinstance(value, str) and any("\ud800" <= letter <= "\udfff" for letter in value)):
        message = f"{what} is {value!r}, but must be a text{'' if empty else ' that is not empty'}"
        raise ValueError(message)


def demand_text(what: str, value: str) -> None:
    """Refuse a text that not every store keeps, finds and compares whole.

    :raises ValueError: for NUL, and for what is not Unicode.
    """
    if "\0" in value or any("\ud800" <= letter <= "\udfff" for letter in value):
        message = f"{what} is {value[:64]!r}, but must be a text without NUL and half letters: take them out"
        raise ValueError(message)


def demand_scalar(what: str, value: object) -> None:
    """Refuse what is no text, boolean, finite float or integer of 64 bits.

    :raises ValueError: naming it.
    """
    if type(value) is str:
        demand_text(what, value)
        return
    if isinstance(value, bool):
        return
    if type(value) is int and -_INT64 <= value < _INT64:
        return
    if type(value) is float and math.isfinite(value):
        return
    message = f"{what} is {value!r}, but must be a text, a boolean, a finite float or an integer of 64 bits"
    raise ValueError(message)


def json_text(what: str, body: Mapping[str, Any]) -> str:
    """A body as JSON.

    :raises ValueError: for anything in it that would not come back as it is.
    """
    if not isinstance(body, dict):
        message = f"{what} is a {type(body).__name__}, but must be a dict"
        raise ValueError(message)  # noqa: TRY004 - the port names one error for every value that is none
    _demand_json(what, body, _DEPTH)
    return json.dumps(body, separators=(",", ":"), allow_nan=False)


def _demand_json(what: str, value: object, depth: int) -> None:
    if depth == 0:
        message = f"{what} is nested more than {_DEPTH} deep"
        raise ValueError(message)
    if type(value) is dict:
        for key, item in value.items():
            if type(key) is not str:
                message = f"{what} has the key {key!r}, but keys must be texts"
                raise ValueError(message)
            demand_text(f"a key of {what}", key)
            _demand_json(f"{what}.{key}", item, depth - 1)
    elif type(value) is list:
        for number, item in enumerate(value):
            _demand_json(f"{what}[{number}]", item, depth - 1)
    elif value is not None:
        demand_scalar(what, value)

"""The kinds of values that a profile holds, with their bounds."""

from __future__ import annotations

import math
import re
from datetime import UTC, date, datetime, time
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import parse_qs, urlsplit

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from coinswarm.config.sources import Secret
from coinswarm.domain.instrument import INT_LIMIT, MONEY

if TYPE_CHECKING:
    from collections.abc import Iterator

FULL_BP = 10_000
"""Basis points of the whole."""

PPM_PER_BP = 100
_MAX_COUNT = 1_000_000_000
_SECRET = re.compile(r"(^|[._-])(secret|password|passphrase|apikey|(api|private|access|secret)[_-]?key)$")
_SECRET_OF_A_VENUE = re.compile(r"(^|[._-])(key|token|seed)$")
"""Words that are secrets to a driver, but to an agent may be a sort key or a coin."""


class Section(BaseModel):
    """A table of a profile: frozen, strict, and without unknown keys."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


def _number(value: object) -> object:
    """Numbers as exact Decimals: TOML integers, text such as ``"0.01"``, and floats by their shortest form."""
    if isinstance(value, bool):
        message = "must be a number"
        raise ValueError(message)  # noqa: TRY004 - pydantic turns ValueError into a finding, TypeError into a crash
    if isinstance(value, (int, float, str)):
        try:
            return Decimal(str(value))
        except InvalidOperation:
            message = "must be a number"
            raise ValueError(message) from None
    return value


def _moment(value: object) -> object:
    """Moments as aware UTC datetimes: TOML datetimes and dates, and ISO 8601 text."""
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            message = "must be a date and time such as 2018-01-31T23:00:00Z"
            raise ValueError(message) from None
    if isinstance(value, date) and not isinstance(value, datetime):
        return datetime.combine(value, time(), UTC)
    if isinstance(value, datetime):
        if value.tzinfo is None:
            message = "has no time zone: append Z for UTC"
            raise ValueError(message)
        try:
            return value.astimezone(UTC)
        except OverflowError:
            message = "lies outside the years 1 to 9999 in UTC"
            raise ValueError(message) from None
    return value


def _money(value: Decimal) -> Decimal:
    """Hold that an amount is countable in units of 1e-8 on the integer path (S10)."""
    units = value * MONEY
    if units != units.to_integral_value():
        message = "is finer than 0.00000001: round it"
        raise ValueError(message)
    if units >= INT_LIMIT:
        message = f"is too large for the integer path: at most {INT_LIMIT // MONEY - 1}"
        raise ValueError(message)
    return value


def _whole_ppm(value: Decimal) -> Decimal:
    """Hold that basis points come to whole millionths."""
    if (value * PPM_PER_BP) % 1:
        message = "is finer than 0.01 bps: round it"
        raise ValueError(message)
    return value


def _plain(value: object) -> object:
    """Settings as plain values: TOML's exact numbers become floats, which is what plugins speak."""
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_plain(inner) for inner in value]
    return value


def _entries(value: object, path: str = "") -> Iterator[tuple[str, object]]:
    """Every value below a table, tables included, with its dotted key."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, entry in inner:
        place = f"{path}.{key}" if path else str(key)
        yield place, entry
        yield from _entries(entry, place)


def _finite(value: dict[str, Any]) -> dict[str, Any]:
    """Hold that settings can be kept as they are: JSON, which runs are written in, has no infinity and no NaN."""
    for key, entry in _entries(value):
        if isinstance(entry, float) and not math.isfinite(entry):
            message = f"{key!r} is {entry}: write a finite number, or leave it out"
            raise ValueError(message)
    return value


def _no_secret(value: dict[str, Any]) -> dict[str, Any]:
    """Hold that an agent is handed no secret."""
    for key, entry in _entries(value):
        if Secret.parse(entry) is not None:
            message = f"{key!r} refers to a secret, and agents are given none: remove it"
            raise ValueError(message)
        if isinstance(entry, str) and _SECRET.search(key.lower()):
            message = f"{key!r} holds a secret in plain text, and agents are given none: remove it"
            raise ValueError(message)
    return value


def _secret_by_reference(value: dict[str, Any]) -> dict[str, Any]:
    """Hold that a secret does not stand in the profile in plain text."""
    for key, entry in _entries(value):
        named = _SECRET.search(key.lower()) or _SECRET_OF_A_VENUE.search(key.lower())
        if isinstance(entry, str) and named:
            name = key.rpartition(".")[2]
            message = f'{key!r} holds a secret in plain text: write {name} = {{env = "NAME"}} instead'
            raise ValueError(message)
    return value


def _reference(value: object) -> object:
    """A reference to a secret stays a table of one entry."""
    if isinstance(value, dict) and Secret.parse(value) is None:
        message = 'must be a reference such as {env = "NAME"}, {file = "PATH"} or {keyring = "service/user"}'
        raise ValueError(message)
    return value


def _database(value: object) -> object:
    """Where a database is, without a password; checked here, because a finding of either kind would be two."""
    if isinstance(value, dict):
        return _reference(value)
    if not isinstance(value, str):
        message = 'must be text in quotes, or a reference such as {env = "NAME"}'
        raise ValueError(message)  # noqa: TRY004 - as above
    if not value.strip():
        message = 'must not be empty: write the path of a file, a URL, or a reference such as {env = "NAME"}'
        raise ValueError(message)
    if holds_password(value):
        message = 'holds a password in plain text: write {env = "NAME"} instead'
        raise ValueError(message)
    return value


def holds_password(address: str) -> bool:
    """Whether a password stands in a database's address."""
    try:
        parts = urlsplit(address) if "://" in address else urlsplit("")
        return bool(parts.password) or not {"password", "sslpassword"}.isdisjoint(parse_qs(parts.query))
    except ValueError:  # it is none, as whoever opens it says
        return False


def _matching(pattern: str, words: str) -> AfterValidator:
    """Hold that text matches a pattern; say so in words."""

    def check(value: str) -> str:
        if not re.fullmatch(pattern, value):
            raise ValueError(words)
        return value

    return AfterValidator(check)


Name = Annotated[
    str, _matching(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", "must be lower-case letters, digits and single hyphens")
]
"""A plugin's, agent's or driver's name: lower-case letters, digits and single hyphens."""

Bp = Annotated[int, Field(ge=0, le=FULL_BP)]
"""Basis points, 0 to 10,000."""

Count = Annotated[int, Field(ge=0, le=_MAX_COUNT)]
"""A number of bars or trades."""

Symbol = Annotated[str, _matching(r"[^/\s]+/[^/\s]+", "must be BASE/QUOTE, as in BTC/USD")]
"""A pair; the quote is the settlement currency."""

Digest = Annotated[str, _matching(r"sha256:[0-9a-f]{64}", "must be sha256: and 64 hex digits")]
"""A digest of a plugin's files."""

BarLength = Annotated[str, _matching(r"[1-9][0-9]{0,5}[smhdw]", "must be a bar length such as 1m, 5m, 1h or 1d")]
"""Length of a bar: a whole number and one of s, m, h, d, w."""

Number = Annotated[Decimal, BeforeValidator(_number), Field(allow_inf_nan=False)]
"""An exact decimal number."""

Money = Annotated[Number, AfterValidator(_money)]
"""An amount of the settlement currency, to 1e-8."""

Bps = Annotated[Number, Field(ge=0, le=5_000), AfterValidator(_whole_ppm)]
"""A cost or distance in basis points, to 0.01."""

Moment = Annotated[datetime, BeforeValidator(_moment)]
"""An aware UTC datetime."""

SecretReference = Annotated[dict[str, str], BeforeValidator(_reference)]
"""Where a secret is."""

Database = Annotated[str | dict[str, str], BeforeValidator(_database)]
"""A URL for SQLAlchemy, the path of a SQLite file, or a reference to either."""

Settings = Annotated[dict[str, Any], BeforeValidator(_plain), AfterValidator(_finite), AfterValidator(_no_secret)]
"""Settings of a plugin's object; checked by that plugin's own model."""

DriverSettings = Annotated[
    dict[str, Any], BeforeValidator(_plain), AfterValidator(_finite), AfterValidator(_secret_by_reference)
]
"""Settings of a driver, where a secret stands as a reference."""


def ppm(bps: Decimal) -> int:
    """Millionths of so many basis points."""
    return int(bps * PPM_PER_BP)


def units(amount: Decimal) -> int:
    """Money units of 1e-8 of an amount."""
    return int(amount * MONEY)

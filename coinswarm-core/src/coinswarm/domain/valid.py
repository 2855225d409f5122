"""What the values that plugins answer with are held to: whole numbers in range, names, digests."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from enum import Enum

FULL_BP = 10_000
"""Basis points of a whole."""

_is_name = re.compile(r"[a-z0-9]++(?:[-./][a-z0-9]++)*+").fullmatch  # what was matched is never tried again
_is_digest = re.compile(r"[0-9a-f]{64}").fullmatch
_LONGEST = 128


def whole(what: str, value: object, least: int | None = 0, most: int | None = None) -> None:
    """Hold ``value`` to a whole number in range.

    :param what: names it in the message, as in ``"size_bp of the assessment"``.
    :param least, most: bounds, inclusive; None for none.
    :raises ValueError: for anything else; a truth value or a float is no whole number.
    """
    if type(value) is int and (least is None or value >= least) and (most is None or value <= most):
        return
    if not isinstance(value, int) or isinstance(value, bool):
        message = f"{what} is {value!r}, but must be a whole number"
        raise ValueError(message)  # noqa: TRY004 - one error for a value that is not valid
    if (least is not None and value < least) or (most is not None and value > most):
        bounds = " and ".join(
            f"at {word} {bound:,}" for word, bound in (("least", least), ("most", most)) if bound is not None
        )
        message = f"{what} is {value:,}, but must be {bounds}"
        raise ValueError(message)


def name(what: str, value: object) -> None:
    """Hold ``value`` to a name: lower-case letters and digits, joined by single ``-``, ``.`` or ``/``.

    :raises ValueError: for anything else.
    """
    if not (isinstance(value, str) and len(value) <= _LONGEST and _is_name(value)):
        message = f"{what} is {value!r}, but must be lower-case letters and digits, joined by '-', '.' or '/'"
        raise ValueError(message)


def digest(what: str, value: object) -> None:
    """Hold ``value`` to a SHA-256 in 64 lower-case hex digits.

    :raises ValueError: for anything else.
    """
    if not (isinstance(value, str) and _is_digest(value)):
        message = f"{what} is {value!r}, but must be a SHA-256 in 64 lower-case hex digits"
        raise ValueError(message)


def line(what: str, value: object, *, empty: bool = True) -> None:
    """Hold ``value`` to one line of text. What cannot be printed of it is for whoever prints it to see to.

    :raises ValueError: for anything else.
    """
    if not isinstance(value, str) or "\n" in value or not (empty or value.strip()):
        message = f"{what} is {value!r}, but must be one line of text"
        raise ValueError(message)


def member(what: str, value: object, kind: type[Enum]) -> None:
    """Hold ``value`` to a member of an enumeration; a number or word that is equal to one is none.

    :raises ValueError: for anything else.
    """
    if not isinstance(value, kind):
        message = f"{what} is {value!r}, but must be a {kind.__name__}"
        raise ValueError(message)  # noqa: TRY004 - as in ``whole``


def unique(what: str, values: object) -> None:
    """Hold ``values`` to a tuple in which nothing occurs twice.

    :raises ValueError: naming the first that does.
    """
    if not isinstance(values, tuple):
        message = f"{what} are {values!r}, but must be a tuple"
        raise ValueError(message)  # noqa: TRY004 - as in ``whole``
    if len(values) == len(set(values)):
        return
    seen: set[object] = set()
    for value in values:
        if value in seen:
            message = f"{what} name {value!r} twice"
            raise ValueError(message)
        seen.add(value)

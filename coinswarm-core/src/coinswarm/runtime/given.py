"""What a notebook gives, in the shapes that files and profiles have; what is none is refused in one line."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

import numpy as np

from coinswarm.errors import DataError, nearest

Number = int | float | str | Decimal | np.integer[Any] | np.floating[Any]


def number(name: str, value: Number | None) -> Decimal | None:
    """A number as exact as it was written; None where none was given.

    :raises DataError: for what is no finite number.
    """
    if value is None:
        return None
    try:
        found = Decimal(str(value))
    except InvalidOperation:
        found = Decimal("nan")
    if not found.is_finite():
        message = f"{name} {value!r} is not a finite number"
        raise DataError(message, remedy=f'write for example {name}="0.01"')
    return found


def one_of(name: str, value: object, choices: tuple[str, ...]) -> None:
    """Hold that a word is one of a few.

    :raises DataError: naming the nearest.
    """
    if value not in choices:
        message = f"{name} {value!r} is not one of {', '.join(choices)}"
        raise DataError(message, remedy=nearest(str(value), choices))


def of_type(name: str, value: object, kind: type | tuple[type, ...], remedy: str) -> None:
    """Hold that a value has a type.

    :raises DataError: with its type, because its value may be a whole table.
    """
    if not isinstance(value, kind):
        message = f"{name} cannot be {'None' if value is None else f'of type {type(value).__name__}'}"
        raise DataError(message, remedy=remedy)


def exact(value: object) -> Any:  # noqa: ANN401 - the same shape again
    """A profile's values as TOML gives them: floats exact, numbers of numpy as Python's, paths as text."""
    if isinstance(value, Mapping):
        return {str(key): exact(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [exact(part) for part in value]
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, np.integer | np.bool_):
        return value.item()
    return Decimal(str(value)) if isinstance(value, float | np.floating) else value

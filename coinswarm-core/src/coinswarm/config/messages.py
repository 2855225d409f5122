"""pydantic's findings as lines that name the key, the value, the remedy and the file."""

from __future__ import annotations

import types
import typing
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

from coinswarm.errors import nearest

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pydantic import ValidationError
    from pydantic_core import ErrorDetails

Loc = tuple[str | int, ...]

_SHOWN = 60
"""Characters of a value that a message shows."""

_KINDS = {
    "string_type": "must be text in quotes",
    "int_type": "must be a whole number",
    "bool_type": "must be true or false",
    "string_too_short": "must not be empty",
    "too_short": "must have at least one entry",
    "list_type": "must be a list [...]",
    "dict_type": "must be a table",
    "model_type": "must be a table",
    "model_attributes_type": "must be a table",
    "decimal_type": "must be a number",
    "decimal_parsing": "must be a number",
    "finite_number": "must be a finite number",
    "datetime_type": "must be a date and time such as 2018-01-31T23:00:00Z",
}
"""Remedies by pydantic's error type; its own message stands where none is listed."""


def explain(
    error: ValidationError,
    model: type[BaseModel],
    source: Callable[[Loc], str],
    *,
    prefix: str = "",
    hide: bool = False,
) -> str:
    """All findings, one line each.

    :param model: what was validated; its fields are offered for unknown keys.
    :param source: names the file (or option) that a key came from.
    :param prefix: put before every key, as in ``agents.trend.settings.``.
    :param hide: show no value.
    """
    found = error.errors(include_url=False)
    lines = [line for detail in found for line in _lines(detail, model, source, prefix, hide=hide)]
    return "\n".join(dict.fromkeys(lines))


def origin(places: Sequence[Loc], label: str) -> Callable[[Loc], str]:
    """Names where a key came from: ``--set``, or else the file.

    :param places: of the keys that were overridden.
    """
    return lambda loc: "--set" if any(loc[: len(place)] == place for place in places) else label


def key_of(loc: Loc) -> str:
    """``instruments.0.symbol`` for ``("instruments", 0, "symbol")``."""
    return ".".join(str(part) for part in loc)


def show(value: object) -> str:
    """A value for a message, cut short."""
    text = repr(value) if isinstance(value, (str, list, dict)) else str(value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"


def _lines(
    detail: ErrorDetails, model: type[BaseModel], source: Callable[[Loc], str], prefix: str, *, hide: bool
) -> list[str]:
    """The lines of one finding: one, except where a cross-check of the whole found several things."""
    loc, kind, value = detail["loc"], detail["type"], detail["input"]
    key, origin = f"{prefix}{key_of(loc)}".rstrip("."), source(loc)
    if kind == "extra_forbidden":
        return [f"{origin}: unknown key {key!r}: {nearest(str(loc[-1]), _fields_at(model, loc[:-1]))}"]
    if kind == "missing":
        return [f"{origin}: {key!r} is missing: {_description(model, loc)}"]
    text = str(detail["ctx"]["error"]) if kind == "value_error" else _KINDS.get(kind) or _own_words(detail["msg"])
    if not loc or isinstance(value, (dict, BaseModel)):
        return [f"{origin}: {f'{key}: ' if key else ''}{line}" for line in text.splitlines()]
    shown = "…" if hide or _may_hold_secret(loc) else show(value)
    return [f"{origin}: {key} = {shown}: {text}"]


def _may_hold_secret(loc: Loc) -> bool:
    """Whether a secret may have been put there by mistake."""
    return (
        loc[0] == "drivers" or loc in {("memory",), ("memory", "settings")} or loc[-1] in {"database", "store", "key"}
    )


def _own_words(message: str) -> str:
    """``must be less than or equal to 10000`` for pydantic's ``Input should be …``."""
    for subject in ("Input should be ", "String should ", "Value should be "):
        if message.startswith(subject):
            return ("must be " if subject.endswith("be ") else "must ") + message.removeprefix(subject)
    return message


def _description(model: type[BaseModel], loc: Loc) -> str:
    """What a missing key is for."""
    for candidate in _models_at(model, loc[:-1]):
        info = candidate.model_fields.get(str(loc[-1]))
        if info is not None and info.description:
            return f"set it ({info.description})"
    return "set it"


def _fields_at(model: type[BaseModel], loc: Loc) -> list[str]:
    """The keys that are known at a place."""
    return sorted({name for candidate in _models_at(model, loc) for name in candidate.model_fields})


def _models_at(model: type[BaseModel], loc: Loc) -> Sequence[type[BaseModel]]:
    """The models that may stand at a place, found by walking the annotations of the fields."""
    found: list[Any] = [model]
    for part in loc:
        step: list[Any] = []
        for annotation in found:
            if isinstance(annotation, type) and issubclass(annotation, BaseModel):
                info = annotation.model_fields.get(str(part))
                step.extend(_alternatives(info.annotation) if info is not None else [])
            else:
                step.extend(inner for given in typing.get_args(annotation)[-1:] for inner in _alternatives(given))
        found = step
    return [item for item in found if isinstance(item, type) and issubclass(item, BaseModel)]


def _alternatives(annotation: Any) -> list[Any]:  # noqa: ANN401 - annotations have no common type
    """The members of a union, without Annotated."""
    if typing.get_origin(annotation) is typing.Annotated:
        return _alternatives(typing.get_args(annotation)[0])
    if typing.get_origin(annotation) in (typing.Union, types.UnionType):
        return [inner for member in typing.get_args(annotation) for inner in _alternatives(member)]
    return [annotation]

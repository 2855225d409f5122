"""How answers travel from the plugin's process to the judge: plain data as JSON, never code.

The judge must be able to read what an untrusted process writes, so nothing is unpickled: an answer is made of
None, booleans, numbers, text, bytes, lists, tuples, sets, dicts, aware datetimes, durations, decimals, numeric
arrays, and frozen values and enumerations of ``coinswarm.domain`` and its neighbours, rebuilt field by field
by core's own constructors. Requests go the other way and are pickled: who judges is trusted.
"""

from __future__ import annotations

import base64
import json
import sys
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from enum import Enum
from importlib import import_module
from typing import Any

import numpy as np

TAG = "$"
MOST_BYTES = 512 * 1024 * 1024
"""A longer answer is refused unread."""

_MODULES = ("coinswarm.contracts", "coinswarm.declarations", "coinswarm.ports")
_PREFIX = "coinswarm.domain."
_NUMERIC = "biuf"


class WireError(ValueError):
    """Something that cannot travel, or an answer that is not of the form; one line says what."""


def dumps(value: object) -> bytes:
    """An answer as bytes.

    :raises WireError: naming the type that cannot travel.
    """
    return json.dumps(_plain(value), ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")


def loads(data: bytes) -> Any:  # noqa: ANN401 - whatever was said
    """The answer that ``dumps`` wrote.

    :raises WireError: when it is none; nothing else is raised whatever the bytes are.
    """
    try:
        return _built(json.loads(data))
    except WireError:
        raise
    except (ValueError, TypeError, KeyError, AttributeError, ArithmeticError, RecursionError) as error:
        message = f"an answer that cannot be read ({type(error).__name__}: {str(error)[:200]})"
        raise WireError(message) from None


def _plain(value: object) -> object:  # noqa: C901, PLR0911, PLR0912 - a case per type
    """A value as JSON; whatever JSON has no word for carries a tag."""
    if value is None or value is True or value is False:
        return value
    if isinstance(value, Enum):
        return {TAG: "enum", "of": _name(type(value)), "value": _plain(value.value)}
    if isinstance(value, int):
        return int.__index__(value)
    if isinstance(value, float):
        return float.__float__(value)
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, bytes | bytearray | memoryview):
        return {TAG: "bytes", "base64": base64.b64encode(bytes(value)).decode("ascii")}
    if isinstance(value, np.generic):
        return _plain(value.item())
    if isinstance(value, np.ndarray):
        return _array(value)
    if isinstance(value, datetime):
        return {TAG: "time", "iso": value.isoformat()}
    if isinstance(value, timedelta):
        return {TAG: "duration", "us": value // timedelta(microseconds=1)}
    if isinstance(value, Decimal):
        return {TAG: "decimal", "text": str(value)}
    if is_dataclass(value) and not isinstance(value, type):
        content = {item.name: _plain(getattr(value, item.name)) for item in fields(value) if item.init}
        return {TAG: "value", "of": _name(type(value)), "fields": content}
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return {TAG: "named", "of": _name(type(value)), "items": [_plain(item) for item in value]}
    if isinstance(value, tuple | set | frozenset):
        kind = "tuple" if isinstance(value, tuple) else "set"
        return {TAG: kind, "items": [_plain(item) for item in value]}
    if isinstance(value, Mapping):
        return {TAG: "dict", "items": [[_plain(key), _plain(item)] for key, item in value.items()]}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    message = f"a {type(value).__name__}, which cannot travel to the judge"
    raise WireError(message)


def _array(value: np.ndarray[Any, np.dtype[Any]]) -> object:
    """A numeric array."""
    if value.dtype.kind not in _NUMERIC:
        message = f"an array of {value.dtype}, which is not numeric"
        raise WireError(message)
    little = np.ascontiguousarray(value, value.dtype.newbyteorder("<"))
    data = base64.b64encode(little.tobytes()).decode("ascii")
    return {TAG: "array", "dtype": little.dtype.str, "shape": list(value.shape), "base64": data}


def _name(kind: type) -> str:
    """The name of a class that the other side knows."""
    name = f"{kind.__module__}:{kind.__qualname__}"
    if not (kind.__module__.startswith(_PREFIX) or kind.__module__ in _MODULES):
        message = f"a {name}, which is no value of coinswarm's domain"
        raise WireError(message)
    return name


def _class(name: str) -> Any:  # noqa: ANN401 - a class of core's
    """The class of that name in core, and nowhere else."""
    module, _, attribute = name.partition(":")
    if not (module.startswith(_PREFIX) or module in _MODULES) or not attribute.isidentifier():
        message = f"an answer of the type {name[:80]!r}, which is no value of coinswarm's domain"
        raise WireError(message)
    try:
        import_module(module)
    except ImportError:
        message = f"an answer of the unknown type {name[:80]!r}"
        raise WireError(message) from None
    found = vars(sys.modules[module]).get(attribute)
    if not (isinstance(found, type) and found.__module__ == module):
        message = f"an answer of the unknown type {name[:80]!r}"
        raise WireError(message)
    return found


def _built(value: Any) -> Any:  # noqa: ANN401, C901, PLR0911, PLR0912 - whatever was said; a case per tag
    """The value behind its JSON."""
    if isinstance(value, list):
        return [_built(item) for item in value]
    if not isinstance(value, dict):
        return value
    match value[TAG]:
        case "bytes":
            return base64.b64decode(value["base64"], validate=True)
        case "array":
            return _built_array(value)
        case "time":
            return datetime.fromisoformat(value["iso"])
        case "duration":
            return timedelta(microseconds=value["us"])
        case "decimal":
            return Decimal(value["text"])
        case "tuple":
            return tuple(_built(item) for item in value["items"])
        case "set":
            return frozenset(_built(item) for item in value["items"])
        case "dict":
            return {_built(key): _built(item) for key, item in value["items"]}
        case "enum":
            kind = _class(value["of"])
            if not issubclass(kind, Enum):
                message = f"an enumeration of the type {value['of']!r}"
                raise WireError(message)
            return kind(_built(value["value"]))
        case "named":
            kind = _class(value["of"])
            if not (issubclass(kind, tuple) and hasattr(kind, "_fields")):
                message = f"a named tuple of the type {value['of']!r}"
                raise WireError(message)
            return kind(*(_built(item) for item in value["items"]))
        case "value":
            kind = _class(value["of"])
            if not hasattr(kind, "__dataclass_fields__"):
                message = f"a value of the type {value['of']!r}"
                raise WireError(message)
            return kind(**{name: _built(item) for name, item in value["fields"].items()})
    message = f"an answer with the unknown tag {value[TAG]!r}"
    raise WireError(message)


def _built_array(value: dict[str, Any]) -> np.ndarray[Any, np.dtype[Any]]:
    """A numeric array in memory of its own."""
    dtype = np.dtype(str(value["dtype"]))
    if dtype.kind not in _NUMERIC:
        message = f"an array of {dtype}, which is not numeric"
        raise WireError(message)
    shape = tuple(int(length) for length in value["shape"])
    return np.frombuffer(base64.b64decode(value["base64"], validate=True), dtype).reshape(shape).copy()

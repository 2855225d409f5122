"""Payloads that a source should never send, and some day does: nonsense, and recorded ones that were spoilt."""

from __future__ import annotations

import json
from functools import partial
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

NONSENSE = {
    "nothing": b"",
    "a page of HTML": b"<html><body>Bad gateway</body></html>",
    "half a JSON text": b'{"data": [{"id": 1, ',
    "null": b"null",
    "a number": b"17",
    "a text": b'"all is well"',
    "an error in an answer 200": b'{"error": "something went wrong"}',
    "brackets 100,000 deep": b"[" * 100_000,
    "bytes that are no UTF-8": b'{"data": "\xff\xfe"}',
}
"""Payloads that nobody should choke on."""

LEAVES: dict[str, Any] = {
    "null": None, "[]": [], "1e999": float("inf"), "NaN": "NaN", "-1": -1, "true": True, "10^400": 10**400,
}  # fmt: skip
"""What stands in place of every value."""


def _replaced(body: bytes, leaf: Any) -> bytes:  # noqa: ANN401 - any JSON
    """A JSON text with every leaf replaced; another text as it is."""
    try:
        return json.dumps(_leaves(json.loads(body), leaf)).encode()
    except ValueError:
        return body


def _one_row_empty(body: bytes) -> bytes:
    """A JSON text in whose longest list the middle one of the rows says nothing; another text as it is.

    What other rows say in the same words is kept: it may be what they are.
    """
    try:
        true = json.loads(body)
    except ValueError:
        return body
    rows = max(_tables(true), key=len, default=[])
    if len(rows) <= 1:
        return body
    middle = len(rows) // 2
    others = [text for place, row in enumerate(rows) if place != middle for text in _texts(row)]
    rows[middle] = _emptied(rows[middle], set(others))
    return json.dumps(true).encode()


def _tables(value: Any) -> Iterator[list[Any]]:  # noqa: ANN401 - any JSON
    """Every list of objects or lists in a JSON value."""
    if isinstance(value, list) and value and all(isinstance(row, dict | list) for row in value):
        yield value
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _tables(inner)


def _texts(value: Any) -> Iterator[str]:  # noqa: ANN401 - any JSON
    """Every text in a JSON value."""
    if isinstance(value, str):
        yield value
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _texts(inner)


def _emptied(value: Any, kept: set[str]) -> Any:  # noqa: ANN401 - any JSON
    """A row with null for every leaf but some texts."""
    if isinstance(value, dict):
        return {key: _emptied(inner, kept) for key, inner in value.items()}
    if isinstance(value, list):
        return [_emptied(inner, kept) for inner in value]
    return value if isinstance(value, str) and value in kept else None


def _leaves(value: Any, leaf: Any) -> Any:  # noqa: ANN401 - any JSON
    """A JSON value with every leaf replaced."""
    if isinstance(value, dict):
        return {key: _leaves(item, leaf) for key, item in value.items()}
    if isinstance(value, list):
        return [_leaves(item, leaf) for item in value]
    return leaf


REWRITTEN: dict[str, Callable[[bytes], bytes]] = {
    "a recorded payload with one row that says nothing": _one_row_empty,
    **{
        f"a recorded payload with {name} for every value": partial(_replaced, leaf=leaf)
        for name, leaf in LEAVES.items()
    },
}
"""What is made of a recorded payload."""

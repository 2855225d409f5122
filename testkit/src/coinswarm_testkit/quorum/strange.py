"""Bytes that nobody honest sends: messages broken, spelled another way, or saying what no type allows."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from coinswarm.memory.quorum.codec import BODY_LIMIT, dumped

if TYPE_CHECKING:
    from collections.abc import Iterator
    from random import Random

    from coinswarm.memory.quorum.keys import Signer

_RAW = {"\x00deep": b"[" * 5_000 + b"]" * 5_000, "\x00long": b"9" * 5_000, "\x00vast": b"1e999", "\x00none": b"NaN"}
"""Stand for what no encoder would write."""

_BEYOND_A_VOTE = 15_900
"""So many bytes more, and a proposal still fits into a message, but a vote on it does not."""

_VALUES: tuple[Any, ...] = (
    *(None, True, False, 0, -1, 1, 2**63 - 1, 2**63, -(2**63), 10**40, 1.5, 1e300),
    *("", " ", "x", "\n", "\x00", "\ud800", "nobody", "REJECT", "9" * 5_000, *_RAW),
    *([], [[]], [None], ["ACCEPT"], {}, {"": None}, {"index": 0, "hash": ""}),
)
"""Where something else is meant to stand."""


def broken(rng: Random, data: bytes) -> bytes:
    """Bytes cut short, with one changed, or with some more."""
    place = rng.randrange(len(data))
    return rng.choice((
        data[:place],
        data[:place] + bytes([data[place] ^ (1 << rng.randrange(8))]) + data[place + 1 :],
        data[:place] + rng.choice((b"\n", b" ", b"\xff", b'"', b"[" * 5_000)) + data[place:],
        data + data,
        b"",
    ))  # fmt: skip


def respelled(rng: Random, data: bytes) -> bytes:
    """The same message in a spelling that is not its own: other spaces, order, escapes, capitals, or a key twice."""
    told = json.loads(data)
    manner = rng.randrange(6)
    if manner == 0:
        return json.dumps(told, sort_keys=True).encode()
    if manner == 1:
        return json.dumps(dict(reversed(told.items())), separators=(",", ":")).encode()
    if manner == 2:  # noqa: PLR2004 - the third manner
        return data.replace(b"a", b"\\u0061", 1)
    if manner == 3:  # noqa: PLR2004 - and the fourth
        return data[:-1] + b"," + data[1:]
    parts = [part for part in told.values() if isinstance(part, dict) and "signature" in part]
    for part in parts:
        signature = part["signature"]
        part["signature"] = signature.upper() if manner == 4 else rng.choice((" ", "")) + signature + " " * 9  # noqa: PLR2004
    return dumped(told)


def said(rng: Random, data: bytes, part: str, signer: Signer | None) -> bytes:
    """A message of which one record says something strange.

    :param part: ``ballot`` or ``envelope``.
    :param signer: signs it; None: it keeps the signature that it had.
    """
    told = json.loads(data)
    record = told[part]
    if part == "envelope" and rng.random() < 0.25:  # noqa: PLR2004 - now and then one that fills all the room there is
        _fill(record["body"], rng.choice((-1, 0, 1, _BEYOND_A_VOTE, _BEYOND_A_VOTE)))
    else:
        place, key = rng.choice(list(_places(record["body"])))
        place[key] = rng.choice(_VALUES)
    body = _spelled(record["body"])
    if signer is not None:
        record["signature"] = signer.sign(body)
    return _spelled(told)


def _fill(body: dict[str, Any], beyond: int) -> None:
    """Lengthen a text of a proposal until the whole has as many bytes as one may have, and some more."""
    change = body["proposal"]["change"]
    place, key = next((place, key) for place, key in _places(change) if key in {"value", "regime"})
    place[key] += "x" * (BODY_LIMIT + beyond - len(dumped(body)))


def _places(told: Any) -> Iterator[tuple[Any, Any]]:  # noqa: ANN401 - JSON
    """Every place in which a value stands: what holds it, and its key there."""
    for key in list(told) if isinstance(told, dict) else range(len(told)):
        yield told, key
        if isinstance(told[key], (dict, list)):
            yield from _places(told[key])


def _spelled(told: object) -> bytes:
    """Canonical JSON where there is any, and otherwise what comes nearest."""
    try:
        data = dumped(told)
    except UnicodeEncodeError:
        data = json.dumps(told, sort_keys=True, separators=(",", ":")).encode()
    for name, raw in _RAW.items():
        data = data.replace(json.dumps(name).encode(), raw)
    return data

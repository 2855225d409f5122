"""Recordings: what a source said, to which request, and what there was to see in it.

A recording is a JSON file in the plugin's package, which its declaration names. ``docs/testkit.md`` describes it.
"""

from __future__ import annotations

import base64
import json
from collections import Counter
from dataclasses import MISSING, dataclass, field, fields
from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

from coinswarm.domain import observation
from coinswarm.domain.observation import Observation
from coinswarm_testkit.verdicts import CheckFailedError

if TYPE_CHECKING:
    from collections.abc import Mapping

SCHEMA = "coinswarm.recording/1"
SECRET = "played-secret-5b1c09d7"  # noqa: S105 - what must not be found anywhere
"""What ``{secret}`` stands for in a recording's settings."""


def _in_base64(secret: str, before: int) -> str:
    """What is left of a secret in base64, when so many bytes stand before it: the characters that are its own."""
    text = base64.b64encode(b"." * before + secret.encode()).decode()
    return text[-(-before * 8 // 6) : (before + len(secret)) * 8 // 6]


SPELLINGS = (SECRET, *(_in_base64(SECRET, before) for before in range(3)))
"""The secret as it can be read: as it is, and in base64, as where a name stands before it."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """A request and what was answered.

    :param query: the items that a request must have, beside any others.
    """

    method: str
    path: str
    query: Mapping[str, str]
    status: int
    headers: Mapping[str, str]
    body: bytes

    def fits(self, method: str, target: str) -> bool:
        """Whether a request is the one that was recorded."""
        parts = urlsplit(target)
        given = dict(parse_qsl(parts.query, keep_blank_values=True))
        return (method, parts.path) == (self.method, self.path) and self.query.items() <= given.items()


@dataclass(frozen=True, slots=True)
class Socket:
    """What a WebSocket sent.

    :param asked: how many messages of the client it waits for before it sends.
    :param frames: texts, in order.
    :param cut_after, missed: where the connection is cut when a check asks for that, and how many frames nobody
        hears then; the exchanges hold what the source answers about them.
    """

    path: str
    asked: int
    frames: tuple[str, ...]
    cut_after: int
    missed: int


@dataclass(frozen=True, slots=True)
class Recording:
    """A whole recording.

    :param settings: of the ingestor; ``{http}``, ``{ws}`` and ``{secret}`` in texts stand for the player's
        addresses and a secret.
    :param now: when it was recorded, aware UTC.
    :param observations: what there is to see, once each, in the order of publication within each lane; ``received`` is
        ``now`` in all of them.
    """

    settings: Mapping[str, Any]
    now: datetime
    exchanges: tuple[Exchange, ...]
    observations: tuple[Observation, ...]
    socket: Socket | None = None
    secret: bool = field(default=False)

    def filled(self, addresses: Mapping[str, str]) -> dict[str, Any]:
        """The settings with words replaced."""
        words = {**{f"{{{name}}}": text for name, text in addresses.items()}, "{secret}": SECRET}
        filled: dict[str, Any] = _replaced(self.settings, words)
        return filled


def load(name: str) -> Recording:
    """The recording that a declaration names, ``"package:folder/file.json"``; imports nothing of the package.

    :raises CheckFailedError: when there is none, or it is not of the form; says where.
    """
    package, _, path = name.partition(":")
    spec = find_spec(package) if "." not in package else None
    folders = list(spec.submodule_search_locations or ()) if spec is not None else []
    file = next((Path(folder) / path for folder in folders if (Path(folder) / path).is_file()), None)
    if file is None:
        message = f"the recording {name!r} is not among the installed files of {package!r}"
        raise CheckFailedError(message)
    try:
        return parsed(json.loads(file.read_text(encoding="utf-8")))
    except (KeyError, ValueError, TypeError, AttributeError, InvalidOperation) as error:
        message = f"the recording {name!r} is not of the form {SCHEMA}: {type(error).__name__}: {error}"
        raise CheckFailedError(message) from error


def parsed(data: Mapping[str, Any]) -> Recording:
    """A recording from its JSON.

    :raises ValueError: or ``KeyError``, ``TypeError`` for what is not of the form.
    """
    if data["schema"] != SCHEMA:
        message = f"its schema is {data['schema']!r}"
        raise ValueError(message)
    now = _moment(data["now"])
    sock = data.get("socket")
    observations = tuple(_observation(item, now) for item in data["observations"])
    for identity, times in Counter(one.identity for one in observations).items():
        if times > 1:
            message = f"{times} observations are called {identity}: give each a key of its own, a revision too"
            raise ValueError(message)
    return Recording(
        settings=dict(data["settings"]),
        now=now,
        exchanges=tuple(_exchange(item) for item in data.get("exchanges", ())),
        observations=observations,
        socket=None
        if sock is None
        else Socket(
            sock["path"],
            int(sock.get("asked", 0)),
            tuple(_text(frame) for frame in sock["frames"]),
            int(sock["cut"]["after"]),
            int(sock["cut"]["missed"]),
        ),
        secret="{secret}" in json.dumps(data["settings"]),
    )


def _exchange(item: Mapping[str, Any]) -> Exchange:
    asked, answer = item["request"], item["response"]
    query = {str(name): str(value) for name, value in asked.get("query", {}).items()}
    body = base64.b64decode(answer["base64"]) if "base64" in answer else _text(answer).encode()
    headers = {"content-type": "application/json", **answer.get("headers", {})}
    return Exchange(asked.get("method", "GET"), asked["path"], query, int(answer.get("status", 200)), headers, body)


def _text(item: Mapping[str, Any]) -> str:
    """A payload: ``text`` as it is, or ``json`` written."""
    return str(item["text"]) if "text" in item else json.dumps(item["json"])


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    if moment.utcoffset() != timedelta(0):
        message = f"the time {text!r} is not in UTC: end it in Z"
        raise ValueError(message)
    return moment


def _observation(item: Mapping[str, Any], now: datetime) -> Observation:
    """An observation from its JSON: ``type`` names the class, times are ISO 8601, decimals are texts."""
    kind = getattr(observation, str(item["type"]), None)
    if not (isinstance(kind, type) and issubclass(kind, Observation)):
        message = f"{item['type']!r} is no type of observation"
        raise ValueError(message)  # noqa: TRY004 - one error for what is not of the form
    given = {name: value for name, value in item.items() if name != "type"} | {"received": now.isoformat()}
    known = {one.name: one for one in fields(kind)}
    for name in given:
        if name not in known:
            message = f"{kind.__name__} has no field {name!r}"
            raise ValueError(message)
    for name, one in known.items():
        if name not in given and one.default is MISSING:
            message = f"a {kind.__name__} lacks {name!r}"
            raise ValueError(message)
    made: Observation = kind(**{name: _value(str(known[name].type), value) for name, value in given.items()})
    return made


def _value(kind: str, value: Any) -> Any:  # noqa: ANN401 - what the field is
    """A field's value from its JSON."""
    if value is None:
        return None
    if kind.startswith("datetime"):
        return _moment(value)
    if kind.startswith("Decimal"):
        return Decimal(str(value))
    if kind.startswith("tuple[Level"):
        return tuple((Decimal(str(price)), Decimal(str(quantity))) for price, quantity in value)
    return tuple(value) if kind.startswith("tuple") else value


def _replaced(value: Any, words: Mapping[str, str]) -> Any:  # noqa: ANN401 - any JSON
    if isinstance(value, dict):
        return {key: _replaced(item, words) for key, item in value.items()}
    if isinstance(value, list):
        return [_replaced(item, words) for item in value]
    if isinstance(value, str):
        for word, text in words.items():
            value = value.replace(word, text)
    return value

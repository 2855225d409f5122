"""Operations on what a plugin declares before it does anything: its contract, its settings, its secrets."""

from __future__ import annotations

import inspect
import json
import re
from importlib import import_module
from typing import TYPE_CHECKING, Any, get_args

from pydantic import BaseModel, SecretBytes, SecretStr
from pydantic_core import to_jsonable_python

from coinswarm.config.settings import check_settings
from coinswarm.errors import CoinswarmError
from coinswarm_testkit.subject import named

if TYPE_CHECKING:
    from coinswarm_testkit.worker.place import Place

CONTRACTS = {
    "agent": "contracts:SignalAgent",
    "risk": "contracts:RiskAgent",
    "execution": "contracts:ExecutionAgent",
    "weigher": "contracts:Weigher",
    "ingestor": "contracts:Ingestor",
    "memory": "contracts:MemoryBackend",
    "voter": "contracts:Voter",
    "planner": "contracts:Planner",
    "broker": "ports:Broker",
    "bus": "ports:MessageBus",
    "timeseries": "ports:TimeSeriesStore",
    "documents": "ports:DocumentStore",
    "embedder": "ports:Embedder",
}
"""The class that an object of each kind derives from."""

SENTINEL = "do-not-show-me-7f3a91"
"""What secret settings are filled with, and must not be found anywhere."""

_SECRET_NAME = re.compile(
    r"secret|token|passw|passphrase|(api|private|access|signing)_?key|credential|(^|_)(nkey|bearer)(_|$)"
)
_SECRET_OF_A_VENUE = re.compile(r"(^|_)key$")
"""A word that is a secret to whoever talks to others, but to an agent may be a sort key."""

_TALKING = frozenset({"broker", "bus", "documents", "embedder", "ingestor", "memory", "timeseries"})
_HUMP = re.compile(r"(?<=[a-z])(?=[A-Z])")


def built(place: Place) -> str:
    """Why its target is no class of its contract, or cannot be made with its settings; empty when it can."""
    subject = place.subject
    module, _, name = CONTRACTS[subject.kind].partition(":")
    contract = getattr(import_module(f"coinswarm.{module}"), name)
    found = named(subject.target)
    if not (isinstance(found, type) and issubclass(found, contract)):
        return f"target {subject.target!r} is not a subclass of {contract.__name__}"
    open_methods = sorted(getattr(found, "__abstractmethods__", ()))
    if open_methods:
        return f"target {subject.target!r} does not implement {', '.join(open_methods)}"
    for method, member in vars(contract).items():
        own = getattr(found, method, None)
        if inspect.isfunction(member) and inspect.iscoroutinefunction(member) != inspect.iscoroutinefunction(own):
            is_async = inspect.iscoroutinefunction(member)
            return f"{subject.target}.{method} must {'' if is_async else 'not '}be a coroutine function"
    place.new()
    return ""


def refused(place: Place, *, unknown: str) -> str:
    """Why settings with one key that nobody knows are wrongly taken; empty when they are refused by that name."""
    subject = place.subject
    model = named(subject.settings_target)
    try:
        check_settings(model, subject.settings, key="settings", label=subject.name)
    except CoinswarmError as error:
        return f"its own settings are refused: {error}"
    try:
        check_settings(model, {**subject.settings, unknown: 1}, key="settings", label=subject.name)
    except CoinswarmError as error:
        return "" if unknown in str(error) else f"an unknown setting is refused for another reason: {error}"
    return f"{subject.settings_target} accepts the unknown setting {unknown!r}"


def leaks(place: Place) -> list[str]:
    """Where a secret setting can be read: fields that are plain text, and texts that show it."""
    subject = place.subject
    model: type[BaseModel] = named(subject.settings_target)
    found, filled = [], dict(subject.settings)
    for name, field in model.model_fields.items():
        kinds = {field.annotation, *get_args(field.annotation)}
        if kinds & {SecretStr, SecretBytes}:
            filled[name] = SENTINEL
        elif _is_secret(name, subject.kind) and str in kinds:
            found.append(f"the setting {name!r} is plain text: declare it SecretStr")
    settings = model(**filled)
    made = named(subject.target)(settings)
    shown = {"repr of its settings": repr(settings), "its settings as text": str(settings), "its repr": repr(made)}
    config = getattr(made, "get_config", None)
    if callable(config):
        shown["get_config"] = json.dumps(config(), default=str)
    return found + [f"a secret setting can be read in {where}" for where, text in shown.items() if SENTINEL in text]


def _is_secret(name: str, kind: str) -> bool:
    """Whether a setting's name says that it is a secret, however it is spelt."""
    name = _HUMP.sub("_", name).lower()
    return bool(_SECRET_NAME.search(name) or (kind in _TALKING and _SECRET_OF_A_VENUE.search(name)))


def configured(place: Place) -> dict[str, Any]:
    """The settings in force as JSON, and what ``get_config`` says they are."""
    subject = place.subject
    settings = named(subject.settings_target)(**subject.settings) if subject.settings_target else None
    stated = {} if settings is None else json.loads(settings.model_dump_json()) | _left_out(settings)
    secret = [name for name, value in vars(settings or object).items() if isinstance(value, SecretStr | SecretBytes)]
    config = json.loads(json.dumps(place.new().get_config()))
    return {"settings": stated, "secret": secret, "config": config}


def _left_out(settings: BaseModel) -> dict[str, Any]:
    """Settings that their model leaves out of what it dumps, though they are in force."""
    fields = type(settings).model_fields
    return {name: to_jsonable_python(getattr(settings, name)) for name, field in fields.items() if field.exclude}


OPERATIONS = {"built": built, "refused": refused, "leaks": leaks, "configured": configured}

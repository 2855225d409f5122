"""Settings of plugins' objects, checked by the model that the plugin declares."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

from pydantic import BaseModel, TypeAdapter, ValidationError

from coinswarm.config.fields import Settings
from coinswarm.config.messages import explain
from coinswarm.config.sources import InFolder, apply_override, parse_override, reveal_all, without_secrets
from coinswarm.errors import ContractError, ProfileError, one_line

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


def check_settings(
    model: object, values: Mapping[str, object], *, key: str, label: str, secrets: bool = False
) -> BaseModel:
    """Check settings, and fill in what is left out.

    :param model: what a declaration's ``settings`` names: a pydantic model that forbids unknown keys.
    :param values: a table of the profile.
    :param key: where it stands in the profile, as in ``agents.trend.settings``.
    :param label: what messages call the profile.
    :param secrets: whether references to secrets become the secrets; no value is shown in a message then.
    :returns: an instance of the model, which the declared target is constructed with.
    :raises ContractError: when the model is no such model, or raises what is no finding.
    :raises ProfileError: with one line per finding.
    :raises NotReadyError: for a secret that is not there.
    """
    if not (isinstance(model, type) and issubclass(model, BaseModel)):
        message = f"the settings of {key!r} are {model!r}"
        raise ContractError(message, remedy="their author must declare a pydantic model")
    if model.model_config.get("extra") != "forbid":
        message = f"the settings model {model.__name__} of {key!r} accepts unknown keys"
        raise ContractError(message, remedy='its author must set model_config = ConfigDict(extra="forbid")')
    given = placed(model, reveal_all(values) if secrets else values)
    try:
        return model.model_validate(given)
    except ValidationError as error:
        text = explain(error, model, lambda _loc: label, prefix=f"{key}.", hide=secrets)
        raise ProfileError(without_secrets(text, values, given)) from None  # a validator may have quoted one
    except Exception as error:  # noqa: BLE001 - a validator may raise anything
        text = without_secrets(one_line(error), values, given)
        message = f"the settings model {model.__name__} of {key!r} fails ({text})"
        raise ContractError(message, remedy="its author must raise ValueError in it") from (None if secrets else error)


def holds_path(annotation: object) -> bool:
    """Whether a field of a settings model is a path, or may be one."""
    return annotation is Path or any(holds_path(inner) for inner in get_args(annotation))


def placed(model: type[BaseModel], values: Mapping[str, Any]) -> dict[str, Any]:
    """Settings as plain values, paths relative to the working directory wherever their profile stands.

    :raises ProfileError: for a path that begins with the home of nobody who is known.
    """
    fields = model.model_fields
    return {
        key: _meant(value, path=key in fields and holds_path(fields[key].annotation)) for key, value in values.items()
    }


def in_full(model: type[BaseModel] | None, values: Mapping[str, Any]) -> dict[str, Any]:
    """Settings as plain values, paths absolute."""
    if model is None:
        return dict(values)
    paths = {key for key, field in model.model_fields.items() if holds_path(field.annotation)}
    found = placed(model, values)
    return {
        key: str(Path(value).resolve()) if key in paths and isinstance(value, str) else value
        for key, value in found.items()
    }


def _meant(value: object, *, path: bool) -> object:
    if isinstance(value, dict):
        return {key: _meant(inner, path=path) for key, inner in value.items()}
    if isinstance(value, list):
        return [_meant(inner, path=path) for inner in value]
    if isinstance(value, InFolder):
        return value.place() if path else str(value)
    return value


def typed_settings(overrides: Sequence[str]) -> dict[str, Any]:
    """Settings as typed, ``KEY=VALUE`` each, as a profile would hold them.

    :raises ProfileError: for text that is none, or that holds a secret.
    """
    settings: dict[str, Any] = {}
    for text in overrides:
        apply_override(settings, *parse_override(text))
    try:
        found: dict[str, Any] = TypeAdapter(Settings).validate_python(settings)
    except ValidationError as error:
        raise ProfileError("; ".join(f"--set: {detail['ctx']['error']}" for detail in error.errors())) from None
    return found

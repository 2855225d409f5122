"""Subjects by the name of an installed plugin; loads the plugin in this process, as an author's tests do."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from coinswarm.errors import UnknownNameError, nearest
from coinswarm_testkit.worker.subjects import declared

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from coinswarm_testkit.subject import Subject


@lru_cache(maxsize=32)
def _declared(plugin: str) -> tuple[Subject, ...]:
    """What an installed plugin declares, found in this process."""
    return tuple(declared(plugin))


def installed(name: str, *, plugin: str = "", kind: str = "", settings: Mapping[str, Any] | None = None) -> Subject:
    """The subject of an installed plugin; loads the plugin in this process.

    :param name: of the object.
    :param plugin: of the plugin that declares it; the same by default.
    :param kind: which kind is meant, where a plugin declares several of that name.
    :param settings: judged with these instead of the defaults.
    :raises CoinswarmError: when the plugin cannot be loaded or declares no such object.
    """
    found = chosen(_declared(plugin or name), name, plugin=plugin or name, kind=kind)
    return replace(found, settings=dict(settings)) if settings else found


def chosen(subjects: Iterable[Subject], name: str, *, plugin: str, kind: str = "") -> Subject:
    """The one subject of that name among what a plugin declares.

    :raises UnknownNameError: when there is none, or several kinds of it.
    """
    subjects = list(subjects)
    fitting = [one for one in subjects if one.name == name and kind in {"", one.kind}]
    if len(fitting) == 1:
        return fitting[0]
    if fitting:
        kinds = " and ".join(one.kind for one in fitting)
        message = f"plugin {plugin!r} declares {kinds} by the name {name!r}"
        raise UnknownNameError(message, remedy="say which kind is meant")
    what = f"{kind or 'object'} {name!r}" if kind else repr(name)
    message = f"plugin {plugin!r} declares no {what}"
    raise UnknownNameError(message, remedy=nearest(name, [one.name for one in subjects]))

"""What is judged: one declared object of a plugin, by the names of its parts, so that any process can make it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import lru_cache
from importlib import import_module
from typing import TYPE_CHECKING, Any, Literal, get_args

from coinswarm.errors import UnknownNameError, nearest

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

Kind = Literal[
    "agent", "risk", "execution", "weigher", "ingestor", "memory", "voter", "planner",
    "broker", "bus", "timeseries", "documents", "embedder",
]  # fmt: skip
"""Kinds of plugin objects; ``agent`` is a signal agent, ``risk`` and ``execution`` are agents of that role."""

KINDS: tuple[Kind, ...] = get_args(Kind)


@dataclass(frozen=True)
class Subject:
    """One object under judgement. Plain data: making one imports nothing of the plugin.

    :param name: what messages call it.
    :param target: ``"package.module:Class"``.
    :param settings_target: ``"package.module:Model"``, or empty.
    :param settings: the settings it is judged with; defaults where left out.
    :param kind: which contract it is held to.
    :param declaration: the other fields of its declaration as plain data: ``warm_up``, ``needs``, ``claims`` ...
    :param plugin: the entry point's name, or empty for an object without a plugin.
    :param plugin_module: the module that the entry point names, or empty.
    :param distribution: the installed distribution that brings it, or empty.
    """

    name: str
    target: str
    settings_target: str = ""
    settings: Mapping[str, Any] = field(default_factory=dict)
    kind: Kind = "agent"
    declaration: Mapping[str, Any] = field(default_factory=dict)
    plugin: str = ""
    plugin_module: str = ""
    distribution: str = ""

    def made(self, settings: Mapping[str, Any] | None = None) -> Any:  # noqa: ANN401 - the plugin's object
        """A fresh object, by its own settings or by others; imports the plugin."""
        if not self.settings_target:
            return named(self.target)()
        return named(self.target)(named(self.settings_target)(**(self.settings if settings is None else settings)))


def named(target: str) -> Any:  # noqa: ANN401 - whatever is named
    """The object behind ``"package.module:name"``."""
    module, _, name = target.partition(":")
    return getattr(import_module(module), name)


@lru_cache(maxsize=32)
def _declared(plugin: str) -> tuple[Subject, ...]:
    """What an installed plugin declares, found in this process."""
    from coinswarm_testkit.worker.subjects import declared  # noqa: PLC0415 - loads core's catalogue

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

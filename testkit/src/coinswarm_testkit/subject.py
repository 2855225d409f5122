"""What is judged: one declared object of a plugin, by the names of its parts, so that any process can make it."""

from __future__ import annotations

from dataclasses import dataclass, field
from importlib import import_module
from typing import TYPE_CHECKING, Any, Literal, get_args

if TYPE_CHECKING:
    from collections.abc import Mapping

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

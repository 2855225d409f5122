"""What a check is about: one agent, made anew as often as a check asks."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from importlib import import_module
from typing import TYPE_CHECKING, Any

from coinswarm.contracts import ColumnarAgent, SignalAgent
from coinswarm.errors import UnknownNameError, nearest
from coinswarm.plugins.catalogue import load

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True)
class Subject:
    """An agent under judgement, by the names of its parts, so that another process can make it too.

    :param name: what messages call it.
    :param target: ``"package.module:Class"``.
    :param settings_target: ``"package.module:Model"``, or empty.
    :param settings: the settings it is judged with; defaults where left out.
    :param warm_up: bars of warm-up that its declaration states.
    :param plugin_module: the module its entry point names, or empty for an agent without a plugin.
    """

    name: str
    target: str
    settings_target: str = ""
    settings: Mapping[str, Any] = field(default_factory=dict)
    warm_up: int = 0
    plugin_module: str = ""

    def agent(self) -> SignalAgent:
        """A fresh agent."""
        made: SignalAgent = named(self.target)(*self._arguments())
        return made

    def _arguments(self) -> tuple[object, ...]:
        """What the agent is constructed with."""
        return (named(self.settings_target)(**self.settings),) if self.settings_target else ()

    @cached_property
    def columnar(self) -> bool:
        """Whether it writes its strategy as columns."""
        return issubclass(named(self.target), ColumnarAgent)

    @cached_property
    def warm_up_bars(self) -> int:
        """The warm-up that counts: the declared one, or the object's own where that is longer."""
        return max(self.warm_up, self.agent().warm_up())


def named(target: str) -> Any:  # noqa: ANN401 - whatever is named
    """The object behind ``"package.module:name"``."""
    module, _, name = target.partition(":")
    return getattr(import_module(module), name)


@lru_cache(maxsize=32)
def _installed(plugin: str, name: str) -> Subject:
    """An installed agent with default settings."""
    catalogue = load([plugin])
    if name not in catalogue.agents:
        message = f"plugin {plugin!r} declares no agent {name!r}"
        raise UnknownNameError(message, remedy=nearest(name, catalogue.agents))
    declared, record = catalogue.agents[name]
    return Subject(
        name=name,
        target=declared.target,
        settings_target=declared.settings,
        warm_up=declared.warm_up,
        plugin_module=record.target.partition(":")[0],
    )


def installed(name: str, *, plugin: str = "", settings: Mapping[str, Any] | None = None) -> Subject:
    """The subject of an installed plugin.

    :param name: of the agent.
    :param plugin: of the plugin that declares it; the same by default.
    :param settings: judged with these instead of the defaults.
    :raises CoinswarmError: when the plugin cannot be loaded or declares no such agent.
    """
    found = _installed(plugin or name, name)
    if not settings:
        return found
    return Subject(found.name, found.target, found.settings_target, dict(settings), found.warm_up, found.plugin_module)

"""What the loaded plugins declare, by kind and name; clashes are errors, targets stay strings."""

from __future__ import annotations

import importlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

from coinswarm import declarations as kinds
from coinswarm.errors import ContractError, DeclarationError, LoadError, PluginError, UnknownNameError, nearest
from coinswarm.plugins.discovery import discover
from coinswarm.plugins.loading import load_plugin
from coinswarm.plugins.manager import Hooks
from coinswarm.plugins.records import PluginRecord, Status, one_line
from coinswarm.plugins.validation import valid_declarations

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

D = TypeVar("D", bound=kinds.Declaration)
Table = dict[str, tuple[D, PluginRecord]]

CORE = "core"
"""Core's own plugin; always loaded."""

DECLARING: tuple[tuple[str, str, type[kinds.Declaration]], ...] = (
    ("agents", "coinswarm_agents", kinds.AgentType),
    ("weighers", "coinswarm_weighers", kinds.WeigherType),
    ("ingestors", "coinswarm_ingestors", kinds.IngestorType),
    ("memory_backends", "coinswarm_memory_backends", kinds.MemoryType),
    ("voters", "coinswarm_voters", kinds.VoterType),
    ("planners", "coinswarm_planners", kinds.PlannerType),
)
"""Kind, the hook that declares it, and the type that the hook returns."""


class _ClashError(DeclarationError):
    """Two plugins declare one name."""


@dataclass(frozen=True, slots=True)
class Catalogue:
    """Declarations of the loaded plugins: per kind, name -> (declaration, the plugin that made it).

    ``plugins`` holds the record of every loaded plugin by name.
    """

    plugins: dict[str, PluginRecord] = field(default_factory=dict)
    agents: Table[kinds.AgentType] = field(default_factory=dict)
    weighers: Table[kinds.WeigherType] = field(default_factory=dict)
    ingestors: Table[kinds.IngestorType] = field(default_factory=dict)
    memory_backends: Table[kinds.MemoryType] = field(default_factory=dict)
    voters: Table[kinds.VoterType] = field(default_factory=dict)
    planners: Table[kinds.PlannerType] = field(default_factory=dict)

    def agent(self, name: str) -> tuple[kinds.AgentType, PluginRecord]:
        """The agent of that name.

        :raises UnknownNameError: when no loaded plugin declares it.
        """
        return self._find("agent", self.agents, name)

    def weigher(self, name: str) -> tuple[kinds.WeigherType, PluginRecord]:
        """The weigher of that name.

        :raises UnknownNameError: when no loaded plugin declares it.
        """
        return self._find("weigher", self.weighers, name)

    def _find(self, kind: str, table: Table[D], name: str) -> tuple[D, PluginRecord]:
        if name in table:
            return table[name]
        message = f"unknown {kind} {name!r}"
        idle = [record for record in discover() if record.name == name and record.name not in self.plugins]
        if idle:
            message += f" (the plugin {name!r} is installed, but not among the profile's plugins)"
            raise UnknownNameError(message, remedy=f"add {name!r} to plugins")
        raise UnknownNameError(message, remedy=nearest(name, table))

    def _add(self, record: PluginRecord, found: dict[str, list[kinds.Declaration]]) -> PluginRecord:
        """Enter what one plugin declares; enters nothing when a name is taken.

        :raises DeclarationError: naming both plugins.
        """
        for kind, entries in found.items():
            table: Table[Any] = getattr(self, kind)
            for entry in entries:
                if entry.name in table:
                    holder = table[entry.name][1]
                    message = f"{record.label} and {holder.label} both declare the {kind[:-1]} {entry.name!r}"
                    raise _ClashError(message, remedy="name only one of them in plugins")
        provides = tuple(f"{kind[:-1].replace('_', ' ')}: {entry.name}" for kind in found for entry in found[kind])
        loaded = record.loaded(provides)
        self.plugins[record.name] = loaded
        for kind, entries in found.items():
            getattr(self, kind).update({entry.name: (entry, loaded) for entry in entries})
        return loaded


def load(names: Sequence[str]) -> Catalogue:
    """Load core and the named plugins, no others: core first, then in sorted order.

    :param names: plugin names, as a profile's ``plugins`` lists them.
    :raises UnknownNameError: for a name that nothing installed answers to.
    :raises LoadError: for a plugin that cannot be imported or registered, or whose name clashes.
    :raises DeclarationError: for declarations that are not valid, or that two plugins share.
    """
    installed = {record.name: record for record in discover()}
    for name in names:
        if name not in installed:
            message = f"unknown plugin {name!r}"
            raise UnknownNameError(message, remedy=f"{nearest(name, installed)} Else install it")
    if CORE not in installed:
        message = "coinswarm-core itself is not installed: its package metadata is missing"
        raise LoadError(message, remedy="install coinswarm-core instead of running from a bare source tree")
    hooks, catalogue = Hooks(), Catalogue()
    for name in [CORE, *sorted({*names} - {CORE})]:
        _admit(hooks, catalogue, installed[name])
    return catalogue


def survey(records: Iterable[PluginRecord]) -> tuple[PluginRecord, ...]:
    """Try to load each plugin beside the others; faults become statuses and reasons.

    :param records: plugins as discovered; those that do not stand as enabled are left alone.
    :returns: as many records, sorted by name and distribution.
    """
    hooks, catalogue = Hooks(), Catalogue()
    judged = []
    for record in sorted(records, key=lambda record: (record.name != CORE, record.name)):
        if record.status is not Status.ENABLED:
            judged.append(record)
            continue
        try:
            judged.append(_admit(hooks, catalogue, record))
        except PluginError as error:
            status = Status.CONFLICT if isinstance(error, _ClashError) else Status.FAILED
            judged.append(record.judged(status, str(error).removeprefix(record.label).lstrip(": ")))
    return tuple(sorted(judged, key=lambda record: (record.name, record.distribution)))


def _admit(hooks: Hooks, catalogue: Catalogue, record: PluginRecord) -> PluginRecord:
    """Import, register and ask one plugin; a plugin that fails leaves nothing behind."""
    hooks.register(record, load_plugin(record))
    try:
        found = {
            kind: valid_declarations(record, hook, returned, hooks.ask(record, hook))
            for kind, hook, returned in DECLARING
        }
        return catalogue._add(record, {kind: entries for kind, entries in found.items() if entries})  # noqa: SLF001
    except PluginError:
        hooks.unregister(record.name)
        raise


def resolve(target: str, *, plugin: PluginRecord, contract: type | None = None) -> Any:  # noqa: ANN401 - whatever is named
    """Import what a declaration's ``target`` or ``settings`` names.

    :param target: ``"package.module:Name"``.
    :param plugin: who declared it; named in errors.
    :param contract: the class that it must be a subclass of.
    :raises LoadError: when the module or the name in it cannot be had.
    :raises ContractError: when it is not a class of the contract, or leaves abstract methods open.
    """
    module, _, name = target.partition(":")
    remedy = f"repair or reinstall {plugin.distribution}"
    try:
        found = getattr(importlib.import_module(module), name)
    except (Exception, SystemExit) as error:
        message = f"{plugin.label}: target {target!r} cannot be imported ({one_line(error)})"
        raise LoadError(message, remedy=remedy) from error
    if contract is None:
        return found
    if not (isinstance(found, type) and issubclass(found, contract)):
        message = f"{plugin.label}: target {target!r} is not a subclass of {contract.__name__}"
        raise ContractError(message, remedy="its author must derive it from the contract")
    open_methods = sorted(getattr(found, "__abstractmethods__", ()))
    if open_methods:
        message = f"{plugin.label}: target {target!r} does not implement {', '.join(open_methods)}"
        raise ContractError(message, remedy="its author must implement the contract")
    return found

"""What the loaded plugins declare, by kind and name; clashes are errors, targets stay strings."""

from __future__ import annotations

import importlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

from coinswarm import declarations as kinds
from coinswarm.errors import (
    CoinswarmError,
    ContractError,
    DeclarationError,
    LoadError,
    NotReadyError,
    PluginError,
    UnknownNameError,
    nearest,
    one_line,
)
from coinswarm.plugins.discovery import discover
from coinswarm.plugins.loading import load_plugin
from coinswarm.plugins.manager import Hooks
from coinswarm.plugins.records import CORE, DECIDED, PluginRecord, Status, to_install
from coinswarm.plugins.standing import installed
from coinswarm.plugins.validation import valid_declarations
from coinswarm.plugins.watching import watching

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from coinswarm.plugins.watchers import Watcher

D = TypeVar("D", bound=kinds.Declaration)
Table = dict[str, tuple[D, PluginRecord]]

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

    ``plugins`` holds the record of every loaded plugin by name, ``watchers`` those that have watching hooks.
    """

    plugins: dict[str, PluginRecord] = field(default_factory=dict)
    agents: Table[kinds.AgentType] = field(default_factory=dict)
    weighers: Table[kinds.WeigherType] = field(default_factory=dict)
    ingestors: Table[kinds.IngestorType] = field(default_factory=dict)
    memory_backends: Table[kinds.MemoryType] = field(default_factory=dict)
    voters: Table[kinds.VoterType] = field(default_factory=dict)
    planners: Table[kinds.PlannerType] = field(default_factory=dict)
    watchers: list[Watcher] = field(default_factory=list)

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

    def memory_backend(self, name: str) -> tuple[kinds.MemoryType, PluginRecord]:
        """The memory backend of that name.

        :raises UnknownNameError: when no loaded plugin declares it.
        """
        return self._find("memory backend", self.memory_backends, name)

    def voter(self, name: str) -> tuple[kinds.VoterType, PluginRecord]:
        """The voter of that name.

        :raises UnknownNameError: when no loaded plugin declares it.
        """
        return self._find("voter", self.voters, name)

    def _find(self, kind: str, table: Table[D], name: str) -> tuple[D, PluginRecord]:
        if name in table:
            return table[name]
        message = f"unknown {kind} {name!r}"
        idle = [record for record in discover() if record.name == name and record.name not in self.plugins]
        if idle:
            message += f" (the plugin {name!r} is installed, but not among the profile's plugins)"
            raise UnknownNameError(message, remedy=f"add {name!r} to plugins")
        raise UnknownNameError(message, remedy=nearest(name, table))

    def _add(
        self,
        record: PluginRecord,
        found: dict[str, list[kinds.Declaration]],
        watched: tuple[str, ...],
        warnings: tuple[str, ...],
    ) -> PluginRecord:
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
        provides += tuple(f"watches: {hook.removeprefix('coinswarm_')}" for hook in watched)
        loaded = record.loaded(provides, warnings)
        self.plugins[record.name] = loaded
        for kind, entries in found.items():
            getattr(self, kind).update({entry.name: (entry, loaded) for entry in entries})
        return loaded


@dataclass(frozen=True, slots=True)
class Attempt:
    """What came of loading some plugins.

    :param catalogue: what those that could be loaded declare.
    :param records: every one of them, as judged.
    :param errors: one for each that could not be loaded.
    """

    catalogue: Catalogue
    records: tuple[PluginRecord, ...]
    errors: tuple[CoinswarmError, ...]

    def whole(self) -> Catalogue:
        """The catalogue, if all could be loaded.

        :raises CoinswarmError: naming each plugin that could not, and why.
        """
        if not self.errors:
            return self.catalogue
        if len(self.errors) == 1:
            raise self.errors[0]
        kind = type(self.errors[0])
        raise kind("\n".join(str(error) for error in self.errors)) from self.errors[0]


def load(names: Sequence[str], *, home: Path | None = None, demanded: Sequence[str] | None = None) -> Catalogue:
    """Load core and the named plugins, no others: core first, then in sorted order.

    :param names: plugin names, as a profile's ``plugins`` lists them.
    :param home: where the operator's decisions are.
    :param demanded: trust entries of a profile whose mode demands trust; None where it does not.
    :raises UnknownNameError: for a name that nothing installed answers to.
    :raises NotReadyError: for a plugin that is disabled, blocked or not trusted.
    :raises LoadError: for a plugin that cannot be imported or registered, or whose name clashes.
    :raises DeclarationError: for declarations that are not valid, or that two plugins share.
    """
    return attempt(names, installed(home, demanded=demanded)).whole()


def attempt(names: Sequence[str], records: Iterable[PluginRecord]) -> Attempt:
    """Try to load core and the named plugins, no others.

    :param records: every installed plugin and how it stands.
    :raises UnknownNameError: for a name that nothing installed answers to.
    :raises LoadError: when core itself is not installed.
    """
    known = {record.name: record for record in records if record.name != CORE or record.status is Status.ENABLED}
    for name in names:
        if name not in known:
            message = f"unknown plugin {name!r}"
            raise UnknownNameError(message, remedy=to_install(name, known))
    if CORE not in known:
        message = "coinswarm-core itself is not installed: its package metadata is missing"
        raise LoadError(message, remedy="install coinswarm-core instead of running from a bare source tree")
    return _attempt([known[name] for name in [CORE, *sorted({*names} - {CORE})]])


def _attempt(records: Iterable[PluginRecord]) -> Attempt:
    """Load plugins in the order given; a plugin that fails leaves nothing behind."""
    hooks, catalogue = Hooks(), Catalogue()
    judged: list[PluginRecord] = []
    errors: list[CoinswarmError] = []
    for record in records:
        try:
            if record.status in DECIDED:
                message = f"{record.label} is not loaded"
                raise NotReadyError(message, remedy=record.reason)
            judged.append(_admit(hooks, catalogue, record))
        except CoinswarmError as error:
            errors.append(error)
            judged.append(_after(record, error))
    catalogue.watchers.extend(hooks.watchers(catalogue.plugins.values()))
    return Attempt(catalogue, tuple(judged), tuple(errors))


def _after(record: PluginRecord, error: CoinswarmError) -> PluginRecord:
    """The record of a plugin that could not be loaded."""
    if record.status is not Status.ENABLED:
        return record
    status = Status.CONFLICT if isinstance(error, _ClashError) else Status.FAILED
    return record.judged(status, str(error).removeprefix(record.label).lstrip(": "))


def survey(records: Iterable[PluginRecord]) -> tuple[PluginRecord, ...]:
    """Try to load each plugin beside the others; faults become statuses and reasons.

    :param records: plugins as they stand; those that do not stand as enabled are left alone.
    :returns: as many records, sorted by name and distribution.
    """
    ordered = sorted(records, key=lambda record: (record.name != CORE, record.name))
    tried = _attempt([record for record in ordered if record.status is Status.ENABLED]).records
    others = [record for record in ordered if record.status is not Status.ENABLED]
    return tuple(sorted([*tried, *others], key=lambda record: (record.name, record.distribution)))


def _admit(hooks: Hooks, catalogue: Catalogue, record: PluginRecord) -> PluginRecord:
    """Import, register and ask one plugin; a plugin that fails leaves nothing behind."""
    with watching(record.target) as seen:
        hooks.register(record, load_plugin(record))
        try:
            found = {
                kind: valid_declarations(record, hook, returned, hooks.ask(record, hook))
                for kind, hook, returned in DECLARING
            }
        except BaseException:
            hooks.unregister(record.name)
            raise
    try:
        declared = {kind: entries for kind, entries in found.items() if entries}
        return catalogue._add(record, declared, hooks.watched(record), seen.warnings())  # noqa: SLF001
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
    except KeyboardInterrupt:
        raise
    except BaseException as error:
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

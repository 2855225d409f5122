"""What an installed plugin declares, as subjects: the worker's answer to "what is there to judge?"."""

from __future__ import annotations

from dataclasses import asdict, fields
from typing import TYPE_CHECKING, Any, cast

from coinswarm.declarations import AgentType, Declaration
from coinswarm.plugins.catalogue import DECLARING, load
from coinswarm.plugins.discovery import discover
from coinswarm.plugins.drivers import discover_drivers, find_driver
from coinswarm_testkit.subject import Subject

if TYPE_CHECKING:
    from collections.abc import Iterator

    from coinswarm.plugins.records import PluginRecord
    from coinswarm_testkit.subject import Kind
    from coinswarm_testkit.worker.place import Place

KIND_OF: dict[str, Kind] = {
    "weighers": "weigher",
    "ingestors": "ingestor",
    "memory_backends": "memory",
    "voters": "voter",
    "planners": "planner",
}
"""The catalogue's word for a kind, and ours; agents go by their role."""

_COMMON = frozenset(item.name for item in fields(Declaration))


def declared(plugin: str) -> Iterator[Subject]:
    """Every object that an installed plugin declares, and every driver of that name.

    :raises CoinswarmError: when one of them cannot be loaded, or none has that name.
    """
    drivers = [kind for kind, record in discover_drivers() if record.name == plugin]
    if not drivers or any(record.name == plugin for record in discover()):
        catalogue = load([plugin])
        for kind, _, _ in DECLARING:
            for entry, record in getattr(catalogue, kind).values():
                if record.name == plugin:
                    yield _subject(_kind(kind, entry), entry, record)
    for kind in dict.fromkeys(drivers):
        yield _subject(cast("Kind", kind), *find_driver(kind, plugin))


def _subject(kind: Kind, entry: Declaration, record: PluginRecord) -> Subject:
    """What is judged, from its declaration and where that comes from."""
    return Subject(
        name=entry.name,
        target=entry.target,
        settings_target=entry.settings,
        kind=kind,
        declaration=_rest(entry),
        plugin=record.name,
        plugin_module=record.target.partition(":")[0],
        distribution=record.distribution,
    )


def _kind(kind: str, entry: Declaration) -> Kind:
    """Our word for what an entry declares."""
    if isinstance(entry, AgentType):
        return "agent" if entry.role == "signal" else entry.role
    return KIND_OF[kind]


def _rest(entry: Declaration) -> dict[str, Any]:
    """What a declaration says beside its names, as plain data."""
    rest = {name: value for name, value in asdict(entry).items() if name not in _COMMON}
    return {name: sorted(value) if isinstance(value, frozenset) else value for name, value in rest.items()}


def found(place: Place, *, plugin: str) -> list[dict[str, Any]]:  # noqa: ARG001 - an operation's form
    """The fields of every subject of a plugin."""
    return [dict(vars(subject)) for subject in declared(plugin)]


OPERATIONS = {"found": found}

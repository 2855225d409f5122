"""Drivers: what a profile names one of, a kind each, found by entry point and imported when it is named.

An entry point names a ``DriverType``, a declaration as hooks return them, so that importing it costs milliseconds and
its target and settings are checked by the same rules. A driver that cannot be had is a record with a reason.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from coinswarm import ports
from coinswarm.declarations import DriverType
from coinswarm.errors import CoinswarmError, DeclarationError, NotReadyError, UnknownNameError
from coinswarm.plugins.discovery import discover
from coinswarm.plugins.records import CORE_DISTRIBUTION, DECIDED, PluginRecord, Status, canonical, to_install
from coinswarm.plugins.standing import installed

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


class Group(NamedTuple):
    """A kind of driver.

    :param name: the entry point group.
    :param port: the class that its drivers implement.
    """

    name: str
    port: type


GROUPS = {
    "broker": Group("coinswarm.brokers", ports.Broker),
    "bus": Group("coinswarm.buses", ports.MessageBus),
    "timeseries": Group("coinswarm.timeseries", ports.TimeSeriesStore),
    "documents": Group("coinswarm.documents", ports.DocumentStore),
    "embedder": Group("coinswarm.embedders", ports.Embedder),
}
"""Kind, as messages call it -> its entry point group and port."""


@dataclass(frozen=True, slots=True)
class Found:
    """One driver, as it could be had.

    :param record: where it comes from, how it stands, and why.
    :param declared: what its entry point names; None where it was not loaded.
    """

    record: PluginRecord
    declared: DriverType | None = None


def discover_drivers() -> tuple[tuple[str, PluginRecord], ...]:
    """Every installed driver with its kind, from package metadata; imports nothing. By kind, name and distribution."""
    return tuple((kind, record) for kind, group in GROUPS.items() for record in discover(group.name))


def find_driver(
    kind: str, name: str, *, home: Path | None = None, demanded: Sequence[str] | None = None
) -> tuple[DriverType, PluginRecord]:
    """Load the declaration of one driver.

    :param kind: a key of ``GROUPS``.
    :param name: the driver's entry point.
    :param home: where the operator's decisions are.
    :param demanded: trust entries of a profile whose mode demands trust; None where it does not.
    :raises UnknownNameError: for a name that nothing installed answers to.
    :raises NotReadyError: for a driver that is disabled, blocked or not trusted.
    :raises LoadError: for one that cannot be imported, or whose name two distributions claim.
    :raises DeclarationError: when its entry point names no valid declaration.
    """
    records = {record.name: record for record in installed(home, demanded=demanded, group=GROUPS[kind].name)}
    if name not in records:
        message = f"unknown {kind} driver {name!r}"
        raise UnknownNameError(message, remedy=to_install(name, records))
    return _load(kind, records[name])


def survey_drivers(kind: str, *, home: Path | None = None) -> tuple[Found, ...]:
    """Try to load every driver of a kind; faults become statuses and reasons. Sorted by name and distribution."""
    tried = []
    for record in installed(home, group=GROUPS[kind].name):
        try:
            declared, loaded = _load(kind, record)
        except CoinswarmError as error:
            judged = record
            if record.status is Status.ENABLED:
                judged = record.judged(Status.FAILED, str(error).removeprefix(record.label).lstrip(": "))
            tried.append(Found(judged))
        else:
            tried.append(Found(loaded, declared))
    return tuple(tried)


def everything() -> tuple[PluginRecord, ...]:
    """Every installed plugin, then every driver of every kind, as metadata tells them; core's drivers are core."""
    return (*discover(), *_others([record for _, record in discover_drivers()]))


def installed_drivers(home: Path | None) -> tuple[PluginRecord, ...]:
    """Every driver but core's own and how it stands, by kind, name and distribution.

    :param home: where the operator's decisions are.
    """
    return tuple(record for group in GROUPS.values() for record in _others(installed(home, group=group.name)))


def _others(records: Sequence[PluginRecord]) -> list[PluginRecord]:
    """Those that core does not bring."""
    return [record for record in records if canonical(record.distribution) != CORE_DISTRIBUTION]


def _load(kind: str, record: PluginRecord) -> tuple[DriverType, PluginRecord]:
    """The declaration that a driver's entry point names."""
    if record.status in DECIDED:
        message = f"{record.label} is not loaded"
        raise NotReadyError(message, remedy=record.reason)
    # Loading brings stevedore along, which a list of drivers needs not.
    from coinswarm.plugins.loading import load_plugin  # noqa: PLC0415
    from coinswarm.plugins.validation import valid_declarations  # noqa: PLC0415
    from coinswarm.plugins.watching import watching  # noqa: PLC0415

    group = GROUPS[kind].name
    with watching(record.target) as seen:
        answer = load_plugin(record, group)
    [declared] = valid_declarations(record, group, DriverType, [answer])
    if declared.name != record.name:
        message = f"{record.label}: its entry point names the declaration of {declared.name!r}"
        raise DeclarationError(message, remedy="its author must give both the same name")
    return declared, record.loaded((f"{kind}: {declared.name}",), seen.warnings())

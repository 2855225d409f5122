"""Which plugins are installed, read from package metadata; imports no plugin.

Distributions are read one by one, so that one with a broken ``entry_points.txt`` costs its own
plugins only. Where a distribution is on the path twice, the first counts, as it does for imports.
"""

from __future__ import annotations

import json
import re
from importlib import metadata
from typing import TYPE_CHECKING

from coinswarm.errors import one_line
from coinswarm.plugins.compat import requirement_on_core
from coinswarm.plugins.records import CORE, CORE_DISTRIBUTION, Origin, PluginRecord, Status, canonical
from coinswarm.plugins.shield import read_entry_points

if TYPE_CHECKING:
    from collections.abc import Iterator

GROUP = "coinswarm.plugins"
"""The entry point group of every plugin, core's own included."""

_OURS = re.compile(r"^\s*\[\s*coinswarm\.\w+\s*\]", re.MULTILINE)
_TARGET = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*(:[A-Za-z_]\w*(\.[A-Za-z_]\w*)*)?")
NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
"""Names of plugins, and of what they declare."""

NAME_RULE = "lower-case letters, digits and single hyphens"


def discover(group: str = GROUP) -> tuple[PluginRecord, ...]:
    """Every installed plugin, or every driver of a group, sorted by name and distribution.

    A name that two plugins claim gives both the status ``conflict``; a plugin that cannot be told
    from its metadata gets ``failed`` with the reason. Nothing is raised.
    """
    header = re.compile(rf"^\s*\[\s*{re.escape(group)}\s*\]", re.MULTILINE)
    found = [record for name, distribution in _distributions(header) for record in _records(distribution, name, group)]
    return _with_conflicts(sorted(found, key=lambda record: (record.name, record.distribution)), group)


def find_distribution(name: str) -> metadata.Distribution | None:
    """The distribution of that name which brings plugins or drivers, as ``discover`` saw it; None if it is gone."""
    return next((found for known, found in _distributions() if canonical(known) == canonical(name)), None)


def entry_points(name: str, group: str = GROUP) -> list[metadata.EntryPoint]:
    """Every entry point of a group that claims a name, from today's metadata.

    ``metadata.entry_points`` would do but for one thing: a single distribution with a broken file
    makes it raise for all.
    """
    found: list[metadata.EntryPoint] = []
    for distribution_name, distribution in _distributions():
        if group == GROUP and name == CORE and canonical(distribution_name) != CORE_DISTRIBUTION:
            continue
        try:
            points = list(read_entry_points(distribution))
        except Exception:  # noqa: BLE001, S112 - discover() has said so in a record
            continue
        found.extend(point for point in points if point.group == group and point.name == name)
    return found


def _distributions(header: re.Pattern[str] = _OURS) -> Iterator[tuple[str, metadata.Distribution]]:
    """The installed distributions with entry points of ours, each once, as (name, distribution)."""
    seen: set[str] = set()
    for candidate in metadata.distributions():
        if not header.search(_text(candidate, "entry_points.txt")):
            continue
        name = _field(candidate, "Name")
        key = canonical(name)
        if key in seen:
            continue
        if key:
            seen.add(key)
        yield name or "unnamed", _first_on_path(name, candidate) if key else candidate


def _text(distribution: metadata.Distribution, name: str) -> str:
    """A file of the metadata; bytes that are no text are kept out of the way, so that the rest can be read."""
    try:
        return distribution.read_text(name) or ""
    except UnicodeDecodeError as error:
        return bytes(error.object).decode("utf-8", "replace")


def _field(distribution: metadata.Distribution, name: str) -> str:
    """A field of the metadata; empty where it is missing or cannot be read."""
    try:
        fields = distribution.metadata
        return str(fields[name]) if name in fields else ""
    except Exception:  # noqa: BLE001 - Pythons differ in what they raise for a broken METADATA
        return ""


def _fields(distribution: metadata.Distribution, name: str) -> list[str]:
    """A field of the metadata that may stand there more than once."""
    try:
        return [str(value) for value in distribution.metadata.get_all(name) or []]
    except Exception:  # noqa: BLE001 - as in _field
        return []


def _first_on_path(name: str, candidate: metadata.Distribution) -> metadata.Distribution:
    """The distribution of that name which imports would reach."""
    try:
        return metadata.distribution(name)
    except metadata.PackageNotFoundError:
        return candidate


def _records(distribution: metadata.Distribution, name: str, group: str) -> list[PluginRecord]:
    """What one distribution brings to a group."""
    noun = _noun(group)
    version = _field(distribution, "Version") or "?"
    origin = origin_of(distribution)
    doubt = () if _field(distribution, "Name") else ("its METADATA cannot be read: reinstall it",)
    made_for = requirement_on_core(_fields(distribution, "Requires-Dist"))
    try:
        points = [(point.name, point.value) for point in read_entry_points(distribution) if point.group == group]
    except Exception as error:  # noqa: BLE001 - a broken file must cost its own plugins only
        reason = f"its entry_points.txt cannot be read ({one_line(error)}): reinstall {name}"
        return [
            PluginRecord(
                name=name, distribution=name, version=version, target="", origin=origin,
                status=Status.FAILED, reason=reason, noun=noun,
            )
        ]  # fmt: skip
    records = []
    for point, target in points:
        record = PluginRecord(
            name=point, distribution=name, version=version, target=target, origin=origin, made_for=made_for,
            warnings=doubt, noun=noun,
        )  # fmt: skip
        if not NAME.fullmatch(point):
            reason = f"its name {point!r} is not {NAME_RULE}: rename its entry point"
            record = record.judged(Status.FAILED, reason)
        elif not _TARGET.fullmatch(target):
            reason = f"its target {target!r} is not 'package.module' or 'package.module:object'"
            record = record.judged(Status.FAILED, reason)
        records.append(record)
    return records


def _noun(group: str) -> str:
    """What messages call the entries of a group."""
    return "plugin" if group == GROUP else "driver"


def origin_of(distribution: metadata.Distribution) -> Origin:
    """How a distribution was installed, from the installer's own records."""
    try:
        source = json.loads(_text(distribution, "direct_url.json") or "{}")
        editable = bool(source.get("dir_info", {}).get("editable"))
    except (ValueError, AttributeError):
        return Origin.OTHER
    if editable:
        return Origin.EDITABLE
    return Origin.WHEEL if _text(distribution, "WHEEL") else Origin.OTHER


def _with_conflicts(records: list[PluginRecord], group: str) -> tuple[PluginRecord, ...]:
    """The records, where those that share a name are marked as in conflict."""
    noun = _noun(group)
    claims: dict[str, list[str]] = {}
    for record in records:
        claims.setdefault(record.name, []).append(record.distribution)
    judged = []
    for record in records:
        rivals = claims[record.name]
        if group == GROUP and record.name == CORE:
            if canonical(record.distribution) == CORE_DISTRIBUTION:
                judged.append(record)  # nobody takes core down by taking its name
            else:
                reason = f"the name {CORE!r} is core's own: its author must rename the entry point"
                judged.append(record.judged(Status.CONFLICT, reason))
        elif len(rivals) > 1:
            reason = f"{' and '.join(rivals)} both bring a {noun} of this name: uninstall one"
            judged.append(record.judged(Status.CONFLICT, reason))
        else:
            judged.append(record)
    return tuple(judged)

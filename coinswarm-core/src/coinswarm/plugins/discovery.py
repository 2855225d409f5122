"""Which plugins are installed, read from package metadata; imports no plugin.

Distributions are read one by one, so that one with a broken ``entry_points.txt`` costs its own
plugins only. Where a distribution is on the path twice, the first counts, as it does for imports.
"""

from __future__ import annotations

import json
import re
from importlib import metadata

from coinswarm.plugins.records import Origin, PluginRecord, Status, one_line

GROUP = "coinswarm.plugins"
"""The entry point group of every plugin, core's own included."""

_HEADER = re.compile(rf"^\s*\[\s*{re.escape(GROUP)}\s*\]", re.MULTILINE)
_TARGET = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*(:[A-Za-z_]\w*(\.[A-Za-z_]\w*)*)?")
_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")


def discover() -> tuple[PluginRecord, ...]:
    """Every installed plugin, sorted by name and distribution.

    A name that two plugins claim gives both the status ``conflict``; a plugin that cannot be told
    from its metadata gets ``failed`` with the reason. Nothing is raised.
    """
    found: list[PluginRecord] = []
    seen: set[str] = set()
    for candidate in metadata.distributions():
        if not _HEADER.search(candidate.read_text("entry_points.txt") or ""):
            continue
        name = _field(candidate, "Name")
        key = re.sub(r"[-_.]+", "-", name).lower()
        if key in seen:
            continue
        if key:
            seen.add(key)
        found.extend(_records(_first_on_path(name, candidate) if key else candidate, name or "unnamed"))
    return _with_conflicts(sorted(found, key=lambda record: (record.name, record.distribution)))


def _field(distribution: metadata.Distribution, name: str) -> str:
    """A field of the metadata; empty where it is missing or cannot be read."""
    try:
        fields = distribution.metadata
        return str(fields[name]) if name in fields else ""
    except Exception:  # noqa: BLE001 - Pythons differ in what they raise for a broken METADATA
        return ""


def _first_on_path(name: str, candidate: metadata.Distribution) -> metadata.Distribution:
    """The distribution of that name which imports would reach."""
    try:
        return metadata.distribution(name)
    except metadata.PackageNotFoundError:
        return candidate


def _records(distribution: metadata.Distribution, name: str) -> list[PluginRecord]:
    """The plugins of one distribution."""
    version = _field(distribution, "Version") or "?"
    origin = _origin(distribution)
    try:
        points = [(point.name, point.value) for point in distribution.entry_points if point.group == GROUP]
    except Exception as error:  # noqa: BLE001 - a broken file must cost its own plugins only
        reason = f"its entry_points.txt cannot be read ({one_line(error)}): reinstall {name}"
        return [
            PluginRecord(
                name=name, distribution=name, version=version, target="", origin=origin,
                status=Status.FAILED, reason=reason,
            )
        ]  # fmt: skip
    records = []
    for point, target in points:
        record = PluginRecord(name=point, distribution=name, version=version, target=target, origin=origin)
        if not _NAME.fullmatch(point):
            reason = f"its name {point!r} is not lower-case letters, digits and single hyphens: rename its entry point"
            record = record.judged(Status.FAILED, reason)
        elif not _TARGET.fullmatch(target):
            reason = f"its target {target!r} is not 'package.module' or 'package.module:object'"
            record = record.judged(Status.FAILED, reason)
        records.append(record)
    return records


def _origin(distribution: metadata.Distribution) -> Origin:
    """How a distribution was installed, from the installer's own records."""
    try:
        source = json.loads(distribution.read_text("direct_url.json") or "{}")
        editable = bool(source.get("dir_info", {}).get("editable"))
    except (ValueError, AttributeError):
        return Origin.OTHER
    if editable:
        return Origin.EDITABLE
    return Origin.WHEEL if distribution.read_text("WHEEL") else Origin.OTHER


def _with_conflicts(records: list[PluginRecord]) -> tuple[PluginRecord, ...]:
    """The records, where those that share a name are marked as in conflict."""
    claims: dict[str, list[str]] = {}
    for record in records:
        claims.setdefault(record.name, []).append(record.distribution)
    judged = []
    for record in records:
        rivals = claims[record.name]
        if len(rivals) > 1:
            reason = f"{' and '.join(rivals)} both bring a plugin of this name: uninstall one"
            judged.append(record.judged(Status.CONFLICT, reason))
        else:
            judged.append(record)
    return tuple(judged)

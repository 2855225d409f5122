"""What the last load of each plugin showed: ``$COINSWARM_HOME/plugins.json``, so that listing imports nothing.

An entry counts as long as the installed files are the ones that were loaded, as far as that can be
told without importing: version, target, the installer's RECORD, and size and time of every source
file. It says what was, and when; it never keeps a plugin from being tried again.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from importlib.machinery import PathFinder
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from coinswarm.plugins.discovery import find_distribution
from coinswarm.plugins.files import locked, replace_text
from coinswarm.plugins.records import PluginRecord, Status

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

FILE = "plugins.json"
SCHEMA = "coinswarm.plugins/1"
_KEPT = (Status.LOADED, Status.FAILED, Status.CONFLICT)
"""What only a load can tell."""


def recall(home: Path | None, records: Iterable[PluginRecord]) -> tuple[PluginRecord, ...]:
    """The records, with what their last load showed where that is still about the same files.

    :param records: as their metadata and the policy show them.
    """
    entries = _read(home)
    return tuple(_recalled(record, entries.get(_key(record))) for record in records)


def remember(home: Path | None, judged: Iterable[PluginRecord], as_of: str) -> bool:
    """Keep what a load showed. It is a convenience: whether it could be written is answered, not raised.

    :param judged: records after an attempt to load them; others are left out.
    :param as_of: now, ISO 8601 in UTC.
    """
    fresh = {_key(record): _entry(record, as_of) for record in judged if record.status in _KEPT and not record.as_of}
    if not fresh:
        return True
    if home is None:
        return False
    try:
        if not _news(_read(home), fresh):
            return True
        with locked(home / FILE):
            entries = {**_read(home), **fresh}
            text = json.dumps({"schema": SCHEMA, "plugins": entries}, indent=1, sort_keys=True)
            replace_text(home / FILE, text + "\n")
    except OSError:
        return False
    return True


def forget(home: Path | None) -> None:
    """Forget every load; for tests and for doubt.

    :raises OSError: when the file cannot be removed.
    """
    if home is not None:
        (home / FILE).unlink(missing_ok=True)


def fingerprint(record: PluginRecord) -> str:
    """What tells apart two states of an installed plugin without importing it."""
    parts = [record.distribution, record.version, record.target]
    distribution = find_distribution(record.distribution)
    if distribution is not None:
        try:
            parts.append(distribution.read_text("RECORD") or "")
        except UnicodeDecodeError:
            parts.append("unreadable")
    for path in _sources(record.target):
        try:
            stat = path.stat()
        except OSError:
            continue
        parts.append(f"{path} {stat.st_size} {stat.st_mtime_ns}")
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogateescape")).hexdigest()


def _sources(target: str) -> list[Path]:
    """The source files of the package that a target lies in; found, not imported."""
    top = target.partition(":")[0].partition(".")[0]
    if not top:
        return []
    try:
        spec = PathFinder.find_spec(top) or find_spec(top)
    except (ImportError, ValueError, AttributeError):
        return []
    if spec is None:
        return []
    if spec.submodule_search_locations is None:
        return [Path(spec.origin)] if spec.origin else []
    return sorted(path for folder in spec.submodule_search_locations for path in Path(folder).rglob("*.py"))


def _key(record: PluginRecord) -> str:
    """What entries are kept by: two distributions may claim one name."""
    return f"{record.name} ({record.distribution})"


def _entry(record: PluginRecord, as_of: str) -> dict[str, Any]:
    """What is kept of a record."""
    return {
        "as_of": as_of,
        "fingerprint": fingerprint(record),
        "status": str(record.status),
        "reason": record.reason,
        "provides": list(record.provides),
        "warnings": list(record.warnings),
    }


def _news(old: Mapping[str, Mapping[str, Any]], fresh: Mapping[str, Mapping[str, Any]]) -> bool:
    """Whether fresh entries say more than old ones do, the time apart.

    Warnings hold measured times; a warning of the same kind is no news.
    """

    def gist(entry: Mapping[str, Any]) -> object:
        kinds = [warning.partition(":")[0] for warning in entry["warnings"]]
        return {**entry, "as_of": "", "warnings": kinds}

    return any(key not in old or gist(old[key]) != gist(entry) for key, entry in fresh.items())


def _recalled(record: PluginRecord, entry: Mapping[str, Any] | None) -> PluginRecord:
    """A record with what an entry says of it."""
    if entry is None or entry["fingerprint"] != fingerprint(record):
        return record
    known = replace(record, as_of=entry["as_of"])
    status = Status(entry["status"])
    if status is Status.LOADED:
        return replace(known, provides=tuple(entry["provides"]), warnings=record.warnings + tuple(entry["warnings"]))
    return known.judged(status, entry["reason"]) if record.status is Status.ENABLED else record


def _read(home: Path | None) -> dict[str, dict[str, Any]]:
    """The entries of the file that can be read; it is a cache, so that damage costs no more than a load."""
    if home is None:
        return {}
    try:
        data = json.loads((home / FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    plugins = data.get("plugins") if isinstance(data, dict) and data.get("schema") == SCHEMA else None
    return {key: entry for key, entry in plugins.items() if _valid(entry)} if isinstance(plugins, dict) else {}


def _valid(entry: object) -> bool:
    """Whether an entry has its fields."""
    if not isinstance(entry, dict):
        return False
    texts = all(isinstance(entry.get(key), str) for key in ("as_of", "fingerprint", "status", "reason"))
    lists = all(
        isinstance(entry.get(key), list) and all(isinstance(item, str) for item in entry[key])
        for key in ("provides", "warnings")
    )
    return texts and lists and entry["status"] in set(_KEPT)

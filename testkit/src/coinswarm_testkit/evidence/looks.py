"""Gold looks at recorded history, as a backtest does: each look is a trial, and others are counted against it (S23).

What the author's own tests look at leaves none: they show whether, and not how well.
"""

from __future__ import annotations

import hashlib
import platform
from importlib.machinery import PathFinder
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from coinswarm import __version__
from coinswarm.canonical import digest
from coinswarm.clock import DAY_NS, SystemClock, iso
from coinswarm.errors import CoinswarmError, OutputError
from coinswarm.runtime.trials import (
    TRIAL_SCHEMA,
    TrialRegistry,
    Tried,
    add_files,
    package_files,
    trial_id,
    unusable,
)
from coinswarm_testkit.evidence.record import WHOLE

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from coinswarm.plugins.records import PluginRecord
    from coinswarm_testkit.bench import Bench
    from coinswarm_testkit.evidence.gather import Evidence
    from coinswarm_testkit.evidence.record import Record, Seen
    from coinswarm_testkit.markets.recorded import Recording
    from coinswarm_testkit.subject import Subject

SOURCE = "plugins check"
"""Where these trials say that they come from."""


def variant_of(subject: Subject, folders: Sequence[str] = ()) -> str:
    """Digest of what makes one look another: the object, its settings, and the files of its package.

    Nothing of the plugin is imported.

    :param folders: in which its package is looked for first.
    """
    code = hashlib.sha256()
    add_files(code, _files(subject.target.partition(".")[0].partition(":")[0], folders))
    made = {"target": subject.target, "settings": dict(subject.settings), "code": code.hexdigest()}
    return digest(made, floats=True)


def _files(package: str, folders: Sequence[str]) -> Iterator[tuple[str, Path]]:
    """The files of a package, or of a module that is one file."""
    found = PathFinder.find_spec(package, list(folders)) or find_spec(package)
    if found is None:
        return
    for root in map(Path, found.submodule_search_locations or ()):
        yield from package_files(root)
    if found.submodule_search_locations is None and found.origin is not None:
        yield Path(found.origin).name, Path(found.origin)


def registered(variant: str = "", *, declared: bool = False) -> Seen:
    """The trial registry of this computer, read once.

    What gold looked at counts, and alone makes nothing known: before a backtest, or a word of the author, nobody can
    tell what else was tried.

    :param variant: what is judged; its own earlier looks are no other trials.
    :param declared: whether somebody says how many there were.
    """
    try:
        stored = TrialRegistry().all()
    except (CoinswarmError, OSError) as error:
        fault = unusable(error)
        return lambda *_: fault

    def seen(symbol: str, first_day: int, days: int) -> Tried:
        met = [one for one in stored if one.meets([symbol], first_day, days)]
        others = [one for one in met if not variant or one.record.get("variant") != variant]
        if not others or not (declared or any(one.record.get("source") != SOURCE for one in others)):
            return Tried(None, "neither registered nor declared")
        return Tried(tuple(one.trial for one in others))

    return seen


def note(bench: Bench, evidence: Evidence, recordings: Sequence[Recording], plugin: PluginRecord) -> None:
    """Leave a trial for each recorded market that evidence was measured on; the same look leaves one.

    :param plugin: whose object is judged.
    :raises OutputError: when one cannot be written: a look that is not counted makes luck evidence.
    """
    registry = TrialRegistry()
    for recording, measured in zip(recordings, evidence.chosen(WHOLE), strict=True):
        try:
            registry.add(_described(bench, recording, measured, plugin), measured.daily.returns)
        except OSError as error:
            message = f"the trial registry in {registry.root} cannot be written ({error.strerror or error})"
            raise OutputError(message, remedy="make room or mend its rights: gold counts every look") from error


def _described(bench: Bench, recording: Recording, measured: Record, plugin: PluginRecord) -> dict[str, Any]:
    """What a trial's file says beside the returns, as one of a backtest."""
    subject, daily = bench.subject, measured.daily
    instruments = [recording.bars.instrument.symbol]
    first, days = daily.first_day, len(daily.returns)
    span = {"variant": bench.variant, "instruments": instruments, "first_day": first, "days": days}
    return {
        "schema": TRIAL_SCHEMA,
        "id": trial_id(span),
        **span,
        "source": SOURCE,
        "from": iso(first * DAY_NS)[:10],
        "to": iso((first + days) * DAY_NS)[:10],
        "bar_ns": recording.bars.length_ns,
        "label": f"{SOURCE} {plugin.name}",
        "agents": [
            {"seat": subject.name, "weight_bp": 10_000, "settings": digest(dict(subject.settings), floats=True)}
        ],
        "profile": "",
        "order_hash": "",
        "plugins": [{"name": plugin.name, "distribution": plugin.distribution, "version": plugin.version}],
        "made_with": {"coinswarm-core": __version__, "python": platform.python_version()},
        "created": iso(SystemClock().now_ns()),
    }

"""What an upgrade would decide otherwise: two versions of a plugin on one recording, each in a process of its own.

The older version is what an operator has at hand: a wheel file, or an environment (its folder, or its
``site-packages``) that has it. Nothing is installed and no network is used: a wheel is unpacked into a folder that
lasts as long as the comparison.
"""

from __future__ import annotations

import shutil
import tempfile
import zipfile
import zlib
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from coinswarm.clock import iso
from coinswarm.errors import OperatorError
from coinswarm.feeds.files import load_bars, sample, sample_names
from coinswarm.plugins.records import canonical
from coinswarm_testkit.remote import Remote
from coinswarm_testkit.replay import FIELDS
from coinswarm_testkit.starting import Fresh
from coinswarm_testkit.subject import Subject
from coinswarm_testkit.verdicts import CheckFailedError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from coinswarm.domain.market import Bars
    from coinswarm.feeds.loaded import Loaded

_SHOWN = 3
"""Differing bars that are told."""

MOST_BYTES, MOST_FILES = 1 << 30, 20_000
"""What a wheel may unpack to: a plugin's holds no more than a hundredth of it."""


@contextmanager
def older(path: Path, distribution: str) -> Iterator[tuple[Path, str]]:
    """The folder that holds an older version, and that version.

    :param path: a wheel, an environment, or a folder of installed packages.
    :raises OperatorError: when it does not hold the distribution.
    """
    if path.is_dir():
        places = [path, *sorted(path.glob("lib/python*/site-packages")), *sorted(path.glob("Lib/site-packages"))]
        found = [(place, version) for place in places if (version := _version(place, distribution))]
        if not found:
            message = f"--against {path} holds no installed {distribution}"
            raise OperatorError(message, remedy="name an environment that has it, or a wheel of it")
        yield found[0]
        return
    with tempfile.TemporaryDirectory(prefix="coinswarm-older-") as name:
        place = Path(name)
        _unpack(path, place)
        version = _version(place, distribution)
        if not version:
            message = f"--against {path} is no wheel of {distribution}"
            raise OperatorError(message, remedy="name a wheel of an older version of it")
        yield place, version


def _version(place: Path, distribution: str) -> str:
    """The version of a distribution in a folder of installed packages; empty where it is not there."""
    for info in place.glob("*.dist-info"):
        name, _, version = info.name.removesuffix(".dist-info").rpartition("-")
        if canonical(name) == canonical(distribution):
            return version
    return ""


def _unpack(path: Path, place: Path) -> None:
    """Unpack a wheel as an installer would, its scripts left out.

    :raises OperatorError: when it is none, or is more than a plugin can be.
    """
    try:
        with zipfile.ZipFile(path) as wheel:
            size, count = sum(one.file_size for one in wheel.infolist()), len(wheel.infolist())
            if size > MOST_BYTES or count > MOST_FILES:
                message = f"--against {path} would unpack to {size:,} bytes in {count:,} files"
                most = f"{MOST_BYTES:,} bytes in {MOST_FILES:,} files"
                raise OperatorError(message, remedy=f"name a wheel of at most {most}")
            wheel.extractall(place)  # no file becomes larger than it is said to be
    except (OSError, EOFError, RuntimeError, ValueError, zipfile.BadZipFile, zlib.error) as error:
        message = f"--against {path} cannot be read as a wheel ({error})"
        raise OperatorError(message, remedy="name a wheel file, or the folder of an environment") from None
    for data in place.glob("*.data"):
        for kind in ("purelib", "platlib"):
            if (data / kind).is_dir():
                shutil.copytree(data / kind, place, dirs_exist_ok=True)
        shutil.rmtree(data)


def recordings(data: Mapping[str, Loaded]) -> dict[str, Bars]:
    """What both versions decide on: the operator's own bars, else the shipped ones."""
    return {symbol: one.bars for symbol, one in sorted(data.items())} or {
        symbol: load_bars(sample(symbol), symbol=symbol).bars for symbol in sample_names()[:1]
    }


def differences(  # noqa: PLR0913 - two versions, each with its surroundings
    subject: Subject,
    folders: Sequence[str],
    place: Path,
    version: str,
    bars: Mapping[str, Bars],
    *,
    environment: Mapping[str, str],
) -> list[str]:
    """What the installed version decides otherwise than an older one, in lines for people.

    :param subject: of the installed version.
    :param folders: of installed distributions; the older version's comes before them for its own worker.
    :param place: where the older version is. :param version: which that is.
    :param environment: variables of both workers.
    """
    if subject.kind != "agent":
        return [f"against {version}: only signal agents are compared"]
    before, after = [str(place), *folders], list(folders)
    try:
        old = _older_subject(subject, before, environment)
    except CheckFailedError as error:
        return [f"against {version}: it cannot be asked what it declares: {error}"]
    if old is None:
        return [f"against {version}: it declares no {subject.kind} {subject.name!r}"]
    lines = []
    if dict(old.declaration) != dict(subject.declaration):
        changed = sorted(
            key
            for key in {*old.declaration, *subject.declaration}
            if old.declaration.get(key) != subject.declaration.get(key)
        )
        lines.append(f"against {version}: it declares otherwise: {', '.join(changed)}")
    for symbol, one in bars.items():
        try:
            was, now = _said(old, before, one, environment), _said(subject, after, one, environment)
        except CheckFailedError as error:
            lines.append(f"against {version} on {symbol}: {error}")
            continue
        lines += _lines(f"against {version} on {symbol}", was, now, one)
    return lines


def _older_subject(subject: Subject, folders: Sequence[str], environment: Mapping[str, str]) -> Subject | None:
    """The subject of the same name as the older version declares it, with the same settings."""
    nobody = Subject(name=subject.plugin, target="", plugin=subject.plugin)
    with Remote(nobody, Fresh(environment, folders)) as link:
        for fields in link.ask("subjects.found", plugin=subject.plugin):
            if (fields["kind"], fields["name"]) == (subject.kind, subject.name):
                return Subject(**{**fields, "settings": subject.settings})
    return None


def _said(subject: Subject, folders: Sequence[str], bars: Bars, environment: Mapping[str, str]) -> Any:  # noqa: ANN401 - int64[n, 6]
    """What a version says over a recording."""
    with Remote(subject, Fresh(environment, folders)) as link:
        return np.asarray(link.ask("agents.said", bars=bars), np.int64).reshape(-1, len(FIELDS))


def _lines(head: str, was: Any, now: Any, bars: Bars) -> list[str]:  # noqa: ANN401 - int64[n, 6]
    """How two tables of actions differ."""
    wrong = np.flatnonzero((was != now).any(axis=1))
    if not len(wrong):
        return [f"{head}: the same decision at all {len(bars):,} bars"]
    lines = [f"{head}: another decision at {len(wrong):,} of {len(bars):,} bars"]
    for row in wrong[:_SHOWN].tolist():
        cells = ", ".join(
            f"{name} {a} -> {b}"
            for name, a, b in zip(FIELDS, was[row].tolist(), now[row].tolist(), strict=True)
            if a != b
        )
        lines.append(f"    {iso(int(bars.open_ns[row]))[:16].replace('T', ' ')}: {cells}")
    return lines

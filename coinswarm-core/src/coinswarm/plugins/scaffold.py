"""``coinswarm plugins new``: a package that works as rendered, for its author to change.

Templates lie in ``templates/common`` and ``templates/KIND``: each file is a ``string.Template`` whose
name ends in ``.in``, and a folder called ``package`` becomes the package's own.
"""

from __future__ import annotations

import re
import shutil
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, distribution
from importlib.util import find_spec
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING

from coinswarm.errors import NotReadyError, OperatorError, OutputError, UnknownNameError, nearest
from coinswarm.plugins.discovery import NAME, NAME_RULE
from coinswarm.plugins.records import CORE_DISTRIBUTION, PluginRecord, canonical

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

TEMPLATES = Path(__file__).parent / "templates"
SUFFIX = ".in"

KINDS: Mapping[str, str] = {
    "agent": "A signal agent for Coinswarm: long while the close lies above its average.",
    "weigher": "A weigher for Coinswarm: the weighted mean, where enough weight agrees.",
}
"""Kinds that can be rendered, and the summary that the rendered package begins with."""

PROVISIONAL = ("ingestor", "memory", "voter", "planner", "risk-agent", "execution-agent")
"""Kinds whose contract has not arrived."""

LONGEST = 30
"""Letters in a name: lines of the templates hold it."""

RESERVED = {"columnar", "core", "signal", "testkit", "weigher"}
"""Names whose package or class would be one of core's."""


@dataclass(frozen=True, slots=True)
class Rendered:
    """A package as written.

    :param folder: its root.
    :param files: what is in it, relative to the root, sorted.
    """

    folder: Path
    files: tuple[str, ...]


def scaffold(kind: str, name: str, out: Path, known: Iterable[PluginRecord]) -> Rendered:
    """Write a package that brings one plugin.

    :param kind: one of ``KINDS``.
    :param name: of the plugin and of what it declares; its distribution is ``coinswarm-NAME``.
    :param out: where the package's folder is made.
    :param known: the installed plugins, whose names are taken.
    :raises UnknownNameError: for an unknown kind.
    :raises NotReadyError: for a kind that is provisional.
    :raises OperatorError: for a name that is not valid, or taken.
    :raises OutputError: when the folder exists.
    """
    check_kind(kind)
    check_name(kind, name, known)
    folder = out / f"coinswarm-{name}"
    if folder.exists() or folder.is_symlink():
        message = f"{folder} is there already"
        raise OutputError(message, remedy="choose another name, another --out, or move it away")
    files = render(kind, name)
    try:
        for place, text in files.items():
            path = folder / place
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8", newline="\n")
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return Rendered(folder, tuple(sorted(files)))


def render(kind: str, name: str) -> dict[str, str]:
    """The files of a package, by their place in it; nothing is written."""
    base = "".join(part.capitalize() for part in name.split("-"))
    package = f"coinswarm_{name.replace('-', '_')}"
    suffix = kind.capitalize()
    words = {
        "name": name,
        "distribution": f"coinswarm-{name}",
        "package": package,
        "base": base,
        "cls": base if base.endswith(suffix) else base + suffix,
        "summary": KINDS[kind],
        "core": core_range(),
    }
    files = {}
    for root in (TEMPLATES / "common", TEMPLATES / kind):
        for path in sorted(root.rglob(f"*{SUFFIX}")):
            parts = [package if part == "package" else part for part in path.relative_to(root).parts]
            place = "/".join(parts).removesuffix(SUFFIX)
            place = ".gitignore" if place == "gitignore" else place
            files[place] = Template(path.read_text(encoding="utf-8")).substitute(words)
    return files


def core_range() -> str:
    """The versions of core that a package written today is made for: ``>=0.1,<1``."""
    found = re.match(r"(\d+)\.(\d+)", distribution(CORE_DISTRIBUTION).version)
    major, minor = (int(found[1]), int(found[2])) if found else (0, 0)
    return f">={major}.{minor},<{major + 1}"


def check_kind(kind: str) -> None:
    """Hold that a kind can be rendered.

    :raises UnknownNameError: naming the nearest one.
    :raises NotReadyError: for a kind that is provisional.
    """
    if kind in PROVISIONAL:
        message = f"the kind {kind!r} is provisional: no contract for it yet, so that there is nothing to render"
        raise NotReadyError(message, remedy=f"choose {' or '.join(KINDS)}, or read docs/hooks.md")
    if kind not in KINDS:
        message = f"unknown kind {kind!r}"
        raise UnknownNameError(message, remedy=nearest(kind, [*KINDS, *PROVISIONAL]))


def check_name(kind: str, name: str, known: Iterable[PluginRecord]) -> None:
    """Hold that a name can be a plugin's, and is nobody's yet.

    :raises OperatorError: with a name that would do, or with who has taken it.
    """
    if not NAME.fullmatch(name):
        message = f"the name {name!r} is not {NAME_RULE}"
        better = re.sub(r"[^a-z0-9]+", "-", re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", name).lower()).strip("-0123456789")
        remedy = f"did you mean {better!r}?" if NAME.fullmatch(better) else "write a name such as 'breakout'"
        raise OperatorError(message, remedy=remedy)
    if len(name) > LONGEST:
        message = f"the name {name!r} has {len(name)} letters, more than {LONGEST}"
        raise OperatorError(message, remedy="choose a shorter one")
    taken = _taken(kind, name, known)
    if taken:
        message = f"the name {name!r} is taken: {taken}"
        raise OperatorError(message, remedy="choose another one")


def _taken(kind: str, name: str, known: Iterable[PluginRecord]) -> str:
    """Who has a name; empty where nobody has."""
    if name in RESERVED:
        return "coinswarm itself uses it"
    for record in known:
        if record.name == name:
            return f"{record.label} is installed"
        if f"{kind}: {name}" in record.provides:
            return f"{record.label} declares the {kind} {name!r}"
    try:
        return f"the distribution {canonical(distribution(f'coinswarm-{name}').name)!r} is installed"
    except PackageNotFoundError:
        package = f"coinswarm_{name.replace('-', '_')}"
        return f"a package {package!r} can be imported already" if find_spec(package) else ""

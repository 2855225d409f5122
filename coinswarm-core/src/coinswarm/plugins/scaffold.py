"""``coinswarm plugins new``: a package that works as rendered, for its author to change.

Templates lie in ``templates/common``, ``templates/hook`` or ``templates/driver``, perhaps a layer that kinds share, and
``templates/KIND``; a later one takes the place of an earlier one of the same name. Each file is a ``string.Template``
whose name ends in ``.in``, and a folder called ``package`` becomes the package's own. What a kind says inside the
common files stands in its ``words.toml``: ``fields`` is what ``$fields`` becomes. ``copies`` there are modules of core
that the package begins with a copy of, because they are what its author is to change.
"""

from __future__ import annotations

import re
import shutil
import tomllib
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, distribution
from importlib.util import find_spec
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING

from coinswarm.errors import OperatorError, OutputError, UnknownNameError, nearest
from coinswarm.plugins.discovery import GROUP, NAME, NAME_RULE
from coinswarm.plugins.drivers import GROUPS
from coinswarm.plugins.records import CORE_DISTRIBUTION, OURS, PluginRecord, canonical

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

TEMPLATES = Path(__file__).parent / "templates"
SUFFIX = ".in"
WORDS = "words.toml"
_EXCUSE = re.compile(r"  # noqa: .*$")
"""What excuses a line from rules that a package of one's own does not have."""
OWN = ("declared", "imports", "secret", "fields", "needs", "idea", "places", "commands", "rows", "promise")
"""What a kind says inside the common files: lines of its declaration; imports, pydantic's type for secrets where it has
any, and fields of its settings; what it needs installed; and in its README the idea, more files, more commands, rows of
settings, and what its author should say of it."""


@dataclass(frozen=True, slots=True)
class Shape:
    """What is special about the package of a kind.

    :param noun: what its texts call one.
    :param summary: what the rendered one does, which the package begins with.
    :param suffix: of the name of its class.
    :param module: the file that holds the idea.
    :param hook: that declares it; empty for a driver, which an entry point of its own group names.
    :param declares: class of its declaration.
    :param layer: a folder of templates that it shares with another kind.
    """

    noun: str
    summary: str
    suffix: str
    module: str
    hook: str = ""
    declares: str = "DriverType"
    layer: str = ""


KINDS: Mapping[str, Shape] = {
    "agent": Shape(
        "signal agent",
        "A signal agent for Coinswarm: long while the close lies above its average.",
        "Agent",
        "agent",
        "coinswarm_agents",
        "AgentType",
    ),
    "risk": Shape(
        "risk agent",
        "A risk agent for Coinswarm: positions shrink as the drawdown grows.",
        "Risk",
        "risk",
        "coinswarm_agents",
        "AgentType",
    ),
    "execution": Shape(
        "execution agent",
        "An execution agent for Coinswarm: equal parts, evenly over time.",
        "Execution",
        "execution",
        "coinswarm_agents",
        "AgentType",
    ),
    "weigher": Shape(
        "weigher",
        "A weigher for Coinswarm: the weighted mean, where enough weight agrees.",
        "Weigher",
        "weigher",
        "coinswarm_weighers",
        "WeigherType",
    ),
    "ingestor": Shape(
        "ingestor",
        "An ingestor for Coinswarm: a daily figure, polled.",
        "Ingestor",
        "ingestor",
        "coinswarm_ingestors",
        "IngestorType",
        layer="http",
    ),
    "memory": Shape(
        "memory backend",
        "A memory for Coinswarm: every episode is looked at, and none survives the process.",
        "Memory",
        "memory",
        "coinswarm_memory_backends",
        "MemoryType",
    ),
    "voter": Shape(
        "voter",
        "A voter for Coinswarm: works every number out again.",
        "Voter",
        "voter",
        "coinswarm_voters",
        "VoterType",
    ),
    "planner": Shape(
        "planner",
        "A planner for Coinswarm: a step at a time toward equal weights.",
        "Planner",
        "planner",
        "coinswarm_planners",
        "PlannerType",
    ),
    "broker": Shape(
        "broker",
        "A broker for Coinswarm: an account at a venue that speaks plain JSON.",
        "Broker",
        "broker",
        layer="http",
    ),
    "bus": Shape("bus", "A bus for Coinswarm: messages within the process.", "Bus", "bus"),
    "timeseries": Shape(
        "time series store",
        "A time series store for Coinswarm: a file that is appended to, all of it in memory.",
        "TimeSeries",
        "timeseries",
        layer="store",
    ),
    "documents": Shape(
        "document store",
        "A document store for Coinswarm: a file that is appended to, all of it in memory.",
        "Documents",
        "documents",
        layer="store",
    ),
    "embedder": Shape("embedder", "An embedder for Coinswarm: counts words, hashed.", "Embedder", "embedder"),
}
"""Kinds that can be rendered."""

LONGEST = 30
"""Letters in a name: lines of the templates hold it."""

RESERVED = {"columnar", "core", "message", "mutants", "rule", "signal", "testkit", *(set(KINDS) - {"agent"})}
"""Names whose package or class would be one of core's."""


@dataclass(frozen=True, slots=True)
class Rendered:
    """A package as written.

    :param folder: its root.
    :param files: what is in it, relative to the root, sorted.
    :param idea: the file among them to change first.
    """

    folder: Path
    files: tuple[str, ...]
    idea: str


def scaffold(kind: str, name: str, out: Path, known: Iterable[PluginRecord]) -> Rendered:
    """Write a package that brings one plugin.

    :param kind: one of ``KINDS``.
    :param name: of the plugin and of what it declares; its distribution is ``coinswarm-NAME``.
    :param out: where the package's folder is made.
    :param known: the installed plugins, whose names are taken.
    :raises UnknownNameError: for an unknown kind.
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
    return Rendered(folder, tuple(sorted(files)), f"src/{_package(name)}/{KINDS[kind].module}.py")


def render(kind: str, name: str) -> dict[str, str]:
    """The files of a package, by their place in it; nothing is written."""
    shape = KINDS[kind]
    base = "".join(part.capitalize() for part in name.split("-"))
    package = _package(name)
    words = {
        "name": name,
        "kind": kind,
        "distribution": f"coinswarm-{name}",
        "package": package,
        "base": base,
        "cls": base if base.lower().endswith(shape.suffix.lower()) else base + shape.suffix,
        "noun": shape.noun,
        "summary": shape.summary,
        "module": shape.module,
        "hook": shape.hook,
        "declares": shape.declares,
        "group": GROUP if shape.hook else GROUPS[kind].name,
        "entry": f"{package}.plugin" if shape.hook else f"{package}.plugin:{shape.module}",
        "core": core_range(),
    }
    own = tomllib.loads((TEMPLATES / kind / WORDS).read_text(encoding="utf-8"))
    words |= {word: Template(own.get(word, "")).substitute(words) for word in OWN}
    words["secret"] = f", {words['secret']}" if words["secret"] else ""
    files = {}
    layers = ("common", "hook" if shape.hook else "driver", *([shape.layer] if shape.layer else []), kind)
    for root in (TEMPLATES / layer for layer in layers):
        for path in sorted(root.rglob(f"*{SUFFIX}")):
            parts = [package if part == "package" else part for part in path.relative_to(root).parts]
            place = "/".join(parts).removesuffix(SUFFIX)
            place = ".gitignore" if place == "gitignore" else place
            files[place] = Template(path.read_text(encoding="utf-8")).substitute(words)
    for module in own.get("copies", ()):
        files[f"src/{package}/{module.rpartition('.')[2]}.py"] = _copied(module, package)
    return files


def _copied(module: str, package: str) -> str:
    """A module of core as a module of a package, which imports its neighbours from there."""
    room = module.rpartition(".")[0]
    lines: list[str] = []
    text = (TEMPLATES.parents[1] / f"{module.partition('.')[2].replace('.', '/')}.py").read_text(encoding="utf-8")
    for line in text.replace(room, package).splitlines():
        before = lines[-1].strip() if lines else ""
        ours = line.strip().startswith(f"from {package}")
        if ours and before and not before.startswith((f"from {package}", "if ")):
            lines.append("")  # imports of one's own package stand apart
        lines.append(_EXCUSE.sub("", line))
    return "\n".join(lines) + "\n"


def _package(name: str) -> str:
    """The package that brings a plugin."""
    return f"coinswarm_{name.replace('-', '_')}"


def core_range() -> str:
    """The versions of core that a package written today is made for: ``>=0.1,<1``."""
    found = re.match(r"(\d+)\.(\d+)", distribution(CORE_DISTRIBUTION).version)
    major, minor = (int(found[1]), int(found[2])) if found else (0, 0)
    return f">={major}.{minor},<{major + 1}"


def check_kind(kind: str) -> None:
    """Hold that a kind can be rendered.

    :raises UnknownNameError: naming the nearest one.
    """
    if kind not in KINDS:
        message = f"unknown kind {kind!r}"
        raise UnknownNameError(message, remedy=nearest(kind, KINDS))


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
    if name in OURS:
        return f"coinswarm-{name} is one of coinswarm's own"
    try:
        return f"the distribution {canonical(distribution(f'coinswarm-{name}').name)!r} is installed"
    except PackageNotFoundError:
        package = _package(name)
        return f"a package {package!r} can be imported already" if find_spec(package) else ""

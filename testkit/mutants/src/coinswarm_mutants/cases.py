"""The table of mutants: one case per module of this package, found by walking it.

A module of ``coinswarm_mutants.<room>`` holds:

``FAILS``
    ids of the checks that its mutant fails: those and no others.
``KIND``
    which contract it is held to; the room's own by default.
``Mutant`` and ``Twin``
    the broken class and the repaired one.
``Settings`` and ``TwinSettings``
    their settings models, where they have any.
``DECLARATION`` and ``TWIN_DECLARATION``
    further fields of its declaration, and of the twin's where that is what is repaired.
``MODULES``
    what their entry points would name, mutant and twin, where that is what is broken.
``DISTRIBUTIONS``
    the distributions that would bring them, found in this package's folder ``installed``.
``APART``
    whether it keeps state beyond its objects or attacks its process, and so is judged in processes of its own.
``TIER``
    up to which checks it is judged; silver by default.
"""

from __future__ import annotations

import pkgutil
from dataclasses import dataclass
from functools import lru_cache
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import coinswarm_mutants
from coinswarm_testkit.subject import Subject

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType

    from coinswarm_testkit.checks import Tier
    from coinswarm_testkit.subject import Kind

INSTALLED = Path(__file__).parent / "installed"
"""A folder of distributions that exist by their metadata only; a run puts it on the path."""

ROOMS: dict[str, Kind] = {
    "packaging": "agent",
    "agents": "agent",
    "evidence": "agent",
    "risk": "risk",
    "execution": "execution",
    "weighers": "weigher",
    "ingestors": "ingestor",
    "memory": "memory",
    "voters": "voter",
    "planners": "planner",
    "brokers": "broker",
    "buses": "bus",
    "timeseries": "timeseries",
    "documents": "documents",
    "embedders": "embedder",
}
"""Folders of mutants and the kind that they are of."""


@dataclass(frozen=True, slots=True)
class Case:
    """One mutant and its twin.

    :param name: the module's, as in ``agents.peeks_at_the_next_bar``.
    :param about: what is wrong with it, the first line of its docstring.
    :param fails: ids of the checks that it must fail; no others.
    :param mutant, twin: the subjects.
    :param apart: whether it must be judged in processes of its own.
    :param tier: up to which checks it is judged.
    """

    name: str
    about: str
    fails: frozenset[str]
    mutant: Subject
    twin: Subject
    apart: bool
    tier: Tier


@lru_cache(maxsize=1)
def cases() -> tuple[Case, ...]:
    """Every case, in the order of rooms and names."""
    here = Path(coinswarm_mutants.__file__).parent
    return tuple(case for room in ROOMS if (here / room).is_dir() for case in _room(room))


def _room(room: str) -> Iterator[Case]:
    """The cases of one folder."""
    folder = import_module(f"coinswarm_mutants.{room}")
    for item in pkgutil.iter_modules(folder.__path__):
        if not item.name.startswith("_"):
            yield _case(room, import_module(f"{folder.__name__}.{item.name}"))


def _case(room: str, module: ModuleType) -> Case:
    """The case that a module states."""
    name = f"{room}.{module.__name__.rpartition('.')[2]}"
    told = vars(module)
    return Case(
        name=name,
        about=(module.__doc__ or "").strip().splitlines()[0],
        fails=frozenset(told["FAILS"]),
        mutant=_subject(name, room, module, "Mutant", 0),
        twin=_subject(name, room, module, "Twin", 1),
        apart=bool(told.get("APART", False)),
        tier=told.get("TIER", "silver"),
    )


def _subject(name: str, room: str, module: ModuleType, which: str, place: int) -> Subject:
    """The mutant or the twin of a module."""
    told = vars(module)
    settings = "Settings" if which == "Mutant" or "TwinSettings" not in told else "TwinSettings"
    modules: tuple[str, str] = told.get("MODULES", ("", ""))
    distributions: tuple[str, str] = told.get("DISTRIBUTIONS", ("", ""))
    declaration: dict[str, Any] = told.get("DECLARATION", {})
    if which == "Twin":
        declaration = told.get("TWIN_DECLARATION", declaration)
    return Subject(
        name=f"{name}:{which.lower()}",
        target=f"{module.__name__}:{which}",
        settings_target=f"{module.__name__}:{settings}" if settings in told else "",
        kind=told.get("KIND", ROOMS[room]),
        declaration=declaration,
        plugin_module=modules[place] and f"coinswarm_mutants.{modules[place]}",
        distribution=distributions[place],
    )

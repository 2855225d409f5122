"""Whether what a hook returned is a valid declaration: types, names, targets and numbers."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, TypeVar, get_args

from coinswarm import declarations as kinds
from coinswarm.errors import DeclarationError, one_line
from coinswarm.plugins.discovery import NAME, NAME_RULE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from coinswarm.plugins.records import PluginRecord

D = TypeVar("D", bound=kinds.Declaration)

_TARGET = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*")
_FILE = re.compile(r"[A-Za-z_]\w*:([\w-][\w.-]*/)*[\w-][\w.-]*\.json")
_MAX_WORDS = 256
"""Reason codes of actions are bytes (S9)."""


def valid_declarations(record: PluginRecord, hook: str, kind: type[D], answers: list[object]) -> list[D]:
    """The answers as declarations of one kind.

    :raises DeclarationError: for another type, a wrong name, target or number, a name twice, or what cannot be read.
    """
    try:
        return _valid(record, hook, kind, answers)
    except DeclarationError:
        raise
    except Exception as error:
        message = f"{record.label}: what {hook} returned cannot be read ({one_line(error)})"
        raise DeclarationError(message, remedy=f"its author must return plain {kind.__name__}s") from error


def _valid(record: PluginRecord, hook: str, kind: type[D], answers: list[object]) -> list[D]:
    """The same, of answers that raise where they are looked at: a plugin may have made anything."""
    entries: list[D] = []
    for answer in answers:
        where = f"{record.label}: {hook}"
        if not isinstance(answer, kind):
            message = f"{where} returned {answer!r}"[:200]
            raise DeclarationError(message, remedy=f"its author must return coinswarm.declarations.{kind.__name__}")
        problem = _problem(answer)
        if problem:
            message = f"{where} returned {kind.__name__} {answer.name!r}, whose {problem}"
            raise DeclarationError(message, remedy="its author must correct the declaration")
        if any(entry.name == answer.name for entry in entries):
            message = f"{where} returned two declarations named {answer.name!r}"
            raise DeclarationError(message, remedy="its author must rename one")
        entries.append(answer)
    return entries


def _problem(entry: kinds.Declaration) -> str:
    """The first thing that is wrong with a declaration, or an empty string."""
    problems = list(_common_problems(entry.name, entry.summary, entry.target, entry.settings))
    if isinstance(entry, kinds.AgentType):
        problems.extend(_agent_problems(entry))
    if isinstance(entry, kinds.IngestorType):
        problems.extend(_ingestor_problems(entry))
    if isinstance(entry, kinds.DriverType | kinds.MemoryType):
        trial: object = entry.trial
        if not isinstance(trial, dict) or not all(isinstance(name, str) for name in trial):
            problems.append(f"trial {trial!r} is not a dict of settings")
    if isinstance(entry, kinds.MemoryType):
        problems.extend(_memory_problems(entry))
    if isinstance(entry, kinds.PlannerType):
        problems.extend(_count_problems("cadence_seconds", entry.cadence_seconds, 1))
        problems.extend(_count_problems("history_days", entry.history_days))
    return next(iter(problems), "")


def _common_problems(name: object, summary: object, target: object, settings: object) -> Iterator[str]:
    """What is wrong with the fields that every declaration has; a plugin may have put anything there."""
    if not isinstance(name, str) or not NAME.fullmatch(name):
        yield f"name is not {NAME_RULE}"
    if not isinstance(summary, str) or not summary.strip() or "\n" in summary:
        yield "summary is not one line of text"
    if not isinstance(target, str) or not _TARGET.fullmatch(target):
        yield f"target {target!r} is not 'package.module:Name'"
    if not isinstance(settings, str) or (settings and not _TARGET.fullmatch(settings)):
        yield f"settings {settings!r} is not 'package.module:Name'"


def _agent_problems(entry: kinds.AgentType) -> Iterator[str]:
    """What is wrong with an agent's own fields."""
    for name, allowed in (("role", get_args(kinds.Role)), ("scope", get_args(kinds.Scope))):
        if getattr(entry, name) not in allowed:
            yield f"{name} {getattr(entry, name)!r} is not one of {', '.join(allowed)}"
    yield from _count_problems("bar_seconds", entry.bar_seconds)
    yield from _count_problems("warm_up", entry.warm_up)
    yield from _count_problems("trials", entry.trials)
    cost: object = entry.data_cost
    if cost is not None and not (
        isinstance(cost, int | float) and not isinstance(cost, bool) and 0 <= cost < float("inf")
    ):
        yield f"data_cost {cost!r} is no amount of dollars a month"
    kinds_of_words: tuple[tuple[str, type[frozenset[str] | tuple[str, ...]]], ...]
    kinds_of_words = (("needs", frozenset), ("claims", tuple), ("reasons", tuple))
    for name, kind in kinds_of_words:
        yield from _words_problems(name, getattr(entry, name), kind)


def _ingestor_problems(entry: kinds.IngestorType) -> Iterator[str]:
    """What is wrong with an ingestor's own fields."""
    yield from _count_problems("polled_seconds", entry.polled_seconds)
    recording: object = entry.recording
    if not isinstance(recording, str) or (recording and not _FILE.fullmatch(recording)):
        yield f"recording {recording!r} is not 'package:folder/file.json' inside the package"


def _memory_problems(entry: kinds.MemoryType) -> Iterator[str]:
    """What is wrong with a memory backend's own fields."""
    yield from _count_problems("max_dimension", entry.max_dimension, 1)
    for name in ("exact", "persistent"):
        if not isinstance(getattr(entry, name), bool):
            yield f"{name} {getattr(entry, name)!r} is neither True nor False"


def _words_problems(name: str, value: object, kind: type[frozenset[str] | tuple[str, ...]]) -> Iterator[str]:
    """What is wrong with a collection of words."""
    if not isinstance(value, kind) or not all(isinstance(word, str) for word in value):
        yield f"{name} {value!r} is not a {kind.__name__} of words"
    elif len(value) > _MAX_WORDS:
        yield f"{name} are {len(value)}, more than {_MAX_WORDS}"


def _count_problems(name: str, value: object, least: int = 0) -> Iterator[str]:
    """What is wrong with a number that counts something."""
    if not isinstance(value, int) or isinstance(value, bool) or value < least:
        yield f"{name} {value!r} is not a whole number of at least {least}"

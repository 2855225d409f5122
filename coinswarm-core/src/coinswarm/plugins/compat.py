"""Whether this core is one of those that a plugin was made for, told from its metadata alone.

A plugin says so by its requirement, ``coinswarm-core>=0.1,<1``, which installers read as well. Listing
plugins may load nothing but the standard library, so the version specifiers of PEP 440 are read here
as far as requirements use them; whatever else stands there is not judged.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from coinswarm.plugins.records import CORE_DISTRIBUTION, canonical

if TYPE_CHECKING:
    from collections.abc import Iterable

_REQUIREMENT = re.compile(r"\s*([A-Za-z0-9._-]+)\s*(?:\[[^\]]*\])?\s*\(?([^;()@]*)\)?\s*(?:;(.*))?")
_CLAUSE = re.compile(r"\s*(~=|==|!=|<=|>=|<|>)\s*([^\s,]+?)(\.\*)?\s*")
_VERSION = re.compile(
    r"v?(\d+(?:\.\d+)*)[-_.]?((?:a|b|c|rc|alpha|beta|pre|preview|dev|post|r|rev)[-_.\d\w]*)?(?:\+\S+)?"
)
_BEFORE, _FINAL, _AFTER = -1, 0, 1

Key = tuple[tuple[int, ...], int]


def requirement_on_core(requirements: Iterable[str]) -> str:
    """The specifiers of the requirement on coinswarm-core, as ``>=0.1,<1``; empty where there is none.

    :param requirements: the ``Requires-Dist`` fields of a distribution; those of extras are left out.
    """
    for line in requirements:
        found = _REQUIREMENT.fullmatch(line)
        if found and canonical(found[1]) == CORE_DISTRIBUTION and "extra" not in (found[3] or ""):
            return found[2].strip()
    return ""


def admits(specifiers: str, version: str) -> bool | None:
    """Whether a version is one of those that specifiers name; None where either cannot be read.

    :param specifiers: clauses of PEP 440, joined by commas.
    """
    installed = _key(version)
    if installed is None:
        return None
    answers = []
    for clause in specifiers.split(","):
        if not clause.strip():
            continue
        found = _CLAUSE.fullmatch(clause)
        wanted = _key(found[2]) if found else None
        if found is None or wanted is None or (found[3] and found[1] not in {"==", "!="}):
            return None
        answers.append(_holds(found[1], installed, wanted, _release(found[2]), prefix=bool(found[3])))
    return all(answers)


def at_least(version: str, least: str) -> bool:
    """Whether a version is ``least`` or later; False where either cannot be read."""
    return bool(admits(f">={least}", version))


def _holds(operator: str, installed: Key, wanted: Key, release: tuple[int, ...], *, prefix: bool) -> bool:
    """Whether one clause holds; ``release`` is the wanted one with its zeros, which ``~=`` and ``.*`` count."""
    if prefix:
        same = _padded(installed[0], len(release))[: len(release)] == release
        return same if operator == "==" else not same
    if operator == "~=":
        stem = release[:-1]
        return installed >= wanted and bool(stem) and _padded(installed[0], len(stem))[: len(stem)] == stem
    if operator in {"<", ">"} and installed[0] == wanted[0] and wanted[1] == _FINAL:
        return False  # PEP 440: <1 leaves out 1.0rc1, and >1 leaves out 1.0.post1
    return {
        "==": installed == wanted,
        "!=": installed != wanted,
        "<=": installed <= wanted,
        ">=": installed >= wanted,
        "<": installed < wanted,
        ">": installed > wanted,
    }[operator]


def _release(version: str) -> tuple[int, ...]:
    """The numbers of a version, as written."""
    found = _VERSION.fullmatch(version.lower())
    return tuple(int(part) for part in found[1].split(".")) if found else ()


def _padded(release: tuple[int, ...], length: int) -> tuple[int, ...]:
    """A release with zeros to at least a length."""
    return release + (0,) * (length - len(release))


def _key(version: str) -> Key | None:
    """What versions compare by: numbers without trailing zeros, then whether it lies before or after the release.

    Two pre-releases of one release compare as equal: no requirement tells them apart in practice.
    """
    found = _VERSION.fullmatch(version.lower())
    if found is None:
        return None
    release = _release(version)
    while release and release[-1] == 0:
        release = release[:-1]
    suffix = found[2] or ""
    return release, _FINAL if not suffix else _AFTER if suffix.startswith(("post", "r")) and not suffix.startswith(
        "rc"
    ) else _BEFORE

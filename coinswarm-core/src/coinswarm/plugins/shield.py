"""One distribution's damaged ``entry_points.txt`` must not stop everything.

pydantic and numba look for extensions of their own among the entry points of all distributions, and
``importlib.metadata`` raises for all of them when a single file is damaged. While a command runs, such
a file counts as empty; ``coinswarm plugins list`` names it where it is a plugin's.
"""

from __future__ import annotations

from contextlib import contextmanager
from importlib import metadata
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from collections.abc import Iterator

_READ = cast("property", metadata.Distribution.entry_points).fget
"""Python's own reader, which raises what Pythons differ in."""


def read_entry_points(distribution: metadata.Distribution) -> metadata.EntryPoints:
    """The entry points of one distribution; raises for a damaged file, shielded or not."""
    assert _READ is not None, "a property of the standard library"
    points: metadata.EntryPoints = _READ(distribution)
    return points


def _or_none(distribution: metadata.Distribution) -> metadata.EntryPoints:
    try:
        return read_entry_points(distribution)
    except Exception:  # noqa: BLE001 - see _READ
        return metadata.EntryPoints(())


@contextmanager
def shielded() -> Iterator[None]:
    """Let damaged files count as empty for whoever asks for the entry points of all distributions."""
    before = metadata.Distribution.entry_points
    metadata.Distribution.entry_points = property(_or_none)  # type: ignore[method-assign,assignment]
    try:
        yield
    finally:
        metadata.Distribution.entry_points = before  # type: ignore[method-assign]

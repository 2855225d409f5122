"""What other distributions register must neither stop a command nor run in it.

pydantic and numba look for extensions of their own among the entry points of all distributions, and import
them: whatever is installed would run in every command, also a plugin that is disabled or not trusted. While
a command runs, nobody is told of such extensions. ``importlib.metadata`` raises for all distributions when a
single file is damaged; it counts as empty, and ``coinswarm plugins list`` names it where it is a plugin's.

Who imports coinswarm into a process of their own keeps their extensions there.
"""

from __future__ import annotations

from contextlib import contextmanager
from importlib import metadata
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from collections.abc import Iterator

EXTENDING = frozenset({"numba_extensions", "pydantic"})
"""Groups of entry points that the libraries core uses would import by themselves."""

_READ = cast("property", metadata.Distribution.entry_points).fget
"""Python's own reader, which raises what Pythons differ in."""


def read_entry_points(distribution: metadata.Distribution) -> metadata.EntryPoints:
    """The entry points of one distribution; raises for a damaged file, shielded or not."""
    assert _READ is not None, "a property of the standard library"
    points: metadata.EntryPoints = _READ(distribution)
    return points


def _or_none(distribution: metadata.Distribution) -> metadata.EntryPoints:
    try:
        points = read_entry_points(distribution)
    except Exception:  # noqa: BLE001 - see _READ
        return metadata.EntryPoints(())
    return metadata.EntryPoints(point for point in points if point.group not in EXTENDING)


@contextmanager
def shielded() -> Iterator[None]:
    """Let damaged files and extensions of libraries count as absent for whoever asks for all entry points."""
    before = metadata.Distribution.entry_points
    metadata.Distribution.entry_points = property(_or_none)  # type: ignore[method-assign,assignment]
    try:
        yield
    finally:
        metadata.Distribution.entry_points = before  # type: ignore[method-assign]

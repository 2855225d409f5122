"""The graph (HNSW) over the vectors of a large space: how it is made, grows, and comes back from its file."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Vector = np.ndarray[tuple[int], np.dtype[np.float32]]
    Vectors = np.ndarray[tuple[int, int], np.dtype[np.float32]]
    Keys = np.ndarray[tuple[int], np.dtype[np.uint64]]
    Rows = np.ndarray[tuple[int], np.dtype[np.int64]]

CONNECTIVITY, EXPANSION_ADD, EXPANSION_SEARCH = 16, 128, 64
"""Links of a node, and how many candidates are looked at to place a row and, at least, to find one."""

AT_ONCE = 64
"""More rows than this are added to the graph in a thread, and until it is done recall looks at every row."""

_CHUNK = 4_096


@dataclass(frozen=True, slots=True)
class Growth:
    """Rows that a graph is to take in. What ``run`` does may be done in a thread: recall must not ask the graph then.

    :param anew: whether the graph is a new one, which nobody asks yet.
    """

    graph: Any
    anew: bool
    rows: Rows
    keys: Rows
    units: Vectors

    @property
    def quick(self) -> bool:
        """Whether it takes no longer than a few recalls."""
        return not self.anew and len(self.rows) <= AT_ONCE

    @property
    def graphed(self) -> int:
        """The key up to which the graph will hold everything."""
        return int(self.keys[-1])

    def run(self, threads: int = 1) -> None:
        """Add the rows one after the other, or by several threads: the same log then gives another graph each time."""
        ranker()
        for first in range(0, len(self.rows), _CHUNK):
            part = slice(first, first + _CHUNK)
            self.graph.add(self.keys[part].astype(np.uint64), self.units[self.rows[part]], threads=threads)


def restored(path: Path, dimension: int) -> Any:  # noqa: ANN401 - a usearch index, imported late
    """The graph in a file, or None where it is not there or is none: it can be built anew."""
    ranker()
    graph = empty_graph(dimension)
    try:
        graph.load(str(path))
    except (OSError, RuntimeError, ValueError):
        return None
    return graph if graph.ndim == dimension else None


def empty_graph(dimension: int) -> Any:  # noqa: ANN401 - a usearch index, imported late
    """A graph that holds nothing, for vectors of length 1, whose cosine is their product: that is sooner worked out."""
    from usearch.index import Index  # noqa: PLC0415 - only where there are many

    return Index(
        ndim=dimension,
        metric="ip",
        dtype="bf16",
        connectivity=CONNECTIVITY,
        expansion_add=EXPANSION_ADD,
        expansion_search=EXPANSION_SEARCH,
    )


def searcher(graph: Any) -> Callable[[Vector, int], Keys]:  # noqa: ANN401 - a usearch index, imported late
    """How a graph is asked: the keys of the nearest to a vector, so many at most.

    usearch wraps its compiled index, and makes objects of what that found: ten microseconds where a search of 100,000
    takes two hundred. The compiled one is asked itself where it is as we know it, and else as usearch documents.
    """

    def documented(asked: Vector, count: int) -> Keys:
        keys: Keys = graph.search(asked, count, threads=1).keys
        return keys

    try:
        search = graph._compiled.search_many  # noqa: SLF001 - tried, before it is relied on
        search(np.zeros((1, graph.ndim), np.float32), count=1, exact=False, threads=1)[2][0]
    except (AttributeError, IndexError, TypeError, ValueError, RuntimeError):
        return documented

    def compiled(asked: Vector, count: int) -> Keys:
        found = search(asked.reshape(1, -1), count=count, exact=False, threads=1)
        keys: Keys = found[0][0, : found[2][0]]
        return keys

    return compiled


@cache
def ranker() -> Callable[..., bool]:
    """What puts in order what a graph finds, ready to be called: numba is imported late, and compiles what is new."""
    from coinswarm.drivers.ranking import rank  # noqa: PLC0415 - only where there are many

    one, unit = np.zeros(1, np.int64), np.zeros((1, 8), np.float32)
    rank(unit, one.view(np.uint64), 0, unit[0], np.zeros(1), one)
    return rank

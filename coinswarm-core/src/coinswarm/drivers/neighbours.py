"""The vectors of one space in memory, and which of them are nearest: exactly, or by a graph where there are many.

Exact search is exact whatever a product rounds to. Single precision misses a product of unit vectors of width
d by about d * 2**-24 at most (Higham, Accuracy and Stability of Numerical Algorithms, 3.5); every row that may belong
to the k nearest within twice that is worked out again in double precision, a row at a time, so that neither the order
of rows nor the size of a block shows in an answer.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from coinswarm.domain.episode import FARTHEST, Match

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from pathlib import Path

    from coinswarm.domain.episode import Episode, Filter

    Vector = np.ndarray[tuple[int], np.dtype[np.float32]]
    Vectors = np.ndarray[tuple[int, int], np.dtype[np.float32]]
    Mask = np.ndarray[tuple[int], np.dtype[np.bool_]]
    Rows = np.ndarray[tuple[int], np.dtype[np.int64]]

FEW = 2_000
"""So many candidates are always looked at one by one: it takes as long as asking the graph."""

FEW_SHARE = 0.02
"""So are fewer than this share of all: a graph that is asked for enough to find them visits most of itself."""

OVERSAMPLED = 1.3
"""How many more the graph is asked for than a filter should leave over, if it were independent of the distance."""

DEAD_SHARE = 0.2
"""A graph of which more than this share was replaced or forgotten is built anew."""

AT_ONCE = 64
"""More rows than this are added to the graph in a thread, and until it is done recall looks at every row."""

_CHUNK = 4_096
_CONNECTIVITY, _EXPANSION_ADD, _EXPANSION_SEARCH = 16, 128, 64
_COLUMNS = {
    "key": np.int64,
    "known": np.int64,
    "decided": np.int64,
    "agent": np.int32,
    "instrument": np.int32,
    "regime": np.int32,
    "side": np.int8,
    "live": np.bool_,
}


class Neighbours:
    """Episodes by row, in the order of their keys; what is replaced or forgotten leaves a dead row behind.

    Not to be used by two threads at once. The graph grows by what ``growth`` answers.

    :param dimension: width of the vectors.
    :param exact_entries: up to how many entries every candidate is looked at.
    """

    def __init__(self, dimension: int, exact_entries: int) -> None:
        self._dimension, self._limit = dimension, exact_entries
        self._margin = 2.0 * (dimension + 2) * 2.0**-24
        self._count = 0
        self._columns: dict[str, Any] = {name: np.zeros(0, kind) for name, kind in _COLUMNS.items()}
        self._units: Vectors = np.zeros((0, dimension), np.float32)
        self._ids: list[str] = []
        self._row: dict[str, int] = {}
        self._codes: dict[str, int] = {}
        self._graph: Any = None  # a usearch index whose keys are ours
        self._graphed = 0

    def __len__(self) -> int:
        return len(self._row)

    @property
    def exact(self) -> bool:
        """Whether every candidate is looked at, at this size; with more of them, only where there is no graph yet."""
        return len(self) <= self._limit

    @property
    def has_graph(self) -> bool:
        """Whether there is a graph to save."""
        return self._graph is not None

    @property
    def dead(self) -> int:
        """Rows that were replaced or forgotten."""
        return self._count - len(self)

    @property
    def size_bytes(self) -> int:
        """What vectors and graph take, about: the same for the same entries, however the graph came to be."""
        graph = 0 if self.exact else self._dimension * 2 + _CONNECTIVITY * 12
        return len(self) * (self._dimension * 4 + graph)

    def reserve(self, count: int) -> None:
        """Make room for so many rows more."""
        wanted = self._count + count
        if wanted > len(self._units):
            room = max(wanted, 2 * len(self._units), 64)
            for name, column in self._columns.items():
                self._columns[name] = np.concatenate([column, np.zeros(room - len(column), column.dtype)])
            more = np.zeros((room - len(self._units), self._dimension), np.float32)
            self._units = np.concatenate([self._units, more])

    def put(self, key: int, episode: Episode, unit: Vector) -> None:
        """Add a row; a row of the same episode dies.

        :param key: greater than all before.
        :param unit: the vector at length 1.
        """
        self.drop(episode.id)
        self.reserve(1)
        row = self._count
        self._columns["key"][row] = key
        self._columns["live"][row] = True
        self._units[row] = unit
        self._ids.append(episode.id)
        self._row[episode.id] = row
        self._count += 1
        self.change(episode)

    def change(self, episode: Episode) -> None:
        """Replace what filters ask for, where the episode is there."""
        row = self._row.get(episode.id)
        if row is None:
            return
        columns = self._columns
        columns["known"][row], columns["decided"][row] = episode.known_ns, episode.decided_ns
        columns["side"][row] = episode.side
        for name in ("agent", "instrument", "regime"):
            columns[name][row] = self._codes.setdefault(getattr(episode, name), len(self._codes))

    def drop(self, episode_id: str) -> None:
        """Let a row die."""
        row = self._row.pop(episode_id, None)
        if row is not None:
            self._columns["live"][row] = False

    def nearest(self, asked: Vector, k: int, as_of_ns: int, where: Filter) -> list[Match]:
        """The nearest of those that count, nearest first, ties by id.

        :param asked: a vector at length 1.
        """
        mask = self._mask(as_of_ns, where)
        count = int(np.count_nonzero(mask))
        if not count or k < 1:
            return []
        rows = None
        if self._graph is not None and count > max(FEW, FEW_SHARE * self._count, k):
            rows = self._by_graph(asked, k, mask, count)
        if rows is None:
            rows = self._exactly(asked, k, mask, count)
        products = (self._units[rows].astype(np.float64) * asked.astype(np.float64)).sum(axis=1)
        distances = np.clip(1.0 - products, 0.0, FARTHEST).tolist()
        ranked = sorted(zip(distances, (self._ids[row] for row in rows.tolist()), strict=True))
        return [Match(id_, distance) for distance, id_ in ranked[:k]]

    def _mask(self, as_of_ns: int, where: Filter) -> Mask:
        """Which rows count."""
        column = {name: held[: self._count] for name, held in self._columns.items()}
        mask: Mask = column["live"] & (column["known"] <= as_of_ns)
        for name, wanted in (("agent", where.agents), ("instrument", where.instruments), ("regime", where.regimes)):
            if wanted:
                mask &= _among(column[name], [self._codes[text] for text in wanted if text in self._codes])
        if where.sides:
            mask &= _among(column["side"], where.sides)
        if where.decided_from_ns:
            mask &= column["decided"] >= where.decided_from_ns
        if where.decided_before_ns:
            mask &= column["decided"] < where.decided_before_ns
        return mask

    def _exactly(self, asked: Vector, k: int, mask: Mask, count: int) -> Rows:
        """Every row that may be one of the k nearest."""
        rows = np.flatnonzero(mask)
        gathered = 4 * count <= self._count  # to gather most rows costs more than to look at all
        # A product by rows, not by a matrix: BLAS would wake a thread on every core for it, and wait for the slowest.
        products = (
            np.vecdot(self._units[rows], asked) if gathered else np.vecdot(self._units[: self._count], asked)[rows]
        )
        if count <= k:
            return rows
        kth = np.partition(products, count - k)[count - k]
        near: Rows = rows[products >= kth - self._margin]
        return near

    def _by_graph(self, asked: Vector, k: int, mask: Mask, count: int) -> Rows | None:
        """The nearest rows that the graph finds and the mask admits, or None where it would have to search too long."""
        size = len(self._graph)
        ask = math.ceil(OVERSAMPLED * k * size / count) + 8
        while ask < size / 10:
            self._graph.expansion_search = max(_EXPANSION_SEARCH, 2 * ask)
            found = self._graph.search(asked, ask, threads=1).keys.astype(np.int64)
            keys = self._columns["key"][: self._count]
            places = np.minimum(np.searchsorted(keys, found), self._count - 1)
            rows: Rows = places[(keys[places] == found) & mask[places]]
            if len(rows) >= k:
                return rows
            ask *= 3
        return None

    def growth(self, *, anew: bool = False) -> Growth | None:
        """What the graph lacks, or None where it lacks nothing or there are too few for one.

        :param anew: build it anew, whatever it holds.
        """
        if len(self) <= self._limit:
            self._graph, self._graphed = None, 0  # as exact as it was before there were so many
            return None
        graph, graphed = self._graph, self._graphed
        if anew or graph is None or len(graph) > (1 + DEAD_SHARE) * len(self):
            graph, graphed = _empty_graph(self._dimension), 0
        held = {name: column[: self._count] for name, column in self._columns.items()}
        rows = np.flatnonzero(held["live"] & (held["key"] > graphed))
        if not len(rows):
            return None
        return Growth(graph, graph is not self._graph, rows, held["key"][rows], self._units)

    def set_aside(self) -> None:
        """Look at every candidate until a graph is adopted."""
        self._graph, self._graphed = None, 0

    def adopt(self, graph: Any, graphed: int) -> None:  # noqa: ANN401 - a usearch index, imported late
        """Search by this graph from now on.

        :param graphed: it holds every row up to this key that is alive.
        """
        self._graph, self._graphed = graph, graphed

    def compact(self) -> None:
        """Let go of dead rows; the graph knows rows by their keys and is not touched."""
        rows = np.flatnonzero(self._columns["live"][: self._count])
        self._columns = {name: column[rows] for name, column in self._columns.items()}
        self._units = self._units[rows]
        self._ids = [self._ids[row] for row in rows.tolist()]
        self._row = {id_: row for row, id_ in enumerate(self._ids)}
        self._count = len(rows)

    def save(self, path: Path) -> int:
        """Write the graph to a file; the key up to which it holds everything."""
        self._graph.save(str(path))
        return self._graphed


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

    def run(self) -> None:
        """Add the rows one after the other: by several threads, the same log would give another graph each time."""
        for first in range(0, len(self.rows), _CHUNK):
            part = slice(first, first + _CHUNK)
            self.graph.add(self.keys[part].astype(np.uint64), self.units[self.rows[part]], threads=1)


def restored(path: Path, dimension: int) -> Any:  # noqa: ANN401 - a usearch index, imported late
    """The graph in a file, or None where it is not there or is none: it can be built anew."""
    graph = _empty_graph(dimension)
    try:
        graph.load(str(path))
    except (OSError, RuntimeError, ValueError):
        return None
    return graph if graph.ndim == dimension else None


def _empty_graph(dimension: int) -> Any:  # noqa: ANN401 - a usearch index, imported late
    from usearch.index import Index  # noqa: PLC0415 - only where there are many

    return Index(
        ndim=dimension,
        metric="cos",
        dtype="f16",
        connectivity=_CONNECTIVITY,
        expansion_add=_EXPANSION_ADD,
        expansion_search=_EXPANSION_SEARCH,
    )


def _among(column: Any, wanted: Collection[int] | Sequence[int]) -> Mask:  # noqa: ANN401 - integers of any width
    """Where a column has one of some values: they are few."""
    mask: Mask = np.zeros(len(column), np.bool_)
    for value in wanted:
        mask |= column == value
    return mask

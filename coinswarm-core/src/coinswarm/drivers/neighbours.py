"""The vectors of one space in memory, and which of them are nearest: exactly, or by a graph where there are many.

Exact search is exact whatever a product rounds to. Single precision misses a product of unit vectors of width
d by about d * 2**-24 at most (Higham, Accuracy and Stability of Numerical Algorithms, 3.5); every row that may belong
to the k nearest within twice that is worked out again in double precision, a row at a time, so that neither the order
of rows nor the size of a block shows in an answer.

Three ways to find the nearest of those that count, the quickest that is sure to:

- no filter, and everything was known: the graph is asked at once, and only the dead among what it finds are left out;
- a filter that leaves many: the graph is asked for so many more as the share that counts demands, and again for
  more where the filter keeps away from what is asked;
- a filter that leaves few, or no graph: each of them is looked at.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from coinswarm.domain.episode import ANY, FARTHEST, Match
from coinswarm.drivers.graph import CONNECTIVITY, EXPANSION_SEARCH, Growth, empty_graph, ranker, searcher

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from pathlib import Path

    from coinswarm.domain.episode import Episode, Filter, LogPosition

    Vector = np.ndarray[tuple[int], np.dtype[np.float32]]
    Vectors = np.ndarray[tuple[int, int], np.dtype[np.float32]]
    Mask = np.ndarray[tuple[int], np.dtype[np.bool_]]
    Rows = np.ndarray[tuple[int], np.dtype[np.int64]]
    Keys = np.ndarray[tuple[int], np.dtype[np.uint64]]

FEW = 2_000
"""So many candidates are always looked at one by one: it takes as long as asking the graph."""

ROWS_PER_VISIT = 10
"""So many rows are looked at in order while the graph visits one more node."""

SPREAD, MORE = 2.5, 4
"""How many standard deviations more the graph is asked for than a filter leaves k of on average: it then leaves fewer
once in a hundred questions. And how many more in any case, for a graph rounds, and orders by what it rounded."""

THOROUGH = 3
"""How many times more candidates than it is asked for the graph looks at where a filter leaves hardly any of them:
those that count are then farther away, and of what is far it finds a smaller share."""

DEAD_SHARE = 0.2
"""A graph of which more than this share was replaced or forgotten is built anew."""

UNEVEN = 1e-3
"""So far from 1 may the square of a length be that is 1: it was rounded to single precision a number at a time."""

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
        self.applied: LogPosition | None = None
        """The last log entry that changed it: beside what it says, so that both are of one moment."""
        self._margin = 2.0 * (dimension + 2) * 2.0**-24
        self._count = 0
        self._columns: dict[str, Any] = {name: np.zeros(0, kind) for name, kind in _COLUMNS.items()}
        self._units: Vectors = np.zeros((0, dimension), np.float32)
        self._ids: list[str] = []
        self._row: dict[str, int] = {}
        self._codes: dict[str, int] = {}
        self._latest = 0
        """No outcome was known later than this."""
        self._first = self._last = 0
        """The least key, and the greatest."""
        self._gapless = True
        """Whether each row's key is one more than that of the row before."""
        self._graph: Any = None  # a usearch index whose keys are ours
        self._graphed = self._size = self._effort = 0
        """Up to which key it holds everything, how many rows it holds, how many candidates it looks at."""
        self._search: Any = None  # ``graph.searcher`` and ``ranking.rank``, once there is a graph
        self._rank: Any = None
        self._distances, self._rows = np.zeros(64), np.zeros(64, np.int64)

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
        graph = 0 if self.exact else self._dimension * 2 + CONNECTIVITY * 12
        return len(self) * (self._dimension * 4 + graph)

    def sound(self) -> bool:
        """Whether every vector has the length 1, as what is kept has: one that is not finite has none."""
        held = self._units[: self._count]
        with np.errstate(all="ignore"):
            return bool((np.abs(np.vecdot(held, held) - 1.0) <= UNEVEN).all())

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
        if row and key != self._last + 1:
            self._gapless = False
        self._columns["key"][row] = key
        self._columns["live"][row] = True
        self._units[row] = unit
        self._ids.append(episode.id)
        self._row[episode.id] = row
        self._first, self._last = self._first if row else key, key
        self._count += 1
        self.change(episode)

    def change(self, episode: Episode) -> None:
        """Replace what filters ask for, where the episode is there."""
        row = self._row.get(episode.id)
        if row is None:
            return
        columns = self._columns
        columns["known"][row], columns["decided"][row] = episode.known_ns, episode.decided_ns
        self._latest = max(self._latest, episode.known_ns)
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
        if k < 1:
            return []
        if self._graph is not None and as_of_ns >= self._latest and (where is ANY or where == ANY):
            found = self._unfiltered(asked, k)
            if found is not None:
                return found
        return self._filtered(asked, k, self._mask(as_of_ns, where))

    def _unfiltered(self, asked: Vector, k: int) -> list[Match] | None:
        """The nearest that the graph finds, without a look at all the others; None where too few of them live."""
        if len(self._row) <= FEW:
            return None
        if self._size == len(self._row) and self._graphed >= self._last:  # it holds all that lives, and nothing else
            keys = self._searched(asked, k + MORE, k + MORE)
            if self._gapless:
                return self._ranked(asked, k, keys, self._first)
            rows = self._columns["key"][: self._count].searchsorted(keys.view(np.int64))
            return self._ranked(asked, k, rows.view(np.uint64), 0)
        ask = _enough(k, len(self) / self._size)
        rows = self._found(asked, ask, ask)
        if self.dead:
            rows = rows[self._columns["live"][rows]]
        return self._ranked(asked, k, rows.view(np.uint64), 0) if len(rows) >= k else None

    def _filtered(self, asked: Vector, k: int, mask: Mask) -> list[Match]:
        """The nearest of those that a mask admits."""
        count = int(np.count_nonzero(mask))
        if self._graph is not None and count > FEW:
            ask = _enough(k, count / self._size)
            times = 1 + THOROUGH * (1 - count / max(count, self._size))
            while count > ROWS_PER_VISIT * max(EXPANSION_SEARCH, times * ask):
                rows = self._found(asked, ask, int(times * ask))
                rows = rows[mask[rows]]
                if len(rows) >= k:
                    return self._ranked(asked, k, rows.view(np.uint64), 0)
                ask *= 3
        return self._exactly(asked, k, mask, count)

    def _searched(self, asked: Vector, ask: int, effort: int) -> Keys:
        """Keys that the graph finds.

        :param effort: how many candidates it looks at, at least.
        """
        effort = max(EXPANSION_SEARCH, effort)
        if effort != self._effort:
            self._graph.expansion_search = self._effort = effort
        keys: Keys = self._search(asked, ask)
        return keys

    def _found(self, asked: Vector, ask: int, effort: int) -> Rows:
        """Rows that the graph finds: dead ones too, but none that was let go of."""
        keys = self._searched(asked, ask, effort).view(np.int64)
        rows: Rows
        if self._gapless:
            beyond: Rows = keys - self._first
            rows = beyond[(beyond >= 0) & (beyond < self._count)]
            return rows
        own = self._columns["key"][: self._count]
        places = np.minimum(own.searchsorted(keys), self._count - 1)
        rows = places[own[places] == keys]
        return rows

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

    def _exactly(self, asked: Vector, k: int, mask: Mask, count: int) -> list[Match]:
        """The nearest of those that a mask admits: each of them is looked at."""
        rows = np.flatnonzero(mask)
        gathered = 4 * count <= self._count  # to gather most rows costs more than to look at all
        if count > k:
            # A product by rows, not by a matrix: BLAS would wake a thread on every core, and wait for the slowest.
            products = (
                np.vecdot(self._units[rows], asked) if gathered else np.vecdot(self._units[: self._count], asked)[rows]
            )
            kth = np.partition(products, count - k)[count - k]
            rows = rows[products >= kth - self._margin]
        products = np.multiply(self._units[rows], asked, dtype=np.float64).sum(axis=1)
        distances, ids = np.clip(1.0 - products, 0.0, FARTHEST).tolist(), self._ids
        near = sorted(zip(distances, [ids[row] for row in rows.tolist()], strict=True))
        return [_match(id_, distance) for distance, id_ in near[:k]]

    def _ranked(self, asked: Vector, k: int, keys: Keys, first: int) -> list[Match]:
        """The nearest of what a graph found.

        :param keys: of rows; :param first: the key of row 0.
        """
        count = len(keys)
        if count > len(self._distances):
            self._distances, self._rows = np.zeros(2 * count), np.zeros(2 * count, np.int64)
        tied, ids = self._rank(self._units, keys, first, asked, self._distances, self._rows), self._ids
        if not tied:
            near = min(count, k)
            return [
                _match(ids[row], distance)
                for distance, row in zip(self._distances[:near].tolist(), self._rows[:near].tolist(), strict=True)
            ]
        ranked = zip(self._distances[:count].tolist(), self._rows[:count].tolist(), strict=True)
        return [_match(id_, distance) for distance, id_ in sorted((one, ids[row]) for one, row in ranked)[:k]]

    def growth(self, *, anew: bool = False) -> Growth | None:
        """What the graph lacks, or None where it lacks nothing or there are too few for one.

        :param anew: build it anew, whatever it holds.
        """
        if len(self) <= self._limit:
            self.set_aside()  # as exact as it was before there were so many
            return None
        graph, graphed = self._graph, self._graphed
        if anew or graph is None or len(graph) > (1 + DEAD_SHARE) * len(self):
            graph, graphed = empty_graph(self._dimension), 0
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
        if graph is not self._graph:
            self._search, self._rank = searcher(graph), ranker()
        self._graph, self._graphed, self._size, self._effort = graph, graphed, len(graph), 0

    def compact(self) -> None:
        """Let go of dead rows; the graph knows rows by their keys and is not touched."""
        rows = np.flatnonzero(self._columns["live"][: self._count])
        self._gapless = self._gapless and len(rows) == self._count
        self._columns = {name: column[rows] for name, column in self._columns.items()}
        self._units = self._units[rows]
        self._ids = [self._ids[row] for row in rows.tolist()]
        self._row = {id_: row for row, id_ in enumerate(self._ids)}
        self._count = len(rows)
        self._first, self._last = (int(key) for key in self._columns["key"][[0, -1]]) if self._count else (0, 0)

    def save(self, path: Path) -> int:
        """Write the graph to a file; the key up to which it holds everything."""
        self._graph.save(str(path))
        return self._graphed


def _among(column: Any, wanted: Collection[int] | Sequence[int]) -> Mask:  # noqa: ANN401 - integers of any width
    """Where a column has one of some values: they are few."""
    mask: Mask = np.zeros(len(column), np.bool_)
    for value in wanted:
        mask |= column == value
    return mask


def _enough(k: int, share: float) -> int:
    """How many of all to ask for, that k of them count: that many are a sum of draws, each with the share's odds."""
    share = min(share, 1.0)
    return math.ceil((k + SPREAD * math.sqrt(k * (1.0 - share)) + MORE) / share)


_new = Match.__new__
_id, _distance = vars(Match)["episode_id"].__set__, vars(Match)["distance"].__set__


def _match(episode_id: str, distance: float) -> Match:
    """A match without the checks of one: the id is an episode's own, and the distance is within bounds.

    With its checks it takes three times as long to make one.
    """
    found = _new(Match)
    _id(found, episode_id)
    _distance(found, distance)
    return found

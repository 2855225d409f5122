"""What a run recalled, as it is kept with the run: enough to decide again without an index."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from coinswarm.memory.quorum.records import Head
    from coinswarm.memory.recall.estimate import Neighbour

    Table = np.ndarray[tuple[int, int], np.dtype[np.int64]]
    Ids = np.ndarray[tuple[int, int], np.dtype[np.uint8]]

PPM = 1_000_000

RECALL_FIELDS = (
    "known_ns",
    "instrument",
    "seat",
    "side",
    "multiplier_bp",
    "how",
    "position",
    "effective_ppm",
    "base_ppm",
    "outcome_ppm",
    "neighbours",
)
"""Columns of a recall; ``position`` is the index in the log that it read up to, ``how`` a ``How``."""

NEIGHBOUR_FIELDS = ("decided_ns", "known_ns", "distance_ppm", "result_ppm", "risk_ppm", "weight_ppm")
"""Columns of a neighbour; those of one recall follow one another, nearest first."""


EARLIER_FIELDS = ("known_ns", "seat", "result_ppm", "risk_ppm")
"""Columns of an outcome of before the run."""


class How(IntEnum):
    """How a multiplier came about. Codes are stored with runs and do not change."""

    ESTIMATE = 0
    """Core's estimate."""
    AGENT = 1
    """The agent reconsidered, knowing the neighbours."""
    NO_VECTOR = 2
    """The agent had nothing to recall by: no multiplier."""
    NOTHING_KNOWN = 3
    """No outcome was known yet: no multiplier."""
    TOO_FEW = 4
    """Fewer effective neighbours than it takes: no multiplier."""
    FAULT = 5
    """The agent raised, or its answer was none: no multiplier."""


class Recall(NamedTuple):
    """One change of direction, and what memory said to it.

    :param known_ns: when it was decided.
    :param instrument, seat: by number.
    :param side: 1 long, -1 short.
    :param position: index of the log's last entry.
    :param effective: number of effective neighbours; :param base, outcome: multiples of what was at risk.
    """

    known_ns: int
    instrument: int
    seat: int
    side: int
    multiplier_bp: int
    how: How
    position: int
    effective: float = 0.0
    base: float = 0.0
    outcome: float = 0.0
    neighbours: tuple[Neighbour, ...] = ()


class Numbers(NamedTuple):
    """What a run committed, and what its sizing learned from: as in ``RecallRecord``."""

    episodes: int = 0
    refused: int = 0
    earlier: Sequence[tuple[int, ...]] = ()
    withheld: Sequence[tuple[int, int]] = ()


@dataclass(frozen=True, slots=True, eq=False)
class RecallRecord:
    """All recalls of a run, in the order in which they were decided.

    :param rows: [r, 11], ``RECALL_FIELDS``.
    :param neighbours: [m, 6], ``NEIGHBOUR_FIELDS``.
    :param ids: uint8[m, 32], ids of the neighbours' episodes.
    :param fork, head: index and digest of the log where the run began to read it, and where it ended.
    :param episodes: how many the run added; :param refused: how many the swarm refused.
    :param earlier: [e, 4], ``EARLIER_FIELDS``: outcomes of before the run that sizing counted.
    :param withheld: [w, 2], number of a trade, and seats (a bit each) whose sizing did not count it.
    :param log: whose log it is, as ``cluster/shard``; empty: the run's own.
    """

    rows: Table
    neighbours: Table
    ids: Ids
    fork: tuple[int, str]
    head: tuple[int, str]
    episodes: int
    refused: int
    earlier: Table
    withheld: Table
    log: str = ""

    @classmethod
    def of(cls, recalls: Sequence[Recall], fork: Head, head: Head, numbers: Numbers, log: str = "") -> RecallRecord:
        """The tables of recalls."""
        rows = [(*r[:7], _ppm(r.effective), _ppm(r.base), _ppm(r.outcome), len(r.neighbours)) for r in recalls]
        near = [one for recall in recalls for one in recall.neighbours]
        told = [
            (e.decided_ns, e.known_ns, _ppm(one.distance), e.result_ppm, e.risk_ppm, _ppm(one.weight))
            for one in near
            for e in (one.episode,)
        ]
        ids = b"".join(bytes.fromhex(one.episode.id) for one in near)
        return cls(
            np.array(rows, np.int64).reshape(len(rows), len(RECALL_FIELDS)),
            np.array(told, np.int64).reshape(len(told), len(NEIGHBOUR_FIELDS)),
            np.frombuffer(ids, np.uint8).reshape(-1, 32),
            (fork.index, fork.hash),
            (head.index, head.hash),
            numbers.episodes,
            numbers.refused,
            np.array(numbers.earlier, np.int64).reshape(len(numbers.earlier), len(EARLIER_FIELDS)),
            np.array(numbers.withheld, np.int64).reshape(len(numbers.withheld), 2),
            log,
        )

    def multipliers(self, instrument: int, seat: int) -> dict[int, int]:
        """Of one seat on one instrument: when it was decided -> multiplier."""
        mine = (self.rows[:, 1] == instrument) & (self.rows[:, 2] == seat)
        return dict(self.rows[mine][:, [0, 4]].tolist())

    def neighbours_of(self, row: int) -> tuple[list[dict[str, int]], list[str]]:
        """The neighbours of one recall by name, and their ids."""
        counts = self.rows[:, RECALL_FIELDS.index("neighbours")]
        first = int(counts[:row].sum())
        part = slice(first, first + int(counts[row]))
        told = [dict(zip(NEIGHBOUR_FIELDS, one, strict=True)) for one in self.neighbours[part].tolist()]
        return told, [bytes(one).hex() for one in self.ids[part]]

    @property
    def abstained(self) -> int:
        """How many recalls changed nothing because there was too little to go by."""
        how = self.rows[:, RECALL_FIELDS.index("how")]
        return int(np.count_nonzero(how > How.AGENT))


def _ppm(value: float) -> int:
    """Millionths, rounded half to even."""
    return round(value * PPM)

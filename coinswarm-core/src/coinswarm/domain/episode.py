"""What happened once and how it ended: what memory keeps, finds again, and hands to agents (S20, S21)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from coinswarm.domain.valid import digest, line, name, whole

DIMENSION_LIMIT = 4_096
"""No space has wider vectors."""

FARTHEST = 2.0
"""Cosine distance of opposite vectors."""

NEARLY_ONE = 1e-6
"""So far from 1 may the square of a length be that is 1 as far as single precision goes."""


LARGEST = (1 << 63) - 1
"""Times and amounts are int64: backends keep them in columns, and refuse what does not fit, each in its own way."""

FIRST_SHARD = "main"
"""What the only shard of most clusters is called."""


def swarm_of(cluster: str, shard: str) -> str:
    """Whose memory an index of a log is: each log of a cluster has its own, or they would clear each other's.

    That of the first shard bears the cluster's name alone, as it did before there were several. No profile's cluster or
    shard has a stroke in its name, so that no two logs have one name.
    """
    return cluster if shard == FIRST_SHARD else f"{cluster}/{shard}"


@dataclass(frozen=True, slots=True)
class Space:
    """Where vectors can be compared with one another: made by one version of one embedder for one swarm.

    Nothing that is remembered in one space is ever found in another.

    :param swarm: whose memory it is.
    :param name: of the embedder and its version, as in ``trend/state.2``; another scaling is another name.
    :param dimension: width of every vector in it.
    :raises ValueError: for a name or width that is none.
    """

    swarm: str
    name: str
    dimension: int

    def __post_init__(self) -> None:
        name("swarm of the space", self.swarm)
        name("name of the space", self.name)
        whole(f"dimension of {self.name}", self.dimension, 1, DIMENSION_LIMIT)

    def unit(self, vector: Any) -> Any:  # noqa: ANN401 - float32[dimension]; this module imports no numpy
        """A vector of this space at length 1, as what is kept or recalled by.

        :param vector: float32[dimension].
        :raises ValueError: for one of another kind or width, or without a direction: zero, or not finite.
        """
        wide, square = self._measured(vector)
        return (wide / math.sqrt(square)).astype("float32")

    def asked(self, vector: Any) -> Any:  # noqa: ANN401 - as above
        """A vector to recall by: as it is where its length is 1 already, which most are; else as ``unit`` makes it.

        What is kept is always made by ``unit``, so that its bytes are the same whoever keeps it.

        :param vector: float32[dimension].
        :raises ValueError: as ``unit``.
        """
        wide, square = self._measured(vector)
        if -NEARLY_ONE <= square - 1.0 <= NEARLY_ONE and vector.flags.carray:
            return vector
        return (wide / math.sqrt(square)).astype("float32")

    def _measured(self, vector: Any) -> tuple[Any, float]:  # noqa: ANN401 - as above
        """A vector in double precision, and the square of its length.

        :raises ValueError: as ``unit``.
        """
        kind: Any = getattr(vector, "dtype", type(vector).__name__)
        shape = getattr(vector, "shape", ())
        single = getattr(kind, "char", "") == "f" and kind.isnative  # sooner said than its name
        if not single or shape != (self.dimension,):
            message = f"a vector of {self.name} is {kind}{list(shape)}, but must be float32[{self.dimension}]"
            raise ValueError(message)
        wide = vector.astype("float64")
        square = float(wide.dot(wide))
        if not 0.0 < square < math.inf:
            message = f"a vector of {self.name} has the length {math.sqrt(square)}: it has no direction"
            raise ValueError(message)
        return wide, square


@dataclass(frozen=True, slots=True, kw_only=True)
class Episode:
    """A decision that became a trade, and what came of it. Its vector travels beside it.

    :param id: 64 hex digits, derived from the decision: the same decision has the same id everywhere.
    :param agent: whose decision it was, as the seat is named.
    :param instrument: symbol.
    :param side: 1 long, -1 short.
    :param decided_ns: when it was decided, nanoseconds since the epoch.
    :param known_ns: when its outcome could be known, never before ``decided_ns`` (S21).
    :param result_ppm: profit after fees and funding, in millionths of the position's value at entry.
    :param risk_ppm: loss at the stop, by the most that was held, costs included, same unit; 0 without a stop.
    :param stopped: whether a protective stop closed it.
    :param regime: the market's regime at the decision, or empty.
    :param quality_bp: how far its record is trusted: 10,000 when every fill is confirmed.
    :raises ValueError: for a number or text that is none of these, or a number that is no int64.
    """

    id: str
    agent: str
    instrument: str
    side: int
    decided_ns: int
    known_ns: int
    result_ppm: int
    risk_ppm: int = 0
    stopped: bool = False
    regime: str = ""
    quality_bp: int = 10_000

    def __post_init__(self) -> None:
        digest("id of the episode", self.id)
        name("agent of the episode", self.agent)
        line("instrument of the episode", self.instrument, empty=False)
        if type(self.side) is not int or self.side not in {1, -1}:  # True and 1.0 are equal to 1, and hashed otherwise
            message = f"side of the episode is {self.side!r}, but must be 1 or -1"
            raise ValueError(message)
        whole("decided_ns of the episode", self.decided_ns, 0, LARGEST)
        whole("known_ns of the episode", self.known_ns, self.decided_ns, LARGEST)
        whole("result_ppm of the episode", self.result_ppm, -LARGEST - 1, LARGEST)
        whole("risk_ppm of the episode", self.risk_ppm, 0, LARGEST)
        if self.regime:
            name("regime of the episode", self.regime)
        whole("quality_bp of the episode", self.quality_bp, 0, 10_000)


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """Which episodes count; what is left empty excludes nothing.

    :param agents, instruments, sides, regimes: one of these.
    :param decided_from_ns, decided_before_ns: decided within; the end is exclusive, 0 for none.
    :raises ValueError: for an end that is not after its beginning.
    """

    agents: frozenset[str] = frozenset()
    instruments: frozenset[str] = frozenset()
    sides: frozenset[int] = frozenset()
    regimes: frozenset[str] = frozenset()
    decided_from_ns: int = 0
    decided_before_ns: int = 0

    def __post_init__(self) -> None:
        whole("decided_from_ns of the filter", self.decided_from_ns)
        whole("decided_before_ns of the filter", self.decided_before_ns)
        if self.decided_before_ns and self.decided_before_ns <= self.decided_from_ns:
            message = f"the filter ends at {self.decided_before_ns}, at or before its beginning {self.decided_from_ns}"
            raise ValueError(message)

    def admits(self, episode: Episode) -> bool:
        """Whether an episode counts."""
        return (
            (not self.agents or episode.agent in self.agents)
            and (not self.instruments or episode.instrument in self.instruments)
            and (not self.sides or episode.side in self.sides)
            and (not self.regimes or episode.regime in self.regimes)
            and episode.decided_ns >= self.decided_from_ns
            and (not self.decided_before_ns or episode.decided_ns < self.decided_before_ns)
        )


ANY = Filter()
"""Excludes nothing."""


@dataclass(frozen=True, slots=True)
class Match:
    """What a backend finds: which episode, and how far away. What became of it is read from committed data.

    :param episode_id: of the episode.
    :param distance: cosine distance of the two vectors, 1 - cos of their angle: 0 to 2.
    :raises ValueError: for an id that is none, or a distance that is not finite or negative.
    """

    episode_id: str
    distance: float

    def __post_init__(self) -> None:
        digest("episode_id of the match", self.episode_id)
        if not (isinstance(self.distance, float) and 0.0 <= self.distance <= FARTHEST):
            message = f"distance of the match is {self.distance!r}, but must be a number from 0 to 2"
            raise ValueError(message)


@dataclass(frozen=True, slots=True)
class Recollection:
    """An episode that resembles the present: what an agent is shown when it reconsiders.

    :param episode: as committed; its outcome was known when it was recalled.
    :param distance: cosine distance of its vector from the one recalled by, 0 to 2.
    :param weight: what it counts for beside the others: nearness, age, regime and quality; 0 to 1.
    """

    episode: Episode
    distance: float
    weight: float = 1.0


@dataclass(frozen=True, slots=True)
class LogPosition:
    """A place in the log of what the quorum decided.

    :param index: number of the entry, from 1.
    :param digest: of the entry: two histories differ in it where they part.
    :raises ValueError: for an index or digest that is none.
    """

    index: int
    digest: str

    def __post_init__(self) -> None:
        whole("index of the log position", self.index, 1, LARGEST)
        digest("digest of the log position", self.digest)


@dataclass(frozen=True, slots=True)
class MemoryInfo:
    """What a backend holds of one space.

    :param entries: episodes that can be recalled.
    :param size_bytes: what they take, about; vectors at least.
    :param exact: whether recall looks at every candidate, at this size.
    :param applied: the last log entry that changed it, or None.
    """

    entries: int
    size_bytes: int
    exact: bool
    applied: LogPosition | None = None

    def __post_init__(self) -> None:
        whole("entries", self.entries)
        whole("size_bytes", self.size_bytes)


@dataclass(frozen=True, slots=True)
class MemoryStats:
    """What a backend did since it was made; counters only grow, so that two readings give a rate.

    :param recalls, remembered, updated, forgotten: how many of each, episodes for writes.
    :param recall_ns: time spent in recalls, in nanoseconds of a monotonic clock.
    """

    recalls: int
    remembered: int
    updated: int
    forgotten: int
    recall_ns: int

    def __post_init__(self) -> None:
        for field in ("recalls", "remembered", "updated", "forgotten", "recall_ns"):
            whole(field, getattr(self, field))

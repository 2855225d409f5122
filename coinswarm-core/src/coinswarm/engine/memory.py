"""Memory inside a run: recall where a direction changes, episodes from closed trades (S20, S21).

A session tells it what agents say and which trades close; it asks an index which episodes are near, and reads what
became of them from the log. Whoever runs the session brings both.
"""

from __future__ import annotations

import math
from bisect import insort
from typing import TYPE_CHECKING, NamedTuple, Protocol

import numpy as np

from coinswarm.domain.action import MAX_BP, Action, Side, checked
from coinswarm.domain.episode import FARTHEST, Filter, LogPosition, Recollection, Space
from coinswarm.domain.market import MarketState
from coinswarm.engine.remembering import Settled
from coinswarm.engine.result import Faults
from coinswarm.errors import ContractError, one_line
from coinswarm.memory.recall.episodes import episode_of
from coinswarm.memory.recall.estimate import DISTANCE_STEPS, bounded, estimate, independent, scaled, weigh
from coinswarm.memory.recall.privatelog import Remembered
from coinswarm.memory.recall.record import How, Numbers, Recall, RecallRecord
from coinswarm.memory.recall.rules import FULL_BP

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from coinswarm.domain.episode import Episode, Match
    from coinswarm.domain.outcome import TradeOutcome
    from coinswarm.engine.plan import RunPlan
    from coinswarm.memory.recall.episodes import Traded
    from coinswarm.memory.recall.estimate import Neighbour
    from coinswarm.memory.recall.privatelog import PrivateLog

    Vector = np.ndarray[tuple[int], np.dtype[np.float32]]
    Vectors = np.ndarray[tuple[int, int], np.dtype[np.float32]]

Rounded = tuple[int, int, int, int, int]

OVERSAMPLED, MOST_ASKED = 4, 4_096
"""So many times the neighbours wanted are asked for first, because some overlap; and no more than this at once."""


class Index(Protocol):
    """Which episodes are near: a memory backend, asked from where a session runs."""

    def remember(self, space: Space, episode: Episode, vector: Vector, at: LogPosition) -> None:
        """Take in an episode that was committed at ``at``."""

    def nearest(self, space: Space, vector: Vector, k: int, as_of_ns: int, where: Filter) -> Sequence[Match]:
        """As ``MemoryBackend.recall``."""


class _Decision(NamedTuple):
    """A change of direction, which may become an episode.

    :param found: space and vector that it was recalled by; None where there was none: it becomes no episode, and no
        trade that came of it is taken for an earlier decision's.
    """

    known_ns: int
    side: int
    found: tuple[Space, Vector] | None


class Tracker:
    """One seat on one instrument: notices where its direction changes, and holds the multiplier until the next change.

    :param shortable: whether SELL means short, or flat.
    """

    __slots__ = ("_bar", "_k", "_memory", "_seat", "_shortable", "factor", "target")

    def __init__(self, memory: RunMemory, seat: int, k: int, bar_ns: int, *, shortable: bool) -> None:
        self._memory, self._seat, self._k, self._bar = memory, seat, k, bar_ns
        self._shortable = shortable
        self.target, self.factor = 0, FULL_BP

    def heard(self, said: Rounded, row: int, open_ns: int) -> Rounded:
        """What the seat says at a bar, its confidence in the light of memory."""
        direction, confidence = said[0], said[1]
        target = next_target(self.target, direction, confidence, shortable=self._shortable)
        if target != self.target:
            self.target = target
            self.factor = (
                self._memory.recall(self._seat, self._k, row, open_ns + self._bar, said) if target else FULL_BP
            )
        if self.factor == FULL_BP or confidence <= 0:
            return said
        return (direction, scaled(confidence, self.factor), *said[2:])


def next_target(target: int, direction: int, confidence: int, *, shortable: bool) -> int:
    """The target after one more answer (S1): HOLD and an agent's own abstention keep it, a masked row drops it."""
    if confidence < 0:
        return 0 if direction == Side.ABSTAIN else target
    if direction == Side.HOLD:
        return target
    return direction if direction > 0 or shortable else 0


class RunMemory:
    """The memory of one run.

    :param plan: has rules to recall by.
    :param swarm: whose spaces they are, in the index.
    """

    def __init__(self, plan: RunPlan, index: Index, log: PrivateLog, swarm: str) -> None:
        assert plan.recall is not None, "a plan without memory has none"
        self._plan, self._rules, self._index = plan, plan.recall, index
        self.log, self.swarm = log, swarm
        self.recalls: list[Recall] = []
        self.faults: dict[str, Faults] = {}
        self.spaces: set[Space] = set()
        self._added = self.refused = 0
        self._vectors: dict[str, Vector] = {}
        self._columns: dict[tuple[int, int], Vectors | None] = {}
        self._open: dict[tuple[int, int], list[_Decision]] = {}
        self._closed: list[tuple[int, Traded]] = []
        self._earlier: list[tuple[int, int, int, int]] = []
        self._next, self._trades = 0, 0
        self._withheld: list[tuple[int, int]] = []

    def adopt(self, space: Space, episodes: Sequence[Episode], vectors: Vectors) -> None:
        """Hold episodes that were committed before the run began; the index is told of them by who calls.

        Sizing counts each from when its outcome was known on (S19).

        :param vectors: a row of length 1 for each.
        """
        self.spaces.add(space)
        seats = {one.name: seat for seat, one in enumerate(self._plan.seats) if one.space}
        for episode, vector in zip(episodes, vectors, strict=True):
            self.log.adopt(episode)
            self._vectors[episode.id] = vector
            if episode.agent in seats:
                told = (episode.known_ns, seats[episode.agent], episode.result_ppm, episode.risk_ppm)
                insort(self._earlier, told)

    def tracker(self, seat: int, k: int) -> Tracker | None:
        """Who watches a seat on an instrument; None where it recalls nothing."""
        if not self._plan.seats[seat].space:
            return None
        instrument = self._plan.bars[k].instrument
        return Tracker(self, seat, k, self._plan.bar_ns, shortable=instrument.shortable)

    # -- recall

    def recall(self, seat: int, k: int, row: int, now: int, said: Rounded) -> int:
        """The multiplier of a seat whose direction has just changed, in basis points.

        :param row: of the bar that was known at ``now``.
        :param said: its action, rounded.
        """
        side = said[0]
        found, problem = self._vector(seat, k, row)
        self._open.setdefault((seat, k), []).append(_Decision(now, side, found))
        if found is None:
            return self._note(
                Recall(now, k, seat, side, FULL_BP, How.FAULT if problem else How.NO_VECTOR, self._at), problem
            )
        space, vector = found
        as_of = now - self._rules.embargo_ns
        neighbours = self._neighbours(seat, side, space, vector, as_of, now)
        base = self.log.base(self._plan.seats[seat].name, side, as_of)
        told = estimate(neighbours, base, self._rules)
        recall = Recall(
            now, k, seat, side, told.multiplier_bp, How.ESTIMATE, self._at,
            told.effective, told.base, told.outcome, neighbours,
        )  # fmt: skip
        if told.abstains:
            return self._note(recall._replace(how=How.TOO_FEW if neighbours else How.NOTHING_KNOWN))
        if not self._plan.seats[seat].reconsiders:
            return self._note(recall)
        multiplier, problem = self._reconsidered(seat, k, said, neighbours)
        return self._note(recall._replace(multiplier_bp=multiplier, how=How.FAULT if problem else How.AGENT), problem)

    @property
    def _at(self) -> int:
        return self.log.head.index

    def _note(self, recall: Recall, problem: str = "") -> int:
        """Keep a recall; returns its multiplier."""
        self.recalls.append(recall)
        if problem:
            name = self._plan.seats[recall.seat].name
            before = self.faults.get(name, Faults())
            self.faults[name] = Faults(before.times + 1, before.first or f"{problem} (recalling)")
        return recall.multiplier_bp

    def _vector(self, seat: int, k: int, row: int) -> tuple[tuple[Space, Vector] | None, str]:
        """What a seat recalls by at a bar, at length 1; or what is wrong with it."""
        try:
            vector = self._embedded(seat, k, row)
            if vector is None:
                return None, ""
            space = Space(self.swarm, self._plan.seats[seat].space, len(vector))
            unit = space.unit(vector)
        except Exception as error:  # noqa: BLE001 - a plugin may raise anything; it recalls nothing and is counted
            return None, one_line(error)
        self.spaces.add(space)
        return (space, unit), ""

    def _embedded(self, seat: int, k: int, row: int) -> Any:  # noqa: ANN401 - a plugin may answer anything
        agent, bars = self._plan.seats[seat].agents[k], self._plan.bars[k]
        if (seat, k) not in self._columns:
            found = agent.embed_all(bars)
            if found is not None and found.shape[:1] != (len(bars),):
                message = f"embed_all answered {found.shape} for {len(bars)} bars"
                raise ContractError(message)
            self._columns[seat, k] = found
        columns = self._columns[seat, k]
        if columns is None:
            return agent.embed(MarketState.at(bars, row))
        return columns[row] if columns[row].any() else None

    def _neighbours(  # noqa: PLR0913 - what recall depends on
        self, seat: int, side: int, space: Space, vector: Vector, as_of: int, now: int
    ) -> tuple[Neighbour, ...]:
        """The nearest episodes of the seat on that side, one of each time, with what each counts for.

        Whatever the index finds, only what the log holds and what was known counts, and how far it is is measured here:
        indexes differ in the third digit.
        """
        rules, where = self._rules, Filter(agents=frozenset({self._plan.seats[seat].name}), sides=frozenset({side}))
        ask = OVERSAMPLED * rules.neighbours
        while True:
            matches = self._index.nearest(space, vector, ask, as_of, where)
            read = (self.log.get(match.episode_id) for match in matches)
            known = [one for one in read if one is not None and one.known_ns <= as_of and where.admits(one)]
            chosen = independent(self._measured(known, vector), rules.neighbours)
            if len(chosen) == rules.neighbours or len(matches) < ask or ask >= MOST_ASKED:
                return weigh(chosen, now_ns=now, regime="", rules=rules)
            ask *= OVERSAMPLED

    def _measured(self, episodes: Sequence[Episode], vector: Vector) -> list[tuple[Episode, float]]:
        """Episodes with their cosine distances, nearest first, ties by id."""
        if not episodes:
            return []
        there = np.stack([self._vectors[one.id] for one in episodes]).astype(np.float64)
        distances = np.clip(1.0 - there @ vector.astype(np.float64), 0.0, FARTHEST)
        rounded = np.rint(distances * DISTANCE_STEPS) / DISTANCE_STEPS
        return sorted(zip(episodes, rounded.tolist(), strict=True), key=lambda one: (one[1], one[0].id))

    def _reconsidered(self, seat: int, k: int, said: Rounded, neighbours: Sequence[Neighbour]) -> tuple[int, str]:
        """The multiplier that the agent's own answer comes to, and what is wrong with that."""
        tick = float(self._plan.bars[k].instrument.tick)
        side, confidence, size, stop, take = said
        action = Action(Side(side), confidence / MAX_BP, size / MAX_BP, stop * tick, take * tick)
        recalled = tuple(Recollection(one.episode, one.distance, one.weight) for one in neighbours)
        try:
            answer = checked(self._plan.seats[seat].agents[k].reconsider(action, recalled))
        except Exception as error:  # noqa: BLE001 - a plugin may raise anything; its action stands and is counted
            return FULL_BP, one_line(error)
        if answer._replace(confidence=action.confidence) != action or not math.isfinite(answer.confidence):
            return FULL_BP, "reconsider changed more than the confidence, or answered with no valid action"
        return (bounded(answer.confidence / action.confidence) if action.confidence else FULL_BP), ""

    # -- episodes

    def closed(self, k: int, trade: Traded) -> None:
        """A trade of instrument ``k`` was closed; it is remembered when its outcome is known."""
        self._closed.append((k, trade))

    def known(self, now: int) -> list[tuple[int, int, int]]:
        """Outcomes of before the run, as they become known."""
        first = self._next
        while self._next < len(self._earlier) and self._earlier[self._next][0] <= now:
            self._next += 1
        return [one[1:] for one in self._earlier[first : self._next]]

    def settle(self, now: int) -> list[Settled]:
        """Remember what is known by ``now``; the outcomes, in the order in which they closed.

        What makes no episode is learned from, too.
        """
        if not self._closed:
            return []
        settled, self._closed = self._closed, []
        told = []
        for k, trade in settled:
            refused = counted = 0
            for seat, one in enumerate(self._plan.seats):
                if trade.outcome.agree >> seat & 1 and one.space:
                    done = self._remember(seat, k, trade, now)
                    if done.refused:
                        refused |= (not done.again) << seat
                        counted |= done.again << seat
            if refused | counted:
                self._withheld.append((self._trades, refused | counted))
            self._trades += 1
            told.append(Settled(k, trade.outcome, refused, counted))
        return told

    def _remember(self, seat: int, k: int, trade: Traded, now: int) -> Remembered:
        """The first trade of a decision becomes its episode."""
        outcome = trade.outcome
        decision = self._decided(seat, k, outcome)
        if decision is None or decision.found is None:
            return Remembered(self.log.head)
        space, vector = decision.found
        plan, bars = self._plan, self._plan.ticks[k]
        row = int(np.searchsorted(bars.open_ns, outcome.opened_ns))
        num, den = plan.bars[k].instrument.value_ratio
        episode = episode_of(
            outcome,
            space=space.name,
            agent=plan.seats[seat].name,
            decided_ns=decision.known_ns,
            value=outcome.lots * int(bars.open[row]) * num // den,
        )
        done = self.log.propose(space, episode, vector.astype("<f4").tobytes(), trade, now)
        if done.refused:
            self.refused += not done.again
            return done
        self._added += 1
        self._vectors[episode.id] = vector
        self._index.remember(space, episode, vector, LogPosition(done.head.index, done.head.hash))
        return done

    def _decided(self, seat: int, k: int, outcome: TradeOutcome) -> _Decision | None:
        """The last change to the trade's side before it was opened, if no trade came of it before."""
        decisions = self._open.get((seat, k), [])
        for place in range(len(decisions) - 1, -1, -1):
            one = decisions[place]
            if one.known_ns <= outcome.opened_ns and one.side == outcome.side:
                self._open[seat, k] = decisions[place + 1 :]
                return one
        return None

    def record(self) -> RecallRecord:
        """What was recalled so far."""
        return RecallRecord.of(
            self.recalls,
            self.log.fork,
            self.log.head,
            Numbers(self._added, self.refused, self._earlier[: self._next], self._withheld),
            self.log.name,
        )

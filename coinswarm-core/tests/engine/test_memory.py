"""Memory inside a run: when it recalls, what it may see, and that it moves the confidence alone (S20, S21)."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from coinswarm.committee.rules import CommitteeRules
from coinswarm.contracts import SignalAgent
from coinswarm.domain.action import ABSTAIN, Action, Side
from coinswarm.domain.episode import Match
from coinswarm.engine.memory import RunMemory, next_target
from coinswarm.engine.plan import RunPlan, SeatedAgent
from coinswarm.engine.remembering import Recorded
from coinswarm.engine.steps import Session, run_steps, timeline
from coinswarm.memory.recall.privatelog import PrivateLog
from coinswarm.memory.recall.record import RECALL_FIELDS, How
from coinswarm.memory.recall.rules import RecallRules
from coinswarm_testkit.markets.tiny import BUY, FLAT, HOLD, HOUR_NS, MIDNIGHT_NS, SELL, Leg, tiny_plan

if TYPE_CHECKING:
    from collections.abc import Sequence

    from coinswarm.domain.episode import Episode, Filter, LogPosition, Recollection, Space
    from coinswarm.domain.market import MarketState
    from coinswarm.engine.memory import Vector
    from coinswarm.engine.result import RunResult

SPACE = "says/state.1"
RULES = RecallRules(embargo_ns=HOUR_NS, neighbours=20)
CALM = (100, 101, 99, 100)
WON, LOST = [(100, 120, 100, 120)], [(100, 100, 80, 80)]


class Says(SignalAgent):
    """Says a script of sides with a stop of five, and recalls by where it is."""

    def __init__(self, sides: Sequence[int], confidence: float = 0.5) -> None:
        self._sides, self._confidence = sides, confidence

    def decide(self, state: MarketState) -> Action:
        side = self._sides[state.index] if state.index < len(self._sides) else HOLD
        return ABSTAIN if side == Side.ABSTAIN else Action(Side(side), self._confidence, 1.0, 5.0)

    def embed(self, state: MarketState) -> Vector | None:
        assert len(state.bars) == state.index + 1, "nothing later than the bar"
        return np.array([1.0, 0.1 * (state.index % 3)], np.float32)


class Nearest:
    """An index that finds whatever it is told to find, and keeps what it was asked and told."""

    def __init__(self, found: Sequence[Match] = ()) -> None:
        self.found = found
        self.asked: list[tuple[int, Filter]] = []
        self.told: list[tuple[Episode, LogPosition]] = []

    def remember(self, space: Space, episode: Episode, vector: Vector, at: LogPosition) -> None:  # noqa: ARG002
        self.told.append((episode, at))

    def nearest(self, space: Space, vector: Vector, k: int, as_of_ns: int, where: Filter) -> Sequence[Match]:  # noqa: ARG002
        self.asked.append((as_of_ns, where))
        return self.found or [Match(e.id, 0.0) for e, _ in self.told if e.known_ns <= as_of_ns and where.admits(e)]


def plan_of(
    rows: Sequence[tuple[int, ...]],
    agent: SignalAgent,
    *,
    reconsiders: bool = False,
    rules: RecallRules = RULES,
    **more: Any,  # noqa: ANN401 - what a tiny plan takes
) -> RunPlan:
    """One instrument and one seat that recalls."""
    plan = tiny_plan(Leg(rows, [FLAT]), **more)
    return replace(plan, seats=(SeatedAgent("says", (agent,), 10_000, 0, (), SPACE, reconsiders),), recall=rules)


def run(plan: RunPlan, index: Nearest | None = None) -> tuple[RunResult, Nearest]:
    """By steps, with an index that the test can look into."""
    index = index or Nearest()
    return run_steps(plan, RunMemory(plan, index, PrivateLog(), "run-1")), index


def named(result: RunResult) -> list[dict[str, int]]:
    """The recalls of a run by field."""
    assert result.recall is not None
    return [dict(zip(RECALL_FIELDS, row, strict=True)) for row in result.recall.rows.tolist()]


def confidences(result: RunResult) -> list[int]:
    """Exposure at each decision that entered."""
    return [row[2] for row in result.decisions.tolist() if row[2]]


def rounds(outcomes: Sequence[Sequence[tuple[int, ...]]]) -> tuple[list[tuple[int, ...]], list[int]]:
    """Bars and sides of one trade after another: decided at the first bar, entered at the second, left at the third."""
    rows: list[tuple[int, ...]] = []
    sides: list[int] = []
    for outcome in outcomes:
        rows += [CALM, *outcome, CALM, CALM]
        sides += [BUY, FLAT, FLAT, FLAT]
    return rows, sides


# -- when


def test_it_recalls_where_the_direction_turns_and_nowhere_else() -> None:
    sides = [FLAT, BUY, BUY, HOLD, int(Side.ABSTAIN), HOLD, BUY, SELL, SELL, FLAT, HOLD, BUY, FLAT]
    result, index = run(plan_of([CALM] * 16, Says(sides)))
    at = [(row["known_ns"] - MIDNIGHT_NS) // HOUR_NS - 1 for row in named(result)]
    assert at == [1, 7, 11]
    assert [row["side"] for row in named(result)] == [1, -1, 1]
    assert [when for when, _ in index.asked] == [row["known_ns"] - HOUR_NS for row in named(result)]
    assert [(sorted(where.agents), sorted(where.sides)) for _, where in index.asked][1] == (["says"], [-1])


@pytest.mark.parametrize(
    ("target", "direction", "confidence", "shortable", "after"),
    [
        (1, BUY, 5, True, 1), (0, SELL, 5, True, -1), (1, SELL, 5, False, 0), (1, FLAT, 5, True, 0),
        (1, HOLD, 5, True, 1), (1, FLAT, -1, True, 1), (-1, int(Side.ABSTAIN), -1, True, 0),
    ],
)  # fmt: skip
def test_the_target_after_an_answer(target: int, direction: int, confidence: int, shortable: bool, after: int) -> None:  # noqa: FBT001
    assert next_target(target, direction, confidence, shortable=shortable) == after


def test_what_cannot_be_shorted_recalls_nothing_for_a_sell() -> None:
    plan = plan_of([CALM] * 5, Says([SELL, BUY, SELL]))
    bars = replace(plan.bars[0], instrument=replace(plan.bars[0].instrument, shortable=False))
    result, _ = run(replace(plan, bars=(bars,)))
    assert [row["side"] for row in named(result)] == [1]


def test_after_warm_up_and_holes_the_direction_counts_as_new() -> None:
    rows: list[tuple[int, ...] | None] = [*[CALM] * 4, *[None] * 5, *[CALM] * 4]
    plan = tiny_plan(Leg(rows, [FLAT]))
    seat = SeatedAgent("says", (Says([BUY] * 8),), 10_000, 2, (), SPACE)
    result, _ = run(replace(plan, seats=(seat,), recall=RULES))
    assert [(row["known_ns"] - MIDNIGHT_NS) // HOUR_NS - 1 for row in named(result)] == [1, 10]


# -- what it sees


def test_closed_trades_become_episodes_when_their_outcome_is_known() -> None:
    rows, sides = rounds([WON, LOST])
    result, index = run(plan_of(rows, Says(sides)))
    (won, first), (lost, second) = index.told
    assert (first.index, second.index) == (1, 2)
    assert result.recall is not None
    assert (result.recall.fork[0], result.recall.head, result.recall.episodes) == (0, (2, second.digest), 2)
    trades = result.trades
    assert [won.known_ns, lost.known_ns] == [trade.known_ns for trade in trades]
    assert [won.decided_ns, lost.decided_ns] == [row["known_ns"] for row in named(result)]
    for episode, trade in ((won, trades[0]), (lost, trades[1])):
        value = trade.lots * 100 * 10**8
        assert episode.result_ppm == round(trade.pnl * 1_000_000 / value)
        assert episode.risk_ppm == round(trade.risk * 1_000_000 / value) == 50_000
    assert [row["position"] for row in named(result)] == [0, 1]


def test_an_outcome_counts_from_its_embargo_on() -> None:
    rows = [CALM] * 12
    # bought at bar 1, sold at bar 3, known at the close of bar 3; then asked at the closes of bars 3, 4 and 6
    sides = [BUY, HOLD, SELL, BUY, SELL, FLAT, BUY, FLAT]
    result, _ = run(plan_of(rows, Says(sides)))
    assert result.recall is not None
    seen = {
        (row["known_ns"] - MIDNIGHT_NS) // HOUR_NS - 1: row["neighbours"] for row in named(result) if row["side"] > 0
    }
    assert seen == {0: 0, 3: 0, 6: 2}, "one bar after it was known, not at once"
    for bars, expected in ((1, 2), (2, 1), (5, 0)):
        later, _ = run(plan_of(rows, Says(sides), rules=replace(RULES, embargo_ns=bars * HOUR_NS)))
        assert named(later)[-1]["neighbours"] == expected


def test_a_decision_becomes_one_episode_however_many_trades_it_leads_to() -> None:
    stopped = (100, 100, 90, 100)
    rows = [CALM, CALM, stopped, *[CALM] * 4, stopped, *[CALM] * 3]
    limits = replace(tiny_plan(Leg([CALM], [FLAT])).limits, cool_down_bars=1)
    result, index = run(plan_of(rows, Says([BUY]), limits=limits))
    assert len(result.trades) == 2, "entered again when the cool-down was over"
    assert len(named(result)) == 1
    assert len(index.told) == 1
    assert result.recall is not None
    assert len(result.recall.withheld) == 0, "the second is learned from like any other"


class Blind(Says):
    """Has nothing to recall by at some bars."""

    blind = frozenset({6})

    def decide(self, state: MarketState) -> Action:
        said = super().decide(state)
        return said._replace(confidence=0.1) if state.index == 1 else said

    def embed(self, state: MarketState) -> Vector | None:
        return None if state.index in self.blind else super().embed(state)


def test_a_trade_is_no_episode_of_an_older_decision_that_never_traded() -> None:
    """Bar 1 says too little to be traded; what bar 6 says is traded, and had no vector (S21)."""
    sides = [FLAT, BUY, FLAT, FLAT, FLAT, FLAT, BUY, FLAT, BUY, FLAT]
    plan = replace(plan_of([CALM] * 14, Blind(sides)), committee=CommitteeRules())
    result, index = run(plan)
    hours = [(trade.opened_ns - MIDNIGHT_NS) // HOUR_NS for trade in result.trades]
    assert hours == [7, 9]
    assert [(episode.decided_ns - MIDNIGHT_NS) // HOUR_NS for episode, _ in index.told] == [9]
    assert [How(row["how"]) for row in named(result)] == [How.NOTHING_KNOWN, How.NO_VECTOR, How.NOTHING_KNOWN]


def test_how_far_an_episode_is_is_not_for_the_index_to_say() -> None:
    rows, sides = rounds([WON] * 9)
    fair, honest = run(plan_of(rows, Says(sides)))
    upside_down = [Match(episode.id, 2.0 - n / 10) for n, (episode, _) in enumerate(reversed(honest.told))]
    told, _ = run(plan_of(rows, Says(sides)), Nearest(upside_down))
    assert fair.recall is not None
    assert told.recall is not None
    assert np.array_equal(told.recall.neighbours, fair.recall.neighbours)
    # at the first bar it recalls by (1, 0), at the fifth by (1, 0.1): 1 - 1 / sqrt(1.01)
    near, _ = fair.recall.neighbours_of(1)
    assert near[0]["distance_ppm"] == round(1e6 * (1 - 1 / 1.01**0.5)) == 4_963


def test_an_index_cannot_invent_or_foresee() -> None:
    rows, sides = rounds([WON] * 8)
    fair, honest = run(plan_of(rows, Says(sides)))
    own = [Match(episode.id, 0.0) for episode, _ in honest.told]
    lying, _ = run(plan_of(rows, Says(sides)), Nearest([Match("f" * 64, 0.0), *own]))
    assert [row["neighbours"] for row in named(lying)] == [row["neighbours"] for row in named(fair)]
    assert lying.order_hash == fair.order_hash


def earlier(number: int, **fields: Any) -> Episode:  # noqa: ANN401 - fields of an episode
    """What the seat did before the run."""
    from coinswarm.domain.episode import Episode as Made  # noqa: PLC0415 - a name for types above

    told = {
        "id": f"{number:064x}", "agent": "says", "instrument": "C0/USD", "side": 1, "decided_ns": 1,
        "known_ns": MIDNIGHT_NS + number * HOUR_NS, "result_ppm": 40_000, "risk_ppm": 20_000,
    }  # fmt: skip
    return Made(**{**told, **fields})


def test_sizing_counts_what_was_remembered_before_as_it_becomes_known() -> None:
    from coinswarm.domain.episode import Space as Made  # noqa: PLC0415 - likewise

    plan = plan_of([CALM] * 6, Says([FLAT]))
    memory = RunMemory(plan, Nearest(), PrivateLog(), "run-1")
    kept = [
        earlier(3), earlier(1, result_ppm=-20_000), earlier(2, agent="another"), earlier(9), earlier(2, risk_ppm=0),
    ]  # fmt: skip
    kept = [replace(one, id=f"{place:064x}") for place, one in enumerate(kept)]
    memory.adopt(Made("run-1", SPACE, 2), kept, np.ones((5, 2), np.float32))
    session = Session(plan, memory)
    seen = []
    for t, group in timeline(plan):
        session.step(t, group)
        record = session.desk.record
        seen.append((record.wins[0], record.losses[0], record.won[0], record.lost[0]))
    # known at the closes of bars 0, 1 (nothing at risk) and 2; a gain of 2 R, a loss of 1 R
    assert seen == [(0, 10_000, 0, 10_000)] * 2 + [(10_000, 10_000, 20_000, 10_000)] * 4
    told = session.result().recall
    assert told is not None
    assert told.earlier[:, 0].tolist() == [MIDNIGHT_NS + hours * HOUR_NS for hours in (1, 2, 3)]
    again = Session(plan, Recorded(told))
    again.run(timeline(plan))
    assert (again.desk.record.wins, again.desk.record.losses) == (session.desk.record.wins, session.desk.record.losses)


def test_what_an_index_finds_of_others_or_of_the_future_does_not_count() -> None:
    from coinswarm.domain.episode import Space as Made  # noqa: PLC0415 - a name for types above

    plan = plan_of([CALM] * 6, Says([FLAT, FLAT, BUY]))
    kept = [
        earlier(1, agent="another"), earlier(1, side=-1), earlier(9), earlier(3), earlier(2), earlier(1),
    ]  # fmt: skip
    kept = [replace(one, id=f"{place:064x}") for place, one in enumerate(kept)]
    memory = RunMemory(plan, Nearest([Match(one.id, 0.0) for one in kept]), PrivateLog(), "run-1")
    memory.adopt(Made("run-1", SPACE, 2), kept, np.ones((6, 2), np.float32))
    result = run_steps(plan, memory)
    assert result.recall is not None
    # decided at the close of bar 2, hour 3: with a bar of embargo what was known by hour 2 counts; all overlap, so that
    # the first by id would be recalled if nothing was left out
    assert result.recall.neighbours_of(0)[1] == [kept[4].id]


# -- what it does


def test_the_multiplier_moves_the_confidence_and_holds_until_the_next_change() -> None:
    rows, sides = rounds([WON] * 9 + [LOST] * 6 + [WON] * 2)
    result, _ = run(plan_of(rows, Says(sides)))
    told = named(result)
    assert {row["how"] for row in told} == {How.NOTHING_KNOWN, How.TOO_FEW, How.ESTIMATE}
    assert confidences(result) == [round(5_000 * row["multiplier_bp"] / 10_000) for row in told]
    assert all(5_000 <= row["multiplier_bp"] <= 15_000 for row in told)
    hold = Says([BUY, BUY, HOLD, BUY, FLAT])
    plan = plan_of([CALM] * 8, hold)
    memory = RunMemory(plan, Nearest(), PrivateLog(), "run-1")
    tracker = memory.tracker(0, 0)
    assert tracker is not None
    tracker.target, tracker.factor = 1, 12_000
    assert tracker.heard((BUY, 5_000, 1, 2, 3), 0, 0) == (BUY, 6_000, 1, 2, 3)
    assert tracker.heard((BUY, 9_000, 1, 2, 3), 0, 0) == (BUY, 10_000, 1, 2, 3)
    assert tracker.heard((FLAT, -1, 0, 0, 0), 0, 0) == (FLAT, -1, 0, 0, 0)
    assert tracker.heard((FLAT, 5_000, 1, 2, 3), 0, 0) == (FLAT, 5_000, 1, 2, 3)
    assert tracker.factor == 10_000


class Twice(Says):
    """Doubles its confidence, or does what it must not."""

    def __init__(self, sides: Sequence[int], answer: str = "double") -> None:
        super().__init__(sides)
        self.answer, self.heard = answer, []  # type: ignore[var-annotated]

    def reconsider(self, action: Action, recalled: Sequence[Recollection]) -> Action:
        self.heard.append((action, tuple(recalled)))
        if self.answer == "raise":
            message = "it hurts to remember"
            raise RuntimeError(message)
        if self.answer == "turn":
            return action._replace(side=Side.SELL)
        if self.answer == "nan":
            return action._replace(confidence=float("nan"))
        return action._replace(confidence=action.confidence * (2.0 if self.answer == "double" else 1.25))


@pytest.mark.parametrize(("answer", "multiplier"), [("double", 15_000), ("quarter more", 12_500)])
def test_an_agent_that_reconsiders_is_heard_within_bounds(answer: str, multiplier: int) -> None:
    rows, sides = rounds([WON] * 9)
    agent = Twice(sides, answer)
    result, _ = run(plan_of(rows, agent, reconsiders=True))
    asked = [row for row in named(result) if row["how"] == How.AGENT]
    assert len(asked) == len(agent.heard) > 0
    assert {row["multiplier_bp"] for row in asked} == {multiplier}
    action, recalled = agent.heard[-1]
    assert action == Action(Side.BUY, 0.5, 1.0, 5.0)
    assert all(0 < one.weight <= 1 for one in recalled)
    assert [one.distance for one in recalled] == sorted(one.distance for one in recalled)
    assert result.errors == {}


@pytest.mark.parametrize(
    ("answer", "words"), [("raise", "it hurts"), ("turn", "more than the"), ("nan", "more than the")]
)
def test_an_answer_that_is_none_leaves_the_action_and_is_counted(answer: str, words: str) -> None:
    rows, sides = rounds([WON] * 9)
    agent = Twice(sides, answer)
    result, _ = run(plan_of(rows, agent, reconsiders=True))
    faults = [row for row in named(result) if row["how"] == How.FAULT]
    assert result.errors == {"says": len(faults)} == {"says": len(agent.heard)}
    assert words in result.first_errors["says"]
    assert {row["multiplier_bp"] for row in faults} == {10_000}


class Embeds(Says):
    """Recalls by what the test says."""

    def __init__(self, sides: Sequence[int], vector: object) -> None:
        super().__init__(sides)
        self._vector = vector

    def embed(self, state: MarketState) -> Any:  # noqa: ANN401, ARG002
        if isinstance(self._vector, Exception):
            raise self._vector
        return self._vector


@pytest.mark.parametrize(
    ("vector", "how", "words"),
    [
        (None, How.NO_VECTOR, ""),
        (RuntimeError("no idea"), How.FAULT, "no idea"),
        (np.zeros(2, np.float32), How.FAULT, "no direction"),
        (np.array([1.0, np.nan], np.float32), How.FAULT, "no direction"),
        (np.ones(2, np.float64), How.FAULT, "must be float32"),
        ("somewhere", How.FAULT, "must be float32"),
    ],
)
def test_who_has_nothing_to_recall_by_recalls_nothing(vector: object, how: How, words: str) -> None:
    rows, sides = rounds([WON] * 2)
    result, index = run(plan_of(rows, Embeds(sides, vector)))
    assert [row["how"] for row in named(result)] == [how] * 2
    assert (index.asked, index.told) == ([], [])
    assert words in result.first_errors.get("says", "")
    assert bool(result.errors) == (how is How.FAULT)

"""What became of a trade is told to those that agreed with it, as soon as it is known (S5); in both engines."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from coinswarm.clock import iso
from coinswarm.contracts import SignalAgent
from coinswarm.domain.action import Action, Side
from coinswarm.engine.columns import run_columns
from coinswarm.engine.plan import SeatedAgent
from coinswarm.engine.steps import run_steps
from coinswarm_testkit.markets.tiny import BUY, FLAT, HOLD, SELL, Leg, tiny_plan

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from coinswarm.domain.market import MarketState
    from coinswarm.domain.outcome import TradeOutcome
    from coinswarm.engine.plan import RunPlan
    from coinswarm.engine.result import RunResult

CALM = (100, 101, 99, 100)
STOPPED = (100, 100, 90, 100)
Heard = list[tuple[str, "TradeOutcome"]]
ENGINES = pytest.mark.parametrize("engine", [run_columns, run_steps], ids=["columns", "steps"])


class Says(SignalAgent):
    """Says a script of sides, with a stop of five."""

    def __init__(self, sides: Sequence[int]) -> None:
        self._sides = sides

    def decide(self, state: MarketState) -> Action:
        side = self._sides[state.index] if state.index < len(self._sides) else HOLD
        return Action(Side(side), 1.0, 1.0, 5.0)


class Learns(Says):
    """Writes down what it is told; may raise at each telling."""

    def __init__(self, name: str, sides: Sequence[int], heard: Heard, *, fails: bool = False) -> None:
        super().__init__(sides)
        self._name, self._heard, self._fails = name, heard, fails

    def learn(self, outcome: TradeOutcome) -> None:
        self._heard.append((self._name, outcome))
        if self._fails:
            message = "nothing to learn from this"
            raise RuntimeError(message)


def plan_of(rows: Sequence[Sequence[tuple[int, ...]]], seats: dict[str, tuple[int, Sequence[SignalAgent]]]) -> RunPlan:
    """A plan of bars per instrument, and of weight and agents per seat."""
    plan = tiny_plan(*(Leg(one, [FLAT]) for one in rows))
    return replace(
        plan, seats=tuple(SeatedAgent(name, tuple(agents), weight) for name, (weight, agents) in seats.items())
    )


@ENGINES
def test_those_that_agreed_are_told_their_share(engine: Callable[[RunPlan], RunResult]) -> None:
    heard: Heard = []
    sides = [BUY, FLAT, SELL, FLAT]
    seats: dict[str, tuple[int, Sequence[SignalAgent]]] = {
        "first": (5_000, [Learns("first", sides, heard)]),
        "second": (2_000, [Learns("second", [BUY, FLAT, FLAT, FLAT], heard)]),
        "silent": (3_000, [Says(sides)]),
    }
    result = engine(plan_of([[CALM] * 6], seats))
    long, short = result.trades
    assert (long.agree, short.agree) == (0b111, 0b101)
    assert heard == [
        ("first", long._replace(share_bp=5_000)),
        ("second", long._replace(share_bp=2_000)),
        ("first", short._replace(share_bp=6_250)),
    ], "5,000 of 8,000 agreed with the short"
    assert result.errors == {}


@ENGINES
def test_outcomes_come_in_the_order_in_which_trades_closed(engine: Callable[[RunPlan], RunResult]) -> None:
    heard: Heard = []
    early, late = [CALM] * 2 + [STOPPED] + [CALM] * 4, [CALM] * 7
    seats: dict[str, tuple[int, Sequence[SignalAgent]]] = {
        "one": (
            10_000,
            [
                Learns("C0", [BUY, HOLD, HOLD, HOLD, HOLD, FLAT], heard),
                Learns("C1", [BUY, HOLD, HOLD, FLAT, BUY, FLAT], heard),
                Learns("C2", [BUY], heard),
            ],
        )
    }
    result = engine(plan_of([late, late, early], seats))
    assert [(name, outcome.instrument) for name, outcome in heard] == [
        ("C2", "C2/USD"), ("C1", "C1/USD"), ("C0", "C0/USD"), ("C1", "C1/USD"),
    ]  # fmt: skip
    assert [outcome for _, outcome in heard] == list(result.trades)
    assert [outcome.stopped for _, outcome in heard] == [True, False, False, False]


@ENGINES
def test_an_agent_that_fails_to_learn_is_counted_and_goes_on(engine: Callable[[RunPlan], RunResult]) -> None:
    heard: Heard = []
    sides = [BUY, FLAT, BUY, FLAT]
    seats: dict[str, tuple[int, Sequence[SignalAgent]]] = {
        "poor": (6_000, [Learns("poor", sides, heard, fails=True)]),
        "good": (4_000, [Learns("good", sides, heard)]),
    }
    result = engine(plan_of([[CALM] * 6], seats))
    assert result.errors == {"poor": 2}
    assert result.first_errors == {"poor": "RuntimeError: nothing to learn from this (learning from a trade)"}
    assert [name for name, _ in heard] == ["poor", "good"] * 2
    quiet = engine(plan_of([[CALM] * 6], {"one": (10_000, [Says(sides)])}))
    assert [trade.pnl for trade in result.trades] == [trade.pnl for trade in quiet.trades]


@ENGINES
def test_errors_of_deciding_and_of_learning_add_up(engine: Callable[[RunPlan], RunResult]) -> None:
    heard: Heard = []

    class Stumbles(Learns):
        def decide(self, state: MarketState) -> Action:
            if state.index == 1:
                message = "not today"
                raise RuntimeError(message)
            return super().decide(state)

    agent = Stumbles("one", [BUY, HOLD, FLAT], heard, fails=True)
    result = engine(plan_of([[CALM] * 5], {"one": (10_000, [agent])}))
    assert (result.errors, len(heard)) == ({"one": 2}, 1)
    assert result.first_errors == {"one": f"RuntimeError: not today (bar of {iso(int(result.times_ns[1]))})"}


@ENGINES
def test_who_does_not_learn_is_not_asked(
    engine: Callable[[RunPlan], RunResult], monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(self: SignalAgent, outcome: TradeOutcome) -> None:  # noqa: ARG001 - the contract's form
        raise AssertionError

    plan = plan_of([[CALM] * 4], {"one": (10_000, [Says([BUY, FLAT])])})
    monkeypatch.setattr(SignalAgent, "learn", never)
    result = engine(plan)
    assert (len(result.trades), result.errors) == (1, {})


def test_by_steps_it_is_told_as_soon_as_the_trade_is_closed() -> None:
    heard: Heard = []
    seen: list[int] = []

    class Listens(Learns):
        def decide(self, state: MarketState) -> Action:
            seen.append(len(heard))
            return super().decide(state)

    run_steps(plan_of([[CALM] * 5], {"one": (10_000, [Listens("one", [BUY, FLAT], heard)])}))
    assert seen == [0, 0, 1, 1, 1], "closed at the open of bar 2"

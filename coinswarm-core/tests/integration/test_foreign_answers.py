"""Agents of others answer what they like: no answer brings a run down or lets the engines differ."""

from __future__ import annotations

from decimal import Decimal
from math import sin
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from coinswarm.clock import HOUR_NS
from coinswarm.committee.weighing import WeightedWeigher
from coinswarm.contracts import ColumnarAgent, SignalAgent
from coinswarm.domain.action import ABSTAIN, Action, ActionColumns, Side
from coinswarm.domain.instrument import Instrument
from coinswarm.domain.market import Bars, MarketState
from coinswarm.engine.columns import run_columns
from coinswarm.engine.plan import RunPlan, SeatedAgent
from coinswarm.engine.steps import run_steps
from coinswarm.errors import ContractError

if TYPE_CHECKING:
    from coinswarm.engine.result import RunResult

BTC = Instrument("BTC/USD", Decimal("0.01"), Decimal("0.0001"))
ENGINES = {"columns": run_columns, "steps": run_steps}


def bars(n: int = 200) -> Bars:
    """A slow swing."""
    middle = np.array([100 + 10 * sin(i / 5) for i in range(n + 1)])
    opened, close = middle[:-1], middle[1:]
    high, low = np.maximum(opened, close) + 0.5, np.minimum(opened, close) - 0.5
    return Bars(BTC, HOUR_NS, np.arange(n) * HOUR_NS, opened, high, low, close, np.full(n, 90.0))


def sound(state: MarketState) -> Action:
    """What the agent says where it says something sound."""
    return Action(Side.BUY if state.close > state.open else Side.FLAT, 1.0, 0.5, 5.0, 8.0)


class Odd(SignalAgent):
    """Says one odd thing at every fourth bar."""

    def __init__(self, answer: object) -> None:
        self._answer: Any = answer

    def decide(self, state: MarketState) -> Action:
        if state.index % 4 == 1:
            if isinstance(self._answer, BaseException):
                raise self._answer
            odd: Action = self._answer
            return odd
        return sound(state)


class Always(SignalAgent):
    """Says the same odd thing at every bar, the first included."""

    def __init__(self, answer: object) -> None:
        self._answer: Any = answer

    def decide(self, state: MarketState) -> Action:  # noqa: ARG002 - whatever it sees
        if isinstance(self._answer, BaseException):
            raise self._answer
        odd: Action = self._answer
        return odd


class OddColumns(ColumnarAgent):
    """Answers what it was made with."""

    def __init__(self, answer: object) -> None:
        self._answer: Any = answer

    def decide_all(self, bars: Bars) -> ActionColumns:
        if isinstance(self._answer, BaseException):
            raise self._answer
        columns: ActionColumns = self._answer(len(bars)) if callable(self._answer) else self._answer
        return columns


def run(agent: SignalAgent, engine: str) -> RunResult:
    """A run with one seat."""
    plan = RunPlan(
        bars=(bars(),), seats=(SeatedAgent("odd", (agent,), 10_000),), weigher=WeightedWeigher(), cash=10**12
    )
    return ENGINES[engine](plan)


ANSWERS: dict[str, object] = {
    "an exception": RuntimeError("mood"),
    "not a number": Action(Side.BUY, float("nan")),
    "infinite": Action(Side.BUY, 1.0, 0.5, float("inf")),
    "confidence above one": Action(Side.BUY, 1.5),
    "a negative distance": Action(Side.BUY, 1.0, 0.5, -5.0),
    "no such side": Action(9, 1.0),  # type: ignore[arg-type]
    "half a side": Action(1.5, 1.0, 0.5, 5.0, 8.0),  # type: ignore[arg-type]
    "a side by its name": Action("BUY", 1.0),  # type: ignore[arg-type]
    "a side in a list": Action([1], 1.0),  # type: ignore[arg-type]
    "nothing": None,
    "too few fields": (1, 2),
    "a list": [1, 1.0, 0.5, 5.0, 8.0, 0],
    "an array": np.zeros(6),
    "text for a number": Action(Side.BUY, "sure"),  # type: ignore[arg-type]
    "nothing for a number": Action(Side.BUY, 1.0, 0.5, None),  # type: ignore[arg-type]
    "a complex number": Action(Side.BUY, 1j),  # type: ignore[arg-type]
    "a distance beyond all ticks": Action(Side.BUY, 1.0, 0.5, 1e308),
    "a reason in words": Action(Side.BUY, 1.0, 0.5, 5.0, 8.0, "up"),  # type: ignore[arg-type]
    "a reason below 0": Action(Side.BUY, 1.0, 0.5, 5.0, 8.0, -1),
    "a reason beyond a byte": Action(Side.BUY, 1.0, 0.5, 5.0, 8.0, 300),
    "the reason of invalid rows": Action(Side.ABSTAIN, reason=255),
}
"""What is no action: it abstains and is counted."""

SOUND: dict[str, object] = {
    "numbers of numpy": Action(Side.BUY, np.float64(1.0), np.float64(0.5), np.int64(5), 8.0, np.uint8(0)),  # type: ignore[arg-type]
    "a side as a number": Action(1, 1.0, 0.5, 5.0, 8.0),  # type: ignore[arg-type]
    "a side of numpy": Action(np.int64(1), 1.0, 0.5, 5.0, 8.0),  # type: ignore[arg-type]
    "a plain tuple": (1, 1.0, 0.5, 5.0, 8.0, 0),
    "a little too sure": Action(Side.BUY, 1.00004, 0.5, 5.0, 8.0),
}
"""What is one, however it is spelt: BUY, 1, 0.5, 5, 8."""

OPEN: dict[str, object] = {
    "a number beyond all floats": Action(Side.BUY, 1.0, 0.5, 10**400),
    "the reason of invalid rows, with a side": Action(Side.BUY, 1.0, 0.5, 5.0, 8.0, 255),
    "an abstention of nonsense": Action(Side.ABSTAIN, float("nan")),
    "a decimal": Action(Side.BUY, Decimal("0.5"), 0.5, 5.0, 8.0),  # type: ignore[arg-type]
    "an array for a number": Action(Side.BUY, np.array(0.5), 0.5, 5.0, 8.0),  # type: ignore[arg-type]
    "half a reason": Action(Side.BUY, 1.0, 0.5, 5.0, 8.0, 3.5),  # type: ignore[arg-type]
    "a short integer": Action(Side.BUY, np.int8(1), np.int8(1), np.int8(5), 8.0),  # type: ignore[arg-type]
    "short floats": Action(Side.BUY, 1.0, 0.5, np.float32(0.095), 8.0),  # type: ignore[arg-type]
}
"""At what the engines disagree."""


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("name", ANSWERS)
def test_an_answer_that_is_no_action_counts_as_an_abstention(name: str, engine: str) -> None:
    odd, quiet = run(Odd(ANSWERS[name]), engine), run(Odd(ABSTAIN), engine)
    assert len(quiet.trades) > 3
    assert odd.order_hash == quiet.order_hash
    assert (odd.errors, quiet.errors) == ({"odd": 50}, {})


@pytest.mark.parametrize("name", SOUND)
def test_an_action_counts_however_it_is_spelt(name: str) -> None:
    usual = run(Odd(Action(Side.BUY, 1.0, 0.5, 5.0, 8.0)), "steps")
    for engine in ENGINES:
        result = run(Odd(SOUND[name]), engine)
        assert (result.order_hash, result.errors) == (usual.order_hash, {})


@pytest.mark.parametrize(
    "name",
    [*ANSWERS, *SOUND, *OPEN],
)
def test_both_engines_read_an_answer_alike_at_whatever_bar(name: str) -> None:
    answer = {**ANSWERS, **SOUND, **OPEN}[name]
    for agent in (Odd, Always):
        one, other = (run(agent(answer), engine) for engine in ENGINES)
        assert (one.order_hash, one.errors) == (other.order_hash, other.errors)


def table(n: int, direction: Any = np.int8, confidence: Any = np.int16, value: int = 5_000) -> ActionColumns:  # noqa: ANN401
    """Columns of chosen types."""
    zero = np.zeros(n, np.int64)
    return ActionColumns(
        np.ones(n, direction), np.full(n, value, confidence), zero.astype(np.uint8), zero.astype(np.int32), zero, zero
    )


COLUMNS: dict[str, object] = {
    "none": None,
    "too few rows": lambda n: table(n - 1),
    "too many rows": lambda n: table(n + 1),
    "two dimensions": lambda n: ActionColumns(*([np.zeros((n, 1), np.int64)] * 6)),  # type: ignore[arg-type]
    "an array": np.zeros,
    "raises": RuntimeError("no"),
    "lists": lambda n: ActionColumns(*([[0] * n] * 6)),  # type: ignore[arg-type]
    "floats": lambda n: table(n, np.float64, np.float64),
    "wide integers": lambda n: table(n, np.int64),
    "confidence above 10,000": lambda n: table(n, value=20_000),
    "confidence below -1": lambda n: table(n, value=-2),
}


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("name", COLUMNS)
def test_columns_that_are_none_are_their_authors_to_mend(name: str, engine: str) -> None:
    with pytest.raises(ContractError, match=r"OddColumns\.decide_all"):
        run(OddColumns(COLUMNS[name]), engine)


@pytest.mark.parametrize("engine", ENGINES)
def test_rows_of_columns_that_are_not_valid_abstain_and_are_counted(engine: str) -> None:
    def answer(n: int) -> ActionColumns:
        confidence = np.where(np.arange(n) % 4 == 1, np.nan, 1.0)
        side = np.where(np.arange(n) % 20 < 10, 1, 0)
        return ActionColumns.of(BTC, side, confidence=confidence, size=0.5, stop_distance=5.0, take_distance=8.0)

    result = run(OddColumns(answer), engine)
    assert result.errors == {"odd": 50}
    assert len(result.trades) > 3

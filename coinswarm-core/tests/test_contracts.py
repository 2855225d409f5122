"""What the contracts give an agent for nothing."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import numpy as np
import pytest

from coinswarm import contracts
from coinswarm.clock import HOUR_NS
from coinswarm.contracts import ColumnarAgent, SignalAgent, Weigher
from coinswarm.domain.action import ABSTAIN, Action, ActionColumns, Side
from coinswarm.domain.instrument import Instrument
from coinswarm.domain.market import Bars, MarketState
from coinswarm.domain.outcome import TradeOutcome

BTC = Instrument("BTC/USD", Decimal("0.5"), Decimal("0.01"))
CLOSE = np.array([10.0, 11.0, 9.0])
BARS = Bars(BTC, HOUR_NS, np.arange(3) * HOUR_NS, CLOSE, CLOSE, CLOSE, CLOSE, CLOSE)


class Plain(SignalAgent):
    """Always long."""

    def decide(self, state: MarketState) -> Action:
        return Action(Side.BUY, state.close)


class Columnar(ColumnarAgent):
    """Long above ten; counts how much it was shown."""

    def __init__(self) -> None:
        self.shown: list[int] = []

    def decide_all(self, bars: Bars) -> ActionColumns:
        self.shown.append(len(bars))
        return ActionColumns.of(bars.instrument, np.where(bars.close > 10, 1, 0), confidence=0.5, stop_distance=2.0)


def test_the_contracts_cannot_be_made_bare() -> None:
    bare: list[tuple[Any, str]] = [
        (SignalAgent, "decide"),
        (ColumnarAgent, "decide_all"),
        (Weigher, "step"),
        (contracts.RiskAgent, "assess"),
        (contracts.ExecutionAgent, "slice"),
        (contracts.MemoryBackend, "recall"),
        (contracts.Voter, "evaluate"),
        (contracts.Planner, "plan"),
    ]
    for contract, method in bare:
        with pytest.raises(TypeError, match=method):
            contract()


def test_an_agent_needs_decide_alone() -> None:
    agent = Plain()
    assert (agent.warm_up(), agent.snapshot(), agent.get_config()) == (0, b"", {})
    agent.learn(TradeOutcome("BTC/USD", 1, 0, 0, 1, 1, 5, 0, 1, 1, stopped=False))
    agent.restore(b"anything")
    assert agent.embed(MarketState.at(BARS, 0)) is None
    assert agent.reconsider(Action(Side.BUY, 0.25), ()) == Action(Side.BUY, 0.25)
    assert agent.decide(MarketState.at(BARS, 0)) == Action(Side.BUY, 10.0)


def test_a_columnar_agent_decides_by_the_last_row_of_the_bars_so_far() -> None:
    agent = Columnar()
    said = [agent.decide(MarketState.at(BARS, t)) for t in range(3)]
    assert [a.side for a in said] == [Side.FLAT, Side.BUY, Side.FLAT]
    assert said[1] == Action(Side.BUY, 0.5, 1.0, 2.0)
    assert agent.shown == [1, 2, 3]


def test_a_columnar_agent_abstains_where_there_is_no_bar() -> None:
    agent = Columnar()
    assert agent.decide(MarketState(BARS)) is ABSTAIN
    assert agent.shown == []

"""Tells agents what became of the trades they agreed with (S5)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from coinswarm.contracts import SignalAgent
from coinswarm.engine.result import Faults, note_faults
from coinswarm.errors import one_line

if TYPE_CHECKING:
    from coinswarm.domain.outcome import TradeOutcome
    from coinswarm.engine.plan import RunPlan
    from coinswarm.engine.result import RunResult


def learners(plan: RunPlan) -> list[int]:
    """Seats whose agents take outcomes in at all."""
    return [a for a, seat in enumerate(plan.seats) if type(seat.agents[0]).learn is not SignalAgent.learn]


def tell(plan: RunPlan, seats: list[int], k: int, outcome: TradeOutcome) -> list[tuple[str, str]]:
    """Tell one outcome on instrument ``k`` to those of ``seats`` that agreed; returns who raised, and what."""
    total = sum(weight for a, weight in enumerate(plan.weights) if outcome.agree >> a & 1)
    raised = []
    for a in seats:
        if outcome.agree >> a & 1 and total:
            seat = plan.seats[a]
            try:
                seat.agents[k].learn(outcome._replace(share_bp=seat.weight_bp * 10_000 // total))
            except Exception as error:  # noqa: BLE001 - a plugin may raise anything; it is counted
                raised.append((seat.name, f"{one_line(error)} (learning from a trade)"))
    return raised


def teach(plan: RunPlan, result: RunResult) -> None:
    """Tell all outcomes of a finished run, in the order in which they closed."""
    seats = learners(plan)
    if not seats:
        return
    symbols = list(result.symbols)
    for outcome in result.trades:
        for name, words in tell(plan, seats, symbols.index(outcome.instrument), outcome):
            note_faults(result.errors, result.first_errors, name, Faults(1, words))

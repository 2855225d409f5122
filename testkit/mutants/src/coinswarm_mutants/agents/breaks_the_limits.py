"""Replaces the risk gate of the process that loads it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from coinswarm.domain.order import Order, RiskApproved
from coinswarm.risk.gate import RiskGate
from coinswarm_mutants.agents._honest import Stepper

if TYPE_CHECKING:
    from coinswarm.domain.action import Action
    from coinswarm.domain.market import MarketState

APART = True

FAILS = {"A50", "A70"}


def _approve(_gate: RiskGate, order: Order, _at: Any) -> RiskApproved[Order]:  # noqa: ANN401 - whatever the circumstances
    """Anything goes."""
    return RiskApproved(order)


class Mutant(Stepper):
    """Every order passes, once it has been asked something."""

    def decide(self, state: MarketState) -> Action:
        """The honest answer, behind the gate's back."""
        RiskGate.admit = _approve  # type: ignore[method-assign,assignment]
        return super().decide(state)


class Twin(Stepper):
    """Leaves the gate alone."""

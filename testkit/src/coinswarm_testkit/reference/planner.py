"""Planner: weights by inverse volatility, so that every agent brings the same risk, moved no further than allowed."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from coinswarm.contracts import Planner
from coinswarm.domain.proposal import Proposal, ProposalKind, SetWeights, Weight

if TYPE_CHECKING:
    from collections.abc import Mapping

    from coinswarm.domain.acceptance import Outlook
    from coinswarm_testkit.reference.settings import EqualRiskSettings

FULL_BP = 10_000


class EqualRisk(Planner):
    """Proposes nothing where the record is too short, the cool-down is not over, or the bounds leave no way."""

    def __init__(self, settings: EqualRiskSettings) -> None:
        self.settings = settings

    def get_config(self) -> dict[str, Any]:
        """The settings in force."""
        return self.settings.model_dump(mode="json")

    def plan(self, outlook: Outlook) -> Proposal | None:
        """Equal risk among the certified agents whose record is long enough."""
        rules = outlook.rules
        if outlook.now_ns - outlook.weights_changed_ns < rules.cool_down_ns:
            return None
        risks = {
            row.agent: _deviation(row.returns_ppm[-self.settings.days :])
            for row in outlook.returns
            if row.agent in outlook.certified and len(row.returns_ppm) >= max(self.settings.days, rules.min_days)
        }
        shares = {agent: 1.0 / risk for agent, risk in sorted(risks.items()) if risk > 0.0}
        wanted = _capped(shares, rules.max_weight_bp)
        present = {weight.agent: weight.weight_bp for weight in outlook.weights}
        weights = _moved(present, wanted, rules.max_change_bp) if wanted else present
        held = {agent: weight for agent, weight in weights.items() if weight}
        allowed = sum(held.values()) == FULL_BP and all(
            weight <= rules.max_weight_bp and agent in outlook.certified for agent, weight in held.items()
        )
        if weights == present or not allowed:
            return None
        return Proposal(
            kind=ProposalKind.SET_WEIGHTS,
            subject="weights",
            base_version=outlook.version,
            change=SetWeights(
                weights=tuple(Weight(agent, weight) for agent, weight in sorted(held.items())),
                rollback_drawdown_bp=min(self.settings.rollback_bp, rules.max_rollback_bp),
            ),
            evidence=tuple(
                sorted((row.source for row in outlook.returns if row.agent in shares), key=lambda s: s.place)
            ),
        )


def _deviation(returns: tuple[int, ...]) -> float:
    """Standard deviation (n - 1) in millionths."""
    mean = math.fsum(returns) / len(returns)
    return math.sqrt(math.fsum((value - mean) ** 2 for value in returns) / (len(returns) - 1))


def _capped(shares: Mapping[str, float], cap: int) -> dict[str, int]:
    """Whole basis points in proportion to shares, none above the cap; empty where too few share.

    What a capped agent cannot take goes to the others in proportion; the largest remainders round up.
    """
    if len(shares) * cap < FULL_BP:
        return {}
    free, fixed = dict(shares), dict[str, int]()
    while True:
        left = FULL_BP - cap * len(fixed)
        total = math.fsum(free.values())
        over = [agent for agent, share in free.items() if left * share > cap * total]
        if not over:
            break
        for agent in over:
            fixed[agent] = cap
            del free[agent]
    exact = {agent: left * share / total for agent, share in free.items()}
    weights = {agent: int(value) for agent, value in exact.items()} | fixed
    missing = FULL_BP - sum(weights.values())
    for agent in sorted(exact, key=lambda agent: (weights[agent] - exact[agent], agent))[:missing]:
        weights[agent] += 1
    return weights


def _moved(present: Mapping[str, int], wanted: Mapping[str, int], most: int) -> dict[str, int]:
    """From ``present`` toward ``wanted``, the moves summing to no more than ``most`` and to nothing gained or lost."""
    agents = sorted({*present, *wanted})
    moves = {agent: wanted.get(agent, 0) - present.get(agent, 0) for agent in agents}
    total = sum(abs(move) for move in moves.values())
    if total > most:
        moves = {agent: int(math.copysign(abs(move) * most // total, move)) for agent, move in moves.items()}
        balance = sum(moves.values())
        for agent in agents:  # rounding toward zero may have taken more from one side than from the other
            if balance * moves[agent] > 0:
                cut = min(abs(balance), abs(moves[agent]))
                moves[agent] -= cut if balance > 0 else -cut
                balance -= cut if balance > 0 else -cut
    return {agent: present.get(agent, 0) + moves[agent] for agent in agents}

"""A voter: every mandatory rule, each by itself, with somebody's numbers."""

from __future__ import annotations

from functools import partial
from hashlib import sha256
from typing import TYPE_CHECKING

from coinswarm.contracts import Voter
from coinswarm.domain.acceptance import Rule, Verdict, mandatory
from coinswarm.domain.limits import MOST_VARIANTS
from coinswarm.domain.proposal import (
    AddEpisode,
    AddEpisodes,
    Configure,
    MovePattern,
    ProposalKind,
    SeatAgent,
    SetWeights,
    Stage,
)
from coinswarm.memory.promotion import rules
from coinswarm.memory.promotion.numbers import PPM, Place
from coinswarm.memory.promotion.paths import DAY_NS, daily, folded, portfolio, together

if TYPE_CHECKING:
    from collections.abc import Callable

    from coinswarm.domain.acceptance import DailyReturns, Evidence
    from coinswarm.domain.proposal import Proposal
    from coinswarm.memory.promotion.numbers import Numbers

    Judged = dict[Rule, Callable[[], str]]

_COST = 100
"""Parts of 1e-10 of equity in a basis point of a basis point."""


class RuleVoter(Voter):
    """Judges by the rules.

    :param numbers: who works the statistics out.
    """

    def __init__(self, numbers: Numbers) -> None:
        self._numbers = numbers

    def evaluate(self, proposal: Proposal, evidence: Evidence) -> Verdict:
        """Every mandatory rule of the proposal, and no other."""
        judged = self._judged(proposal, evidence)
        return Verdict.of({rule: judged[rule]() for rule in mandatory(proposal)})

    def _judged(self, proposal: Proposal, seen: Evidence) -> Judged:
        """How each rule that may be mandatory is judged."""
        general: Judged = {
            Rule.EVIDENCE: lambda: rules.evidence(proposal, seen),
            Rule.BASE: lambda: rules.base(proposal, seen),
            Rule.OPERATOR: lambda: rules.operator(seen),
        }
        change = proposal.change
        if isinstance(change, AddEpisode):
            return general | _of_episode(change, seen)
        if isinstance(change, AddEpisodes):
            return general | _of_episodes(change, seen)
        if isinstance(change, MovePattern):
            return general | self._of_pattern(proposal, change, seen)
        if isinstance(change, SetWeights):
            return general | self._of_weights(proposal, change, seen)
        if isinstance(change, SeatAgent):
            return general | {
                Rule.CERTIFIED: lambda: rules.seat_certified(proposal, change, seen),
                Rule.SEAT: lambda: rules.seat(proposal.kind, change, seen),
            }
        return general | _of_setting(change, seen)

    def _of_pattern(self, proposal: Proposal, change: MovePattern, seen: Evidence) -> Judged:
        numbers, limits, kind = self._numbers, seen.rules, proposal.kind
        own = f"trades/{change.pattern}"
        shown = [row for row in seen.exhibits if row.source in proposal.evidence]
        cited = sorted((one for row in shown for one in row.episodes), key=lambda one: (one.decided_ns, one.id))
        days, live = daily(cited), daily(rules.live(cited, seen))
        trials = [row for row in seen.trials if row.source in proposal.evidence]
        counted = min(max(change.variants, 1), MOST_VARIANTS)

        def trades() -> str:
            others = sorted(row.source.place for row in shown if row.source.place != own)
            if wrong := f"{', '.join(others)} is not its record" if others else rules.trades(kind, change, cited, seen):
                return wrong
            asked = days if change.stage is Stage.SHADOW else live
            return rules.spread(asked) if kind is ProposalKind.PROMOTE_PATTERN else ""

        def on_trials(rule: Callable[[list[list[int]]], str], blocks: int = 0) -> str:
            wrong = rules.trials(change, trials) or rules.bounded(trials, blocks) or rules.shared(trials)
            return wrong or rule([list(row) for row in together(trials)] or [days])

        def discovered() -> str:
            shown, look = rules.looked(live)
            if not shown:
                first = rules.FIRST_LOOK_DAYS
                due = f"{first}, {2 * first}, {4 * first} …"
                return f"it is looked at after {due} days in the shadow, not after {len(live)}"
            return rules.spread(shown) or numbers.discovery(
                shown, Place(seen.number, seen.discoveries, look), limits.fdr_ppm
            )

        def overfit() -> str:
            blocks = limits.pbo_blocks
            return on_trials(lambda rows: numbers.overfit(rows, blocks, limits.max_pbo_ppm), blocks)

        def decayed() -> str:
            if seen.stage not in {str(stage) for stage in rules.WITH_CAPITAL}:
                return ""
            return numbers.decayed(live, limits)

        return {
            Rule.REGISTERED: lambda: rules.registered(kind, change, seen),
            Rule.UNSEEN: lambda: rules.unseen(proposal, change, seen),
            Rule.STAGES: lambda: rules.stages(kind, change, seen),
            Rule.CAPITAL: lambda: rules.capital(change, seen),
            Rule.TRADES: trades,
            Rule.SPAN: lambda: numbers.span(days, limits.min_psr_ppm, counted),
            Rule.SHARPE: lambda: numbers.sharpe(days, limits.min_sharpe_ppm),
            Rule.PSR: lambda: numbers.psr(days, limits.min_psr_ppm),
            Rule.OVERFIT: overfit,
            Rule.DISCOVERY: discovered,
            Rule.DEFLATED: lambda: on_trials(lambda rows: numbers.deflated(days, rows, limits.min_dsr_ppm)),
            Rule.DRAWDOWN: lambda: numbers.drawdown(days, limits, proposal.seed),
            Rule.DECAYED: decayed,
        }

    def _of_weights(self, proposal: Proposal, change: SetWeights, seen: Evidence) -> Judged:
        rows = _cited_returns(proposal, seen)
        free = rules.is_first(seen) or self._is_taken_back(change, rows, seen)
        return {
            Rule.SUM: lambda: rules.weights_sum(change),
            Rule.CAP: lambda: rules.cap(change, seen),
            Rule.CHANGE: lambda: "" if free else rules.distance(change, seen),
            Rule.COOL_DOWN: lambda: "" if free else rules.cool_down(seen),
            Rule.CERTIFIED: lambda: rules.weights_certified(change, seen),
            Rule.BETTER: lambda: "" if free else self._better(change, rows, seen),
            Rule.ROLLBACK: lambda: rules.rollback(change, seen),
        }

    def has_fallen(self, proposal: Proposal, seen: Evidence) -> bool:
        """Whether the weights in force have fallen as far as they may, by the returns that a proposal cites.

        Measured on whole days after the one on which they came into force.
        """
        return self._has_fallen(_cited_returns(proposal, seen), seen)

    def _is_taken_back(self, change: SetWeights, rows: dict[str, DailyReturns], seen: Evidence) -> bool:
        """Whether these are the weights before those in force, which have fallen as far as they may."""
        before = rules.by_agent(seen.previous)
        return bool(before) and rules.by_agent(change.weights) == before and self._has_fallen(rows, seen)

    def _has_fallen(self, rows: dict[str, DailyReturns], seen: Evidence) -> bool:
        old = rules.by_agent(seen.weights)
        if not seen.rollback_drawdown_bp or not old or not old.keys() <= rows.keys():
            return False
        first = max(seen.weights_changed_ns // DAY_NS + 1, *(rows[agent].first_day for agent in old))
        last = min(rows[agent].first_day + len(rows[agent].returns_ppm) for agent in old)
        days = [max(day // rules.FULL_BP, 1 - PPM) for day in portfolio(old, rows, first, max(first, last))]
        return self._numbers.deepest(days) * rules.FULL_BP >= seen.rollback_drawdown_bp * PPM

    def _better(self, change: SetWeights, rows: dict[str, DailyReturns], seen: Evidence) -> str:
        """On folds of the days that all agents of any weight have in common."""
        limits, old, new = seen.rules, rules.by_agent(seen.weights), rules.by_agent(change.weights)
        agents = sorted({*old, *new})
        bare = [agent for agent in agents if agent not in rows]
        if bare or not agents:
            return f"no returns of {', '.join(bare) or 'anybody'} are cited"
        first = max(rows[agent].first_day for agent in agents)
        last = min(rows[agent].first_day + len(rows[agent].returns_ppm) for agent in agents)
        if last - first < limits.min_days:
            return f"{max(last - first, 0)} common days are fewer than {limits.min_days}"
        cost = rules.moved(change, seen) * limits.cost_bp * _COST
        before, after = (
            folded(portfolio(side, rows, first, last), limits.folds, limits.purge_days, paid)
            for side, paid in ((old, 0), (new, cost))
        )
        return self._numbers.better(list(zip(before, after, strict=True)), limits)


def _cited_returns(proposal: Proposal, seen: Evidence) -> dict[str, DailyReturns]:
    return {row.agent: row for row in seen.returns if row.source in proposal.evidence}


def _of_episode(change: AddEpisode, seen: Evidence) -> Judged:
    return {
        Rule.KNOWN: lambda: rules.known(change, seen),
        Rule.TRADE: lambda: rules.trade(change, rules.shown(seen)),
        Rule.VECTOR: lambda: rules.vector(change, seen.vector, seen),
        Rule.DUPLICATE: lambda: rules.duplicate(change, seen),
    }


def _of_episodes(change: AddEpisodes, seen: Evidence) -> Judged:
    """As of one, each of them."""
    trades, data = rules.shown(seen), {sha256(one).hexdigest(): one for one in seen.vectors}
    judged: dict[Rule, Callable[[AddEpisode], str]] = {
        Rule.KNOWN: lambda one: rules.known(one, seen),
        Rule.TRADE: lambda one: rules.trade(one, trades),
        Rule.VECTOR: lambda one: rules.vector(one, data.get(one.vector_digest, b""), seen),
        Rule.DUPLICATE: lambda one: rules.duplicate(one, seen),
    }
    return {name: partial(rules.all_of, change, rule) for name, rule in judged.items()}


def _of_setting(change: Configure, seen: Evidence) -> Judged:
    return {Rule.KEY: lambda: rules.key(change), Rule.VALUE: lambda: rules.value(change, seen)}

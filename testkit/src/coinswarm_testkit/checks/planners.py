"""L: what a planner may propose for the committee's weights."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from coinswarm.domain.proposal import Proposal, ProposalKind, SetWeights
from coinswarm_testkit.cases import outlooks as cases
from coinswarm_testkit.checks import pure
from coinswarm_testkit.checks.check import Check
from coinswarm_testkit.checks.pure import answers_to, demand
from coinswarm_testkit.verdicts import CheckSkipped, Measured

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from coinswarm.domain.acceptance import Outlook
    from coinswarm_testkit.bench import Bench
    from coinswarm_testkit.subject import Kind

FULL_BP = 10_000


def planned(bench: Bench, seen: Sequence[Outlook]) -> list[Proposal | None]:
    """What it proposes for each outlook."""
    answers = answers_to(bench, "plan", [(one,) for one in seen])
    pure.of_kind(answers, _is_plan, "Proposal of kind SET_WEIGHTS")
    return answers


def _is_plan(answer: Any) -> bool:  # noqa: ANN401 - whatever it answered
    return answer is None or (isinstance(answer, Proposal) and answer.kind is ProposalKind.SET_WEIGHTS)


def proposals(bench: Bench, seen: Sequence[Outlook]) -> Iterator[tuple[Outlook, Proposal, dict[str, int]]]:
    """Each outlook that it answers with a proposal, and the weights in it."""
    for one, answer in zip(seen, planned(bench, seen), strict=True):
        if answer is not None:
            assert isinstance(answer.change, SetWeights)  # held by ``of_kind`` and the proposal itself
            yield one, answer, {weight.agent: weight.weight_bp for weight in answer.change.weights}


def ordinary(bench: Bench) -> list[Outlook]:
    """Outlooks in which something may be proposed."""
    return [*cases.outlooks(bench.seed), *cases.without_some(bench.seed)]


def processes(bench: Bench) -> None:
    """L10: the same proposal in any process."""
    pure.in_any_process(bench, "plan", [(one,) for one in cases.outlooks(bench.seed)])


def memoryless(bench: Bench) -> None:
    """L15: a proposal is a function of the outlook, in whatever order that tells things."""
    seen = cases.outlooks(bench.seed)
    pure.whatever_came_before(bench, "plan", [(one,) for one in seen])
    rng = np.random.default_rng([bench.seed, 23])
    mixed = planned(bench, [cases.shuffled(rng, one) for one in seen])
    pure.demand_same(
        [_as_sets(one) for one in mixed],
        [_as_sets(one) for one in planned(bench, seen)],
        "outlooks in another order",
    )


def _as_sets(answer: Proposal | None) -> object:
    """A proposal, whatever the order of its parts."""
    if answer is None or not isinstance(answer.change, SetWeights):
        return None
    weights = frozenset((weight.agent, weight.weight_bp) for weight in answer.change.weights if weight.weight_bp)
    return weights, frozenset(answer.evidence), answer.change.rollback_drawdown_bp, answer.base_version


def proposes(bench: Bench) -> Measured:
    """L20: it does propose: where the record is long and nothing forbids it, now and then."""
    seen = cases.outlooks(bench.seed)
    count = sum(answer is not None for answer in planned(bench, seen))
    demand(count, f"it proposes nothing for any of {len(seen)} outlooks")
    return Measured({"outlooks": len(seen), "proposals": count})


def whole_weights(bench: Bench) -> None:
    """L25: weights are whole basis points, at least 0, and sum to 10,000."""
    for _, _, weights in proposals(bench, ordinary(bench)):
        demand(sum(weights.values()) == FULL_BP, f"weights sum to {sum(weights.values()):,}: {weights}")
        demand(min(weights.values()) >= 0, f"a weight is below 0: {weights}")


def keeps_the_cap(bench: Bench) -> None:
    """L30: no agent weighs more than the rules allow."""
    for seen, _, weights in proposals(bench, ordinary(bench)):
        cap = seen.rules.max_weight_bp
        over = sorted(agent for agent, weight in weights.items() if weight > cap)
        demand(not over, f"{', '.join(over)} above the cap of {cap:,}: {weights}")


def bounded_change(bench: Bench) -> Measured:
    """L35: weights move no further than the rules allow, summed over agents."""
    largest = 0
    for seen, _, weights in proposals(bench, ordinary(bench)):
        before = {weight.agent: weight.weight_bp for weight in seen.weights}
        moved = sum(abs(weights.get(agent, 0) - before.get(agent, 0)) for agent in {*weights, *before})
        demand(moved <= seen.rules.max_change_bp, f"{moved:,} bp are moved, the bound is {seen.rules.max_change_bp:,}")
        largest = max(largest, moved)
    return Measured({"largest_bp": largest})


def certified_only(bench: Bench) -> None:
    """L40: only agents with a certificate weigh anything."""
    for seen, _, weights in proposals(bench, ordinary(bench)):
        bare = sorted(agent for agent, weight in weights.items() if weight and agent not in seen.certified)
        demand(not bare, f"{', '.join(bare)} weighs something without a certificate")


def cools_down(bench: Bench) -> None:
    """L45: nothing is proposed before the cool-down is over."""
    seen = cases.cooling(bench.seed)
    early = sum(answer is not None for answer in planned(bench, seen))
    demand(not early, f"{early} of {len(seen)} outlooks are answered within the cool-down")


def on_evidence(bench: Bench) -> None:
    """L50: no proposal without evidence, and none but what the outlook shows."""
    blind = [answer for answer in planned(bench, cases.bare(bench.seed)) if answer is not None]
    demand(not blind, f"it proposes without any returns: {blind[:1]}"[:300])
    for seen, proposal, weights in proposals(bench, ordinary(bench)):
        shown = {row.source: row.agent for row in seen.returns}
        demand(proposal.evidence, "a proposal cites nothing")
        foreign = [source.place for source in proposal.evidence if source not in shown]
        demand(not foreign, f"it cites {', '.join(foreign)}, which it was not shown")
        cited = {shown[source] for source in proposal.evidence}
        before = {weight.agent: weight.weight_bp for weight in seen.weights}
        rising = sorted(agent for agent, weight in weights.items() if weight > before.get(agent, 0))
        bare = [agent for agent in rising if agent not in cited]
        demand(not bare, f"{', '.join(bare)} is to weigh more, and its returns are not cited")


def well_formed(bench: Bench) -> None:
    """L55: a proposal starts from the version in force, is about ``weights``, and says when it is taken back."""
    for seen, proposal, _ in proposals(bench, ordinary(bench)):
        demand(
            proposal.base_version == seen.version,
            f"it starts from version {proposal.base_version}, in force is {seen.version}",
        )
        demand(proposal.subject == "weights", f"it is about {proposal.subject!r}, not 'weights'")
        assert isinstance(proposal.change, SetWeights)  # as above
        back, most = proposal.change.rollback_drawdown_bp, seen.rules.max_rollback_bp
        demand(0 < back <= most, f"it is taken back at {back:,} bp, the rules allow 1 to {most:,}")


def any_outlook(bench: Bench) -> Measured:
    """L60: no outlook makes it raise."""
    return Measured({"outlooks": len(planned(bench, cases.hard(bench.seed)))})


def needs_history(bench: Bench) -> None:
    """L65: with fewer days than it declares to need, it proposes nothing."""
    days = int(bench.subject.declaration.get("history_days", 0))
    if not days:
        message = "it declares no history_days"
        raise CheckSkipped(message)
    early = sum(answer is not None for answer in planned(bench, cases.young(bench.seed, days - 1)))
    demand(not early, f"it proposes on {days - 1} days and declares to need {days}")


PLANNER: frozenset[Kind] = frozenset({"planner"})

CHECKS: tuple[Check, ...] = (
    Check("L10", "the same proposal in any process", 1, processes, PLANNER),
    Check("L15", "a proposal depends on the outlook alone", 1, memoryless, PLANNER),
    Check("L20", "it does propose", 2, proposes, PLANNER),
    Check("L25", "whole weights that sum to 10,000", 3, whole_weights, PLANNER, safety=True),
    Check("L30", "no agent above the cap", 3, keeps_the_cap, PLANNER, safety=True),
    Check("L35", "bounded change", 3, bounded_change, PLANNER, safety=True),
    Check("L40", "only certified agents weigh anything", 3, certified_only, PLANNER, safety=True),
    Check("L45", "nothing within the cool-down", 3, cools_down, PLANNER),
    Check("L50", "no proposal without evidence", 2, on_evidence, PLANNER, safety=True),
    Check("L55", "from the version in force, with a way back", 3, well_formed, PLANNER),
    Check("L60", "no outlook makes it raise", 7, any_outlook, PLANNER),
    Check("L65", "no proposal on fewer days than declared", 2, needs_history, PLANNER),
)

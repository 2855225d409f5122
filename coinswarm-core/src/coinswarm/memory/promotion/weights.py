"""Weights that the quorum decided: in force, before, and what a change of them asks for."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from coinswarm.domain.proposal import Proposal, ProposalKind, Reference, SetWeights, Weight
from coinswarm.memory.quorum.records import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from coinswarm.memory.quorum.records import Entry

SUBJECT = "weights"


class Weighing(NamedTuple):
    """Weights as an entry of the log brought them into force.

    :param entry: its index; :param at_ns: its time by the log's clock.
    :param proposal: id; :param submitter: who asked for it.
    :param weights: agent -> basis points, those of weight nothing left out.
    :param rollback_drawdown_bp: at which fall since then they are to be taken back.
    """

    entry: int
    at_ns: int
    proposal: str
    submitter: str
    weights: dict[str, int]
    rollback_drawdown_bp: int


def weighing(entry: Entry) -> Weighing | None:
    """The weights that an entry brought into force; None where it brought none."""
    change = entry.envelope.proposal.change
    if entry.outcome is not Outcome.ACCEPT or not isinstance(change, SetWeights):
        return None
    held = sorted((one.agent, one.weight_bp) for one in change.weights if one.weight_bp)
    return Weighing(
        entry=entry.index,
        at_ns=entry.at_ns,
        proposal=entry.envelope.id,
        submitter=entry.envelope.submitter,
        weights=dict(held),
        rollback_drawdown_bp=change.rollback_drawdown_bp,
    )


def moved(before: Mapping[str, int], after: Mapping[str, int]) -> list[dict[str, object]]:
    """What differs, agent by agent: rows of a table."""
    agents = sorted({*before, *after})
    return [
        {
            "agent": agent,
            "before_bp": before.get(agent, 0),
            "after_bp": after.get(agent, 0),
            "change_bp": after.get(agent, 0) - before.get(agent, 0),
        }
        for agent in agents
    ]


def change_of_weights(
    weights: Mapping[str, int], rollback_drawdown_bp: int, *, version: int, evidence: Iterable[Reference]
) -> Proposal:
    """The proposal that asks for weights.

    :param version: of the weights in force.
    :param evidence: the returns that it rests on.
    :raises ValueError: for what is no weight, or no agent's name.
    """
    return Proposal(
        kind=ProposalKind.SET_WEIGHTS,
        subject=SUBJECT,
        base_version=version,
        change=SetWeights(
            weights=tuple(Weight(agent, bp) for agent, bp in sorted(weights.items())),
            rollback_drawdown_bp=rollback_drawdown_bp,
        ),
        evidence=tuple(sorted(evidence, key=lambda one: one.place)),
    )

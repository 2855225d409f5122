"""What an entry says of weights, what differs between two, and what a proposal of others is."""

from __future__ import annotations

import pytest

from coinswarm.canonical import GENESIS
from coinswarm.domain.proposal import Configure, Proposal, ProposalKind, Reference
from coinswarm.memory.promotion.weights import SUBJECT, change_of_weights, moved, weighing
from coinswarm.memory.quorum.records import Entry, Envelope, Outcome

RETURNS = (Reference("returns/trend", "ab" * 32), Reference("returns/pairs", "cd" * 32))
PROPOSAL = change_of_weights({"trend": 4_000, "pairs": 6_000, "idle": 0}, 250, version=3, evidence=RETURNS)


def entry(proposal: Proposal, outcome: Outcome = Outcome.ACCEPT) -> Entry:
    envelope = Envelope(
        cluster="north", shard="main", roster=0, submitter="desk", nonce=1, deadline_ns=9, proposal=proposal
    )
    return Entry(index=7, previous=GENESIS, epoch=1, at_ns=5, envelope=envelope, outcome=outcome)


def test_an_accepted_change_is_what_it_weighs() -> None:
    found = weighing(entry(PROPOSAL))
    assert found is not None
    assert found.weights == {"pairs": 6_000, "trend": 4_000}
    assert (found.entry, found.at_ns, found.submitter, found.rollback_drawdown_bp) == (7, 5, "desk", 250)
    assert found.proposal == entry(PROPOSAL).envelope.id


@pytest.mark.parametrize("outcome", [Outcome.REJECT, Outcome.CONFLICT, Outcome.EXPIRED])
def test_what_was_not_accepted_weighs_nothing(outcome: Outcome) -> None:
    assert weighing(entry(PROPOSAL, outcome)) is None


def test_other_decisions_are_not_about_weights() -> None:
    change = Configure("acceptance.folds", "4")
    other = Proposal(kind=ProposalKind.CONFIGURE, subject="acceptance/folds", base_version=0, change=change)
    assert weighing(entry(other)) is None


def test_a_change_is_the_same_proposal_in_whatever_order_it_is_told() -> None:
    again = change_of_weights({"idle": 0, "pairs": 6_000, "trend": 4_000}, 250, version=3, evidence=RETURNS[::-1])
    assert again == PROPOSAL
    assert (PROPOSAL.subject, PROPOSAL.base_version) == (SUBJECT, 3) == (PROPOSAL.proper_subject, 3)
    with pytest.raises(ValueError, match="agent of the weight is 'No'"):
        change_of_weights({"No": 1}, 250, version=3, evidence=())


def test_what_differs_is_told_agent_by_agent() -> None:
    assert moved({"a": 1, "b": 2}, {"b": 5, "c": 1}) == [
        {"agent": "a", "before_bp": 1, "after_bp": 0, "change_bp": -1},
        {"agent": "b", "before_bp": 2, "after_bp": 5, "change_bp": 3},
        {"agent": "c", "before_bp": 0, "after_bp": 1, "change_bp": 1},
    ]

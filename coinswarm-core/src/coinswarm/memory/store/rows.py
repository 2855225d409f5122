"""The rows of the log's own tables, as entries, their proposals, ballots and rosters make them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from coinswarm.memory.store.state import about

if TYPE_CHECKING:
    from coinswarm.memory.quorum.records import Ballot, Entry, Envelope
    from coinswarm.memory.quorum.roster import Roster


def proposal_row(log: int, envelope: Envelope) -> dict[str, Any]:
    """The row of a proposal that was decided."""
    proposal = envelope.proposal
    return {
        "log": log,
        "id": envelope.id,
        "kind": proposal.kind.value,
        "subject": proposal.subject,
        "about": about(proposal),
        "submitter": envelope.submitter,
        "body": envelope.body.decode(),
        "signature": envelope.signature,
    }


def decision_row(log: int, entry: Entry) -> dict[str, Any]:
    """The row of how the proposal of an entry ended."""
    return {
        "log": log,
        "proposal": entry.envelope.id,
        "outcome": entry.outcome.value,
        "position": entry.index,
    }


def entry_row(log: int, entry: Entry) -> dict[str, Any]:
    """The row of an entry."""
    return {
        "log": log,
        "position": entry.index,
        "previous": entry.previous,
        "hash": entry.hash,
        "epoch": entry.epoch,
        "at_ns": entry.at_ns,
        "proposal": entry.envelope.id,
        "outcome": entry.outcome.value,
    }


def vote_row(log: int, ballot: Ballot, place: int, at_ns: int) -> dict[str, Any]:
    """The row of a ballot of a commit proof."""
    return {
        "log": log,
        "proposal_id": ballot.proposal,
        "manager_id": ballot.voter,
        "decision": "ACCEPT" if ballot.accepts else "REJECT",
        "reasons": ballot.findings,
        "timestamp": at_ns,
        "place": place,
        "body": ballot.body.decode(),
        "signature": ballot.signature,
    }


def voter_rows(roster: Roster) -> list[dict[str, Any]]:
    """The voters of a roster, as ``voter`` has them."""
    return [{"roster": roster.version, "name": seat.name, "key": seat.key} for seat in roster.voters]

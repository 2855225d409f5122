"""How a proposal ends: one rule, for who writes the log and for who reads it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from coinswarm.memory.quorum.records import Outcome
from coinswarm.memory.quorum.roster import Roster, reconfigures, succeed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from coinswarm.domain.proposal import Proposal
    from coinswarm.memory.quorum.records import Envelope


class Standing(NamedTuple):
    """What the log holds, as far as one envelope is concerned.

    :param version: of its subject; where it has several, the largest of theirs.
    :param roster: in force.
    :param spent: whether another proposal with the submitter's nonce was accepted.
    """

    version: int
    roster: Roster
    spent: bool


def version_of(proposal: Proposal, versions: Callable[[Sequence[str]], Iterable[int]]) -> int:
    """The version that a proposal must start from: its subject's, and of several the largest.

    :param versions: of some subjects; those that have none may be left out.
    """
    return max(versions(proposal.subjects), default=0)


def is_stale(envelope: Envelope, standing: Standing) -> bool:
    """Whether a proposal can never be accepted any more: versions only grow, and a nonce is spent for ever."""
    return (
        envelope.proposal.base_version < standing.version or envelope.roster < standing.roster.version or standing.spent
    )


def ruling(envelope: Envelope, standing: Standing, at_ns: int, *, verdict: bool | None) -> Outcome | None:
    """The outcome that is due at a moment of the log; None while none is.

    :param verdict: what a commit proof says; None without one.
    """
    if at_ns > envelope.deadline_ns:
        return Outcome.EXPIRED
    if is_stale(envelope, standing):
        return Outcome.CONFLICT
    if verdict is None or envelope.proposal.base_version != standing.version:
        return None
    if not verdict:
        return Outcome.REJECT
    if reconfigures(envelope.proposal) and successor(envelope, standing.roster) is None:
        return None
    return Outcome.ACCEPT


def successor(envelope: Envelope, roster: Roster) -> Roster | None:
    """The roster that an envelope asks for; None where it asks for none that is allowed."""
    try:
        return succeed(roster, envelope.proposal)
    except ValueError:
        return None

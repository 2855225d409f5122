"""Signed records back from their canonical bytes: what was hashed and signed is what is kept and sent.

Reading is strict: bytes that are not the canonical form of what they say are refused, so that nothing stands in a
database or a message that no signature covers.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, TypeVar

from coinswarm.domain.episode import Episode
from coinswarm.domain.proposal import (
    CHANGES,
    AddEpisode,
    Change,
    Claim,
    MovePattern,
    Proposal,
    ProposalKind,
    Reference,
    SetWeights,
    Stage,
    Weight,
)
from coinswarm.memory.quorum.records import Ballot, Envelope, Head, SealVote

if TYPE_CHECKING:
    from collections.abc import Callable

R = TypeVar("R", Envelope, Ballot, SealVote)

_VERDICTS = {"ACCEPT": True, "REJECT": False}


def envelope_from(body: bytes, signature: str) -> Envelope:
    """The envelope of which these are the bytes.

    :raises ValueError: when they are those of none.
    """

    def made(told: dict[str, Any]) -> Envelope:
        return Envelope(
            cluster=told["cluster"],
            shard=told["shard"],
            roster=told["roster"],
            submitter=told["submitter"],
            nonce=told["nonce"],
            deadline_ns=told["deadline_ns"],
            proposal=proposal_from(told["proposal"]),
            signature=signature,
        )

    return _strict("a proposal", body, made)


def ballot_from(body: bytes, signature: str) -> Ballot:
    """The ballot of which these are the bytes.

    :raises ValueError: when they are those of none.
    """

    def made(told: dict[str, Any]) -> Ballot:
        return Ballot(
            cluster=told["cluster"],
            shard=told["shard"],
            roster=told["roster"],
            proposal=told["proposal"],
            accepts=_VERDICTS[told["verdict"]],
            findings=told["findings"],
            voter=told["voter"],
            seen=Head(told["seen_index"], told["seen_hash"]),
            signature=signature,
        )

    return _strict("a ballot", body, made)


def seal_vote_from(body: bytes, signature: str) -> SealVote:
    """The seal vote of which these are the bytes.

    :raises ValueError: when they are those of none.
    """

    def made(told: dict[str, Any]) -> SealVote:
        return SealVote(
            cluster=told["cluster"],
            shard=told["shard"],
            roster=told["roster"],
            head=Head(told["index"], told["hash"]),
            voter=told["voter"],
            signature=signature,
        )

    return _strict("a seal vote", body, made)


def proposal_from(told: dict[str, Any]) -> Proposal:
    """The proposal whose ``content`` this is.

    :raises ValueError: when it is that of none; :raises KeyError, TypeError: likewise, for the callers here.
    """
    kind = ProposalKind(told["kind"])
    return Proposal(
        kind=kind,
        subject=told["subject"],
        base_version=told["base_version"],
        change=_change(CHANGES[kind], told["change"]),
        evidence=tuple(Reference(**each) for each in told["evidence"]),
        claims=tuple(Claim(**each) for each in told["claims"]),
    )


def _change(kind: type[Change], told: dict[str, Any]) -> Change:
    """What a proposal asks for, with what is nested in it."""
    if kind is AddEpisode:
        told = {**told, "episode": Episode(**told["episode"]), "trade": Reference(**told["trade"])}
    elif kind is MovePattern:
        told = {**told, "stage": Stage(told["stage"])}
    elif kind is SetWeights:
        told = {**told, "weights": tuple(Weight(**each) for each in told["weights"])}
    return kind(**told)


def _strict(what: str, body: bytes, made: Callable[[dict[str, Any]], R]) -> R:
    """A record from its bytes, if these are its canonical ones."""
    try:
        record = made(json.loads(body))
    except (KeyError, TypeError, AttributeError, ValueError) as error:  # JSON's own error is a ValueError
        message = f"{what} cannot be read ({type(error).__name__}: {error})"
        raise ValueError(message) from None
    if record.body != body:
        message = f"{what} is not in its canonical form"
        raise ValueError(message)
    return record

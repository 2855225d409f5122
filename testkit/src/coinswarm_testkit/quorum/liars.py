"""What Byzantine voters, coordinators and submitters do with what an honest one would have sent."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from coinswarm.canonical import digest
from coinswarm.memory.quorum.log import Request
from coinswarm.memory.quorum.messages import Message, Vote
from coinswarm.memory.quorum.records import Head
from coinswarm_testkit.quorum.plan import LIES

if TYPE_CHECKING:
    from random import Random

    from coinswarm.memory.quorum.records import Ballot, Envelope
    from coinswarm_testkit.quorum.scheme import Cast

LIE = digest("a lie")


def lies(  # noqa: PLR0911, PLR0913 - one return per manner; all that a liar knows
    rng: Random, manner: str, vote: Vote, cast: Cast, place: int, heard: list[Vote]
) -> list[tuple[Message, bool]]:
    """What a Byzantine voter sends instead of its vote: messages, and whether each goes to all or to some only.

    :param heard: votes of others that it may replay and forge.
    """
    if manner == "any":
        manner = rng.choice(LIES[:-1])
    ballot, signer = vote.ballot, cast.voters[place]

    def say(changed: Ballot) -> Vote:
        return Vote(vote.envelope, changed.signed(signer))

    if manner == "silent":
        return []
    if manner == "equivocate":
        other = say(replace(ballot, accepts=not ballot.accepts))
        everybody = rng.random() < 0.5  # noqa: PLR2004 - half the time to all, so that all can tell
        return [(vote, everybody), (other, everybody)]
    if manner == "twice":
        return [(vote, True), (say(replace(ballot, seen=Head(0, "0" * 64))), True)]
    if manner == "forge":
        return [(forged, True) for forged in forgeries(vote, cast, place, heard)]
    if manner == "replay":
        return [
            (vote, True),
            *((old, True) for old in heard[-3:]),
            *((old, True) for old in elsewhere(vote, cast, place)),
        ]
    if manner == "lie":
        return [(say(replace(ballot, accepts=not ballot.accepts, findings=LIE)), True)]
    if manner == "heads":
        return [(say(replace(ballot, seen=Head(ballot.seen.index + rng.choice((0, 1, 1_000)), "d" * 64))), True)]
    return [(vote, True)]


def forgeries(vote: Vote, cast: Cast, place: int, heard: list[Vote]) -> list[Vote]:
    """Ballots in others' names: signed by the liar, unsigned, and with a signature taken from another ballot."""
    stolen = heard[-1].ballot.signature if heard else ""
    names = [seat.name for seat in cast.roster.voters if seat.name != f"v{place}"]
    made = [replace(vote.ballot, voter=name, accepts=not vote.ballot.accepts, findings=LIE) for name in names]
    return [
        Vote(vote.envelope, one.signed(cast.voters[place]) if number % 2 else replace(one, signature=stolen))
        for number, one in enumerate(made)
    ]


def elsewhere(vote: Vote, cast: Cast, place: int) -> list[Vote]:
    """The others' true ballots of another cluster and of an older roster, where the same keys voted the other way."""
    found = []
    for number, signer in enumerate(cast.voters):
        if number == place:
            continue
        there = replace(vote.ballot, cluster="south", voter=f"v{number}", accepts=not vote.ballot.accepts).signed(
            signer
        )
        found.append(Vote(vote.envelope, there))
        found.append(Vote(vote.envelope, replace(there, cluster=vote.ballot.cluster)))
    return found


def unproven(rng: Random, heard: list[Vote], epoch: int) -> list[Request]:
    """What a Byzantine coordinator asks the log for.

    Too few ballots, one ballot many times, other proposals' ballots, another verdict under true signatures, an expiry
    in an epoch that is not its own; and what was decided already, once more.
    """
    if not heard:
        return []
    vote = rng.choice(heard)
    envelope, ballot = vote.envelope, vote.ballot
    same = [one.ballot for one in heard if one.ballot.proposal == envelope.id]
    others = [one.ballot for one in heard if one.ballot.proposal != envelope.id]
    turned = tuple(replace(one, accepts=not one.accepts) for one in same)
    return [
        Request(envelope=envelope, proof=(ballot,)),
        Request(envelope=envelope, proof=(ballot,) * 7),
        Request(envelope=envelope, proof=tuple(others[:5])),
        Request(envelope=envelope, proof=turned),
        Request(envelope=envelope, epoch=max(0, epoch - 1)),
        Request(envelope=envelope, proof=tuple({one.voter: one for one in same}.values())),
    ]


def forged_envelope(envelope: Envelope, cast: Cast) -> Envelope:
    """A proposal in the submitter's name that it never made."""
    return replace(envelope, nonce=envelope.nonce + 1_000_000).signed(cast.stranger)

"""Records of the commonest forms from their bytes, without a way through JSON, and those that were read lately.

None of this refuses anything: what is not told here goes the long way (``codec``), which says what is wrong with it.
Records are filled by their fields' names, because that is half the price of their ``__init__``, and they check nothing.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Generic, TypeVar

from coinswarm.domain.episode import Episode
from coinswarm.domain.proposal import AddEpisode, AddEpisodes, Proposal, ProposalKind, Reference
from coinswarm.memory.quorum import forms
from coinswarm.memory.quorum.records import Ballot, Envelope, Head

R = TypeVar("R", Envelope, Ballot)

_LONG = 8 * 1024
"""Of bodies that are longer, few are kept, so that whoever sends them fills no memory; one episode has an eighth."""

_LONGEST = 128 * 1024
"""Still longer ones are not kept at all; 64 episodes have half of it."""


class Lately(Generic[R]):
    """The records that were read last: each comes several times, in messages and in the log.

    Safe from several threads: each step is one of a dict.

    :param limit: how many are kept, and a thirty-second of it of long ones.
    """

    def __init__(self, limit: int) -> None:
        self._limits = limit, max(1, limit >> 5)
        self._held: tuple[OrderedDict[str, R], OrderedDict[str, R]] = OrderedDict(), OrderedDict()

    def find(self, body: bytes, signature: str) -> R | None:
        """The record of which these are the bytes, if it was read lately."""
        found = self._held[len(body) > _LONG].get(signature)
        return found if found is not None and found.body == body else None

    def keep(self, record: R) -> R:
        """A record that was read from its bytes, kept."""
        size = len(record.body)
        if size <= _LONGEST:
            held = self._held[size > _LONG]
            held[record.signature] = record
            if len(held) > self._limits[size > _LONG]:
                held.popitem(last=False)
        return record


def envelope(body: bytes, signature: str) -> Envelope | None:
    """The envelope of which these are the bytes; None where they are of none to remember episodes."""
    try:
        return _of_one(body, signature) or _of_several(body, signature)
    except ValueError:
        return None


def _of_one(body: bytes, signature: str) -> Envelope | None:
    """The envelope of the form ``forms.EPISODE``."""
    told = forms.EPISODE.read(body)
    if told is None:
        return None
    cited_digest, cited_place = told[20:22]
    change = _change(told[4:20])
    trade = change.trade
    cited = (
        trade if (cited_place, cited_digest) == (trade.place, trade.digest) else Reference(cited_place, cited_digest)
    )
    proposal = Proposal(
        kind=ProposalKind.ADD_EPISODE, subject=told[22], base_version=int(told[3]), change=change, evidence=(cited,)
    )
    return _enveloped(told, proposal, body, signature)


def _of_several(body: bytes, signature: str) -> Envelope | None:
    """The envelope of the form ``forms.EPISODES``."""
    told = forms.EPISODES.read(body)
    items = forms.REMEMBER.read_each(told[4]) if told is not None else None
    if told is None or items is None:
        return None
    change = AddEpisodes(episodes=tuple([_change(one) for one in items]))
    proposal = Proposal(kind=ProposalKind.ADD_EPISODES, subject=told[5], base_version=int(told[3]), change=change)
    return _enveloped(told, proposal, body, signature)


def _change(told: tuple[str, ...]) -> AddEpisode:
    """What ``forms.REMEMBER`` tells.

    :raises ValueError: where that is no episode.
    """
    (
        dimension, agent, decided_ns, identity, instrument, known_ns, quality_bp, regime, result_ppm, risk_ppm, side,
        stopped, space, digest, place, vector,
    ) = told  # fmt: skip
    episode = Episode(
        id=identity,
        agent=agent,
        instrument=instrument,
        side=int(side),
        decided_ns=int(decided_ns),
        known_ns=int(known_ns),
        result_ppm=int(result_ppm),
        risk_ppm=int(risk_ppm),
        stopped=stopped == "true",
        regime=regime,
        quality_bp=int(quality_bp),
    )
    trade = Reference(place, digest)
    return AddEpisode(space=space, dimension=int(dimension), episode=episode, vector_digest=vector, trade=trade)


def _enveloped(told: tuple[str, ...], proposal: Proposal, body: bytes, signature: str) -> Envelope:
    """The envelope around a proposal: what is told of it before the change and at the end."""
    (cluster, deadline_ns, nonce), (roster, shard, submitter) = told[:3], told[-3:]
    found = object.__new__(Envelope)
    found.__dict__.update(
        cluster=cluster,
        shard=shard,
        roster=int(roster),
        submitter=submitter,
        nonce=int(nonce),
        deadline_ns=int(deadline_ns),
        proposal=proposal,
        signature=signature,
        body=body,
    )
    return found


def ballot(body: bytes, signature: str) -> Ballot | None:
    """The ballot of which these are the bytes; None where they are those of none."""
    told = forms.BALLOT.read(body)
    if told is None:
        return None
    cluster, findings, proposal, roster, seen_hash, seen_index, shard, verdict, voter = told
    if verdict not in {"ACCEPT", "REJECT"}:
        return None
    found = object.__new__(Ballot)
    found.__dict__.update(
        cluster=cluster,
        shard=shard,
        roster=int(roster),
        proposal=proposal,
        accepts=verdict == "ACCEPT",
        findings=findings,
        voter=voter,
        seen=Head(int(seen_index), seen_hash),
        signature=signature,
        body=body,
    )
    return found

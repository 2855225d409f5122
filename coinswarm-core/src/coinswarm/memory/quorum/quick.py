"""Records of the commonest forms from their bytes, without a way through JSON, and those that were read lately.

None of this refuses anything: what is not told here goes the long way (``codec``), which says what is wrong with it.
Records are filled by their fields' names, because that is half the price of their ``__init__``, and they check nothing.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Generic, TypeVar

from coinswarm.domain.episode import Episode
from coinswarm.domain.proposal import AddEpisode, Proposal, ProposalKind, Reference
from coinswarm.memory.quorum import forms
from coinswarm.memory.quorum.records import Ballot, Envelope, Head

R = TypeVar("R", Envelope, Ballot)

_LONG = 8 * 1024
"""Longer bodies are not kept, so that whoever sends long ones fills no memory; an honest one has a fourth of it."""


class Lately(Generic[R]):
    """The records that were read last: each comes several times, in messages and in the log.

    Safe from several threads: each step is one of a dict.

    :param limit: how many are kept.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._held: OrderedDict[str, R] = OrderedDict()

    def find(self, body: bytes, signature: str) -> R | None:
        """The record of which these are the bytes, if it was read lately."""
        found = self._held.get(signature)
        return found if found is not None and found.body == body else None

    def keep(self, record: R) -> R:
        """A record that was read from its bytes, kept."""
        if len(record.body) <= _LONG:
            self._held[record.signature] = record
            if len(self._held) > self._limit:
                self._held.popitem(last=False)
        return record


def envelope(body: bytes, signature: str) -> Envelope | None:
    """The envelope of the form ``forms.EPISODE`` of which these are the bytes; None where they are of no such one."""
    told = forms.EPISODE.read(body)
    if told is None:
        return None
    (
        cluster, deadline_ns, nonce, base, dimension, agent, decided_ns, identity, instrument, known_ns, quality_bp,
        regime, result_ppm, risk_ppm, side, stopped, space, digest, place, vector, cited_digest, cited_place, subject,
        roster, shard, submitter,
    ) = told  # fmt: skip
    try:
        trade = Reference(place, digest)
        cited = trade if (cited_place, cited_digest) == (place, digest) else Reference(cited_place, cited_digest)
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
        change = AddEpisode(space=space, dimension=int(dimension), episode=episode, vector_digest=vector, trade=trade)
        proposal = Proposal(
            kind=ProposalKind.ADD_EPISODE,
            subject=subject,
            base_version=int(base),
            change=change,
            evidence=(cited,),
        )
    except ValueError:
        return None
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

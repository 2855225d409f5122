"""Whether the weights in force have fallen as far as their own proposal said: then they may be taken back at once.

Nothing takes them back by itself. Whoever shows weights says so where it is due, and core's two voters judge it here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from coinswarm.clock import DAY_NS, iso
from coinswarm.memory.evidence.gather import Gatherer
from coinswarm.memory.evidence.places import RETURNS
from coinswarm.memory.evidence.weighings import cited_returns, weighings
from coinswarm.memory.promotion.voters import DecimalVoter, IntegerVoter
from coinswarm.memory.promotion.weights import change_of_weights
from coinswarm.memory.quorum.records import Envelope

if TYPE_CHECKING:
    from collections.abc import Iterable

    from coinswarm.memory.store.opening import Store


class Fall(NamedTuple):
    """What is known of a fall of the weights in force.

    :param due: whether they fell as far as they may; None: none are in force, or no day since then was measured.
    :param measured: the last UTC day, as 2027-01-31, of which the returns of all their agents are known; empty: none.
    """

    due: bool | None = None
    measured: str = ""


def fall_of(store: Store) -> Fall:
    """How far the weights in force fell, by the returns that a store holds.

    :raises RetryableError: the store does not answer.
    """
    version, found = weighings(store)
    if not found:
        return Fall()
    log, now = store.log, found[-1]
    cites, bare = cited_returns(store, now.weights)
    end = 0 if bare else _end(store, now.weights)
    if not end:
        return Fall()
    measured = iso((end - 1) * DAY_NS)[:10]
    if end - 1 <= now.at_ns // DAY_NS:  # the day on which they came into force does not count
        return Fall(None, measured)
    proposal = change_of_weights(now.weights, now.rollback_drawdown_bp, version=version, evidence=cites)
    envelope = Envelope(
        cluster=log.cluster, shard=log.shard, roster=0, submitter="", nonce=0, deadline_ns=0, proposal=proposal
    )
    evidence = Gatherer(store)(envelope)
    if evidence is None:  # they grew while they were read
        return Fall(None, measured)
    return Fall(all(voter.has_fallen(proposal, evidence) for voter in (DecimalVoter(), IntegerVoter())), measured)


def _end(store: Store, agents: Iterable[str]) -> int:
    """The day after the last one of which the returns of all these agents are there."""
    with store.facts.reader() as facts:
        records = [facts.returns(f"{RETURNS}/{agent}") for agent in agents]
    return min(first + len(values) for first, values in records)

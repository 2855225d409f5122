"""Whether the weights in force have fallen as far as their own proposal said: then they may be taken back at once.

Nothing takes them back by itself. Whoever shows weights says so where it is due, and core's two voters judge it here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from coinswarm.memory.evidence.gather import Gatherer
from coinswarm.memory.evidence.weighings import cited_returns, weighings
from coinswarm.memory.promotion.voters import DecimalVoter, IntegerVoter
from coinswarm.memory.promotion.weights import change_of_weights
from coinswarm.memory.quorum.records import Envelope

if TYPE_CHECKING:
    from coinswarm.memory.store.opening import Store


def has_fallen(store: Store) -> bool | None:
    """Whether they have, by the returns that the store holds; None where none are in force, or returns are missing.

    :raises RetryableError: the store does not answer.
    """
    version, found = weighings(store)
    if not found:
        return None
    cites, bare = cited_returns(store, found[-1].weights)
    if bare:
        return None
    log, now = store.log, found[-1]
    proposal = change_of_weights(now.weights, now.rollback_drawdown_bp, version=version, evidence=cites)
    envelope = Envelope(
        cluster=log.cluster, shard=log.shard, roster=0, submitter="", nonce=0, deadline_ns=0, proposal=proposal
    )
    evidence = Gatherer(store)(envelope)
    if evidence is None:  # they grew while they were read
        return None
    return all(voter.has_fallen(proposal, evidence) for voter in (DecimalVoter(), IntegerVoter()))

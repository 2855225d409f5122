"""Whatever is asked of it, a log in a database answers as the one in memory, and its state is a fold of its entries."""

from __future__ import annotations

from contextlib import closing
from itertools import count
from typing import TYPE_CHECKING, NamedTuple

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

from coinswarm.canonical import digest
from coinswarm.domain.episode import Episode
from coinswarm.domain.proposal import (
    AddEpisode,
    MovePattern,
    Proposal,
    ProposalKind,
    Reference,
    SeatAgent,
    SetWeights,
    Stage,
    Weight,
    several,
)
from coinswarm.memory.quorum.inmemory import MemoryLog
from coinswarm.memory.quorum.keys import Ed25519Scheme
from coinswarm.memory.quorum.log import Request, decide, renew, take
from coinswarm.memory.store.audit import rebuild, verified
from coinswarm.memory.store.opening import open_store

if TYPE_CHECKING:
    from memory.quorum.conftest import Cluster

SHARDS = count()

EXAMPLES = 12 if settings().derandomize else 500
"""The second with ``--hypothesis-profile=search``."""


class Asked(NamedTuple):
    """One request, in short."""

    kind: str
    subject: int
    base: int
    verdict: bool | None
    nonce: int
    life: int
    leads: bool


ASKED = some.builds(
    Asked,
    kind=some.sampled_from(["rule", "roster", "episode", "episodes", "pattern", "weights", "seat"]),
    subject=some.integers(0, 1),
    base=some.integers(0, 2),
    verdict=some.sampled_from([True, True, True, False, None]),
    nonce=some.integers(1, 12),
    life=some.sampled_from([5, 1_000]),
    leads=some.booleans(),
)
STEPS = some.lists(
    some.one_of(some.lists(ASKED, min_size=1, max_size=5), some.integers(1, 20), some.sampled_from(["c0", "c1"])),
    min_size=1,
    max_size=8,
)


def remember(asked: Asked, number: int | None = None) -> AddEpisode:
    episode = Episode(
        id=digest(asked.subject if number is None else number), agent="trend", instrument="X", side=1, decided_ns=1,
        known_ns=2, result_ppm=asked.nonce,
    )  # fmt: skip
    trade = Reference("trade/x", digest(1))
    return AddEpisode(space="state", dimension=2, episode=episode, vector_digest=digest("v"), trade=trade)


def proposal(cluster: Cluster, asked: Asked) -> Proposal:  # noqa: PLR0911 - one return per kind
    name = f"s{asked.subject}"
    if asked.kind == "roster":
        return cluster.next_roster(rules=digest(asked.subject))
    if asked.kind == "episode":
        subject = f"{name}/e" if asked.nonce % 2 else f"episode/{digest(asked.subject)}"
        return Proposal(kind=ProposalKind.ADD_EPISODE, subject=subject, base_version=asked.base, change=remember(asked))
    if asked.kind == "episodes":  # some share an episode, also with those that are proposed by themselves
        return several(tuple(remember(asked, (asked.nonce + step) % 5) for step in range(asked.base + 1)))
    if asked.kind == "pattern":
        moved = MovePattern(
            pattern=name, stage=list(Stage)[asked.nonce % 5], hypothesis="so", variants=1, registered_ns=0
        )
        return Proposal(kind=ProposalKind.PROMOTE_PATTERN, subject=f"{name}/p", base_version=asked.base, change=moved)
    if asked.kind == "weights":
        shares = SetWeights(
            weights=(Weight("trend", asked.nonce), Weight(name, 10_000 - asked.nonce)), rollback_drawdown_bp=1
        )
        return Proposal(kind=ProposalKind.SET_WEIGHTS, subject="weights", base_version=asked.base, change=shares)
    if asked.kind == "seat":
        kind = ProposalKind.ADMIT_AGENT if asked.nonce % 2 else ProposalKind.SUSPEND_AGENT
        seat = SeatAgent(agent=name, certificate=digest(1), reason="so")
        return Proposal(kind=kind, subject=f"{name}/a", base_version=asked.base, change=seat)
    return cluster.proposal(str(asked.nonce), subject=f"acceptance/{name}", base=asked.base)


@settings(max_examples=EXAMPLES, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
def test_it_answers_as_the_log_in_memory_does(
    cluster: Cluster, store_url: str, steps: list[list[Asked] | int | str]
) -> None:
    shard = f"s{next(SHARDS)}"
    cluster.log = model = MemoryLog("north", shard, cluster.roster, lambda: cluster.now)
    scheme = Ed25519Scheme()
    with closing(open_store(store_url, "north", shard, roster=cluster.roster, clock=lambda: cluster.now)) as store:
        for step in steps:
            if isinstance(step, int):
                cluster.now += step * 1_000_000_000
            elif isinstance(step, str):
                assert take(store.log, step) == take(model, step)
                assert renew(store.log, step, 1) == renew(model, step, 1)
            else:
                requests = []
                for asked in step:
                    envelope = cluster.envelope(
                        proposal(cluster, asked), shard=shard, nonce=asked.nonce, life=asked.life * 1_000_000_000
                    )
                    proof = () if asked.verdict is None else cluster.proof(envelope, accepts=asked.verdict)
                    requests.append(Request(envelope=envelope, proof=proof, epoch=int(asked.leads)))
                assert decide(store.log, requests, scheme) == decide(model, requests, scheme)
        assert store.log.read(1, 0, 999) == model.read(1, 0, 999)
        assert verified(store, scheme).why == ""
        assert rebuild(store, scheme).differed == {}

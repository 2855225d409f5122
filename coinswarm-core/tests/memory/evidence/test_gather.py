"""Evidence is all that a proposal cites and all that was decided, at one position of the log; or nothing."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from coinswarm.canonical import digest, sha256
from coinswarm.clock import DAY_NS, HOUR_NS
from coinswarm.domain.acceptance import AcceptanceRules, Certificate, Exhibit
from coinswarm.domain.episode import Episode, Space
from coinswarm.domain.proposal import (
    AddEpisode,
    Configure,
    MovePattern,
    Proposal,
    ProposalKind,
    Reference,
    SeatAgent,
    SetWeights,
    Stage,
    Weight,
    episodes_of,
    several,
)
from coinswarm.memory.evidence.gather import Gatherer
from coinswarm.memory.store.facts import ClosedTrade, cite_trade

if TYPE_CHECKING:
    from memory.quorum.conftest import Cluster

    from coinswarm.domain.acceptance import Evidence
    from coinswarm.memory.store.opening import Store

VECTOR = b"\0\0\x80?\0\0\0\0"


def episode(number: int, known_ns: int = 100) -> Episode:
    return Episode(
        id=digest(number),
        agent="trend",
        instrument="BTC/USD",
        side=1,
        decided_ns=0,
        known_ns=known_ns,
        result_ppm=number,
    )


def write(stored: Store, *episodes: Episode, patterns: tuple[str, ...] = ()) -> None:
    """As the session does, when trades are closed."""
    price = Decimal(1)
    stored.facts.add_trades([
        ClosedTrade(
            episode=one, entry_price=price, exit_price=price, pnl=1, slippage_bps=0, opened_ns=0,
            closed_ns=one.known_ns, patterns=patterns,
        )
        for one in episodes
    ])  # fmt: skip


def remember(one: Episode) -> Proposal:
    """A proposal to remember it."""
    change = AddEpisode(
        space="trend/state", dimension=2, episode=one, vector_digest=sha256(VECTOR), trade=cite_trade(one)
    )
    return Proposal(
        kind=ProposalKind.ADD_EPISODE, subject=f"episode/{one.id}", base_version=0, change=change,
        evidence=(change.trade,),
    )  # fmt: skip


def move(kind: ProposalKind, stage: Stage, base: int, pattern: str = "breakout", **fields: int) -> Proposal:
    """A proposal to move a pattern."""
    change = MovePattern(
        pattern=pattern, stage=stage, hypothesis="it goes on", variants=fields.get("variants", 2), registered_ns=0
    )
    return Proposal(kind=kind, subject=f"pattern/{pattern}", base_version=base, change=change)


def weights(base: int, **shares: int) -> Proposal:
    change = SetWeights(
        weights=tuple(Weight(agent, share) for agent, share in shares.items()), rollback_drawdown_bp=100 + base
    )
    return Proposal(kind=ProposalKind.SET_WEIGHTS, subject="committee/weights", base_version=base, change=change)


def seen(cluster: Cluster, stored: Store, proposal: Proposal, **more: object) -> Evidence | None:
    gather = Gatherer(stored, **more)  # type: ignore[arg-type]
    envelope = cluster.envelope(proposal)
    found = gather(envelope)
    assert gather.many([envelope, envelope]) == [found, found], "together each gets what it gets alone"
    return found


def reject(cluster: Cluster, proposal: Proposal) -> None:
    cluster.decide(cluster.request(cluster.envelope(proposal), accepts=False))


def test_an_episode_is_judged_on_its_trade_and_its_vector(cluster: Cluster, stored: Store) -> None:
    one = episode(1)
    proposal = remember(one)
    assert seen(cluster, stored, proposal) is None
    write(stored, one)
    assert seen(cluster, stored, proposal) is None, "the vector is not there"
    stored.facts.add_vectors([VECTOR])
    stored.facts.add_space(Space("north", "trend/state", 2))
    found = seen(cluster, stored, proposal)
    assert found is not None
    assert found.exhibits == (Exhibit(source=cite_trade(one), episodes=(one,)),)
    assert found.sources == {cite_trade(one)}
    assert (found.vector, found.spaces) == (VECTOR, (Space("north", "trend/state", 2),))
    assert (found.version, found.now_ns, found.submitter, found.remembered) == (0, cluster.now, "desk", ())
    envelope, counted = cluster.envelope(proposal), list[str]()
    stored.lines.told = counted.append
    assert Gatherer(stored)(envelope) == found
    asked = [statement for statement in counted if statement != "BEGIN"]
    assert len(asked) == 3, "what it is judged by, its trade, its vector"
    assert not any("json" in statement for statement in asked), "one thing is asked for without a list"
    cluster.commit(proposal)
    again = seen(cluster, stored, replace(proposal, subject="episode/other"))
    assert again is not None
    assert again.remembered == (one.id,)


def test_what_is_cited_and_is_another_is_no_evidence(cluster: Cluster, stored: Store) -> None:
    one = episode(1)
    write(stored, one)
    stored.facts.add_vectors([VECTOR])
    proposal = remember(one)
    for wrong in (
        Reference(cite_trade(one).place, digest("other")),
        Reference(f"trade/{digest(2)}", cite_trade(one).digest),
        Reference("somewhere/else", digest(1)),
        Reference("certificates/trend", digest(1)),
        Reference("returns/trend", digest(1)),
    ):
        assert seen(cluster, stored, replace(proposal, evidence=(wrong,))) is None, wrong
    assert seen(cluster, stored, proposal) is not None


def test_a_record_may_end_where_it_was_cited_but_not_leave_out_what_was_known_well_before(
    cluster: Cluster, stored: Store
) -> None:
    write(stored, episode(1), patterns=("breakout",))
    early = stored.facts.cite_trades("breakout")
    assert early is not None
    proposal = replace(move(ProposalKind.PROMOTE_PATTERN, Stage.SHADOW, 0), evidence=(early,))
    cluster.now = 10 * DAY_NS
    write(stored, episode(2, cluster.now), patterns=("breakout",))
    found = seen(cluster, stored, proposal)
    assert found is not None
    assert found.exhibits == (Exhibit(source=early, episodes=(episode(1),)),)
    cluster.now += HOUR_NS + 1
    assert seen(cluster, stored, proposal) is None
    whole = stored.facts.cite_trades("breakout")
    assert whole is not None
    found = seen(cluster, stored, replace(proposal, evidence=(whole,)))
    assert found is not None
    assert [one.id for one in found.exhibits[0].episodes] == [digest(1), digest(2)]


def test_a_record_of_returns_likewise(cluster: Cluster, stored: Store) -> None:
    cluster.now = 12 * DAY_NS
    early = stored.facts.add_returns("returns/trend", 10, [5])
    trial = stored.facts.add_returns("trials/breakout/fast", 3, [1, 2])
    whole = stored.facts.add_returns("returns/trend", 11, [6])
    proposal = replace(weights(0, trend=10_000), evidence=(early, trial))
    found = seen(cluster, stored, proposal)
    assert found is not None
    [row], [variant] = found.returns, found.trials
    assert (row.agent, row.source, row.first_day, row.returns_ppm) == ("trend", early, 10, (5,))
    assert (variant.variant, variant.source, variant.first_day, variant.returns_ppm) == ("fast", trial, 3, (1, 2))
    cluster.now += HOUR_NS + 1
    assert seen(cluster, stored, proposal) is None
    found = seen(cluster, stored, replace(proposal, evidence=(whole,)))
    assert found is not None
    assert found.returns[0].returns_ppm == (5, 6)


def test_weights_rules_seats_and_certificates_are_those_in_force_at_a_position(cluster: Cluster, stored: Store) -> None:
    gather = Gatherer(stored, mode="live", minimum_bp=7)
    stored.facts.add_certificate("trend", digest(1), "gold")
    stored.facts.add_certificate("meanrev", digest(2), "silver")
    seat = SeatAgent(agent="trend", certificate=digest(1), reason="it is good")
    first = weights(0, trend=10_000)
    steps = [
        first,
        Proposal(kind=ProposalKind.ADMIT_AGENT, subject="agent/trend", base_version=0, change=seat),
        weights(1, trend=6_000, meanrev=4_000),
        cluster.proposal("4000", subject="acceptance/max-weight-bp"),
        cluster.proposal("0", subject="acceptance/max-weight-bp", base=1),
        cluster.proposal("x", subject="acceptance/max-change-bp"),
        cluster.proposal("1", subject="other/thing"),
        Proposal(kind=ProposalKind.SUSPEND_AGENT, subject="agent/trend", base_version=1, change=seat),
    ]
    asked = cluster.envelope(weights(2, trend=5_000, meanrev=5_000))
    told: list[Evidence | None] = [gather.at(asked, 0, cluster.now)]
    times = []
    for step in steps:
        cluster.now += 1_000_000
        times.append(cluster.now)
        cluster.commit(step)
        told.append(gather.at(asked, len(told), cluster.now))
    last = told[-1]
    assert last is not None
    assert (last.version, last.mode, last.minimum_bp) == (2, "live", 7)
    assert last.weights == (Weight("trend", 6_000), Weight("meanrev", 4_000))
    assert (last.previous, last.weights_changed_ns, last.rollback_drawdown_bp) == (
        (Weight("trend", 10_000),), times[2], 101,
    )  # fmt: skip
    assert last.rules == AcceptanceRules(max_weight_bp=4_000)
    assert last.certificates == (), "none is cited"
    assert (last.certified, last.seated) == (("trend",), ())
    assert [one.seated for one in told[1:4] if one] == [(), ("trend",), ("trend",)]
    assert [len(one.weights) for one in told if one] == [0, 1, 1, 2, 2, 2, 2, 2, 2]
    for position, before in enumerate(told):
        assert before is not None
        assert gather.at(asked, position, before.now_ns) == before, "the past does not change"
    assert Gatherer(stored)(asked) == replace(last, mode="paper", minimum_bp=0, certified=("meanrev", "trend"))


def test_a_pattern_is_judged_where_its_test_stands_among_all(cluster: Cluster, stored: Store) -> None:
    register, promote = ProposalKind.UPDATE_PATTERN, ProposalKind.PROMOTE_PATTERN
    for other in ("a", "b", "c"):
        cluster.commit(move(register, Stage.CANDIDATE, 0, other))
    cluster.commit(move(promote, Stage.SHADOW, 1, "a"))
    cluster.commit(move(promote, Stage.SHADOW, 1, "b"))
    cluster.commit(move(promote, Stage.PROBATION, 2, "a"))
    cluster.now += 5
    registered = cluster.now
    cluster.commit(move(register, Stage.CANDIDATE, 0, variants=3))
    candidate = seen(cluster, stored, move(promote, Stage.SHADOW, 1))
    assert candidate is not None
    assert (candidate.registered_ns, candidate.number, candidate.tested_ns) == (registered, 0, 0)
    cluster.now += 5
    tested = cluster.now
    cluster.commit(move(promote, Stage.SHADOW, 1))
    cluster.commit(move(promote, Stage.SHADOW, 1, "c"))
    cluster.commit(move(promote, Stage.PROBATION, 2, "b"))
    reject(cluster, move(promote, Stage.PROBATION, 2))
    reject(cluster, move(promote, Stage.ENABLED, 2, variants=9))
    found = seen(cluster, stored, move(promote, Stage.PROBATION, 2))
    assert found is not None
    assert (found.stage, found.registered_ns, found.variants) == ("shadow", registered, 3)
    assert (found.number, found.tested_ns, found.discoveries) == (3, tested, (2,))
    cluster.commit(move(register, Stage.CANDIDATE, 2, variants=4))
    anew = seen(cluster, stored, move(promote, Stage.SHADOW, 3))
    assert anew is not None
    assert (anew.stage, anew.number) == ("candidate", 0)
    cluster.commit(move(promote, Stage.SHADOW, 3))
    again = seen(cluster, stored, move(promote, Stage.PROBATION, 4))
    assert again is not None
    assert (again.number, again.discoveries) == (5, (2, 4))
    fresh = seen(cluster, stored, move(register, Stage.CANDIDATE, 0, "new"))
    assert fresh is not None
    assert (fresh.stage, fresh.number, fresh.discoveries, fresh.registered_ns) == ("", 0, (), 0)


def test_a_certificate_is_shown_where_it_is_cited(cluster: Cluster, stored: Store) -> None:
    stored.facts.add_certificate("meanrev", digest(2), "silver")
    cited = stored.facts.add_certificate("trend", digest(1), "gold")
    seat = SeatAgent(agent="trend", certificate=digest(1), reason="it is good")
    proposal = Proposal(
        kind=ProposalKind.ADMIT_AGENT, subject="agent/trend", base_version=0, change=seat, evidence=(cited,)
    )
    found = seen(cluster, stored, proposal)
    assert found is not None
    assert found.certificates == (Certificate(agent="trend", source=cited, tier="gold"),)
    stored.facts.revoke_certificate("trend", digest(1))
    assert seen(cluster, stored, proposal) is None


@pytest.mark.parametrize("key", ["acceptance.no-such-rule", "acceptance", "acceptancex.max-weight-bp"])
def test_a_setting_that_names_no_rule_has_no_effect(cluster: Cluster, stored: Store, key: str) -> None:
    cluster.commit(Proposal(kind=ProposalKind.CONFIGURE, subject="setting", base_version=0, change=Configure(key, "1")))
    found = seen(cluster, stored, weights(0, trend=10_000))
    assert found is not None
    assert found.rules == AcceptanceRules()


def test_several_proposals_get_together_what_each_gets_alone(cluster: Cluster, stored: Store) -> None:
    first, second, lost = (remember(episode(number)) for number in (1, 2, 3))
    write(stored, episode(1), episode(2), patterns=("breakout",))
    stored.facts.add_vectors([VECTOR])
    stored.facts.add_space(Space("north", "trend/state", 2))
    cluster.commit(first)
    setting = Proposal(
        kind=ProposalKind.CONFIGURE, subject="acceptance/min-trades", base_version=0,
        change=Configure("acceptance.min-trades", "120"),
    )  # fmt: skip
    cluster.commit(setting)
    cited = stored.facts.cite_trades("breakout")
    assert cited is not None
    asked = [
        first,
        second,
        lost,
        replace(second, subject=f"episode/{digest(1)}"),
        replace(move(ProposalKind.PROMOTE_PATTERN, Stage.SHADOW, 0), evidence=(cited,)),
        weights(0, trend=10_000),
        setting,
    ]
    gather, envelopes = Gatherer(stored), [cluster.envelope(proposal) for proposal in asked]
    together = gather.many(envelopes)
    assert together == [gather(envelope) for envelope in envelopes]
    known = [evidence for evidence in together if evidence is not None]
    assert [evidence.version for evidence in known] == [1, 0, 1, 0, 0, 1]
    assert known[0].remembered == (digest(1),)
    assert {evidence.rules.min_trades for evidence in known} == {120}
    assert gather.many([]) == []


def together(*numbers: int) -> Proposal:
    """A proposal to remember several."""
    parts = [episodes_of(remember(episode(number)).change)[0] for number in numbers]
    other = sha256(VECTOR[::-1])
    return several(tuple(replace(one, vector_digest=other) if place % 2 else one for place, one in enumerate(parts)))


def test_several_episodes_are_judged_on_all_their_trades_and_vectors(cluster: Cluster, stored: Store) -> None:
    proposal = together(1, 2, 3)
    write(stored, episode(1), episode(2))
    stored.facts.add_space(Space("north", "trend/state", 2))
    stored.facts.add_vectors([VECTOR, VECTOR[::-1]])
    assert seen(cluster, stored, proposal) is None, "a trade is not there"
    write(stored, episode(3))
    found = seen(cluster, stored, proposal)
    assert found is not None
    assert found.sources == {cite_trade(episode(number)) for number in (1, 2, 3)}
    assert (set(found.vectors), found.vector) == ({VECTOR, VECTOR[::-1]}, b"")
    assert (found.version, found.remembered) == (0, ())
    counted: list[str] = []
    envelope = cluster.envelope(proposal)
    stored.lines.told = counted.append
    assert Gatherer(stored)(envelope) == found
    assert len([statement for statement in counted if statement != "BEGIN"]) == 3, "all of it at once"
    missing = replace(episodes_of(proposal.change)[0], vector_digest=digest("nowhere"))
    assert seen(cluster, stored, several((missing, *episodes_of(proposal.change)[1:]))) is None
    unlike = replace(missing, vector_digest=sha256(VECTOR), trade=replace(missing.trade, digest=digest("other")))
    assert seen(cluster, stored, several((unlike, *episodes_of(proposal.change)[1:]))) is None


def test_what_several_made_counts_for_each_of_them_at_every_position(cluster: Cluster, stored: Store) -> None:
    write(stored, *(episode(number) for number in range(1, 6)))
    stored.facts.add_vectors([VECTOR, VECTOR[::-1]])
    stored.facts.add_space(Space("north", "trend/state", 2))
    steps = [
        remember(episode(1)),
        together(2, 3),
        replace(remember(episode(2)), base_version=1),
        replace(remember(episode(1)), base_version=1),
        together(4, 5),
    ]
    for step in steps:
        cluster.commit(step)
    asked = [*(remember(episode(number)) for number in range(1, 6)), together(1, 5), together(3, 4), steps[1]]
    envelopes = [cluster.envelope(proposal) for proposal in asked]
    gather = Gatherer(stored)
    told = [[gather.at(envelope, position, cluster.now) for envelope in envelopes] for position in range(6)]
    assert [[one.version for one in row if one] for row in told] == [
        [0, 0, 0, 0, 0, 0, 0, 0],
        [1, 0, 0, 0, 0, 1, 0, 0],
        [1, 1, 1, 0, 0, 1, 1, 1],
        [1, 2, 1, 0, 0, 1, 1, 2],
        [2, 2, 1, 0, 0, 2, 1, 2],
        [2, 2, 1, 1, 1, 2, 1, 2],
    ]
    assert [len(row[5].remembered) for row in told if row[5]] == [0, 1, 1, 1, 1, 2]
    assert [one and replace(one, submitter="") for one in told[-1]] == [
        one and replace(one, submitter="") for one in gather.many(envelopes)
    ]

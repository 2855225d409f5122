"""The state that accepted proposals make: written with the decision, and what people and queries see of it."""

from __future__ import annotations

import json
import math
import statistics as reference
from contextlib import closing
from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as some
from sqlalchemy import select
from sqlalchemy.orm import Session

from coinswarm.canonical import digest
from coinswarm.clock import HOUR_NS
from coinswarm.domain.episode import Episode as Told
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
    episodes_of,
    several,
)
from coinswarm.memory.evidence.gather import Gatherer
from coinswarm.memory.quorum.keys import Ed25519Scheme
from coinswarm.memory.quorum.log import Answer, Status
from coinswarm.memory.store import state as states
from coinswarm.memory.store.audit import rebuild
from coinswarm.memory.store.facts import ClosedTrade
from coinswarm.memory.store.models import AgentState, Episode, Pattern
from coinswarm.memory.store.state import statistics
from coinswarm.memory.store.tables import ProposalRow, SubjectRow

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from memory.quorum.conftest import Cluster

    from coinswarm.memory.store.opening import Store


def episode(number: int, **fields: object) -> Told:
    given_: dict[str, object] = {
        "id": digest(number), "agent": "trend", "instrument": "BTC/USD", "side": -1, "decided_ns": number,
        "known_ns": number + 5, "result_ppm": 10 * number, "regime": "calm", "quality_bp": 9_000,
    }  # fmt: skip
    return Told(**{**given_, **fields})  # type: ignore[arg-type]


def remember(one: Told, subject: str = "", space: str = "trend/state") -> Proposal:
    change = AddEpisode(
        space=space, dimension=2, episode=one, vector_digest=digest("v"), trade=Reference("trade/x", digest("t"))
    )
    return Proposal(
        kind=ProposalKind.ADD_EPISODE, subject=subject or f"episode/{one.id}", base_version=0, change=change
    )


def test_an_episode_is_a_row_and_the_last_that_was_accepted_holds(cluster: Cluster, stored: Store) -> None:
    one = episode(7, stopped=True)
    cluster.commit(remember(one))
    cluster.commit(remember(episode(8)))
    with Session(stored.engine) as session:
        row, other = session.scalars(select(Episode).order_by(Episode.position))
        assert (row.id, row.bot_id, row.embedding_id) == (one.id, "trend", digest("v"))
        assert (row.action, row.reward, row.outcome, row.timestamp) == ("short", 70, "stopped", 7)
        assert (row.regime_id, row.weight, row.space, row.dimension) == ("calm", 9_000, "trend/state", 2)
        assert (row.since, row.position, other.outcome) == (1, 1, "closed")
        assert Told(**json.loads(row.body)) == one
    cluster.commit(remember(episode(7, result_ppm=1), subject="episode/again", space="trend/state.2"))
    with Session(stored.engine) as session:
        row = session.scalars(select(Episode).where(Episode.id == one.id)).one()
        assert (row.reward, row.space, row.since, row.position) == (1, "trend/state.2", 1, 3)


def test_several_episodes_are_rows_with_the_entry_that_they_were_accepted_in(cluster: Cluster, stored: Store) -> None:
    cluster.commit(remember(episode(7), subject="episode/odd"))
    cluster.commit(several(tuple(episodes_of(remember(episode(number)).change)[0] for number in (9, 7, 8))))
    with Session(stored.engine) as session:
        rows = session.scalars(select(Episode).order_by(Episode.timestamp)).all()
        assert [(row.id, row.since, row.position) for row in rows] == [
            (digest(7), 1, 2),
            (digest(8), 2, 2),
            (digest(9), 2, 2),
        ]
        assert [Told(**json.loads(row.body)) for row in rows] == [episode(number) for number in (7, 8, 9)]
        subjects = {row.name: (row.version, row.since) for row in session.scalars(select(SubjectRow))}
        proposals = session.scalars(select(ProposalRow.about).order_by(ProposalRow.kind)).all()
    assert subjects == {"episode/odd": (1, 1), **{f"episode/{digest(number)}": (1, 2) for number in (7, 8, 9)}}
    assert proposals == [digest(7), ""]
    assert rebuild(stored, Ed25519Scheme()).differed == {}


def test_numbers_that_no_column_holds_do_not_stop_the_log(cluster: Cluster, stored: Store) -> None:
    wild = episode(7, result_ppm=-(2**63), decided_ns=2**63 - 1, known_ns=2**63 - 1)
    cluster.commit(remember(wild))
    change = MovePattern(pattern="p", stage=Stage.CANDIDATE, hypothesis="a\0b", variants=2**90, registered_ns=2**90)
    cluster.commit(Proposal(kind=ProposalKind.UPDATE_PATTERN, subject="pattern/p", base_version=0, change=change))
    with Session(stored.engine) as session:
        row = session.scalars(select(Episode)).one()
        assert (row.reward, row.timestamp) == (-(2**63 - 1), 2**63 - 1)
        assert Told(**json.loads(row.body)) == wild
        assert session.scalars(select(Pattern)).one().name == "a\N{REPLACEMENT CHARACTER}b"


def test_a_pattern_carries_the_statistics_of_the_trades_it_cites(cluster: Cluster, stored: Store) -> None:
    price = Decimal(1)
    stored.facts.add_trades([
        ClosedTrade(
            episode=episode(number), entry_price=price, exit_price=price, pnl=1, slippage_bps=number, opened_ns=1,
            closed_ns=2, patterns=("breakout",),
        )
        for number in (1, 2, 6)
    ])  # fmt: skip
    cited = stored.facts.cite_trades("breakout")
    assert cited is not None
    row = Pattern()
    for base, (stage, evidence) in enumerate([(Stage.CANDIDATE, ()), (Stage.SHADOW, (cited,))]):
        change = MovePattern(pattern="breakout", stage=stage, hypothesis="it goes on", variants=3, registered_ns=base)
        cluster.commit(
            Proposal(
                kind=ProposalKind.PROMOTE_PATTERN, subject="pattern/breakout", base_version=base, change=change,
                evidence=evidence,
            )
        )  # fmt: skip
        with Session(stored.engine) as session:
            row = session.scalars(select(Pattern)).one()
            assert (row.stage, row.enabled, row.variants, row.version) == (stage.value, False, 3, base + 1)
            assert row.sample_size == len(evidence) * 3
    assert (row.mean_pnl, row.win_rate, row.tail_5pct, row.tail_95pct, row.mean_slippage) == (30, 10_000, 10, 60, 3)
    assert (row.std_dev, row.sharpe, row.regime, row.name) == (26, 1_133_893, "calm", "it goes on")


def test_while_a_record_is_worked_out_others_decide(
    cluster: Cluster,
    stored: Store,
    store_url: str,
    monkeypatch: pytest.MonkeyPatch,
    again: Callable[[Store, str], Store],
) -> None:
    """However long it takes: PostgreSQL ends a transaction that waits for its process for two seconds."""

    def slow(trades: Sequence[tuple[Told, int]]) -> dict[str, object]:
        answers.extend(cluster.decide(other, log=elsewhere.log))
        return statistics(trades)

    stored.facts.add_trades([
        ClosedTrade(
            episode=episode(number), entry_price=Decimal(1), exit_price=Decimal(1), pnl=1, slippage_bps=number,
            opened_ns=1, closed_ns=2, patterns=("breakout",),
        )
        for number in (1, 2, 6)
    ])  # fmt: skip
    cited = stored.facts.cite_trades("breakout")
    assert cited is not None
    change = MovePattern(pattern="breakout", stage=Stage.SHADOW, hypothesis="it goes on", variants=3, registered_ns=0)
    proposal = Proposal(
        kind=ProposalKind.PROMOTE_PATTERN, subject="pattern/breakout", base_version=0, change=change, evidence=(cited,)
    )
    moved, other = cluster.request(cluster.envelope(proposal)), cluster.request(cluster.envelope())
    answers: list[Answer] = []
    with closing(again(stored, store_url)) as elsewhere, monkeypatch.context() as patch:
        patch.setattr(states, "statistics", slow)
        answers.extend(cluster.decide(moved))
    assert [one.status for one in answers] == [Status.DECIDED, Status.DECIDED]
    assert rebuild(stored, Ed25519Scheme()).differed == {}
    with Session(stored.engine) as session:
        assert session.scalars(select(Pattern)).one().sample_size == 3


def test_a_trade_that_is_written_later_and_was_known_earlier_changes_no_pattern(
    cluster: Cluster, stored: Store
) -> None:
    def write(*numbers: int) -> None:
        stored.facts.add_trades([
            ClosedTrade(
                episode=episode(number, decided_ns=number, known_ns=number + 1), entry_price=Decimal(1),
                exit_price=Decimal(1), pnl=1, slippage_bps=number, opened_ns=1, closed_ns=2, patterns=("breakout",),
            )
            for number in numbers
        ])  # fmt: skip

    write(2, 6)
    cited = stored.facts.cite_trades("breakout")
    assert cited is not None
    change = MovePattern(
        pattern="breakout", stage=Stage.SHADOW, hypothesis="it goes on", variants=3, registered_ns=0
    )  # fmt: skip
    proposal = Proposal(
        kind=ProposalKind.PROMOTE_PATTERN, subject="pattern/breakout", base_version=0, change=change, evidence=(cited,)
    )
    cluster.commit(proposal)
    gather, envelope = Gatherer(stored), cluster.envelope(replace(proposal, base_version=1))
    before = gather(envelope)
    assert before is not None
    assert [one.id for one in before.exhibits[0].episodes] == [digest(2), digest(6)]
    write(1, 4)
    assert stored.facts.cite_trades("breakout") != cited
    assert gather(envelope) == before
    cluster.now += HOUR_NS
    assert gather(envelope) == replace(before, now_ns=cluster.now)
    position = stored.log.read(1, 0, 1).head.index
    cluster.now += 1
    assert gather(envelope) is None, "for an hour it could have been cited too"
    assert gather.at(envelope, position, before.now_ns) == before, "the past does not change"
    assert rebuild(stored, Ed25519Scheme()).differed == {}
    with Session(stored.engine) as session:
        assert session.scalars(select(Pattern)).one().sample_size == 2


def test_an_agent_has_one_row_for_each_time_it_changed(cluster: Cluster, stored: Store) -> None:
    def weigh(base: int, **shares: int) -> Proposal:
        change = SetWeights(weights=tuple(Weight(one, bp) for one, bp in shares.items()), rollback_drawdown_bp=1)
        return Proposal(kind=ProposalKind.SET_WEIGHTS, subject="committee/weights", base_version=base, change=change)

    def seat(kind: ProposalKind, base: int) -> Proposal:
        change = SeatAgent(agent="trend", certificate=digest(1), reason="so")
        return Proposal(kind=kind, subject="agent/trend", base_version=base, change=change)

    steps = [
        seat(ProposalKind.ADMIT_AGENT, 0), weigh(0, trend=10_000), weigh(1, trend=10_000, meanrev=0),
        weigh(2, meanrev=10_000), seat(ProposalKind.SUSPEND_AGENT, 1),
    ]  # fmt: skip
    for step in steps:
        cluster.now += 1
        cluster.commit(step)
    with Session(stored.engine) as session:
        rows = session.scalars(select(AgentState).order_by(AgentState.position, AgentState.agent_id)).all()
        told = [(row.id, row.weights, row.seated, row.valid_until and row.valid_until - row.timestamp) for row in rows]
    assert told == [
        ("trend@1", 0, True, 1),
        ("trend@2", 10_000, True, 2),
        ("meanrev@3", 0, False, 1),
        ("meanrev@4", 10_000, False, None),
        ("trend@4", 0, True, 1),
        ("trend@5", 0, False, None),
    ]


@given(some.lists(some.integers(-(10**7), 10**7), min_size=2, max_size=40))
def test_statistics_are_those_of_the_textbook(results: list[int]) -> None:
    trades = [(episode(number, result_ppm=value), number) for number, value in enumerate(results)]
    found = statistics(trades)
    deviation = reference.stdev(results)
    assert found["sample_size"] == len(results)
    assert found["mean_pnl"] == sum(results) // len(results)
    assert found["std_dev"] == pytest.approx(deviation, abs=1)
    if deviation:
        assert found["sharpe"] == pytest.approx(reference.fmean(results) / deviation * 1e6, rel=1e-9, abs=1)
    else:
        assert found["sharpe"] is None
    ranked = sorted(results)
    assert found["tail_5pct"] == ranked[math.ceil(len(results) * 5 / 100) - 1]
    assert found["tail_95pct"] == ranked[math.ceil(len(results) * 95 / 100) - 1]
    assert statistics(trades[::-1]) == found


def test_statistics_of_nothing_and_of_one() -> None:
    assert statistics([])["sharpe"] is None
    one = statistics([(episode(1), 3)])
    assert (one["sample_size"], one["mean_pnl"], one["std_dev"], one["sharpe"]) == (1, 10, None, None)

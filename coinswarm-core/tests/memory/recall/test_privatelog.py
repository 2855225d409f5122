"""The private log of a run: a chain of what was remembered, under the quorum's predicates."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from coinswarm.domain.episode import Space
from coinswarm.domain.outcome import TradeOutcome
from coinswarm.domain.proposal import AddEpisode
from coinswarm.memory.quorum.records import START, Head
from coinswarm.memory.recall.episodes import Traded, episode_of
from coinswarm.memory.recall.privatelog import PrivateLog, proposed

SPACE = Space("run-1", "trend/state.1", 3)
VECTOR = np.ones(3, "<f4").tobytes()
TRADE = TradeOutcome("X/USD", 1, 100, 200, 300, 50, 7_500, 20, 5_000, 1, stopped=False)
TRADED = Traded(TRADE, Decimal(100), Decimal(101), 0)
EPISODE = episode_of(TRADE, space=SPACE.name, agent="trend", decided_ns=100, value=1_000_000)


def test_an_episode_is_its_trade_in_shares_of_its_value() -> None:
    assert (EPISODE.result_ppm, EPISODE.risk_ppm) == (7_500, 5_000)
    assert (EPISODE.decided_ns, EPISODE.known_ns, EPISODE.side, EPISODE.stopped) == (100, 300, 1, False)
    losing = episode_of(TRADE._replace(pnl=-7), space="s", agent="a", decided_ns=1, value=3)
    assert losing.result_ppm == -2_333_333
    assert episode_of(TRADE, space="s", agent="a", decided_ns=1, value=0).result_ppm == 7_500_000_000


def test_the_id_is_that_of_the_decision() -> None:
    other = episode_of(TRADE._replace(pnl=9), space=SPACE.name, agent="trend", decided_ns=100, value=77)
    assert other.id == EPISODE.id
    for change in ({"agent": "b"}, {"space": "other/1"}, {"decided_ns": 99}):
        fields = {"space": SPACE.name, "agent": "trend", "decided_ns": 100, **change}
        assert episode_of(TRADE, value=1_000_000, **fields).id != EPISODE.id  # type: ignore[arg-type]


def test_what_is_remembered_extends_a_chain() -> None:
    log = PrivateLog()
    done = log.propose(SPACE, EPISODE, VECTOR, TRADED, 300)
    assert (done.refused, done.head.index, len(log)) == ("", 1, 1)
    assert done.head == log.head != START
    assert log.get(EPISODE.id) == EPISODE
    again = PrivateLog()
    assert again.propose(SPACE, EPISODE, VECTOR, TRADED, 300).head == done.head, "the same log has the same digest"
    assert PrivateLog().propose(SPACE, EPISODE, b"other", TRADED, 300).head != done.head
    forked = PrivateLog(Head(41, "a" * 64))
    assert forked.propose(SPACE, EPISODE, VECTOR, TRADED, 300).head.index == 42
    assert forked.head.hash != done.head.hash
    assert forked.fork == Head(41, "a" * 64)


def test_what_is_not_known_yet_or_known_already_is_refused() -> None:
    log = PrivateLog()
    early = log.propose(SPACE, EPISODE, VECTOR, TRADED, 299)
    assert (early.refused, early.again, log.head, len(log)) == ("known", False, START, 0)
    first = log.propose(SPACE, EPISODE, VECTOR, TRADED, 300)
    twice = log.propose(SPACE, EPISODE, VECTOR, TRADED, 301)
    assert (twice.refused, twice.again, twice.head, len(log)) == ("duplicate", True, first.head, 1)


def test_a_proposal_cites_its_trade() -> None:
    proposal = proposed(SPACE, EPISODE, VECTOR)
    change = proposal.change
    assert isinstance(change, AddEpisode)
    assert (change.space, change.dimension, change.trade) == ("trend/state.1", 3, proposal.evidence[0])
    assert proposal.evidence[0].place == f"trade/{EPISODE.id}"
    assert proposed(SPACE, replace(EPISODE, result_ppm=1), VECTOR).evidence != proposal.evidence


@given(
    known=st.lists(st.tuples(st.integers(0, 50), st.integers(-60_000, 60_000)), max_size=20), as_of=st.integers(0, 60)
)
def test_the_base_rate_is_the_mean_of_what_was_known_in_whatever_order_it_came(
    known: list[tuple[int, int]], as_of: int
) -> None:
    log = PrivateLog()
    for n, (when, result) in enumerate(known):
        log.adopt(replace(EPISODE, id=f"{n:064x}", decided_ns=0, known_ns=when, result_ppm=result, risk_ppm=20_000))
        log.adopt(replace(EPISODE, id=f"{n + 99:064x}", decided_ns=0, known_ns=when, agent="other"))
        log.adopt(replace(EPISODE, id=f"{n + 199:064x}", decided_ns=0, known_ns=when, side=-1))
    counted = [result / 20_000 for when, result in known if when <= as_of]
    wanted = sum(counted) / len(counted) if counted else 0.0
    assert log.base("trend", 1, as_of) == pytest.approx(wanted, abs=1e-6)

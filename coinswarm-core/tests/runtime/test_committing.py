"""A session whose episodes a quorum decides on: what it accepts is remembered and learned from, and nothing else."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING

import pytest

from coinswarm.backtest.explain import explain_moments
from coinswarm.canonical import digest
from coinswarm.domain.acceptance import Rule, Verdict
from coinswarm.domain.proposal import AddEpisode
from coinswarm.drivers.episodes import LocalMemory
from coinswarm.engine.steps import Session, run_steps, timeline
from coinswarm.memory.evidence.gather import Gatherer
from coinswarm.memory.promotion.voters import DecimalVoter, IntegerVoter
from coinswarm.memory.quorum.fold import genesis
from coinswarm.memory.quorum.keys import Ed25519Scheme, Ed25519Signer
from coinswarm.memory.quorum.roster import Roster, Seat
from coinswarm.memory.quorum.verify import verify
from coinswarm.memory.recall.rules import RecallRules
from coinswarm.memory.store.opening import Store, open_store
from coinswarm.risk.limits import RiskLimits, SizingRules
from coinswarm.runtime import committing
from coinswarm.runtime.committing import embedded
from coinswarm.runtime.fork import forked, read_fork
from coinswarm.runtime.memory import private, remembering
from coinswarm.runtime.swarm.embedded import Cast
from coinswarm.simulator.costs import Costs
from coinswarm_testkit.differential import differences
from coinswarm_testkit.markets.seated import seated_bars, seated_plan
from coinswarm_testkit.reference.recalling import RecallingAgent

if TYPE_CHECKING:
    from pathlib import Path

    from coinswarm.contracts import Voter
    from coinswarm.domain.acceptance import Evidence
    from coinswarm.domain.proposal import Proposal
    from coinswarm.engine.plan import RunPlan
    from coinswarm.engine.result import RunResult

SPACE = "recalling/state.1"
SIGNERS = [Ed25519Signer(bytes([number + 40]) * 32) for number in range(5)]
ROSTER = Roster(
    version=0,
    faulty=1,
    rules=digest("rules"),
    voters=tuple(Seat(f"v{n}", SIGNERS[n].key) for n in range(4)),
    submitters=(Seat("desk", SIGNERS[4].key),),
)


BOTH = (DecimalVoter(), IntegerVoter())


class Unkind(IntegerVoter):
    """Refuses every other episode, by its id."""

    def evaluate(self, proposal: Proposal, evidence: Evidence) -> Verdict:
        assert isinstance(proposal.change, AddEpisode)
        told = super().evaluate(proposal, evidence)
        if int(proposal.change.episode.id[:8], 16) % 2 == 0:
            return told
        return Verdict.of({rule: "not this one" if rule is Rule.TRADE else "" for rule in (*told.held, *told.failed)})


@dataclass
class Swarm:
    """Four seats on one store."""

    folder: Path
    said: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.folder.mkdir(exist_ok=True)
        self.store: Store = open_store(str(self.folder / "swarm.db"), "north", "main", roster=ROSTER)

    def run(self, plan: RunPlan, *voters: Voter) -> RunResult:
        """A session over it; voters are given to seats in turn."""
        return self.session(plan, *voters).result()

    def session(self, plan: RunPlan, *voters: Voter) -> Session:
        """The same, to be looked into."""
        cast = Cast(
            roster=ROSTER,
            voters={f"v{n}": (SIGNERS[n], voters[n % len(voters)]) for n in range(4)},
            submitter="desk",
            signer=SIGNERS[4],
        )
        begin = partial(
            embedded,
            store=self.store,
            cast=cast,
            folder=self.folder,
            spaces={SPACE},
            say=self.said.append,
            gather=Gatherer(self.store),
        )
        with remembering(plan, LocalMemory, begin) as memory:
            session = Session(plan, memory)
            session.run(timeline(plan))
            return session

    def verified(self) -> int:
        """The length of the log, which is whole."""
        read = self.store.log.read(0, 0, 1_000_000)
        report = verify(genesis("north", "main", ROSTER), read.entries, read.head, Ed25519Scheme())
        assert not report.why
        return read.head.index


def plan_of(seed: int, bars: int = 260) -> RunPlan:
    """A run that recalls, sized by what it learned."""
    made = seated_bars(seed, bars)
    plan = seated_plan(seed, made, [RecallingAgent() for _ in made], warm_up=101)
    seats = tuple(replace(seat, space=SPACE) for seat in plan.seats)
    rules = RecallRules(embargo_ns=plan.bar_ns)
    return replace(plan, seats=seats, recall=rules, sizing=SizingRules(prior_trades=5), limits=RiskLimits())


@pytest.fixture
def swarm(tmp_path: Path) -> Swarm:
    return Swarm(tmp_path / "swarm")


def test_what_a_quorum_accepts_is_what_a_private_log_would_hold(swarm: Swarm) -> None:
    plan = plan_of(9)
    result = swarm.run(plan, *BOTH)
    with remembering(plan_of(9), LocalMemory) as memory:
        alone = run_steps(plan_of(9), memory)
    assert differences(alone, result) == []
    recall = result.recall
    assert recall is not None
    assert alone.recall is not None
    assert (recall.rows == alone.recall.rows).all()
    assert (recall.ids == alone.recall.ids).all()
    assert recall.episodes == swarm.verified() > 5
    assert recall.head[0] == recall.episodes
    with swarm.store.facts.reader() as facts:
        trade = facts.trades(f"trade/{bytes(recall.ids[0]).hex()}")
    assert len(trade) == 1


def test_a_session_goes_on_from_what_an_earlier_one_had_accepted(swarm: Swarm) -> None:
    first = swarm.run(plan_of(9), *BOTH)
    length = swarm.verified()
    session = swarm.session(plan_of(9), *BOTH)
    again, record = session.result(), session.desk.record
    assert again.recall is not None
    assert first.recall is not None
    assert again.recall.fork == first.recall.head
    assert (again.recall.episodes, swarm.verified()) == (0, length), "the same decisions are remembered once"
    assert (again.recall.rows == first.recall.rows)[:, :6].all(), "nothing is recalled before it was known"
    url = str(swarm.folder / "swarm.db")
    with remembering(plan_of(9), LocalMemory, private(forked(url, "", "", None, {SPACE}))) as memory:
        backtest = run_steps(plan_of(9), memory)
    assert differences(backtest, again) == [], "a backtest forks where the session was"
    assert len(again.recall.earlier) == length, "sizing counts what the swarm remembers, as it becomes known"
    assert len(again.recall.withheld) == length, "and counts no trade twice"
    assert record.wins[0] + record.losses[0] == 10_000 * len(again.trades)
    played, _ = explain_moments(plan_of(9), (), again.recall)
    assert differences(played, again) == []
    assert swarm.said == []


def test_a_session_that_earns_something_else_than_is_remembered_says_so(swarm: Swarm) -> None:
    """What an earlier session earned without costs is what this one recalls, and is sized by."""
    first = swarm.run(plan_of(9), *BOTH)
    assert first.recall is not None
    dear = swarm.run(replace(plan_of(9), costs=Costs(taker_ppm=9_000)), *BOTH)
    assert dear.recall is not None
    assert dear.recall.refused == 0
    [told] = swarm.said
    assert "R, as an earlier session had it accepted, and this one earned " in told


def test_what_a_quorum_refuses_is_neither_remembered_nor_learned_from(swarm: Swarm) -> None:
    session = swarm.session(plan_of(9), Unkind())
    result, record = session.result(), session.desk.record
    recall = result.recall
    assert recall is not None
    accepted = read_fork(swarm.store, None, {SPACE}).episodes
    assert 0 < len(accepted) == recall.episodes < swarm.verified()
    assert all(int(one.id[:8], 16) % 2 == 0 for _, _, one, _ in accepted)
    refused = swarm.verified() - len(accepted)
    at_risk = sum(trade.risk > 0 for trade in result.trades)
    assert (record.wins[0] + record.losses[0]) / 10_000 == at_risk - refused
    played, _ = explain_moments(plan_of(9), (), recall)
    assert differences(played, result) == [], "had again from its record, without a swarm"
    assert len(recall.withheld) == recall.refused == refused
    assert {bytes(one).hex() for one in recall.ids} <= {one.id for _, _, one, _ in accepted}


def test_what_was_accepted_while_a_session_ran_is_remembered_by_it_too(
    swarm: Swarm, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Proposed by a session beside it, or by an earlier one that was interrupted: its own proposal comes too late."""
    first = swarm.run(plan_of(9), *BOTH)
    length = swarm.verified()
    monkeypatch.setattr(committing, "read_fork", lambda store, _, spaces: read_fork(store, 0, spaces))
    again = swarm.run(plan_of(9), *BOTH)
    assert again.recall is not None
    assert first.recall is not None
    assert swarm.verified() == 2 * length, "each was proposed again, and conflicts"
    assert (again.recall.episodes, again.recall.refused) == (first.recall.episodes, 0)
    assert differences(first, again) == []
    assert (again.recall.ids == first.recall.ids).all()


def test_another_trade_of_a_decision_that_was_never_accepted_ends_no_session(swarm: Swarm) -> None:
    """An earlier session wrote it down, with what it earned at other costs, and its episode was refused."""
    refused = swarm.session(plan_of(9), Unkind()).result().recall
    assert refused is not None
    accepted = len(read_fork(swarm.store, None, {SPACE}).episodes)
    dear = replace(plan_of(9), costs=Costs(taker_ppm=900))
    result = swarm.session(dear, *BOTH).result()
    assert result.recall is not None
    assert len(result.trades) > result.recall.refused > 0
    assert len(read_fork(swarm.store, None, {SPACE}).episodes) >= accepted
    told = [line for line in swarm.said if "is not remembered" in line]
    assert len(told) == 1, "said once, however many there are"
    assert "an earlier session wrote that down" in told[0]

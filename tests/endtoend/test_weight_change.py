"""A planner proposes weights, voters judge them, and the committee of the next session decides by them."""

from __future__ import annotations

import gzip
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import anyio
import anyio.to_thread
import numpy as np
import pytest

from coinswarm.canonical import digest
from coinswarm.clock import DAY_NS, HOUR_NS
from coinswarm.config.profile import parse_profile
from coinswarm.domain.acceptance import Outlook, Rule
from coinswarm.domain.proposal import SetWeights, Weight
from coinswarm.feeds.files import sample
from coinswarm.memory.promotion.weights import change_of_weights
from coinswarm.memory.quorum.records import Envelope, Outcome
from coinswarm.memory.store.models import AgentState
from coinswarm.runtime.runs import backtest, replay
from coinswarm_testkit.cases.case import bent
from coinswarm_testkit.reference.planner import EqualRisk
from coinswarm_testkit.reference.settings import EqualRiskSettings

if TYPE_CHECKING:
    from pathlib import Path

    from endtoend.conftest import World

    from coinswarm.domain.proposal import Proposal
    from coinswarm.runtime.runs import Finished
    from coinswarm.runtime.swarm.embedded import EmbeddedSwarm

pytestmark = [pytest.mark.integration, pytest.mark.usefixtures("home")]

FIRST = {"trend": 4_000, "meanrev": 3_000, "slow": 3_000}
"""What the operator begins with."""
SHOWN = {"trend": (-400.0, 6_000.0), "meanrev": (900.0, 3_000.0), "slow": (200.0, 4_000.0)}
"""What each agent's ideas earned in a day, mean and deviation in millionths: the least sure earned the least."""
DAYS, BARS = 120, 1_500


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A session keeps nothing of the person who runs the tests."""
    monkeypatch.setenv("COINSWARM_HOME", str(tmp_path / "home"))


def session(world: World, *, runs: Path | None = None, weights: dict[str, int] | None = None, **log: Any) -> Finished:  # noqa: ANN401 - keys of [committee]
    """A session of three seats; their weights come from the swarm's log, unless they are given by hand."""
    bars = world.folder / "bars.csv"
    if not bars.exists():
        with gzip.open(sample("ETH/USD"), "rt") as file:
            bars.write_text("".join(line for line, _ in zip(file, range(BARS + 1), strict=False)))
    seats: list[dict[str, Any]] = [
        {"name": "trend", "settings": {"fast": 5, "slow": 15}},
        {"name": "meanrev", "settings": {"entry_z": 1.5}},
        {"name": "trend", "id": "slow", "settings": {"fast": 20, "slow": 60}},
    ]
    by_hand = weights or {"trend": 10_000}
    data: dict[str, Any] = {
        "mode": "backtest",
        "plugins": ["trend", "meanrev"],
        "instruments": [{"symbol": "ETH/USD", "file": str(bars)}],
        "agents": [{**seat, "weight_bp": by_hand.get(seat.get("id", seat["name"]), 0)} for seat in seats],
        "committee": {"enter_bp": 1_000, "exit_bp": 500, "participation_bp": 2_000},
    }
    if weights is None:
        data["committee"] |= {"store": world.drivers.url, "cluster": world.cluster, **log}
    return backtest(parse_profile(data, "p"), label="p", runs=runs, engine="steps", report=False)


def outlook(world: World) -> Outlook:
    """What a planner is shown: committed, and nothing later."""
    returns = []
    for agent, (mean, deviation) in SHOWN.items():
        rows = bent(np.random.default_rng([7, len(agent)]), DAYS, mean, deviation)
        first = world.now_ns // DAY_NS - DAYS
        returns.append(world.store.facts.add_returns(f"returns/{agent}", first, rows))
    asked = change_of_weights(FIRST, 300, version=1, evidence=returns)
    seen = world.gather(envelope(asked))
    assert seen is not None
    return Outlook(
        now_ns=seen.now_ns,
        version=seen.version,
        weights=seen.weights,
        weights_changed_ns=seen.weights_changed_ns,
        certified=seen.certified,
        returns=seen.returns,
        rules=seen.rules,
    )


def envelope(proposal: Proposal) -> Envelope:
    """A question about evidence; nobody signs it."""
    return Envelope(cluster="", shard="", roster=0, submitter="", nonce=0, deadline_ns=0, proposal=proposal)


def in_force(world: World) -> dict[str, int]:
    """The table of agents, as it stands now."""
    return {row.agent_id: row.weights for row in world.rows(AgentState) if row.valid_until is None and row.weights}


async def weighed(world: World) -> tuple[Finished, SetWeights]:
    """The operator's weights and a session by them, then the planner's; between them what must not pass."""
    for agent in FIRST:
        world.store.facts.add_certificate(agent, digest(agent), "silver")
    async with world.swarm() as swarm:
        first = await world.decide(swarm, change_of_weights(FIRST, 300, version=0, evidence=()))
        assert (first.outcome, first.verdict.failed) == (Outcome.ACCEPT, ())
        assert in_force(world) == FIRST
        before = await anyio.to_thread.run_sync(session, world)
        world.now_ns += DAYS * DAY_NS
        planned = EqualRisk(EqualRiskSettings()).plan(outlook(world))
        assert planned is not None
        assert isinstance(planned.change, SetWeights)
        await refused(world, swarm, planned)
        done = await world.decide(swarm, planned)
        assert (done.outcome, done.verdict.failed) == (Outcome.ACCEPT, ())
        world.now_ns += HOUR_NS
        again = await world.decide(swarm, replace(planned, base_version=2))
        assert (again.outcome, again.verdict.failed) == (Outcome.REJECT, (Rule.COOL_DOWN, Rule.BETTER))
        return before, planned.change


async def refused(world: World, swarm: EmbeddedSwarm, planned: Proposal) -> None:
    """What is not so good as the planner's weights, or not allowed, is rejected by rules that have names."""
    cases = {
        (Rule.SUM,): {"trend": 3_000, "meanrev": 3_500, "slow": 3_400},
        (Rule.CAP, Rule.CHANGE): {"trend": 1_000, "meanrev": 6_000, "slow": 3_000},
        (Rule.BETTER,): {"trend": 4_900, "meanrev": 2_100, "slow": 3_000},
        (Rule.CERTIFIED, Rule.BETTER): {"trend": 3_500, "meanrev": 3_000, "slow": 3_000, "stranger": 500},
    }
    assert isinstance(planned.change, SetWeights)
    for rules, weights in cases.items():
        change = replace(planned.change, weights=tuple(Weight(agent, bp) for agent, bp in weights.items()))
        done = await world.decide(swarm, replace(planned, change=change))
        assert (done.outcome, done.verdict.failed) == (Outcome.REJECT, rules), done.verdict.remarks
    assert in_force(world) == FIRST


def test_the_next_session_decides_by_the_weights_that_a_planner_had_accepted(world: World) -> None:
    before, change = anyio.run(weighed, world)
    planned = {one.agent: one.weight_bp for one in change.weights}
    assert planned != FIRST
    assert sum(planned.values()) == 10_000
    assert planned["meanrev"] > FIRST["meanrev"]
    assert in_force(world) == planned

    after = session(world, runs=world.folder / "runs")
    assert {seat["seat"]: seat["weight_bp"] for seat in after.facts.record["agents"]} == planned
    assert after.facts.record["weights"]["since"] == world.entries()[-2].index
    assert after.result.order_hash != before.result.order_hash
    assert len(before.result.orders) > 10
    assert after.result.order_hash == session(world, weights=planned).result.order_hash
    assert before.result.order_hash == session(world, weights=FIRST).result.order_hash
    position = world.entries()[0].index
    assert session(world, position=position).result.order_hash == before.result.order_hash
    assert after.path is not None
    world.clean()
    world.store.close()
    assert replay(after.path, "steps").same

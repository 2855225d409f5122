"""A pattern is registered, earns, and is promoted; another does not earn, and is rejected by rules that have names."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import numpy as np
import pytest

from coinswarm.clock import DAY_NS
from coinswarm.domain.acceptance import Rule
from coinswarm.domain.proposal import MovePattern, Proposal, ProposalKind, Stage
from coinswarm.memory.quorum.records import Outcome
from coinswarm.memory.store.facts import ClosedTrade
from coinswarm.memory.store.models import Pattern
from coinswarm_testkit.cases.case import bent, closed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from endtoend.conftest import Decision, World

    from coinswarm.domain.episode import Episode
    from coinswarm.domain.proposal import Reference
    from coinswarm.runtime.swarm.embedded import EmbeddedSwarm

pytestmark = [pytest.mark.anyio, pytest.mark.integration]

DAYS = 400
STEPS = (Stage.SHADOW, Stage.PROBATION, Stage.ENABLED)
CAPITAL = {Stage.PROBATION: 100, Stage.ENABLED: 1_000}


def moved(pattern: str, stage: Stage, base: int, registered_ns: int, evidence: Sequence[Reference]) -> Proposal:
    """A step of a pattern, of which four variants were tried."""
    kind = ProposalKind.PROMOTE_PATTERN if evidence else ProposalKind.UPDATE_PATTERN
    change = MovePattern(
        pattern=pattern, stage=stage, hypothesis="Dips are bought.", variants=4, registered_ns=registered_ns,
        capital_bp=CAPITAL.get(stage, 0),
    )  # fmt: skip
    return Proposal(kind=kind, subject=f"pattern/{pattern}", base_version=base, change=change, evidence=tuple(evidence))


def traded(world: World, pattern: str, seed: int, sharpe: float) -> list[Reference]:
    """A trade a day from now on, and the days of four variants, as a session writes them; where they are cited from."""
    rng = np.random.default_rng(seed)
    begin = world.now_ns // DAY_NS + 1
    cited = watched(world, pattern, rng, sharpe)
    means = (250.0 * sharpe, 250.0, 200.0, 300.0)
    variants = [
        world.store.facts.add_returns(f"trials/{pattern}/v{number}", begin, bent(rng, DAYS, mean, 5_000))
        for number, mean in enumerate(means, 1)
    ]
    return [cited, *variants]


def watched(world: World, pattern: str, rng: np.random.Generator, sharpe: float) -> Reference:
    """A trade a day from now on; where the whole record is cited from."""
    results = bent(rng, DAYS, 10_000 * sharpe / 365**0.5, 10_000)
    first = world.now_ns // DAY_NS + 1
    world.store.facts.add_trades([ledger(one, pattern) for one in closed(results, first=first)])
    cited = world.store.facts.cite_trades(pattern)
    assert cited is not None
    return cited


def ledger(episode: Episode, pattern: str) -> ClosedTrade:
    """What the ledger says of a trade."""
    return ClosedTrade(
        episode=episode, entry_price=Decimal(100), exit_price=Decimal(101), pnl=episode.result_ppm, slippage_bps=2,
        opened_ns=episode.decided_ns, closed_ns=episode.known_ns, patterns=(pattern,),
    )  # fmt: skip


def standing(world: World) -> dict[str, Pattern]:
    """The table of patterns."""
    return {row.id: row for row in world.rows(Pattern)}


async def registered(world: World, swarm: EmbeddedSwarm, pattern: str) -> int:
    """Register a pattern before anything of it is known; when that was."""
    done = await world.decide(swarm, moved(pattern, Stage.CANDIDATE, 0, 0, ()))
    assert done.outcome is Outcome.ACCEPT
    assert standing(world)[pattern].stage == "candidate"
    return done.entry.at_ns


async def promoted(
    world: World, swarm: EmbeddedSwarm, pattern: str, stage: Stage, at_ns: int, cited: Sequence[Reference]
) -> Decision:
    return await world.decide(swarm, moved(pattern, stage, standing(world)[pattern].version, at_ns, cited))


async def test_statistics_that_hold_promote_and_others_do_not(world: World) -> None:
    async with world.swarm() as swarm:
        since = {name: await registered(world, swarm, name) for name in ("dip", "coin")}
        cited = {"dip": traded(world, "dip", 1, 5.0), "coin": traded(world, "coin", 2, 0.1)}
        early = await promoted(world, swarm, "dip", Stage.SHADOW, since["dip"], cited["dip"])
        assert early.outcome is Outcome.REJECT
        assert early.verdict.failed == (Rule.TRADES,), "the trades are not closed yet"
        world.now_ns += (DAYS + 2) * DAY_NS
        for stage in STEPS:
            done = await promoted(world, swarm, "dip", stage, since["dip"], cited["dip"])
            assert done.verdict.failed == ()
            assert done.outcome is Outcome.ACCEPT
            row = standing(world)["dip"]
            assert (row.stage, row.enabled) == (str(stage), stage is Stage.ENABLED)
            assert row.sample_size == (DAYS if stage is Stage.SHADOW else 2 * DAYS)
            assert (row.capital_bp, row.registered_ns) == (CAPITAL.get(stage, 0), since["dip"])
            if stage is Stage.SHADOW:
                soon = await promoted(world, swarm, "dip", Stage.PROBATION, since["dip"], cited["dip"])
                assert soon.verdict.failed == (Rule.TRADES, Rule.DISCOVERY), "what brought it there is not what it is"
                cited["dip"][0] = watched(world, "dip", np.random.default_rng(3), 5.0)
                world.now_ns += (DAYS + 2) * DAY_NS
        refused = await promoted(world, swarm, "coin", Stage.SHADOW, since["coin"], cited["coin"])
        assert refused.outcome is Outcome.REJECT
        assert refused.verdict.failed == (Rule.SPAN, Rule.SHARPE, Rule.PSR, Rule.OVERFIT)
        assert {remark.partition(":")[0] for remark in refused.verdict.remarks} == {"span", "sharpe", "psr", "overfit"}
        skipped = await promoted(world, swarm, "coin", Stage.ENABLED, since["coin"], cited["coin"])
        assert skipped.outcome is Outcome.REJECT
        assert Rule.STAGES in skipped.verdict.failed
        assert (standing(world)["coin"].stage, standing(world)["coin"].version) == ("candidate", 1)
    assert [entry.outcome.value for entry in world.entries()].count("accept") == 5
    world.clean()

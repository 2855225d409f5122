"""A session recalls from Redis as it does from memory of its own: the same neighbours, orders and hash."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from redis import Redis

from coinswarm.drivers.episodes import LocalMemory
from coinswarm.engine.steps import Session, run_steps, timeline
from coinswarm.memory.recall.rules import RecallRules
from coinswarm.risk.limits import RiskLimits, SizingRules
from coinswarm.runtime.enduring import EnduringIndex
from coinswarm.runtime.memory import remembering
from coinswarm_redis.backend import RedisMemory
from coinswarm_redis.settings import RedisSettings
from coinswarm_testkit.differential import differences
from coinswarm_testkit.markets.seated import seated_bars, seated_plan
from coinswarm_testkit.reference.recalling import RecallingAgent

if TYPE_CHECKING:
    from coinswarm.engine.plan import RunPlan


def plan_of(seed: int) -> RunPlan:
    """A run of two instruments that recalls."""
    bars = seated_bars(seed, 500)
    drawn = seated_plan(seed, bars, [RecallingAgent() for _ in bars], warm_up=101)
    return replace(
        drawn,
        sizing=SizingRules(),
        limits=RiskLimits(),
        seats=tuple(replace(seat, space="recalling/state.1") for seat in drawn.seats),
        recall=RecallRules(embargo_ns=drawn.bar_ns),
    )


def test_a_run_is_the_same_on_redis(redis_url: str) -> None:
    results = []
    for make in (LocalMemory, lambda: RedisMemory(RedisSettings(url=redis_url, prefix="session"))):
        plan = plan_of(9)
        with remembering(plan, make) as memory:
            results.append(run_steps(plan, memory))
    local, redis = results
    assert differences(local, redis) == []
    assert local.recall is not None
    assert redis.recall is not None
    assert redis.recall.episodes > 20
    assert (redis.recall.rows[:, 4] != 10_000).any()
    for table in ("rows", "neighbours", "ids"):
        assert np.array_equal(getattr(redis.recall, table), getattr(local.recall, table))
    with Redis.from_url(redis_url) as client:
        assert client.keys("session*") == [], "nothing of a run stays"


def test_a_session_whose_index_is_flushed_goes_on_and_folds_it_anew(redis_url: str) -> None:
    plan, said = plan_of(9), list[str]()
    with remembering(plan, LocalMemory) as memory:
        local = run_steps(plan, memory)
    plan, moments = plan_of(9), list(timeline(plan))
    outlive = partial(EnduringIndex, name="redis", say=said.append, again_seconds=0.0)
    with (
        Redis.from_url(redis_url) as client,
        remembering(plan, lambda: RedisMemory(RedisSettings(url=redis_url, prefix="lost")), None, outlive) as memory,
    ):
        session = Session(plan, memory)
        session.run(moments[: len(moments) // 2])
        assert client.delete(*client.keys("lost*")) > 0
        session.run(moments[len(moments) // 2 :])
        redis = session.result()
        assert client.keys("lost*"), "it was folded anew"
    assert differences(local, redis) == []
    assert redis.recall is not None
    assert local.recall is not None
    assert np.array_equal(redis.recall.rows, local.recall.rows)
    failed, back, told = said
    assert "the index redis failed (NotReadyError: " in failed
    assert back.endswith("redis is back, and was folded anew")
    assert "failed once" in told
    with Redis.from_url(redis_url) as client:
        assert client.keys("lost*") == []

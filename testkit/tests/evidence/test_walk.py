"""The control of recall, small: what is legal earns nothing to speak of, and a leak shows at once."""

from __future__ import annotations

import numpy as np
import pytest

from coinswarm.memory.recall.rules import RecallRules
from coinswarm_testkit.evidence.walk import ARMS, Walk, annualised, walked
from coinswarm_testkit.markets.ensembles import CONTROL, ensemble
from coinswarm_testkit.reference.recalling import RecallingAgent

PATHS, BARS = 4, 2_500


@pytest.fixture(scope="module")
def walks() -> list[Walk]:
    """A few short walks; ``benchmarks/random_walk_memory.py`` takes years of many."""
    return [walked(bars, RecallingAgent, RecallRules()) for bars in ensemble(CONTROL, BARS, 0, paths=PATHS)]


def test_a_leak_earns_far_more_than_legal_recall(walks: list[Walk]) -> None:
    legal, leaky = ([walk.added(arm) for walk in walks] for arm in ("legal", "leaky"))
    assert np.mean(leaky) > 3.0
    assert np.mean(leaky) - np.mean(legal) > 3.0
    assert all(two > one for one, two in zip(legal, leaky, strict=True)), "on every path"


def test_legal_recall_recalls_and_earns_less_than_chance_would_bear(walks: list[Walk]) -> None:
    assert all(walk.moved > walk.recalls / 2 > 50 for walk in walks)
    assert all(walk.episodes > 100 for walk in walks)
    years = PATHS * BARS / 8_760
    assert abs(np.mean([walk.added("legal") for walk in walks])) < 4 / years**0.5


def test_arms_are_days_of_one_path(walks: list[Walk]) -> None:
    for walk in walks:
        assert tuple(walk.returns) == ARMS
        assert {len(returns) for returns in walk.returns.values()} == {len(walk.returns["none"])}
        assert walk.sharpe("none") == annualised(walk.returns["none"])
        assert walk.added("none") == 0.0


def test_memory_on_the_same_path_is_the_same_memory() -> None:
    bars = ensemble(CONTROL, 1_000, 3, paths=1)[0]
    one, two = (walked(bars, RecallingAgent, RecallRules()) for _ in range(2))
    assert all(np.array_equal(one.returns[arm], two.returns[arm]) for arm in ARMS)

"""The reference voter's statistics against core's, which are written another way."""

from __future__ import annotations

import math

import numpy as np
import pytest

from coinswarm.evidence.deflated import minimum_track_record, probabilistic
from coinswarm.evidence.deflated import moments as of_core
from coinswarm_testkit.cases.proposals import trades
from coinswarm_testkit.reference.voter import daily, moments


@pytest.mark.parametrize("seed", range(5))
def test_sharpe_and_its_spread_are_those_of_core(seed: int) -> None:
    rng = np.random.default_rng(seed)
    returns = np.rint(rng.standard_t(4, 300) * 10_000 + 3_000).astype(int).tolist()
    mine, core = moments(returns), of_core(np.array(returns) / 1e6)
    assert mine is not None
    assert not isinstance(core, str)
    sharpe, spread, count = mine
    assert sharpe == pytest.approx(core.sharpe, rel=1e-9)
    assert count == core.count
    assert spread == pytest.approx(1 - core.skewness * core.sharpe + (core.kurtosis - 1) / 4 * core.sharpe**2, rel=1e-9)
    psr = probabilistic(core).value
    assert psr is not None
    assert 0.5 * (1 + math.erf(sharpe * math.sqrt((count - 1) / spread) / math.sqrt(2))) == pytest.approx(psr, rel=1e-9)
    assert minimum_track_record(core).value == math.ceil(1 + spread * (1.6448536269514722 / sharpe) ** 2)


def test_the_order_of_trades_changes_nothing() -> None:
    closed = trades(np.random.default_rng(0), 200, 2.0)
    assert daily(closed[::-1]) == daily(closed)
    assert moments(daily(closed)) == moments(sorted(daily(closed)))


@pytest.mark.parametrize("returns", [[], [5], [3, 3, 3]])
def test_where_nothing_varies_there_is_no_sharpe(returns: list[int]) -> None:
    assert moments(returns) is None


def test_idle_days_count() -> None:
    first, *_, last = trades(np.random.default_rng(0), 10, 1.0)
    assert daily([first, last]) == [first.result_ppm, *[0] * 8, last.result_ppm]
    assert daily([]) == []

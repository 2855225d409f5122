"""Many trials of one history: effective number, spread, and what a sweep does to the deflated Sharpe ratio."""

from __future__ import annotations

import math
import statistics

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from coinswarm.evidence.deflated import Moments, deflated, moments
from coinswarm.evidence.trials import Trial, average_correlation, effective_trials, pool_trials


def returns(seed: int, days: int = 300, mean: float = 0.001) -> np.ndarray:
    return np.random.Generator(np.random.PCG64(seed)).normal(mean, 0.02, days)


def found(values: np.ndarray) -> Moments:
    known = moments(values)
    assert isinstance(known, Moments)
    return known


def test_the_average_correlation_is_numpys() -> None:
    common = returns(99)
    trials = [Trial(0, returns(seed) + 0.7 * common) for seed in range(12)]
    table = np.corrcoef([trial.returns for trial in trials])
    expected = (table.sum() - 12) / (12 * 11)
    assert average_correlation(trials[0], trials) == pytest.approx(expected, abs=1e-12)
    assert expected > 0.2


def test_copies_count_once_and_strangers_count_all() -> None:
    one = returns(1)
    copies = [Trial(0, one * scale) for scale in (1.0, 2.0, 3.0, 0.5)]
    assert pool_trials(copies[0], copies, 4).effective == 1
    apart = [Trial(0, returns(seed, 3_000)) for seed in range(20)]
    pool = pool_trials(apart[0], apart, 20)
    assert pool.effective >= 19
    assert pool.correlation < 0.05


@given(correlation=st.floats(-1, 1), trials=st.integers(1, 10_000))
def test_the_effective_number_lies_between_one_and_all(correlation: float, trials: int) -> None:
    assert 1 <= effective_trials(correlation, trials) <= trials


def independent_dsr(chosen: np.ndarray, trials: list[np.ndarray]) -> float:
    """The deflated ratio of published formulas, in plain Python without a line of ours."""
    normal = statistics.NormalDist()

    def sharpe(values: np.ndarray) -> float:
        plain: list[float] = values.tolist()
        return statistics.fmean(plain) / statistics.stdev(plain)

    sharpes = [sharpe(trial) for trial in trials]
    pairs = [
        statistics.correlation(trials[i].tolist(), trials[j].tolist())
        for i in range(len(trials))
        for j in range(i + 1, len(trials))
    ]
    rho = max(statistics.fmean(pairs), 0.0)
    count = math.ceil(rho + (1 - rho) * len(trials))
    gamma = math.fsum(1 / k for k in range(1, 100_001)) - math.log(100_000) - 1 / 200_000
    luck = statistics.stdev(sharpes) * (
        (1 - gamma) * normal.inv_cdf(1 - 1 / count) + gamma * normal.inv_cdf(1 - 1 / (count * math.e))
    )
    values, own, n = chosen.tolist(), sharpe(chosen), len(chosen)
    mean, deviation = statistics.fmean(values), statistics.pstdev(values)
    skewness = statistics.fmean([((x - mean) / deviation) ** 3 for x in values])
    kurtosis = statistics.fmean([((x - mean) / deviation) ** 4 for x in values])
    z = (own - luck) * math.sqrt(n - 1) / math.sqrt(1 - skewness * own + (kurtosis - 1) / 4 * own**2)
    return normal.cdf(z)


def test_a_sweep_of_fifty_lowers_dsr_as_the_formula_says() -> None:
    common = returns(7, mean=0.0015)
    sweep = [0.6 * common + returns(seed) for seed in range(50)]
    best = max(sweep, key=lambda values: found(values).sharpe)
    told = []
    for count in range(1, 51):
        tried = [best, *[values for values in sweep if values is not best][: count - 1]]
        pool = pool_trials(Trial(0, best), [Trial(0, values) for values in tried], count)
        value = deflated(found(best), pool.variance, pool.effective).value
        assert value is not None
        told.append(value)
        if count in (2, 5, 20, 50):
            assert value == pytest.approx(independent_dsr(best, tried), rel=1e-9)
    assert told[0] > 0.95
    assert told[49] < told[0] - 0.05
    assert told[49] < told[9] < told[0]


def test_shorter_trials_are_taken_at_their_accuracy() -> None:
    """A tenth of the days gives a Sharpe of a third of the accuracy: unscaled, it would pass for spread."""
    long = [Trial(0, returns(seed, 2_000, 0.0)) for seed in range(40)]
    short = [Trial(100, returns(seed, 200, 0.0)) for seed in range(1_000, 1_040)]
    mixed = pool_trials(long[0], [*long, *short], 80)
    assert mixed.variance == pytest.approx(1 / 1_999, rel=0.4)
    assert mixed.measured == 80


def test_trials_without_a_sharpe_are_counted_and_no_more() -> None:
    run = Trial(0, returns(1))
    idle = Trial(0, np.zeros(300))
    pool = pool_trials(run, [run, Trial(0, returns(2)), idle, idle], 4)
    assert (pool.seen, pool.measured, pool.spread_known) == (4, 2, True)
    assert pool.effective == effective_trials(pool.correlation, 4)


def test_what_is_declared_and_not_seen_has_the_spread_of_luck() -> None:
    run = Trial(0, returns(1))
    alone = pool_trials(run, [run], 40)
    assert (alone.effective, alone.spread_known) == (40, False)
    assert alone.variance == 1 / 299
    alike = pool_trials(run, [run, Trial(0, run.returns * 1.0001)], 40)
    assert alike.variance == 1 / 299
    assert alike.effective == 1 + 38  # the two that are known are alike


def test_a_trial_that_hardly_overlaps_is_like_no_other() -> None:
    run = Trial(0, returns(1))
    assert average_correlation(run, [run, Trial(290, returns(1))]) == pytest.approx(0.0, abs=1e-12)
    assert average_correlation(run, [run, Trial(-300, returns(1))]) == pytest.approx(0.0, abs=1e-12)
    half = average_correlation(run, [run, Trial(150, np.concatenate((run.returns[150:], np.zeros(9))))])
    assert 0.3 < half < 0.95

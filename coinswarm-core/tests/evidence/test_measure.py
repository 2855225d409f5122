"""Measures: known answers, and a reason instead of a number wherever there is none."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from coinswarm.clock import DAY_NS, HOUR_NS
from coinswarm.evidence.days import Days, cut_days
from coinswarm.evidence.estimate import DAY_MEASURES, TRADE_MEASURES, Estimate
from coinswarm.evidence.measure import compare_days, measure_days, measure_trades

CASH = 10**12


def days_of(returns: list[float] | np.ndarray, exposure: float = 0.0) -> Days:
    """Daily bars whose equity follows ``returns``."""
    equity = np.rint(CASH * np.cumprod(1.0 + np.asarray(returns, float))).astype(np.int64)
    times = np.arange(len(equity), dtype=np.int64) * DAY_NS
    return cut_days(times, DAY_NS, equity, np.rint(equity * exposure).astype(np.int64), CASH)


def measured(days: Days, traded: float = 0.0, costs: float = 0.0) -> dict[str, Estimate]:
    n = len(days)
    return measure_days(days, np.full(n, traded), np.full(n, costs), seed=1, resamples=200)


def wild(n: int, seed: int = 1, mean: float = 0.002) -> np.ndarray:
    returns: np.ndarray = np.random.Generator(np.random.PCG64(seed)).normal(mean, 0.03, n)
    return returns


def test_known_answers() -> None:
    """Ten days of +10 %, -5 %, 0, ... worked out by hand."""
    returns = [0.10, -0.05] + [0.0] * 8
    found = measured(days_of(returns, exposure=0.5), traded=CASH / 100, costs=CASH / 10_000)
    mean = 0.005
    deviation = math.sqrt(((0.10 - mean) ** 2 + (-0.05 - mean) ** 2 + 8 * mean**2) / 9)
    assert found["total_return"].value == pytest.approx(0.045)
    assert found["volatility"].value == pytest.approx(deviation * math.sqrt(365))
    assert found["sharpe"].value == pytest.approx(mean / deviation * math.sqrt(365))
    assert found["sortino"].value == pytest.approx(mean / math.sqrt(0.05**2 / 10) * math.sqrt(365), rel=1e-6)
    assert found["max_drawdown"].value == pytest.approx(0.05)
    assert found["underwater_days"].value == 9.0
    assert found["turnover"].value == pytest.approx(0.01 * 10 / (1.10 + 9 * 1.045) * 365)
    assert found["exposure_time"].value == 1.0
    assert found["exposure_mean"].value == pytest.approx(0.5)
    assert found["cost_rate"].value == pytest.approx(0.01)
    assert found["cost_share"].value == pytest.approx(0.001 / (0.045 + 0.001))
    assert "10 days" in found["cagr"].why


def test_yearly_return_of_a_year_is_the_return() -> None:
    found = measured(days_of([0.5] + [0.0] * 364))
    assert found["cagr"].value == pytest.approx(0.5)
    half = measured(days_of([0.5] + [0.0] * 181 + [0.0]))
    assert half["cagr"].value == pytest.approx(1.5 ** (365 / 183) - 1)


def test_what_is_told_per_year_counts_the_length_and_not_the_days_that_were_touched() -> None:
    """Ninety days from noon to noon touch ninety-one; the growth took ninety."""
    times = np.arange(90 * 24, dtype=np.int64) * HOUR_NS + DAY_NS // 2
    equity = np.full(len(times), CASH, np.int64)
    equity[-1] = CASH * 2
    days = cut_days(times, HOUR_NS, equity, equity * 0, CASH)
    assert (len(days), days.length) == (91, 90.0)
    found = measured(days, traded=1e10)
    assert found["cagr"].value == pytest.approx(2.0 ** (365 / 90) - 1)
    mean = (90 * CASH + 2 * CASH) / 91
    assert found["turnover"].value == pytest.approx(91 * 1e10 / mean * 365 / 90)
    assert found["sharpe"].value == pytest.approx(np.mean(days.returns) / np.std(days.returns, ddof=1) * 365**0.5)
    short = cut_days(times[: 29 * 24 + 12], HOUR_NS, equity[: 29 * 24 + 12], equity[: 29 * 24 + 12] * 0, CASH)
    assert len(short) == 30
    assert measured(short)["cagr"].why == "29.5 days are not blown up to a year (at least 30)"


@pytest.mark.parametrize("name", ["sharpe", "sortino"])
def test_a_resample_in_which_nothing_moves_counts_as_zero(name: str) -> None:
    """Few days of sixty moved: many resamples draw none of them, and one lucky day proves nothing."""
    returns = [0.0] * 60
    returns[10] = returns[30] = 0.02
    returns[50] = -0.01
    found = measured(days_of(returns))[name]
    assert found.low is not None
    assert found.low < 0.0
    lonely = [0.0] * 400
    lonely[30] = 0.02
    found = measured(days_of(lonely))["sharpe"]
    assert found.value is not None
    assert (found.low, found.why) == (0.0, "")


def test_every_measure_has_value_interval_and_place_in_its_interval() -> None:
    days = days_of(wild(400, mean=0.01), exposure=0.3)
    found = measured(days, traded=1e10, costs=1e7)
    assert list(found) == [m.name for m in DAY_MEASURES]
    for name, estimate in found.items():
        assert estimate.why == "", name
        assert estimate.count == 400
        assert estimate.value is not None
        assert estimate.low is not None
        assert estimate.high is not None
        assert estimate.low <= estimate.high


def test_same_seed_same_intervals_other_seed_others() -> None:
    days = days_of(wild(100))
    zeros = np.zeros(100)
    first, again, other = (measure_days(days, zeros, zeros, seed=s, resamples=100) for s in (1, 1, 2))
    assert first == again
    assert first["sharpe"].value == other["sharpe"].value
    assert first["sharpe"].low != other["sharpe"].low


@pytest.mark.parametrize(
    ("returns", "reasons"),
    [
        ([], dict.fromkeys((m.name for m in DAY_MEASURES), "no bars")),
        ([-1.0, 0.0], dict.fromkeys((m.name for m in DAY_MEASURES), "equity fell to zero")),
        ([0.01], {"sharpe": "one day", "volatility": "one day", "sortino": "one day"}),
        ([0.0] * 50, {"sharpe": "do not vary", "sortino": "no day lost", "cost_rate": "nothing was traded"}),
        ([0.01, 0.02] * 20, {"sortino": "no day lost", "cost_share": "no costs"}),
    ],
    ids=["no bars", "ruined", "one day", "never traded", "only winning days"],
)
def test_degenerate_days_give_a_reason(returns: list[float], reasons: dict[str, str]) -> None:
    found = measured(days_of(returns))
    for name, reason in reasons.items():
        assert found[name].value is None
        assert found[name].low is None
        assert reason in found[name].why


def test_costs_that_exceed_the_profit_have_no_share() -> None:
    found = measured(days_of(np.full(50, -0.01)), traded=1e10, costs=1e7)
    assert found["cost_share"] == Estimate(why="no profit before costs", count=50)
    assert found["cost_rate"].value == pytest.approx(0.001)


def test_few_days_and_a_still_equity_have_values_but_no_interval() -> None:
    few = measured(days_of(wild(19)))
    assert few["sharpe"].value is not None
    assert few["sharpe"].low is None
    assert "19 days are too few" in few["sharpe"].why
    still = measured(days_of([0.0] * 40))
    assert still["total_return"] == Estimate(value=0.0, why="equity never changed", count=40)


def test_an_open_end_of_an_interval_is_none_with_a_reason() -> None:
    """One losing day among many: many resamples have none, and Sortino has no upper bound."""
    returns = np.abs(wild(60))
    returns[30] = -0.02
    sortino = measured(days_of(returns))["sortino"]
    assert sortino.value is not None
    assert sortino.low is not None
    assert sortino.high is None
    assert "no upper bound" in sortino.why


@given(st.lists(st.floats(-0.9, 5.0), max_size=40), st.floats(0, 1e12), st.floats(0, 1e9))
def test_no_input_gives_a_nan(returns: list[float], traded: float, costs: float) -> None:
    days = days_of(returns, exposure=0.5)
    n = len(days)
    found = measure_days(days, np.full(n, traded), np.full(n, costs), seed=0, resamples=20)
    for name, estimate in found.items():
        for number in (estimate.value, estimate.low, estimate.high):
            assert number is None or math.isfinite(number), name
        assert (None in (estimate.value, estimate.low, estimate.high)) == bool(estimate.why), name


def test_a_run_equals_itself_and_beats_a_worse_one() -> None:
    good, bad = days_of(wild(300) + 0.01), days_of(wild(300))
    same = compare_days(good, good, seed=1, resamples=100)
    assert same["cagr"].value == 0.0
    assert (same["sharpe"].low, same["sharpe"].high) == (0.0, 0.0)
    better = compare_days(good, bad, seed=1, resamples=100)
    for estimate in better.values():
        assert estimate.low is not None
        assert estimate.low > 0


def test_comparison_needs_the_same_days() -> None:
    with pytest.raises(ValueError, match="3 and 2 days"):
        compare_days(days_of([0.1, 0.1, 0.1]), days_of([0.1, 0.1]), seed=1)


def test_comparison_with_a_still_benchmark_has_no_sharpe() -> None:
    found = compare_days(days_of(wild(40)), days_of([0.0] * 40), seed=1, resamples=50)
    assert found["sharpe"].value is None
    assert found["sharpe"].why == "daily returns do not vary"
    assert found["cagr"].low is not None


def trades(*pnl: int) -> dict[str, Estimate]:
    return measure_trades(np.array(pnl, np.int64), seed=1, resamples=200)


def test_trade_known_answers() -> None:
    """A trade that breaks even is closed, and not won."""
    found = trades(30, -10, 0, 50, -30)
    assert found["win_rate"].value == pytest.approx(0.4)
    assert found["profit_factor"].value == pytest.approx(2.0)
    assert found["payoff"].value == pytest.approx(2.0)
    assert found["expectancy"].value == pytest.approx(8.0)
    assert all("5 closed trades are too few" in e.why for e in found.values())


def test_trades_have_intervals() -> None:
    found = trades(*([3, -2, 5, -4, 1] * 20))
    for estimate in found.values():
        assert estimate.why == ""
        assert estimate.low is not None
        assert estimate.value is not None
        assert estimate.high is not None
        assert estimate.low < estimate.value < estimate.high


def test_no_trades() -> None:
    assert trades() == {m.name: Estimate(why="no closed trades") for m in TRADE_MEASURES}


def test_only_winners_and_only_losers() -> None:
    winners, losers = trades(*[5] * 30), trades(*[-5] * 30)
    assert winners["win_rate"].value == 1.0
    assert winners["win_rate"].low is None
    assert "ended alike" in winners["win_rate"].why
    assert winners["profit_factor"].why == winners["payoff"].why == "no losing trade"
    assert losers["profit_factor"].value == 0.0
    assert losers["payoff"].why == "no winning trade"


def test_one_loser_leaves_the_profit_factor_without_upper_bound() -> None:
    found = trades(*[5] * 29, -5)["profit_factor"]
    assert found.value == 29.0
    assert found.low is not None
    assert found.high is None


def test_many_trades_are_resampled_in_batches_with_the_same_values() -> None:
    pnl = np.random.Generator(np.random.PCG64(1)).integers(-100, 110, 5_001)
    found = measure_trades(pnl, seed=1)
    won = float((pnl > 0).mean())
    assert found["win_rate"].value == pytest.approx(won)
    assert found["win_rate"].count == 5_001
    low, high = found["win_rate"].low, found["win_rate"].high
    assert low is not None
    assert high is not None
    assert high - low == pytest.approx(2 * 1.96 * math.sqrt(won * (1 - won) / 5_001), rel=0.15)

"""Admission: the PSR that every trial raises, the track record that it stands for, and reasons where it is missed."""

from __future__ import annotations

import math
from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from coinswarm.evidence.admission import FAMILY_ERROR, Demand, admit
from coinswarm.evidence.trials import Trial

YEAR = 365


def record(sharpe: float, days: int, seed: int = 1) -> Trial:
    """Returns whose annualised Sharpe ratio is exactly ``sharpe``."""
    draws = np.random.default_rng(seed).standard_normal(days)
    z = (draws - draws.mean()) / draws.std(ddof=1)
    return Trial(0, 0.01 * (z + sharpe / math.sqrt(YEAR)))


def test_the_bar_is_where_the_normal_distribution_puts_it() -> None:
    bar = NormalDist().inv_cdf(1 - FAMILY_ERROR) / math.sqrt(3)
    assert not admit(record(bar - 0.05, 3 * YEAR), None, declared=1).admitted
    assert admit(record(bar + 0.05, 3 * YEAR), None, declared=1).admitted


def test_every_trial_raises_the_bar_whether_known_or_declared() -> None:
    run = record(1.6, 3 * YEAR)
    family = [run, *(record(0.0, 3 * YEAR, seed) for seed in range(2, 11))]
    alone, declared, known = admit(run, [run]), admit(run, [run], declared=10), admit(run, family)
    assert alone.admitted
    assert alone.needed == 1 - FAMILY_ERROR
    for verdict in (declared, known):
        assert not verdict.admitted
        assert verdict.trials == 10
        assert verdict.needed == pytest.approx(1 - FAMILY_ERROR / 10)
        assert verdict.reasons[0].startswith("PSR(0) is 0.99")
        assert "10 trials demand 0.9980" in verdict.reasons[0]
    assert admit(run, family, declared=3).trials == 10


def test_unknown_trials_admit_nobody() -> None:
    verdict = admit(record(5.0, 3 * YEAR), None)
    assert verdict.reasons == ("the number of trials is unknown",)
    assert verdict.psr.value == pytest.approx(1.0)
    assert verdict.needed is None


@pytest.mark.parametrize(
    ("returns", "reason"),
    [
        (np.zeros(400), "daily returns do not vary"),
        (np.full(5, 0.01), "5 days are too few (at least 20)"),
        (np.full(400, np.nan), "a daily return is not a number"),
    ],
)
def test_what_cannot_be_measured_is_not_admitted(
    returns: np.ndarray[tuple[int], np.dtype[np.float64]], reason: str
) -> None:
    verdict = admit(Trial(0, returns), None, declared=1)
    assert verdict.reasons == (reason,)
    assert verdict.psr.value is None


@pytest.mark.parametrize("moved", [2, 3, 5, 10, 19, 40])
@pytest.mark.parametrize(("win", "chance"), [(1.0, 0.5), (0.25, 0.8)])
def test_luck_on_a_few_days_of_a_year_is_not_admitted(moved: int, win: float, chance: float) -> None:
    """Whoever risks 1 to earn ``win`` with this chance has no edge: 2 % may be admitted, however seldom they trade."""
    draws = np.random.default_rng(moved)
    admitted = 0
    for _ in range(500):
        returns = np.zeros(YEAR)
        returns[:moved] = 0.01 * np.where(draws.random(moved) < chance, win, -1.0)
        admitted += admit(Trial(0, returns), None, declared=1).admitted
    assert admitted <= 20  # of 500 at 2 % each: more once in 700 times


def test_an_operator_may_demand_more() -> None:
    run = record(2.0, 2 * YEAR)
    family = [run, *(record(0.0, 2 * YEAR, seed) for seed in range(2, 6))]
    assert admit(run, [run]).admitted
    assert admit(run, [run], demand=Demand(days=1_000)).reasons == ("730 days of track record, 1000 are demanded",)
    strict = admit(run, family, demand=Demand(family_error=0.4, dsr=0.999))
    assert strict.reasons[0].startswith("DSR is 0.")
    with pytest.raises(ValueError, match=r"family_error is 0\.7"):
        Demand(family_error=0.7)


@given(sharpe=st.floats(-1, 4), days=st.integers(100, 2_000), trials=st.integers(1, 500), seed=st.integers(0, 99))
def test_admitted_exactly_when_the_track_record_is_long_enough(
    sharpe: float, days: int, trials: int, seed: int
) -> None:
    verdict = admit(record(sharpe, days, seed), None, declared=trials)
    long = verdict.track_record.value is not None and verdict.track_record.value <= days
    assert verdict.admitted == long
    if not verdict.admitted:
        assert len(verdict.reasons) == 1
        assert not admit(record(sharpe, days, seed), None, declared=trials + 1).admitted

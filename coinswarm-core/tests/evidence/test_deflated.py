"""PSR, DSR and minimum track record: equal to two independent packages, and a reason where there is no number."""

from __future__ import annotations

import importlib.util
import json
import math
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from coinswarm.evidence.deflated import (
    Moments,
    deflated,
    expected_maximum,
    minimum_track_record,
    moments,
    probabilistic,
    proving,
)

REFERENCE = json.loads(Path(__file__).with_name("sharpe_reference.json").read_text(encoding="utf-8"))
SERIES = sorted(REFERENCE["series"])
CLOSE = 1e-9
"""Relative: three digits more than asked for."""


def measured(name: str) -> Moments:
    found = moments(np.array(REFERENCE["series"][name]["returns"]))
    assert isinstance(found, Moments)
    return found


def spread(name: str) -> float:
    return float(np.var(REFERENCE["series"][name]["trial_sharpes"], ddof=1))


@pytest.mark.parametrize("name", SERIES)
def test_skfolio_says_the_same_of_the_same_returns(name: str) -> None:
    theirs, ours = REFERENCE["series"][name]["skfolio"], measured(name)
    assert (ours.sharpe, ours.skewness, ours.kurtosis) == pytest.approx(
        (theirs["sharpe"], theirs["skewness"], theirs["kurtosis"]), rel=CLOSE
    )
    psr = [probabilistic(ours, benchmark).value for benchmark in REFERENCE["benchmarks"]]
    assert psr == pytest.approx(theirs["psr"], rel=CLOSE)
    assert deflated(ours, spread(name), 50).value == pytest.approx(theirs["dsr"], rel=CLOSE)


@pytest.mark.parametrize("name", SERIES)
def test_purgedcv_says_the_same_of_the_same_moments(name: str) -> None:
    """It estimates moments otherwise (deviation over n, unbiased skewness and kurtosis): its moments are given."""
    theirs = REFERENCE["series"][name]["purgedcv"]
    sharpe, skewness, kurtosis = theirs["moments"]
    ours = Moments(sharpe, skewness, kurtosis, len(REFERENCE["series"][name]["returns"]))
    benchmarks = REFERENCE["benchmarks"]
    assert [probabilistic(ours, b).value for b in benchmarks] == pytest.approx(theirs["psr"], rel=CLOSE)
    assert [minimum_track_record(ours, b).value for b in benchmarks] == theirs["min_track_record"]
    assert expected_maximum(spread(name), 50) == pytest.approx(theirs["expected_maximum"], rel=CLOSE)
    assert deflated(ours, spread(name), 50).value == pytest.approx(theirs["dsr"], rel=CLOSE)


@pytest.mark.parametrize("asked", REFERENCE["expected_maximum"], ids=lambda asked: str(asked["trials"]))
def test_the_expected_maximum_is_theirs(asked: dict[str, Any]) -> None:
    ours = expected_maximum(asked["variance"], asked["trials"])
    assert ours == pytest.approx(asked["skfolio"], rel=CLOSE)
    assert ours == pytest.approx(asked["purgedcv"], rel=CLOSE)


def test_the_stored_answers_are_still_theirs() -> None:
    """Where skfolio and purgedcv are installed, they are asked again."""
    for name in ("skfolio", "purgedcv"):
        if importlib.util.find_spec(name) is None:
            pytest.skip(f"{name} is not installed; its answers are stored")
    path = Path(__file__).parents[2] / "tools" / "make_sharpe_reference.py"
    spec = importlib.util.spec_from_file_location("make_sharpe_reference", path)
    assert spec is not None
    assert spec.loader is not None
    script = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = script
    spec.loader.exec_module(script)
    for name in SERIES:
        again = script.answers(REFERENCE["series"][name]["returns"])
        for package in ("skfolio", "purgedcv"):
            stored = REFERENCE["series"][name][package]
            assert set(again[package]) == set(stored)
            for key, value in stored.items():
                exact = key == "min_track_record"  # whole numbers, and None for "never"
                assert again[package][key] == (value if exact else pytest.approx(value, rel=CLOSE)), (name, key)


def test_the_published_example() -> None:
    """Bailey and López de Prado 2014: 100 trials, annual variance ½, 1,250 days, annual Sharpe 2.5 -> DSR 0.9004."""
    found = Moments(2.5 / math.sqrt(250), -3.0, 10.0, 1250)
    variance = 0.5 / 250
    assert expected_maximum(variance, 100) == pytest.approx(0.1132, abs=5e-5)
    assert deflated(found, variance, 100).value == pytest.approx(0.9004, abs=5e-5)


@given(
    sharpe=st.floats(-0.3, 0.3),
    skewness=st.floats(-2, 2),
    excess=st.floats(0, 20),
    count=st.integers(20, 5_000),
    benchmark=st.floats(-0.1, 0.1),
)
def test_the_track_record_is_the_shortest_that_shows_it(
    sharpe: float, skewness: float, excess: float, count: int, benchmark: float
) -> None:
    found = Moments(sharpe, skewness, skewness**2 + 1 + excess, count)  # no distribution has less kurtosis
    needed = minimum_track_record(found, benchmark)
    if needed.value is None:
        assert sharpe <= benchmark or needed.why
        return
    if needed.value > 1e12:
        return
    days = int(needed.value)

    def psr(n: int) -> float:
        value = probabilistic(Moments(found.sharpe, found.skewness, found.kurtosis, n), benchmark).value
        assert value is not None
        return value

    assert psr(days) >= 0.95 - 1e-9
    assert days == 2 or psr(days - 1) < 0.95 + 1e-9


@given(variance=st.floats(1e-6, 1.0), trials=st.integers(1, 100_000))
def test_more_trials_are_luckier(variance: float, trials: int) -> None:
    assert expected_maximum(variance, trials + 1) > expected_maximum(variance, trials) >= 0.0


def test_one_trial_is_deflated_by_nothing() -> None:
    found = measured("normal")
    assert deflated(found, 0.01, 1) == probabilistic(found)


@pytest.mark.parametrize(
    ("returns", "why"),
    [
        (np.zeros(0), "0 days are too few (at least 20)"),
        (np.full(19, 0.01), "19 days are too few (at least 20)"),
        (np.zeros(50), "daily returns do not vary"),
        (np.full(50, 0.1), "daily returns do not vary"),
        (np.append(np.zeros(50), np.nan), "a daily return is not a number"),
        (np.append(np.zeros(50), np.inf), "a daily return is not a number"),
    ],
)
def test_returns_without_moments(returns: np.ndarray, why: str) -> None:
    assert moments(returns) == why


@pytest.mark.parametrize("moved", [1, 2, 19])
def test_few_days_that_moved_prove_nothing(moved: int) -> None:
    """Idle days are observations of the Sharpe ratio, and no draws."""
    few = np.append(np.zeros(365 - moved), np.linspace(0.01, 0.02, moved))
    assert proving(few) == f"equity moved on {moved} of 365 days: too few (at least 20)"
    enough = np.append(np.zeros(345), np.linspace(-0.01, 0.02, 20))
    assert proving(enough) == moments(enough)
    assert proving(np.zeros(365)) == "daily returns do not vary"


def test_no_number_without_a_reason() -> None:
    losing = measured("losing")
    assert minimum_track_record(losing).why == "the Sharpe ratio is not above zero: no length shows that it is"
    assert "what luck explains" in minimum_track_record(losing, 0.5).why
    impossible = Moments(1.0, 9.0, 3.0, 100)
    for found in (probabilistic(impossible), minimum_track_record(impossible), deflated(impossible, 0.1, 9)):
        assert (found.value, found.why) == (None, "skewness and kurtosis are too extreme for the normal approximation")
    assert minimum_track_record(Moments(1e-300, 0.0, 3.0, 100)).why == "longer than any number"

"""What a Sharpe ratio proves, as numbers and in words; what is unknown is said."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from coinswarm.backtest.proof import proof_dict, proof_lines
from coinswarm.evidence.trials import Trial


def trial(seed: int = 1, mean: float = 0.001, days: int = 300) -> Trial:
    return Trial(17_000, np.random.Generator(np.random.PCG64(seed)).normal(mean, 0.02, days))


def text(proof: dict[str, Any]) -> str:
    json.dumps(proof, allow_nan=False)
    lines = proof_lines(proof)
    assert max(map(len, lines)) <= 80
    return " ".join(" ".join(lines).split())


def test_one_trial() -> None:
    proof = proof_dict(trial(), [trial()])
    assert proof["complete"] is True
    assert proof["dsr"] == proof["psr"]
    assert proof["min_track_record_dsr"] == proof["min_track_record"]
    said = text(proof)
    assert "Trials 1 on these instruments and days (1 in the registry, none declared)" in said
    assert "one trial: as PSR(0)" in said
    assert "after all trials" not in said


def test_two_lucky_days_prove_nothing() -> None:
    lucky = Trial(17_000, np.append(np.zeros(363), [0.01, 0.01]))
    proof = proof_dict(lucky, [lucky], declared=1)
    assert proof["complete"] is False
    assert "PSR, DSR unknown: equity moved on 2 of 365 days: too few (at least 20); evidence incomplete" in text(proof)


def test_several_trials_lower_it() -> None:
    proof = proof_dict(trial(), [trial(seed) for seed in range(1, 9)])
    assert proof["trials"] | {"correlation": 0, "variance": 0} == {
        "count": 8, "registry": 8, "declared": None, "why": "", "measured": 8, "correlation": 0, "effective": 8,
        "variance": 0, "spread_known": True,
    }  # fmt: skip
    assert proof["dsr"]["value"] < proof["psr"]["value"]
    assert "counted as 8 independent ones (their daily returns correlate at " in text(proof)


@pytest.mark.parametrize(
    ("known", "declared", "count"),
    [(1, None, 1), (3, None, 3), (3, 2, 3), (3, 40, 40), (None, 40, 40), (None, None, None)],
)
def test_the_larger_count_holds(known: int | None, declared: int | None, count: int | None) -> None:
    trials = None if known is None else [trial(seed) for seed in range(1, known + 1)]
    proof = proof_dict(trial(), trials, declared=declared, why="nobody looked")
    assert proof["trials"]["count"] == count
    assert proof["complete"] is (count is not None)
    assert proof["psr"]["value"] is not None
    said = text(proof)
    if count is None:
        assert "Trials unknown: nobody looked" in said
        assert "DSR unknown: the number of trials is unknown: nobody looked; evidence incomplete" in said
    elif known is None:
        assert "40 on these instruments and days (registry unknown: nobody looked, 40 declared)" in said
    if declared == 40:
        assert proof["trials"]["spread_known"] is False
        assert proof["trials"]["variance"] >= 1 / 299


@pytest.mark.parametrize("declared", [None, 1, 40])
def test_what_is_declared_is_no_count_where_the_registry_cannot_be_used(declared: int | None) -> None:
    proof = proof_dict(trial(), None, declared=declared, why="x.json was altered", fault=True)
    assert (proof["complete"], proof["trials"]["count"], proof["trials"]["declared"]) == (False, None, declared)
    assert "Trials unknown: x.json was altered" in text(proof)


def test_a_losing_run_has_no_track_record() -> None:
    losing = trial(mean=-0.01)
    said = text(proof_dict(losing, [losing]))
    assert "no minimum: the Sharpe ratio is not above zero: no length shows that it is" in said


@pytest.mark.parametrize(
    ("returns", "ruined", "why"),
    [
        (np.zeros(0), False, "0 days are too few (at least 20)"),
        (np.zeros(100), False, "daily returns do not vary"),
        (np.full(100, 0.01), True, "equity fell to zero"),
    ],
)
def test_no_returns_no_numbers(returns: np.ndarray, ruined: bool, why: str) -> None:  # noqa: FBT001 - a case
    run = Trial(0, returns)
    proof = proof_dict(run, [run], ruined=ruined)
    assert proof["complete"] is False
    assert [proof[name] for name in ("psr", "dsr", "min_track_record")] == [{"value": None, "why": why}] * 3
    assert f"PSR, DSR unknown: {why}; evidence incomplete" in text(proof)

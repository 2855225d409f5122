"""Ask skfolio and purgedcv for the statistics that ``evidence/`` is held against, and store their answers.

Neither is among our constraints: they bring scikit-learn, SciPy and a solver for a dozen numbers. Run it in an
environment that has both, from the repository's root::

    python coinswarm-core/tools/make_sharpe_reference.py

It writes ``coinswarm-core/tests/evidence/sharpe_reference.json``. The same questions are asked again by an optional
test wherever the two packages are installed.
"""  # noqa: INP001 - a script, not a package

from __future__ import annotations

import json
import math
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import purgedcv
import skfolio.measures as skfolio

TARGET = Path(__file__).resolve().parents[1] / "tests" / "evidence" / "sharpe_reference.json"
BENCHMARKS = (-0.05, 0.0, 0.02, 0.1)
IDLE = 0.7
COUNTS = (1, 2, 3, 10, 50, 1_000)


def series() -> dict[str, list[float]]:
    """Daily returns of several kinds, to 1e-6."""
    rng = np.random.Generator(np.random.PCG64(22))
    made = {
        "normal": rng.normal(0.001, 0.02, 200),
        "fat": 0.002 + 0.01 * rng.standard_t(3, 150),
        "skewed": 0.01 - 0.01 * rng.exponential(1.0, 120),
        "losing": rng.normal(-0.002, 0.01, 90),
        "idle": np.where(rng.random(100) < IDLE, 0.0, rng.normal(0.004, 0.02, 100)),
    }
    return {name: [round(float(x), 6) for x in values] for name, values in made.items()}


def answers(returns: list[float]) -> dict[str, Any]:
    """What both packages say of one series."""
    values = np.array(returns)
    trial_sharpes = [round(0.01 * math.sin(k) + 0.02 * math.cos(3 * k), 6) for k in range(50)]
    variance = float(np.var(trial_sharpes, ddof=1))
    full = purgedcv.deflated_sharpe_ratio_full(values, 50, variance)
    theirs = (full.observed_sr, full.skew, full.kurt)
    return {
        "returns": returns,
        "trial_sharpes": trial_sharpes,
        "skfolio": {
            "sharpe": float(skfolio.mean(values) / skfolio.standard_deviation(values)),
            "skewness": float(skfolio.skew(values)),
            "kurtosis": float(skfolio.kurtosis(values)),
            "psr": [float(skfolio.probabilistic_sharpe_ratio(values, b)) for b in BENCHMARKS],
            "dsr": float(skfolio.deflated_sharpe_ratio(values, trial_sharpes)),
        },
        "purgedcv": {
            "moments": theirs,
            "psr": [purgedcv.probabilistic_sharpe_ratio(values, b) for b in BENCHMARKS],
            "expected_maximum": full.sr_star,
            "dsr": full.dsr,
            "min_track_record": [
                x if math.isfinite(x := purgedcv.min_track_record_length(theirs[0], b, 0.05, *theirs[1:])) else None
                for b in BENCHMARKS
            ],
        },
    }


def reference() -> dict[str, Any]:
    """Everything that the file holds."""
    return {
        "versions": {name: version(name) for name in ("skfolio", "purgedcv", "scipy", "numpy")},
        "benchmarks": list(BENCHMARKS),
        "expected_maximum": [
            {
                "trials": count,
                "variance": 0.0025,
                "skfolio": float(skfolio.expected_max_sharpe_ratio(count, 0.05)),
                "purgedcv": purgedcv.deflated_sharpe_ratio_full(np.arange(9.0), count, 0.0025).sr_star,
            }
            for count in COUNTS
        ],
        "series": {name: answers(returns) for name, returns in series().items()},
    }


if __name__ == "__main__":
    TARGET.write_text(json.dumps(reference(), indent=1) + "\n", encoding="utf-8")
    print(f"wrote {TARGET}")  # noqa: T201 - a script speaks to a terminal

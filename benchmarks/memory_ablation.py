"""What memory adds to the trend agent: the testkit's six arms, on two of its generated markets.

``python benchmarks/memory_ablation.py [--seed 0]`` prints per market and arm the mean profit and Student's t over 64
paths, in a few seconds. Nothing is asserted and nothing is tuned: the numbers are what they are.
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from coinswarm_testkit.bench import LocalBench
from coinswarm_testkit.evidence import desk
from coinswarm_testkit.evidence.ablation import ARMS, ablate
from coinswarm_testkit.markets.ensembles import CONTROL, ensemble
from coinswarm_testkit.subject import Subject

if TYPE_CHECKING:
    from coinswarm_testkit.evidence.ablation import Ablation

BARS = 2_000
LEARNABLE = "changing-regimes"
TREND = Subject(
    "trend",
    "coinswarm_trend.agent:TrendAgent",
    settings_target="coinswarm_trend.settings:TrendSettings",
    settings={"memory": True},
    declaration={"needs": ["memory"], "warm_up": 280},
)


def table(market: str, costs: str, found: Ablation) -> None:
    """One market's arms."""
    print(f"\n{market}, {costs}, 64 paths of {BARS:,} bars; recalled {found.asked:,} times")
    print(f"{'arm':<10}{'mean profit':>13}{'over none, t':>14}{'real over it, t':>17}")
    for arm in ARMS:
        over = f"{found.t(arm):+.2f}" if arm != "none" else ""
        against = f"{found.t('real', arm):+.2f}" if arm != "real" else ""
        print(f"{arm:<10}{found.profit[arm].mean():>13.3%}{over:>14}{against:>17}")
    print(f"second half - 0.8 x first, t: {found.worn():+.2f}")


def main() -> None:
    """Run both markets."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seed", type=int, default=0)
    seed = parser.parse_args().seed
    with LocalBench(TREND, seed) as bench:
        table(CONTROL, "no costs", ablate(bench, ensemble(CONTROL, BARS, seed), costs=desk.FREE))
        usual = desk.VENUES[desk.USUAL]
        table(LEARNABLE, f"costs of {desk.USUAL}", ablate(bench, ensemble(LEARNABLE, BARS, seed), costs=usual))


if __name__ == "__main__":
    main()

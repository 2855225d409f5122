"""The random-walk control: what recall earns where nothing that is known helps, and what a leak would earn.

``python benchmarks/random_walk_memory.py [--paths 24] [--bars 8760] [--seed 0] [--costs]`` runs core's own memory over
random walks (a martingale, inside bars too) with the testkit's reference agent and core's estimate, and prints the
annualised Sharpe ratio of each arm with the 95 % interval of its mean over paths. Exit code 1 where the interval of
legal recall leaves out 0, or the leaky arm does not exceed 3. A minute and a half of one core.
"""

from __future__ import annotations

import argparse
import sys
from statistics import fmean, stdev

from coinswarm.memory.recall.rules import RecallRules
from coinswarm_testkit.evidence import desk
from coinswarm_testkit.evidence.alpha import student
from coinswarm_testkit.evidence.walk import ARMS, Walk, walked
from coinswarm_testkit.markets.ensembles import CONTROL, ensemble
from coinswarm_testkit.reference.recalling import RecallingAgent

LEAK_SHOWS = 3.0
"""A leaky memory must look at least so good, annualised."""


def interval(values: list[float]) -> tuple[float, float, float]:
    """Mean over paths and its 95 % interval (Student)."""
    mean, error = fmean(values), stdev(values) / len(values) ** 0.5
    reach = student(0.025, len(values) - 1) * error
    return mean, mean - reach, mean + reach


def main() -> int:
    """Run all paths and show the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--paths", type=int, default=24)
    parser.add_argument("--bars", type=int, default=8_760)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--costs", action="store_true", help="charge what evidence is charged, instead of nothing")
    asked = parser.parse_args()
    costs = desk.VENUES[desk.USUAL] if asked.costs else desk.FREE
    market = ensemble(CONTROL, asked.bars, asked.seed, paths=asked.paths)
    walks: list[Walk] = []
    for path, bars in enumerate(market):
        walks.append(walked(bars, RecallingAgent, RecallRules(), costs))
        print(f"\rpath {path + 1} of {asked.paths}", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    recalls, moved = sum(w.recalls for w in walks), sum(w.moved for w in walks)
    print(
        f"{asked.paths} random walks of {asked.bars:,} hourly bars, seed {asked.seed}, "
        f"{'costs of ' + desk.USUAL if asked.costs else 'no costs'}; {recalls:,} recalls, of which {moved:,} moved a "
        f"confidence; {sum(w.episodes for w in walks):,} episodes"
    )
    print("annualised Sharpe ratio, mean over paths and 95 % interval")
    print(f"{'arm':<8}{'the run':>26}{'what recall earns':>28}")
    found = {}
    for arm in ARMS:
        run = interval([w.sharpe(arm) for w in walks])
        told = f"{run[0]:+.2f} ({run[1]:+.2f} to {run[2]:+.2f})"
        more = ""
        if arm != "none":
            found[arm] = added = interval([w.added(arm) for w in walks])
            more = f"{added[0]:+.2f} ({added[1]:+.2f} to {added[2]:+.2f})"
        print(f"{arm:<8}{told:>26}{more:>28}")
    good = found["legal"][1] <= 0.0 <= found["legal"][2] and found["leaky"][0] > LEAK_SHOWS
    print("legal recall knows nothing, and a leak shows" if good else "THE CONTROL FAILS")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())

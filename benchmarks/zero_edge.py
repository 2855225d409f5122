"""How often the evidence rule admits agents without an edge, and how often it admits one that has an edge.

A family is ten variants tried on one history: 400 families of trend agents, 400 of trend and mean reversion mixed, on
the testkit's control market, a martingale. Every variant goes the way of evidence: the agent's columns, the engine, an
account of the testkit's desk, daily returns, admission (``coinswarm.evidence.admission``). Beside the rule stands a
deflated Sharpe ratio of 0.95 alone.

Before costs nobody earns or loses anything on a martingale: the hardest case for the rule. After costs everybody
loses. Power takes the same returns, with their idle days and fat tails, and adds to one variant what makes its true
annualised Sharpe ratio 2.

    python benchmarks/zero_edge.py [--families N] [--json]
"""

from __future__ import annotations

import argparse
import json
import math
import os
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from coinswarm.evidence.admission import admit
from coinswarm.evidence.days import cut_days
from coinswarm.evidence.trials import Trial
from coinswarm_meanrev.agent import MeanReversionAgent
from coinswarm_meanrev.settings import MeanReversionSettings
from coinswarm_testkit.evidence import desk
from coinswarm_testkit.markets.ensembles import CONTROL, ensemble
from coinswarm_trend.agent import TrendAgent
from coinswarm_trend.settings import TrendSettings

if TYPE_CHECKING:
    from coinswarm.contracts import ColumnarAgent

FAMILIES, VARIANTS = 400, 10
YEAR = 365
LONG, SHORT = 5 * YEAR, 3 * YEAR
SHARPE = 2.0
MOST, LEVEL = 0.05, 0.95
"""Of the families may be admitted, at this confidence."""
DSR = 0.95
ALONE, AMONG = 0.9, 0.8
"""Power demanded: one trial of three years, ten of five."""

Floats = np.ndarray[tuple[int], np.dtype[np.float64]]
Table = np.ndarray[tuple[int, int, int], np.dtype[np.float64]]


def agents(mixed: bool) -> list[ColumnarAgent]:  # noqa: FBT001 - one of two kinds
    """Ten variants as somebody would try them."""
    trends: list[ColumnarAgent] = [
        TrendAgent(TrendSettings(fast=fast, slow=slow, stop_atr=stop))
        for fast in (5, 10, 15, 20, 30)
        for slow, stop in ((2 * fast, 2.0), (4 * fast, 3.0))
    ]
    reversions: list[ColumnarAgent] = [
        MeanReversionAgent(MeanReversionSettings(window=window, entry_z=z))
        for window, z in ((10, 1.5), (20, 1.5), (20, 2.0), (40, 2.0), (60, 2.5))
    ]
    return [*trends[::2], *reversions] if mixed else trends


def daily(family: int, *, mixed: bool, costs: bool, seed: int) -> Table:
    """Daily returns of the ten variants on the history of one family: float64[10, days]."""
    bars = ensemble(CONTROL, 24 * LONG + 400, seed * 1_000_003 + family, paths=1)[0]
    start = int(bars.open_ns[400])
    rows = []
    for agent in agents(mixed):
        result = desk.traded(
            bars,
            agent.decide_all(bars),
            costs=desk.VENUES[desk.USUAL] if costs else desk.FREE,
            warm_up=agent.warm_up(),
            start_ns=start,
        )
        shown = slice(int(np.searchsorted(result.times_ns, start)), None)
        days = cut_days(
            result.times_ns[shown], result.bar_ns, result.equity[shown], result.exposure_units[shown], result.cash
        )
        rows.append(days.returns[:LONG])
    return np.array(rows)


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table.

    :param count, of: how many were admitted.
    :param bound: one-sided Clopper-Pearson bound at ``LEVEL``: upper for false admissions, lower for power.
    :param dsr: how many a deflated Sharpe ratio of ``DSR`` alone admits.
    :param reached: whether the target is; None where none is set.
    """

    what: str
    count: int
    of: int
    bound: float
    dsr: int
    target: str
    reached: bool | None

    def line(self) -> str:
        """As text."""
        told = {None: "", True: "reached", False: "MISSED"}[self.reached]
        share, alone = self.count / self.of, self.dsr / self.of
        return f"{self.what:<58} {share:>7.2%} {self.bound:>8.2%} {alone:>8.2%}  {self.target:<13} {told}"


def families(returns: Table, what: str, *, judged: bool) -> Row:
    """How many families have any variant admitted."""
    ours = theirs = 0
    for family in returns:
        trials = [Trial(0, row[:SHORT]) for row in family]
        verdicts = [admit(one, trials) for one in trials]
        ours += any(verdict.admitted for verdict in verdicts)
        theirs += any((verdict.dsr.value or 0.0) >= DSR for verdict in verdicts)
    bound = upper(ours, len(returns))
    return Row(what, ours, len(returns), bound, theirs, f"bound <= {MOST:.0%}", bound <= MOST if judged else None)


def power(returns: Table, what: str, *, days: int, alone: bool, least: float) -> Row:
    """How often a variant with a true Sharpe ratio of ``SHARPE`` is admitted; each family plants it in another one."""
    ours = theirs = 0
    deviation = returns[:, :, :days].std(axis=(0, 2), ddof=1)
    for number, family in enumerate(returns):
        planted = number % VARIANTS
        rows = family[:, :days].copy()
        rows[planted] += SHARPE / math.sqrt(YEAR) * deviation[planted] - returns[:, planted, :days].mean()
        trials = [Trial(0, row) for row in rows]
        verdict = admit(trials[planted], [trials[planted]] if alone else trials)
        ours += verdict.admitted
        theirs += (verdict.dsr.value or 0.0) >= DSR
    share = ours / len(returns)
    return Row(what, ours, len(returns), lower(ours, len(returns)), theirs, f">= {least:.0%}", share >= least)


def at_most(k: int, n: int, p: float) -> float:
    """Probability of at most ``k`` of ``n``."""
    return math.fsum(
        math.exp(
            math.lgamma(n + 1) - math.lgamma(i + 1) - math.lgamma(n - i + 1)
            + i * math.log(p) + (n - i) * math.log1p(-p)
        )
        for i in range(k + 1)
    )  # fmt: skip


def upper(k: int, n: int) -> float:
    """One-sided upper bound of a share (C. J. Clopper and E. S. Pearson, Biometrika 26 (1934), 404-413)."""
    if k == n:
        return 1.0
    low, high = 1e-12, 1.0 - 1e-12
    for _ in range(100):
        middle = (low + high) / 2
        low, high = (middle, high) if at_most(k, n, middle) > 1.0 - LEVEL else (low, middle)
    return high


def lower(k: int, n: int) -> float:
    """The same from below."""
    return 1.0 - upper(n - k, n)


def main() -> int:
    """Run the study and print its table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--families", type=int, default=FAMILIES, help=f"of each kind (default {FAMILIES})")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", action="store_true", help="for a machine")
    options = parser.parse_args()
    began = time.perf_counter()
    rows: list[Row] = []
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        for name, mixed, costs in (
            ("trend", False, False),
            ("trend and mean reversion", True, False),
            ("trend and mean reversion", True, True),
        ):
            made = partial(daily, mixed=mixed, costs=costs, seed=options.seed)
            returns: Table = np.array(list(pool.map(made, range(options.families), chunksize=8)))
            paid = "after 10 bps, spread and slippage" if costs else "before costs"
            rows.append(families(returns, f"no edge: {name}, {paid}", judged=True))
            if costs:
                continue
            rows.append(power(returns, f"Sharpe 2: {name}, 3 years, 1 trial", days=SHORT, alone=True, least=ALONE))
            rows.append(power(returns, f"Sharpe 2: {name}, 5 years, 10 trials", days=LONG, alone=False, least=AMONG))
    took = time.perf_counter() - began
    if options.json:
        print(json.dumps({"seconds": took, "families": options.families, "rows": [asdict(row) for row in rows]}))
        return 0
    print(f"{options.families} families of {VARIANTS} variants each, seed {options.seed}; {took:.0f} s")
    print(f"{'':<58} {'rule':>7} {'bound':>8} {f'DSR {DSR}':>8}  {'target':<13}")
    print("\n".join(row.line() for row in rows))
    return 0


if __name__ == "__main__":
    sys.exit(main())

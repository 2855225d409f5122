"""``python -m coinswarm_testkit.quorum [--histories N] [--first SEED] [--jobs N]``: simulate, and print the table."""

from __future__ import annotations

import argparse
import os
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import TYPE_CHECKING

from coinswarm_testkit.quorum.mutants import MUTANTS
from coinswarm_testkit.quorum.plan import CONFIGURATIONS
from coinswarm_testkit.quorum.run import Tally, batches, hunt, run_batch, table

if TYPE_CHECKING:
    from collections.abc import Sequence


def main(words: Sequence[str]) -> int:
    """0 only if no invariant was violated and every mutant was caught."""
    parser = argparse.ArgumentParser(prog="simulate", description="the quorum's seeded simulator")
    parser.add_argument("--histories", type=int, default=3_000, help="over all four configurations (3000)")
    parser.add_argument("--first", type=int, default=0, help="the first seed (0)")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="processes (one per core)")
    given = parser.parse_args(words)
    begin = time.monotonic()
    tallies = {sizes: Tally() for sizes in CONFIGURATIONS}
    with ProcessPoolExecutor(given.jobs, mp_context=get_context("spawn")) as pool:
        chosen = batches(given.histories, given.first)
        for number, (batch, tally) in enumerate(zip(chosen, pool.map(run_batch, chosen), strict=True), 1):
            tallies[batch.sizes].add(tally)
            if sys.stderr.isatty():
                print(f"\r{number} of {len(chosen)} batches", end="", file=sys.stderr, flush=True)
        seconds = time.monotonic() - begin
        caught = list(pool.map(hunt, range(len(MUTANTS))))
    if sys.stderr.isatty():
        print(file=sys.stderr)
    print("\n".join(table(tallies, caught)))
    histories = sum(tally.histories for tally in tallies.values())
    wrong = sum(tally.violations.total() for tally in tallies.values())
    missed = sum(one.seed is None for one in caught)
    print(
        f"\n{histories:,} histories in {seconds:.0f} s ({histories / seconds:.0f} a second, {given.jobs} processes); "
        f"{wrong} violations; {len(caught) - missed} of {len(caught)} mutants caught"
    )
    return 1 if wrong or missed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

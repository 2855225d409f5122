"""``python -m coinswarm_mutants [WORD...]``: judge the judge, and print what came of it.

Every mutant must fail the checks that its module states and no others, and every twin none. Every check must be
failed by some mutant, so that leaving it out would be noticed. The clean set must raise no alarm.
With words, only the cases whose names hold one of them are run, and neither coverage nor the clean set is judged.
"""

from __future__ import annotations

import os
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from coinswarm_mutants.cases import cases
from coinswarm_mutants.clean import clean_set
from coinswarm_mutants.judging import Job, done
from coinswarm_testkit.servers.nats import VARIABLE, nats_server
from coinswarm_testkit.suite import checks_for

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from coinswarm_mutants.cases import Case

CLEAN_RUNS = 300
"""Runs of the exact checks over the clean set, at the least."""


def run(jobs: Sequence[Job]) -> Iterable[tuple[Job, set[str], float]]:
    """Do all jobs, as many at once as there are cores; in order."""
    with ProcessPoolExecutor(os.cpu_count(), mp_context=get_context("spawn")) as pool:
        for number, one in enumerate(pool.map(done, jobs), 1):
            if sys.stderr.isatty():
                print(f"\r{number} of {len(jobs)} runs", end="", file=sys.stderr, flush=True)
            yield one
    if sys.stderr.isatty():
        print(file=sys.stderr)


def table(found: Sequence[tuple[Case, str, set[str]]]) -> list[str]:
    """The table check x mutant: one line per mutant, one block of checks per kind."""
    lines = []
    for kind in dict.fromkeys(case.mutant.kind for case, _, _ in found):
        rows = [(case, which, failed) for case, which, failed in found if case.mutant.kind == kind]
        ids = [check.id for check in checks_for(kind)]
        width = max(len(case.name) for case, _, _ in rows) + 7
        lines += ["", f"{kind:<{width}}" + " ".join(ids)]
        for case, which, failed in rows:
            expected = case.fails if which == "mutant" else frozenset()
            cells = " ".join(
                (" X " if one in failed else " . ") if (one in failed) == (one in expected) else " ! " for one in ids
            )
            lines.append(f"{case.name + ' ' + which if which == 'twin' else case.name:<{width}}{cells}")
    return lines


def judged(words: Sequence[str]) -> int:
    """Run the mutants and twins whose names hold a word; how many are not as stated."""
    places = [place for place, case in enumerate(cases()) if not words or any(word in case.name for word in words)]
    jobs = [Job(which, place, 0) for place in places for which in ("mutant", "twin")]
    rows = [(cases()[job.place], job.which, failed) for job, failed, _ in run(jobs)]
    print("\n".join(table(rows)))
    print("\nX: fails it, as stated; .: passes it; !: not as stated")
    wrong = 0
    for case, which, failed in rows:
        expected = case.fails if which == "mutant" else frozenset()
        if failed != expected:
            wrong += 1
            print(f"NOT AS STATED {case.name} {which}: fails {sorted(failed)}, states {sorted(expected)}")
    mutants = [(case, failed) for case, which, failed in rows if which == "mutant"]
    caught = sum(1 for case, failed in mutants if case.fails <= failed)
    twins = [failed for _, which, failed in rows if which == "twin"]
    quiet = sum(not one for one in twins)
    print(f"mutants caught: {caught} of {len(mutants)}; twins that raise no alarm: {quiet} of {len(twins)}")
    return wrong


def uncovered() -> list[str]:
    """Checks that no mutant fails: one could be left out, and nobody would notice."""
    met = {name for case in cases() for name in case.fails}
    kinds = dict.fromkeys(case.mutant.kind for case in cases())
    reach = {check.id for kind in kinds for check in checks_for(kind)}
    return sorted(reach - met)


def clean() -> int:
    """Run the exact checks over the clean set; how many alarms they raise."""
    subjects = clean_set()
    seeds = -(-CLEAN_RUNS // len(subjects))
    jobs = [Job("clean", place, seed) for seed in range(seeds) for place in range(len(subjects))]
    alarms = 0
    for job, failed, _ in run(jobs):
        for line in sorted(failed):
            alarms += 1
            print(f"ALARM on {subjects[job.place].name}, seed {job.seed}: {line}")
    print(f"clean set: {alarms} alarms in {len(jobs)} runs of all exact checks")
    return alarms


def main(words: Sequence[str]) -> int:
    """0 only if everything is as stated."""
    begin = time.monotonic()
    with TemporaryDirectory(prefix="coinswarm-home-") as home, nats_server() as server:
        os.environ["COINSWARM_HOME"] = home  # what its user has tried changes no verdict
        print(f"real server: {server.about}")
        os.environ[VARIABLE] = server.url
        wrong = judged(words)
    if not words:
        missing = uncovered()
        print(f"checks that no mutant fails: {', '.join(missing) or 'none'}")
        wrong += len(missing) + clean()
    print(f"{'all as stated' if not wrong else f'{wrong} NOT as stated'}, {time.monotonic() - begin:.0f} s")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

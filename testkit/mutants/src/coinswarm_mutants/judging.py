"""Judging the judge: which checks a mutant, a twin or a clean plugin fails."""

from __future__ import annotations

import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

from coinswarm_mutants.cases import INSTALLED, cases
from coinswarm_mutants.clean import clean_set
from coinswarm_testkit.bench import LocalBench, RemoteBench
from coinswarm_testkit.suite import checks_for, judge

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from coinswarm_mutants.cases import Case
    from coinswarm_testkit.checks import Check, Tier
    from coinswarm_testkit.subject import Subject
    from coinswarm_testkit.verdicts import Outcome


@contextmanager
def _installed() -> Iterator[None]:
    """Put the distributions that exist by their metadata only on the path."""
    sys.path.append(str(INSTALLED))
    try:
        yield
    finally:
        sys.path.remove(str(INSTALLED))


def outcomes(
    subject: Subject, *, tier: Tier = "silver", seed: int = 0, apart: bool = False, only: Sequence[str] = ()
) -> list[Outcome]:
    """How every check about a subject ends.

    :param apart: judge it in a process of its own, as the gate does.
    :param only: ids of the checks to run; all by default.
    """
    checks: list[Check] = [check for check in checks_for(subject.kind, tier=tier) if not only or check.id in only]
    with _installed(), RemoteBench(subject, seed) if apart else LocalBench(subject, seed) as bench:
        return list(judge(bench, checks))


def failing(case: Case, which: str, *, seed: int = 0, only: Sequence[str] = ()) -> set[str]:
    """Ids of the checks that a case's mutant or twin fails.

    :param which: ``mutant`` or ``twin``.
    """
    subject = case.mutant if which == "mutant" else case.twin
    found = outcomes(subject, tier=case.tier, seed=seed, apart=case.apart, only=only)
    return {one.id for one in found if not one.good}


class Job(NamedTuple):
    """One subject judged once: ``which`` is mutant, twin or clean.

    Here and not in ``__main__``, where another process would not find it.
    """

    which: str
    place: int
    seed: int


def done(job: Job) -> tuple[Job, set[str], float]:
    """Ids of the checks that failed, and how long it took."""
    begin = time.monotonic()
    if job.which == "clean":
        subject = clean_set()[job.place]
        failed = {f"{one.id} {one.reason}" for one in outcomes(subject, seed=job.seed) if not one.good}
    else:
        failed = failing(cases()[job.place], job.which, seed=job.seed)
    return job, failed, time.monotonic() - begin

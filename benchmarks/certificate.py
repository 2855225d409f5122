"""An agent's silver checks: the plugin's processes forked from one, beside each started by itself.

Processor seconds of the judge and of all its processes, by turns in one process. It needs the testkit and
coinswarm-trend, and runs by itself: ``python benchmarks/certificate.py``.
"""

from __future__ import annotations

import resource
import statistics
import sys
from unittest.mock import patch

from measure import BenchmarkError, Row, script

from coinswarm_testkit import bench, compiled
from coinswarm_testkit.forkserver import SUPPORTED
from coinswarm_testkit.remote import Remote
from coinswarm_testkit.starting import Fresh, own_path
from coinswarm_testkit.subject import Subject
from coinswarm_testkit.suite import checks_for, judge

PLUGIN = "trend"


def rows(repetitions: int) -> list[Row]:
    """Both ways, in turn.

    :raises BenchmarkError: when a check fails: then its time means nothing.
    """
    if not SUPPORTED:
        message = "nothing is forked on this system"
        raise BenchmarkError(message)
    with compiled.lent(lambda: print("compiling", file=sys.stderr)) as lent:
        subject = _declared(lent)
        found: dict[bool, list[float]] = {True: [], False: []}
        for number in range(-1, repetitions):  # the first fills caches on disk
            for forks, kept in found.items():
                seconds = _judged(subject, lent, forks=forks)
                if number >= 0:
                    kept.append(seconds)
    ours, peer = found[True], found[False]
    return [
        Row(
            name=f"silver checks of the agent {PLUGIN}, processes forked",
            ours=f"{min(ours):.1f} ({statistics.median(ours):.1f}) s",
            peer=f"each started by itself: {min(peer):.1f} ({statistics.median(peer):.1f}) s",
            ratio=min(peer) / min(ours),
            value=min(peer) / min(ours),
            figures={"cpu_s": {"forked": ours, "started": peer}},
        )
    ]


def _declared(lent: dict[str, str]) -> Subject:
    """The agent, as its plugin declares it."""
    nobody = Subject(name=PLUGIN, target="", plugin=PLUGIN)
    with Remote(nobody, Fresh(lent, own_path())) as link:
        [fields] = link.ask("subjects.found", plugin=PLUGIN)
    return Subject(**fields)


def _judged(subject: Subject, lent: dict[str, str], *, forks: bool) -> float:
    """Processor seconds of all its checks."""
    before = _used()
    with patch.object(bench, "SUPPORTED", forks), bench.RemoteBench(subject, environment=lent) as made:
        bad = [row.id for row in judge(made, checks_for("agent", tier="silver"), waivers={}) if not row.good]
    if bad:
        message = f"{subject.name} fails {', '.join(bad)}"
        raise BenchmarkError(message)
    return _used() - before


def _used() -> float:
    """Processor seconds of this process and of those that it has waited for."""
    both = [resource.getrusage(whose) for whose in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in both)


if __name__ == "__main__":
    sys.exit(script(rows, __doc__))

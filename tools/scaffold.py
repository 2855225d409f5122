"""Certify what ``coinswarm plugins new`` writes: ``python tools/scaffold.py [--no-lint] [KIND...]``.

The transcript that docs/writing-a-plugin.md has of each kind, or of some, is followed outside the repository, without
network, in one environment that lies on top of this one: rendered, installed, certified by the gate. Then the package's
own tests are run, it is taken away again, and at the end ruff and mypy read all of them. Fails where anything differs.
"""

from __future__ import annotations

import os
import resource
import sys
import tempfile
import time
from itertools import pairwise
from pathlib import Path

from coinswarm.plugins.scaffold import KINDS
from layout import ROOT
from transcripts import Environment, MismatchError, blocks, commands

PAGE = ROOT / "docs" / "writing-a-plugin.md"
STEPS = ("install", "check", "tests", "uninstall")

AGENT = """
$ coinswarm plugins new agent average
...
$ pip install --no-build-isolation --no-index ./coinswarm-average
...
$ coinswarm plugins check average
...
Tier         silver
Certificate  ...
"""
"""The page's own road of an agent is longer, and core's test of the page follows it."""


def transcript(kind: str) -> list[tuple[str, list[str]]]:
    """The commands of a kind, and what is quoted below each."""
    told = {block.about: block.text for block in blocks(PAGE) if block.language == "shellsession"}
    return commands({**told, "agent": AGENT.lstrip()}[kind])


def certified(place: Environment, kind: str) -> tuple[str, str, dict[str, float]]:
    """Follow a kind's transcript, run its tests, and take it away: its folder, its tier, and the seconds of each step.

    :raises MismatchError: where anything fails.
    """
    new, install, check = transcript(kind)
    folder = f"coinswarm-{new[0].split()[-1]}"
    times = [time.perf_counter()]
    place.follow(*new)
    place.follow(*install)
    times.append(time.perf_counter())
    tier = place.follow(*check).rpartition("\nTier")[2].split()[0]
    times.append(time.perf_counter())
    place.follow(f"(cd {folder} && python -m pytest -q -p no:cacheprovider)", [])
    times.append(time.perf_counter())
    place.follow(f"pip uninstall --yes {folder}", [])
    times.append(time.perf_counter())
    return folder, tier, dict(zip(STEPS, (after - before for before, after in pairwise(times)), strict=True))


def main() -> int:
    """Certify the kinds that are named, or all; 0 when each reached what the page says."""
    lint = "--no-lint" not in sys.argv
    kinds = [word for word in sys.argv[1:] if word != "--no-lint"] or list(KINDS)
    for kind in kinds:
        if kind not in KINDS:
            print(f"{kind} is no kind: say {', '.join(KINDS)}", file=sys.stderr)
            return 2
    if missing := Environment.lacks():
        print(f"{missing} is missing here, and nothing can be installed offline without it", file=sys.stderr)
        return 2
    folders = []
    with tempfile.TemporaryDirectory(prefix="coinswarm-scaffold-") as name:
        place = Environment(Path(name))
        print("".join(f"{word.upper():<12}" for word in ("kind", "tier", *STEPS, "seconds", "cpu")), flush=True)
        begin, used = time.perf_counter(), _cpu()
        try:
            for kind in kinds:
                before = _cpu()
                folder, tier, seconds = certified(place, kind)
                folders.append(folder)
                numbers = [*seconds.values(), sum(seconds.values()), _cpu() - before]
                print("".join(f"{cell:<12}" for cell in (kind, tier, *(f"{one:.1f}" for one in numbers))), flush=True)
            print(f"{len(kinds)} certified in {time.perf_counter() - begin:.0f} s, of CPU {_cpu() - used:.0f} s")
            if lint:
                _read(place, folders)
        except MismatchError as error:
            print(error, file=sys.stderr)
            return 1
    return 0


def _read(place: Environment, folders: list[str]) -> None:
    """Have ruff and strict mypy read all packages at once.

    :raises MismatchError: where one finds something.
    """
    places = " ".join(folders)
    place.follow(f"python -m ruff check --no-cache {places} && python -m ruff format --check --no-cache {places}", [])
    path = os.pathsep.join(f"{folder}/src" for folder in folders)
    words = " ".join(f"-p {folder.replace('-', '_')}" for folder in folders)
    place.follow(f"MYPYPATH={path} python -m mypy --strict {words}", [])


def _cpu() -> float:
    """Seconds of CPU that our children have used."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    sys.exit(main())

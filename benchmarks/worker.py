"""What a contender's process does: run when asked, and say what it cost. Standard library only."""

from __future__ import annotations

import gc
import json
import os
import sys
import time
from pathlib import Path
from resource import RUSAGE_SELF, getrusage
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")

MIB = 1024


def serve(prepare: Callable[[], T], run: Callable[[T], dict[str, Any]]) -> None:
    """Answer each line on stdin with one measured run, as JSON; with ``--once``, run once and end.

    The first run is not measured: it compiles, or loads what was compiled. Anything else that is printed goes to
    stderr.

    :param prepare: what each run needs anew; not measured.
    :param run: the work; what it returns are facts about the answer.
    """
    sys.stdout.flush()
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    if "--once" in sys.argv:
        print(json.dumps(measured(prepare, run)), file=answers, flush=True)
        return
    run(prepare())
    print("{}", file=answers, flush=True)
    for _ in sys.stdin:
        print(json.dumps(measured(prepare, run)), file=answers, flush=True)


def measured(prepare: Callable[[], T], run: Callable[[T], dict[str, Any]]) -> dict[str, Any]:
    """One run: CPU and wall seconds, and facts, to which peak memory and pandas are added."""
    given = prepare()
    gc.collect()
    wall, cpu = time.perf_counter(), time.process_time()
    facts = run(given)
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    return {"cpu": cpu, "wall": wall, "facts": {**facts, "peak_mib": peak_mib(), "pandas": "pandas" in sys.modules}}


def peak_mib() -> float:
    """The most memory this process has held.

    ``ru_maxrss`` starts with what the parent held when it forked; Linux says it for the program alone.
    """
    status = Path("/proc/self/status")
    if status.exists():
        for line in status.read_text(encoding="ascii").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / MIB
    peak = getrusage(RUSAGE_SELF).ru_maxrss / MIB
    return peak / MIB if sys.platform == "darwin" else peak

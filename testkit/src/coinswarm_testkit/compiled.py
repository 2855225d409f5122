"""Compiled code for workers: a run of the gate lends them a copy of this user's, and throws it away.

What numba keeps on disk are pickles: whoever writes there has code run by whoever reads. A worker is told of the copy
only, so what a plugin leaves in it reaches workers of the same run and nobody else. The judge reads neither
(``coinswarm._jit``).
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from contextlib import contextmanager, suppress
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

from coinswarm._jit import cache_folder
from coinswarm_testkit.starting import CACHE, own_path

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

WARM = f"warm-{metadata.version('numba')}"
"""A file that says that all is there, as this numba made it: another one makes it anew."""

INTERPRETED = "NUMBA_DISABLE_JIT"
"""The variable by which a judge that compiles nothing is started."""

_SECONDS = 300.0
"""It takes about fifteen; who takes longer than this leaves it to the workers."""

_START = """\
import importlib.metadata, json, sys
sys.path.extend(json.loads(sys.argv.pop(1)))
importlib.metadata.entry_points = lambda **_: importlib.metadata.EntryPoints()
from coinswarm_testkit.worker.warming import warm
warm()
"""


@contextmanager
def lent(compiling: Callable[[], None]) -> Iterator[dict[str, str]]:
    """Variables that point workers at a copy of this user's compiled code; it is gone when the block ends.

    Where it is not all there yet, a process that no plugin is in compiles it first, for every later run.

    :param compiling: is told before it does.
    """
    kept = cache_folder()
    if not (kept / WARM).exists():
        compiling()
        _compile(kept)
    with tempfile.TemporaryDirectory(prefix="coinswarm-compiled-", ignore_cleanup_errors=True) as place:
        copy = Path(place) / "numba"
        shutil.copytree(kept, copy, copy_function=_copied)
        yield {CACHE: str(copy)}


def _copied(source: str, target: str) -> None:
    """Copy a file, unless another process has just replaced it."""
    with suppress(FileNotFoundError):
        shutil.copyfile(source, target)


def _compile(kept: Path) -> None:
    """Have a process fill a folder; what it does not, workers compile for themselves."""
    with (
        suppress(subprocess.SubprocessError, OSError),
        tempfile.TemporaryDirectory(prefix="coinswarm-compiling-") as home,
    ):
        subprocess.run(  # noqa: S603 - an argument list of our own
            [sys.executable, "-I", "-S", "-c", _START, json.dumps(own_path())],
            cwd=home,
            env={name: value for name, value in os.environ.items() if name != INTERPRETED} | {CACHE: str(kept)},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_SECONDS,
            check=True,
        )
        (kept / WARM).touch()

"""How the process of a worker is started: by an interpreter that is told where modules are, and of little else."""

from __future__ import annotations

import importlib
import json
import os
import signal
import subprocess
import sys
from abc import ABC, abstractmethod
from contextlib import suppress
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

BEFORE = """\
import json, site, sys
sys.path.extend(one for one in json.loads(sys.argv.pop(1)) if one not in sys.path)
site.main()
"""
"""Begins what a worker's interpreter runs. It is started without ``site`` (``-S``), when its path is the standard
library's and no more: what is judged comes after that, whatever its modules are named, and before what else is
installed."""

_SERVE = """\
import runpy
runpy.run_module("coinswarm_testkit.worker", run_name="__main__", alter_sys=True)
"""

KEPT = (
    *("PATH", "LANG", "LC_ALL", "TZ", "TMPDIR", "SYSTEMROOT", "LD_LIBRARY_PATH"),
    *("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"),
)
"""Variables that a worker inherits; all others it is told of, or does without."""

CACHE = "NUMBA_CACHE_DIR"
"""The variable that says where compiled code is."""


def at_home(home: Path) -> dict[str, str]:
    """The variables that say where a process is at home."""
    return {"HOME": str(home), "COINSWARM_HOME": str(home / "coinswarm")}


def surroundings(home: Path) -> dict[str, str]:
    """The variables of a process that a plugin is imported in: an empty home, and no secret of ours.

    It shares this process's compiled code; the gate, which has none, lends it some (``compiled``).
    """
    if CACHE not in os.environ:
        importlib.import_module("coinswarm._jit")  # says where it is
    variables = {name: os.environ[name] for name in (*KEPT, CACHE) if name in os.environ}
    return variables | at_home(home) | {"PYTHONHASHSEED": "0"}


def own_path() -> tuple[str, ...]:
    """Where this process finds modules, for a worker that shall find them there."""
    return tuple(path for path in sys.path if path)


def interpreter(*options: str, code: str, paths: Sequence[str]) -> list[str]:
    """The command line that runs ``code`` where modules are found in ``paths``."""
    return [sys.executable, *options, "-P", "-s", "-S", "-c", BEFORE + code, json.dumps(list(paths))]


class Started(ABC):
    """A worker's process, which leads a group of its own.

    :ivar requests: its standard input.
    """

    requests: IO[bytes]

    @abstractmethod
    def wait(self, seconds: float) -> int | None:
        """Its exit code, negative for a signal; None: it goes on after so long."""

    @abstractmethod
    def end(self) -> None:
        """End it and whatever it has started in its group, and wait for that."""


class Starter(ABC):
    """Starts workers."""

    @abstractmethod
    def start(self, home: Path, output: int, answers: int) -> Started:
        """A worker.

        :param home: its folder and its home.
        :param output: descriptor of the file that takes what it prints.
        :param answers: descriptor of the pipe that takes its answers.
        :raises OSError: when this system has no room for a process.
        """


@dataclass(frozen=True)
class Fresh(Starter):
    """Starts each by an interpreter of its own.

    :param environment: further variables of the process.
    :param paths: folders in which it finds modules, beside what is installed.
    """

    environment: Mapping[str, str]
    paths: Sequence[str]

    def start(self, home: Path, output: int, answers: int) -> Started:
        """A worker."""
        process = subprocess.Popen(  # noqa: S603 - an argument list of our own
            [*interpreter(code=_SERVE, paths=self.paths), str(answers)],
            cwd=home,
            env=surroundings(home) | dict(self.environment),
            pass_fds=(answers,),
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
        return _Spawned(process)


class _Spawned(Started):
    """A child of this process."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        assert process.stdin is not None, "started with a pipe"
        self._process, self.requests = process, process.stdin

    def wait(self, seconds: float) -> int | None:
        """Its exit code."""
        try:
            return self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            return None

    def end(self) -> None:
        """End it."""
        with suppress(OSError):
            self.requests.close()
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()

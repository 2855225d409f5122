"""The judge's end of a worker: a process started for one link, asked over pipes, ended whatever it does."""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import pickle
import selectors
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from coinswarm_testkit.link import Link
from coinswarm_testkit.probe import SCRIPT
from coinswarm_testkit.verdicts import NoAnswerError, PluginRaisedError
from coinswarm_testkit.worker import wire
from coinswarm_testkit.worker.__main__ import HEAD

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from coinswarm_testkit.subject import Subject

PATIENCE_SECONDS = 120.0
"""No operation takes nearly as long: who has not answered by then hangs."""

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


def surroundings(home: Path) -> dict[str, str]:
    """The variables of a process that a plugin is imported in: an empty home, and no secret of ours.

    It shares this process's compiled code; the gate, which has none, lends it some (``compiled``).
    """
    if CACHE not in os.environ:
        importlib.import_module("coinswarm._jit")  # says where it is
    variables = {name: os.environ[name] for name in (*KEPT, CACHE) if name in os.environ}
    return variables | {"HOME": str(home), "COINSWARM_HOME": str(home / "coinswarm"), "PYTHONHASHSEED": "0"}


def own_path() -> tuple[str, ...]:
    """Where this process finds modules, for a worker that shall find them there."""
    return tuple(path for path in sys.path if path)


def probed(
    module: str, heavy: Iterable[str], *, environment: Mapping[str, str], paths: Sequence[str]
) -> dict[str, Any]:
    """What a bare process found when it imported a module: see ``probe``.

    :param paths: folders in which it finds modules, beside what is installed.
    :raises NoAnswerError: when it ended or hung instead of answering.
    """
    with tempfile.TemporaryDirectory(prefix="coinswarm-probe-") as home:
        reader, writer = os.pipe()
        with os.fdopen(reader, "rb") as answers:
            try:
                ran = subprocess.run(  # noqa: S603 - an argument list of our own
                    [*_interpreter("-B", code=SCRIPT, paths=paths), str(writer), module, json.dumps(sorted(heavy))],
                    cwd=home,
                    env=surroundings(Path(home)) | dict(environment),
                    pass_fds=(writer,),
                    capture_output=True,
                    stdin=subprocess.DEVNULL,
                    timeout=PATIENCE_SECONDS,
                    check=False,
                )
            except subprocess.TimeoutExpired:
                message = f"importing {module} does not end within {PATIENCE_SECONDS:.0f} s"
                raise NoAnswerError(message) from None
            finally:
                os.close(writer)
            data = answers.read(1 << 20)
    try:
        found = json.loads(data)
        float(found["seconds"])
    except (ValueError, TypeError, KeyError):
        message = f"importing {module} ends the process (exit code {ran.returncode})"
        raise NoAnswerError(message) from None
    answer: dict[str, Any] = found
    return answer


def _interpreter(*options: str, code: str, paths: Sequence[str]) -> list[str]:
    """The command line that runs ``code`` where modules are found in ``paths``."""
    return [sys.executable, *options, "-P", "-s", "-S", "-c", BEFORE + code, json.dumps(list(paths))]


class Remote(Link):
    """A link to a process of its own, which sees an empty home and nothing of ours.

    :param subject: what is judged there.
    :param environment: further variables of the process.
    :param paths: folders in which it finds modules, beside what is installed.
    """

    def __init__(self, subject: Subject, *, environment: Mapping[str, str], paths: Sequence[str]) -> None:
        self.subject = subject
        self._environment = dict(environment)
        self._paths = tuple(paths)
        self._number = 0

    def __enter__(self) -> Self:
        self._folder = Path(tempfile.mkdtemp(prefix="coinswarm-worker-"))
        self._printed = (self._folder / "output").open("wb+")
        reader, writer = os.pipe()
        home = self._folder / "home"
        home.mkdir()
        variables = surroundings(home) | self._environment
        self._process = subprocess.Popen(  # noqa: S603 - an argument list of our own
            [*_interpreter(code=_SERVE, paths=self._paths), str(writer)],
            cwd=home,
            env=variables,
            pass_fds=(writer,),
            stdin=subprocess.PIPE,
            stdout=self._printed,
            stderr=self._printed,
            start_new_session=True,
        )
        os.close(writer)
        self._answers = reader
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(OSError):
            if self._process.stdin:
                self._process.stdin.close()
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        os.close(self._answers)
        self._printed.close()
        shutil.rmtree(self._folder, ignore_errors=True)

    def output(self) -> str:
        """What the process has printed so far."""
        self._printed.flush()
        return (self._folder / "output").read_text(encoding="utf-8", errors="replace")

    def ask(self, operation: str, /, **arguments: Any) -> Any:  # noqa: ANN401 - whatever it answers
        """What a named operation answers.

        :raises PluginRaisedError: when the plugin raised.
        :raises NoAnswerError: when the process ended, hung, or wrote no answer.
        """
        self._number += 1
        request = pickle.dumps((self.subject, operation, arguments))
        try:
            assert self._process.stdin is not None, "started with a pipe"
            self._process.stdin.write(HEAD.pack(self._number, len(request)) + request)
            self._process.stdin.flush()
        except OSError:
            raise NoAnswerError(self._ended(operation)) from None
        number, size = HEAD.unpack(self._read(HEAD.size, operation))
        if number != self._number or size > wire.MOST_BYTES:
            message = f"its process wrote something that is no answer to {operation}"
            raise NoAnswerError(message)
        try:
            answer = wire.loads(self._read(size, operation))
        except wire.WireError as error:
            message = f"its process gave {error} to {operation}"
            raise NoAnswerError(message) from None
        match answer:
            case {"raised": [str() as kind, str() as text, [*bases]]}:
                raise PluginRaisedError(kind, text, tuple(map(str, bases)))
            case {"is": found}:
                return found
        message = f"its process wrote something that is no answer to {operation}"
        raise NoAnswerError(message)

    def _read(self, size: int, operation: str) -> bytes:
        """So many bytes of its answers.

        :raises NoAnswerError: when they do not come.
        """
        parts: list[bytes] = []
        until = time.monotonic() + PATIENCE_SECONDS
        with selectors.DefaultSelector() as selector:
            selector.register(self._answers, selectors.EVENT_READ)
            while size:
                if not selector.select(max(0.0, until - time.monotonic())):
                    message = f"its process did not answer {operation} within {PATIENCE_SECONDS:.0f} s"
                    raise NoAnswerError(message)
                part = os.read(self._answers, min(size, 1 << 20))
                if not part:
                    raise NoAnswerError(self._ended(operation))
                parts.append(part)
                size -= len(part)
        return b"".join(parts)

    def _ended(self, operation: str) -> str:
        """How the process ended, with the last line that it printed."""
        try:
            code = self._process.wait(5)
        except subprocess.TimeoutExpired:
            return f"its process closed the line while asked {operation}"
        last = (self.output().strip().splitlines() or ["it printed nothing"])[-1][:200]
        how = f"by signal {-code}" if code < 0 else f"with code {code}"
        return f"its process ended {how} while asked {operation}: {last}"

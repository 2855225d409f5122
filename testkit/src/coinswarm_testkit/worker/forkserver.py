"""The process that workers are forked from: imports what is ours, then forks when it is asked to.

It is started as a worker is (``starting``), with a socket to the judge, and told what kind of thing is judged. It says
that it is ready, and then answers request by request, each a message of JSON. ``fork`` brings three descriptors along:
what the worker reads, where it prints, and where it answers.
"""

from __future__ import annotations

import errno
import gc
import json
import os
import pkgutil
import shutil
import signal
import socket
import sys
import time
import traceback
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np

import coinswarm_testkit.worker
from coinswarm_testkit.forkserver import FOLDER, MOST_BYTES
from coinswarm_testkit.starting import at_home
from coinswarm_testkit.worker import __main__ as worker

if TYPE_CHECKING:
    from collections.abc import Sequence

GIVEN = 3
"""Descriptors that come with a request to fork."""

ANSWERS = 3
"""The descriptor that a worker answers on."""

WARMING = "warming"
"""The module that uses what is compiled; who needs nothing of that is spared numba."""

_STEP_SECONDS = 0.01

_children: set[int] = set()
"""Workers that were not ended yet."""


def preload(kind: str) -> None:
    """Import every operation, and for agents load compiled code, by using it."""
    for module in pkgutil.iter_modules(coinswarm_testkit.worker.__path__):
        if module.name != WARMING:
            import_module(f"coinswarm_testkit.worker.{module.name}")
    if kind == "agent":
        import_module(f"coinswarm_testkit.worker.{WARMING}").warm()


def serve(line: socket.socket) -> None:
    """Answer until the judge is gone."""
    while True:
        data, descriptors, _, _ = socket.recv_fds(line, MOST_BYTES, GIVEN)
        if not data:
            return
        try:
            answer = {"is": _done(line, json.loads(data), descriptors)}
        except OSError as error:
            answer = {"errno": error.errno}
        finally:
            for one in descriptors:
                os.close(one)
        with suppress(OSError):  # the judge is gone, which is heard next
            line.send(json.dumps(answer).encode())


def _done(line: socket.socket, request: dict[str, Any], descriptors: Sequence[int]) -> int | None:
    """What was asked for.

    :raises OSError: when it cannot be done.
    """
    match request:
        case {"do": "fork", "home": home}:
            return forked(line, home, descriptors)
        case {"do": "wait", "pid": pid, "seconds": seconds}:
            return ended(pid, seconds)
        case {"do": "end", "pid": pid}:
            end(pid)
    return None


def end(pid: int) -> None:
    """End a child and whatever it has started in its group."""
    _children.discard(pid)
    with suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGKILL)
    with suppress(ProcessLookupError, ChildProcessError):
        os.kill(pid, signal.SIGKILL)  # where it leads no group yet
        os.waitpid(pid, 0)


def ended(pid: int, seconds: float) -> int | None:
    """The exit code of a child, negative for a signal; None: it goes on. Its number stays taken."""
    until = time.monotonic() + seconds
    while not (how := os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)):
        if time.monotonic() > until:
            return None
        time.sleep(_STEP_SECONDS)
    return how.si_status if how.si_code == os.CLD_EXITED else -how.si_status


def forked(line: socket.socket, home: str, descriptors: Sequence[int]) -> int:
    """Fork a worker; its number.

    :raises OSError: when there is no room for it, or was none for what it is given.
    """
    if len(descriptors) != GIVEN:
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))
    pid = os.fork()
    if pid:
        _children.add(pid)
        return pid
    try:
        line.close()
        begin(home, *descriptors)
    except BaseException:  # noqa: BLE001 - nothing of it may reach what this process goes on to do
        traceback.print_exc()
    os._exit(1)


def begin(home: str, reads: int, prints: int, answers: int) -> NoReturn:
    """Be a worker, as one is that an interpreter started: with nothing open but its own, and chances of its own."""
    os.setsid()
    for one, place in ((reads, 0), (prints, 1), (prints, 2), (answers, ANSWERS)):
        os.dup2(one, place)
    for number in sorted(int(path.name) for path in Path("/proc/self/fd").iterdir()):
        if number > ANSWERS:
            with suppress(OSError):  # the one that listed them is closed already
                os.close(number)
    os.chdir(home)
    os.environ.update(at_home(Path(home)))
    np.random.seed()  # noqa: NPY002 - a plugin may draw from it, and would draw the same in every fork
    sys.argv[1:] = [str(ANSWERS)]
    worker.main()


def main() -> NoReturn:
    """Get ready, say so, serve; then the judge is gone, and nobody else ends what it has asked for."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)  # a child that nobody hears of could not be waited for
    line = socket.socket(fileno=int(sys.argv[1]))
    preload(sys.argv[2])
    gc.collect()
    gc.freeze()  # what a child looks through is its own
    line.send(json.dumps({"is": None}).encode())
    serve(line)
    for pid in [*_children]:
        end(pid)
    if Path.cwd().name.startswith(FOLDER):
        shutil.rmtree(Path.cwd(), ignore_errors=True)
    os._exit(0)

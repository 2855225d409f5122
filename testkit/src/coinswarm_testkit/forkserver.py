"""The judge's end of a process that workers are forked from: it has imported what is core's and the testkit's.

To start an interpreter, to import numpy and numba and to load compiled code takes most of what a short check takes. A
forked worker has all that, and is a fresh process nevertheless: the plugin is imported behind the fork alone. Where
objects lie is the same in all forks, so a check that demands that two processes agree starts these apart, by variables
(``Bench.link``).

On Linux alone: elsewhere there is no fork, or libraries do not outlive one.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from coinswarm_testkit.starting import Fresh, Started, Starter, interpreter, surroundings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

SUPPORTED = sys.platform == "linux" and Path("/proc/self/fd").is_dir()

PATIENCE_SECONDS = 120.0
"""It answers at once, and is ready in a few seconds; who has not answered by then was stopped."""

MOST_BYTES = 1 << 16
"""Of a message."""

FOLDER = "coinswarm-forks-"

_SERVE = """\
from coinswarm_testkit.worker.forkserver import main
main()
"""


class LostError(Exception):
    """It has ended, or does not answer: somebody has seen to that."""

    def __str__(self) -> str:
        return "the process that its own are forked from was ended or stopped"


class ForkServer(Starter):
    """A process that workers are forked from; it is started for the first of them.

    Where it cannot be made ready, each worker is started by itself.

    :param kind: of what is judged: what that needs is imported.
    :param environment: further variables of it and of every worker.
    :param paths: folders in which modules are found, beside what is installed.
    """

    def __init__(self, kind: str, *, environment: Mapping[str, str], paths: Sequence[str]) -> None:
        self._kind, self._fresh = kind, Fresh(environment, paths)
        self._server: _Server | None = None
        self._able = True

    def start(self, home: Path, output: int, answers: int) -> Started:
        """A worker.

        :raises LostError: when the process has ended, or does not answer; the next worker is forked from another one.
        """
        self._demand_there()
        if self._able and self._server is None:
            self._server = _started(self._kind, self._fresh)
            self._able = self._server is not None
        if self._server is None:
            return self._fresh.start(home, output, answers)
        server = self._server
        reader, writer = os.pipe()
        try:
            with self._told():
                pid = server.ask({"do": "fork", "home": str(home)}, reader, output, answers)
        except BaseException:
            os.close(writer)
            raise
        finally:
            os.close(reader)
        return _Forked(server, pid, writer)

    def demand(self) -> None:
        """Hold that the process, if there is one, answers.

        :raises LostError: when it does not, or did not since this was demanded last.
        """
        self._demand_there()
        if self._server is not None:
            with self._told():
                self._server.ask({"do": "nothing"})

    def _demand_there(self) -> None:
        """Tell once that the process was lost; from then on another one is started."""
        if self._server is not None and self._server.lost:
            self._server = None
            raise LostError

    @contextmanager
    def _told(self) -> Iterator[None]:
        """Who hears in this block that the process was lost has been told."""
        try:
            yield
        except LostError:
            self._server = None
            raise

    def close(self) -> None:
        """End the process. Workers go on until they are ended themselves."""
        if self._server is not None:
            self._server.close()


def _started(kind: str, fresh: Fresh) -> _Server | None:
    """One such process, when it has imported everything; None: it could not be started, or ended instead."""
    try:
        server = _Server(kind, fresh)
    except OSError:
        return None
    return server if server.is_ready() else None


class _Server:
    """One such process.

    :raises OSError: when there is no room for it.
    :ivar lost: whether it was ended.
    """

    def __init__(self, kind: str, fresh: Fresh) -> None:
        self.lost = False
        with ExitStack() as stack:
            folder = tempfile.TemporaryDirectory(prefix=FOLDER, ignore_cleanup_errors=True)
            place = Path(stack.enter_context(folder))
            self._line, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            stack.enter_context(self._line)
            self._line.settimeout(PATIENCE_SECONDS)
            with its:
                self._process = subprocess.Popen(  # noqa: S603 - an argument list of our own
                    [*interpreter(code=_SERVE, paths=fresh.paths), str(its.fileno()), kind],
                    cwd=place,
                    env=surroundings(place) | dict(fresh.environment),
                    pass_fds=(its.fileno(),),
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                    start_new_session=True,
                )
            stack.callback(self._end)
            self._stack = stack.pop_all()

    def is_ready(self) -> bool:
        """Wait until it has imported everything; False: it has ended instead."""
        return self._answered(lambda: None) is not None

    def ask(self, request: Mapping[str, Any], *descriptors: int) -> Any:  # noqa: ANN401 - by the request
        """What it answers.

        :raises LostError: when it has ended, or does not answer: then it is ended.
        :raises OSError: when it could not do that.
        """
        data = json.dumps(request).encode()
        answer = self._answered(lambda: socket.send_fds(self._line, [data], descriptors))
        if answer is None:
            raise LostError
        if "errno" in answer:
            raise OSError(answer["errno"], os.strerror(answer["errno"]))
        return answer["is"]

    def _answered(self, ask: Callable[[], object]) -> dict[str, Any] | None:
        """Its next message, after something was asked; None: it has ended, or does not answer, and is ended.

        Interrupted, it is ended too: its answer would be taken for the next one.
        """
        answer: dict[str, Any] | None = None
        try:
            with suppress(OSError):
                ask()
                answer = json.loads(self._line.recv(MOST_BYTES) or b"null")
        finally:
            if answer is None:
                self.close()
        return answer

    def close(self) -> None:
        """End it."""
        self.lost = True
        self._stack.close()

    def _end(self) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()


class _Forked(Started):
    """A child of that process, which can say how it ended. Until it is asked to end it, its number is nobody else's."""

    def __init__(self, server: _Server, pid: int, requests: int) -> None:
        self._server, self._pid = server, pid
        self.requests = os.fdopen(requests, "wb")

    def wait(self, seconds: float) -> int | None:
        """Its exit code; None also where nobody knows."""
        with suppress(LostError):
            code: int | None = self._server.ask({"do": "wait", "pid": self._pid, "seconds": seconds})
            return code
        return None

    def end(self) -> None:
        """End it."""
        with suppress(OSError):
            self.requests.close()
        try:
            self._server.ask({"do": "end", "pid": self._pid})
        except LostError:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self._pid, signal.SIGKILL)

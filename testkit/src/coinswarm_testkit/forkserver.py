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
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from coinswarm_testkit.starting import Fresh, Started, Starter, interpreter, surroundings

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

SUPPORTED = sys.platform == "linux" and Path("/proc/self/fd").is_dir()

PATIENCE_SECONDS = 120.0
"""It answers at once, and is ready in a few seconds; who has not answered by then was stopped."""

MOST_BYTES = 1 << 16
"""Of a message."""

_SERVE = """\
from coinswarm_testkit.worker.forkserver import main
main()
"""


class LostError(Exception):
    """It has ended, or does not answer."""


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
        if self._able and (self._server is None or self._server.lost):
            self._server = _Server(self._kind, self._fresh)
            self._able = self._server.is_ready()
        if self._server is None or not self._able:
            return self._fresh.start(home, output, answers)
        reader, writer = os.pipe()
        try:
            pid = self._server.ask({"do": "fork", "home": str(home)}, reader, output, answers)
        except BaseException:
            os.close(writer)
            raise
        finally:
            os.close(reader)
        return _Forked(self._server, pid, writer)

    def close(self) -> None:
        """End the process. Workers go on until they are ended themselves."""
        if self._server is not None:
            self._server.close()


class _Server:
    """One such process.

    :ivar lost: whether it was ended.
    """

    def __init__(self, kind: str, fresh: Fresh) -> None:
        self.lost = False
        self._folder = Path(tempfile.mkdtemp(prefix="coinswarm-forks-"))
        self._line, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._line.settimeout(PATIENCE_SECONDS)
        with its:
            self._process = subprocess.Popen(  # noqa: S603 - an argument list of our own
                [*interpreter(code=_SERVE, paths=fresh.paths), str(its.fileno()), kind],
                cwd=self._folder,
                env=surroundings(self._folder) | dict(fresh.environment),
                pass_fds=(its.fileno(),),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )

    def is_ready(self) -> bool:
        """Wait until it has imported everything; False: it has ended instead."""
        with suppress(OSError):
            if self._heard() is not None:
                return True
        self.close()
        return False

    def ask(self, request: Mapping[str, Any], *descriptors: int) -> Any:  # noqa: ANN401 - by the request
        """What it answers.

        :raises LostError: when it has ended, or does not answer: then it is ended.
        :raises OSError: when it could not do that.
        """
        answer = None
        with suppress(OSError):
            socket.send_fds(self._line, [json.dumps(request).encode()], descriptors)
            answer = self._heard()
        if answer is None:
            self.close()
            message = "the process that its own is forked from was ended or stopped"
            raise LostError(message)
        if "errno" in answer:
            raise OSError(answer["errno"], os.strerror(answer["errno"]))
        return answer["is"]

    def _heard(self) -> dict[str, Any] | None:
        """Its next message; None: it has ended.

        :raises OSError: when none comes.
        """
        data = self._line.recv(MOST_BYTES)
        answer: dict[str, Any] | None = json.loads(data) if data else None
        return answer

    def close(self) -> None:
        """End it."""
        if self.lost:
            return
        self.lost = True
        self._line.close()
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        shutil.rmtree(self._folder, ignore_errors=True)


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

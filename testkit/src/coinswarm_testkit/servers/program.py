"""Finding a server's program, starting it, and ending it whatever happens."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from coinswarm.errors import NotReadyError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

T = TypeVar("T")

START_SECONDS = 20.0
"""How long a server may take to be ready; all that we know take less than one."""
STOP_SECONDS = 5.0
STEP_SECONDS = 0.01
SYSTEM = os.pathsep.join(("/usr/sbin", "/usr/local/sbin"))
"""Where Debian puts servers, and a user's PATH does not look."""
SHOWN = 400
"""Characters of its output that an error shows."""


class NoServerError(NotReadyError):
    """There is no such server here, or it does not start."""


@dataclass(frozen=True, slots=True)
class RealServer:
    """A server that runs.

    :param url: where it is.
    :param about: what it is and where it comes from, in one line without secrets.
    """

    url: str
    about: str


@dataclass(frozen=True, slots=True)
class Program:
    """A server's program.

    :param origin: where it comes from, in words.
    """

    path: Path
    origin: str


def find_program(name: str, *, wheel: str, variable: str) -> Program:
    """The program of that name, from a wheel or else from the system.

    :param wheel: the distribution that brings it.
    :param variable: names a running server instead; for the message.
    :raises NoServerError: when neither has it.
    """
    with suppress(PackageNotFoundError):
        found = distribution(wheel)
        paths = [Path(str(found.locate_file(file))).resolve() for file in found.files or [] if file.stem == name]
        programs = sorted(path for path in paths if path.is_file() and os.access(path, os.X_OK))
        if programs:  # of several versions the folder of the newest comes last
            return Program(programs[-1], f"the wheel {wheel} {found.version}")
    installed = shutil.which(name) or shutil.which(name, path=SYSTEM)
    if installed:
        return Program(Path(installed), installed)
    message = f"there is no {name} here"
    raise NoServerError(message, remedy=f"install the package {wheel}, or name a running server in {variable}")


@contextmanager
def started(  # noqa: PLR0913 - what to start, and how to tell that it is there
    command: Sequence[str | Path],
    output: Path,
    ready: Callable[[], T | None],
    *,
    user: int | None = None,
    stop: signal.Signals = signal.SIGTERM,
    environment: Mapping[str, str] | None = None,
) -> Iterator[T]:
    """Run a server until the block is left, or until this process is over, however that ends.

    :param output: file that takes what it prints.
    :param ready: is asked until it answers.
    :param user: as whom it runs, where not as we do.
    :param stop: what tells it to end.
    :param environment: variables that it has beside ours.
    :raises NoServerError: when it ends or is not ready in time, with the end of what it printed.
    """
    with output.open("wb") as sink:
        process = subprocess.Popen(  # noqa: S603 - an argument list of our own
            command,
            stdin=subprocess.DEVNULL,
            stdout=sink,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            user=user,
            extra_groups=None if user is None else [],
            env={**os.environ, **(environment or {})},
        )
    guard = _guard(process.pid)
    try:
        yield _awaited(process, output, ready)
    finally:
        guard.kill()  # first: as long as nobody has waited for the server, its number is nobody else's
        guard.communicate()
        process.send_signal(stop)
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _guard(leader: int) -> subprocess.Popen[bytes]:
    """A shell that kills a group of processes when the pipe that this process holds is closed.

    That is by the end of this process at the latest: one that is killed ends nobody, and what it started would stay.
    """
    return subprocess.Popen(  # noqa: S603 - an argument list of our own
        ["/bin/sh", "-c", 'read -r _; kill -s KILL -- "-$0"', str(leader)],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def _awaited(process: subprocess.Popen[bytes], output: Path, ready: Callable[[], T | None]) -> T:
    """What ``ready`` answers at last."""
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end:
        answer = ready()
        if answer is not None:
            return answer
        if process.poll() is not None:
            break
        time.sleep(STEP_SECONDS)
    said = " ".join(output.read_text(encoding="utf-8", errors="replace").split())[-SHOWN:]
    how = (
        f"ended with code {process.returncode}"
        if process.poll() is not None
        else f"is not ready in {START_SECONDS:g} s"
    )
    message = f"{process.args[0]!s} {how}"  # type: ignore[index] # a sequence, as it was given
    raise NoServerError(message, remedy=f"it said: {said or 'nothing'}")

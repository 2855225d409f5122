"""Processes that can be killed or stopped, and come back: parts of the quorum, and the servers that they need."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

CLI = (sys.executable, "-c", "import sys; from coinswarm.cli import main; sys.exit(main())")
"""The command ``coinswarm`` of this interpreter."""

STOP_SECONDS = 20.0
SAID = 2_000


class Victim:
    """A process, and how it is started again.

    :param name: of a part, or a server.
    :param kind: what the table counts it under.
    """

    def __init__(self, name: str, kind: str) -> None:
        self.name, self.kind = name, kind
        self.killed = self.stopped = 0

    @property
    def pid(self) -> int:
        """Its number now."""
        raise NotImplementedError

    def kill(self) -> None:
        """End it at once."""
        self.killed += 1
        os.kill(self.pid, signal.SIGKILL)

    def again(self) -> None:
        """Start it again."""
        raise NotImplementedError

    def pause(self) -> None:
        """Stop it where it is."""
        self.stopped += 1
        os.kill(self.pid, signal.SIGSTOP)

    def resume(self) -> None:
        """Let it go on."""
        os.kill(self.pid, signal.SIGCONT)

    def fault(self) -> str:
        """What is wrong with it, if it ended without being killed; empty else."""
        return ""

    def end(self) -> None:
        """End it for good."""


class PartVictim(Victim):
    """A process of the quorum.

    :param command: its command line.
    :param output: file that takes what all its lives say.
    """

    def __init__(self, name: str, kind: str, command: Sequence[str], output: Path) -> None:
        super().__init__(name, kind)
        self._command, self._output = command, output
        self._process = self._started()

    def _started(self) -> subprocess.Popen[bytes]:
        with self._output.open("ab") as sink:
            return subprocess.Popen(self._command, stdin=subprocess.DEVNULL, stdout=sink, stderr=sink)  # noqa: S603 - our own list

    @property
    def pid(self) -> int:
        """Its number now."""
        return self._process.pid

    def kill(self) -> None:
        """End it at once, and see that it is gone: its lock goes with it."""
        super().kill()
        self._process.wait()

    def again(self) -> None:
        """Start it again."""
        self._process = self._started()

    def fault(self) -> str:
        """What it said last, if it ended by itself."""
        code = self._process.poll()
        return "" if code is None else f"{self.name} ended with {code}: {self.said()[-SAID:]}"

    def said(self) -> str:
        """All that its lives have said."""
        return self._output.read_text(encoding="utf-8", errors="replace")

    def end(self) -> None:
        """Tell it to stop; as a last resort, end it."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            try:
                self._process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()


class ServerVictim(Victim):
    """A server that somebody else started as our child; once it was killed, the same command is run again by us.

    :param program: the name of its program.
    :param besides: children of ours that run such a program too, and are none of our business.
    :param options: of its command line, where its process shows another; else what it shows.
    """

    def __init__(
        self, name: str, program: str, output: Path, besides: Collection[int], options: Sequence[str] = ()
    ) -> None:
        super().__init__(name, name)
        [self._pid] = set(children(program)).difference(besides)
        place = Path(f"/proc/{self._pid}")
        self._command = [str((place / "exe").readlink()), *(options or command_of(self._pid)[1:])]
        self._user = place.stat().st_uid
        self._output = output
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """Its number now."""
        return self._pid

    def kill(self) -> None:
        """End it at once, and wait for it: PostgreSQL takes a zombie for a server that is running."""
        super().kill()
        if self._process is not None:
            self._process.wait()
        else:
            os.waitpid(self._pid, 0)  # its starter finds it ended

    def again(self) -> None:
        """Run its command again, as the same user."""
        with self._output.open("ab") as sink:
            self._process = subprocess.Popen(  # noqa: S603 - the command that ran before
                self._command,
                stdin=subprocess.DEVNULL,
                stdout=sink,
                stderr=sink,
                start_new_session=True,
                user=None if self._user == os.getuid() else self._user,
                extra_groups=None if self._user == os.getuid() else [],
            )
        self._pid = self._process.pid

    def fault(self) -> str:
        """What it said last, if it does not run although it was started again."""
        code = None if self._process is None else self._process.poll()
        said = "" if code is None else self._output.read_text(encoding="utf-8", errors="replace")
        return "" if code is None else f"{self.name} ended with {code}: {said[-SAID:]}"

    def end(self) -> None:
        """End what we started; its first life is for who started that."""
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(signal.SIGINT)
            try:
                self._process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()


def command_of(pid: int) -> list[str]:
    """The command line of a process."""
    return [os.fsdecode(word) for word in Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")[:-1]]


def children(program: str) -> list[int]:
    """Our children that run a program of that name."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = int(stat.read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()[1])
            pid = int(stat.parent.name)
            if parent == os.getpid() and (stat.parent / "exe").readlink().name == program:
                found.append(pid)
        except (OSError, IndexError):  # it has ended meanwhile
            continue
    return found

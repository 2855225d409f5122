"""How a command ends when something wants to end the process, or its output is gone."""

from __future__ import annotations

import errno
import io
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import pytest

from coinswarm import cli
from coinswarm.cli import main
from coinswarm.cli.progress import Progress
from coinswarm.cli.telling import tell
from coinswarm.errors import HaltedError, OutputError

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], object]], None]:
    """Put a function in the place of every command."""

    def put(function: Callable[[], object]) -> None:
        made = click.command()(function)
        monkeypatch.setattr(cli.group, "get_command", lambda _ctx, _name: made)

    return put


@pytest.mark.parametrize("code", [0, None, "bye"])
def test_a_plugin_that_exits_is_told_not_obeyed(
    command: Callable[[Callable[[], object]], None], code: object, capsys: pytest.CaptureFixture[str]
) -> None:
    def leave() -> None:
        sys.exit(code)  # type: ignore[arg-type]

    command(leave)
    assert main(["demo"]) == 3
    said = capsys.readouterr().err
    assert said == f"coinswarm: error: a plugin called sys.exit({code!r}): coinswarm --debug … shows which\n"
    assert main(["--debug", "demo"]) == 3
    assert "in leave" in capsys.readouterr().err


def test_a_reader_that_has_gone_is_no_plugins_fault(
    command: Callable[[Callable[[], object]], None], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Click turns it into an exit of its own."""
    monkeypatch.setattr(sys, "stderr", sys.stderr)  # click wraps both streams; put them back afterwards
    monkeypatch.setattr(sys, "stdout", sys.stdout)

    def write() -> None:
        raise BrokenPipeError(32, "Broken pipe")

    command(write)
    assert main(["demo"]) == 1
    assert capsys.readouterr().err == ""


def test_a_closed_output_is_not_flushed(
    command: Callable[[Callable[[], object]], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    command(lambda: click.echo("lost"))
    monkeypatch.setattr(sys, "stdout", None)
    assert main(["demo"]) == 0


class Full(io.RawIOBase):
    """A file that takes nothing.

    :param error: what it raises; None: it takes everything again.
    """

    def __init__(self, error: OSError | None) -> None:
        self.error = error

    def writable(self) -> bool:
        return True

    def fileno(self) -> int:
        return 99

    def write(self, data: Any) -> int:  # noqa: ANN401 - any buffer
        if self.error is not None:
            raise self.error
        return len(data)


@pytest.mark.parametrize("taken", [OSError(errno.ENOSPC, "No space left on device"), BrokenPipeError(errno.EPIPE, "x")])
def test_what_is_told_may_be_lost_and_the_command_goes_on(
    command: Callable[[Callable[[], object]], None], monkeypatch: pytest.MonkeyPatch, taken: OSError
) -> None:
    """A session, or a voter, does not end because the disk of its log is full, or who read it has gone."""
    went = []

    def work() -> None:
        tell("v1: the bus does not answer")
        Progress(shown=False).warn("the session waits")
        Progress(shown=True).phase("playing")
        went.append(True)
        raise HaltedError("v1 signed two ballots")  # noqa: TRY003, EM101 - as one is

    command(work)
    full = Full(taken)
    monkeypatch.setattr("os.dup2", lambda _old, new: went.append(new))
    monkeypatch.setattr(sys, "stderr", io.TextIOWrapper(io.BufferedWriter(full), "utf-8", line_buffering=True))
    assert main(["--debug", "demo"]) == 5
    assert went == [True, 99], "and Python does not fail on it once more at its exit"
    full.error = None


def test_output_that_cannot_be_written_is_told_where_stdout_is_closed(
    command: Callable[[Callable[[], object]], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    def work() -> None:
        raise PermissionError(errno.EACCES, "Permission denied", "runs")

    command(work)
    monkeypatch.setattr(sys, "stdout", None)
    assert main(["demo"]) == OutputError.exit_code


@pytest.mark.integration
@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has a device that is always full")
@pytest.mark.parametrize(("args", "code"), [("bactest", 2), ("runs list", 0), ("data import none.csv", 2), ("runs", 2)])
def test_a_full_disk_below_stderr_changes_no_exit_code(shell: Any, args: str, code: int) -> None:  # noqa: ANN401 - conftest's Shell
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [shell.command, *args.split()],
            cwd=shell.folder,
            env=shell.env,
            stdout=subprocess.PIPE,
            stderr=full,
            check=False,
        )
    assert done.returncode == code

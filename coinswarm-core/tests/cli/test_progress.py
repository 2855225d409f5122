"""Progress: one line on a terminal, rewritten and taken away; nothing anywhere else."""

from __future__ import annotations

import os
import pty
import subprocess
from typing import TYPE_CHECKING, Any

import click
import pytest

from coinswarm.cli import progress

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.integration

Shell = Any
CLEAR = "\r\x1b[2K"


def watched(shell: Shell, *args: str | Path, code: int = 0, **env: str) -> tuple[str, str]:
    """What a command writes to a pipe on stdout, and to a terminal on stderr."""
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [shell.command, *map(str, args)],
        cwd=shell.folder,
        env={**shell.env, "TERM": "xterm", **env},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=theirs,
        text=True,
    ) as process:
        os.close(theirs)
        said = b""
        while True:
            try:
                piece = os.read(ours, 4096)
            except OSError:  # Linux: nobody has the other end any more
                piece = b""
            if not piece:
                break
            said += piece
        os.close(ours)
        assert process.stdout is not None
        out = process.stdout.read()
    assert process.returncode == code, said
    return out, said.decode()


def test_a_terminal_sees_the_phases_and_then_nothing_of_them(certified: Shell) -> None:
    profile = certified.profile("p.toml", "wave.csv").name
    out, said = watched(certified, "backtest", "--profile", profile)
    after = [
        "counting what was tried on this history",
        "measuring, with intervals from resampled days",
        "writing the run and its report",
        "",
    ]
    assert said.split(CLEAR) == ["", "loading p.toml", "running p.toml: BTC/USD", *after]
    assert "Order hash" in out
    assert "\x1b" not in out
    _, said = watched(certified, "replay")
    assert said.split(CLEAR)[1] == "loading run latest"
    assert said.endswith(CLEAR)
    paper = ("trade", "--profile", profile, "--set", "mode=paper")
    assert watched(certified, *paper)[1].split(CLEAR)[2:] == ["playing p.toml: BTC/USD", *after]
    told = watched(certified, "data", "import", "wave.csv", "--symbol", "BTC/USD")[1]
    assert told.split(CLEAR) == ["", "reading wave.csv", "writing BTC-USD_1h.npz", ""]


@pytest.mark.parametrize("option", ["--json", "--quiet"])
def test_nothing_is_said_when_nobody_wants_it(shell: Shell, option: str) -> None:
    out, said = watched(shell, "backtest", "--profile", shell.profile("p.toml", "wave.csv"), option)
    assert said == ""
    assert out


def test_a_terminal_that_cannot_rewrite_a_line_is_left_alone(shell: Shell) -> None:
    assert watched(shell, "backtest", "--profile", shell.profile("p.toml", "wave.csv"), TERM="dumb")[1] == ""


def test_a_pipe_gets_nothing(shell: Shell) -> None:
    assert shell.run("backtest", "--profile", shell.profile("p.toml", "wave.csv")).stderr == ""


def test_an_error_stands_on_a_line_of_its_own(shell: Shell) -> None:
    _, said = watched(shell, "backtest", "--profile", "nix.toml", code=2)
    assert said.startswith(f"{CLEAR}loading nix.toml{CLEAR}coinswarm: error: ")
    assert said.count("\n") == 1


def test_the_line_is_cut_to_the_terminal(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(progress, "_width", lambda: 10)
    one = progress.Progress(shown=True)
    one.phase("0123456789abc")
    one.close()
    one.close()
    assert capsys.readouterr().err == f"{CLEAR}012345678{CLEAR}"


def test_the_line_goes_when_the_command_fails(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(progress, "_terminal", lambda: True)

    def interrupted() -> None:
        with progress.progress(as_json=False) as shown:
            shown.phase("x")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert capsys.readouterr().err == f"{CLEAR}x{CLEAR}"


def test_quiet_is_read_from_the_top(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(progress, "_terminal", lambda: True)
    with (
        click.Context(click.Command("x"), obj={"quiet": True}),
        progress.progress(as_json=False) as shown,
    ):
        shown.phase("x")
    assert capsys.readouterr().err == ""


def test_the_first_run_says_that_it_compiles(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NUMBA_DISABLE_JIT", raising=False)
    assert progress.running("running", compiled=False) == "running"
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path))
    assert progress.running("running", compiled=True) == f"running ({progress.COMPILING})"
    (tmp_path / "kernel_0").mkdir()
    (tmp_path / "kernel_0" / "loop.run-1.py311.nbi").touch()
    assert progress.running("running", compiled=True) == "running"
    (tmp_path / "kernel_0" / "loop.run-1.py311.nbi").unlink()
    monkeypatch.setenv("NUMBA_DISABLE_JIT", "1")
    assert progress.running("running", compiled=True) == "running"

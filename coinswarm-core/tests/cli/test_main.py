"""The command line as a whole: help, errors as lines, exit codes."""

from __future__ import annotations

import errno
import importlib.util
import os
import sys
import threading
from typing import TYPE_CHECKING, Any
from unittest.mock import Mock

import click
import pytest

from coinswarm import __version__, cli
from coinswarm.cli import COMMANDS, main
from coinswarm.errors import CoinswarmError, ContractError, InvariantError, ProfileError, RetryableError

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch) -> Callable[[BaseException | object], None]:
    """Put a command named ``plugins`` in place that raises, or returns, what it is given."""

    def put(outcome: BaseException | object) -> None:
        @click.command()
        def run() -> object:
            if isinstance(outcome, BaseException):
                raise outcome
            return outcome

        monkeypatch.setattr(cli.group, "get_command", lambda _ctx, name: run if name in COMMANDS else None)

    return put


def test_help_lists_every_command_with_its_summary(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    out = capsys.readouterr().out
    assert all(name in out and summary in out for name, (_, _, summary) in COMMANDS.items())
    assert main(["-h"]) == 0
    assert capsys.readouterr().out == out


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help_of_its_own(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    module, attribute, summary = COMMANDS[name]
    if importlib.util.find_spec(module) is None:
        pytest.skip(f"{module} is not written yet")
    assert main([name, "--help"]) == 0
    out = capsys.readouterr().out
    assert f"Usage: coinswarm {name}" in out
    assert summary.endswith(".")
    assert isinstance(getattr(importlib.import_module(module), attribute), click.Command)


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"coinswarm {__version__}\n"


def test_without_arguments_help_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    main([])
    captured = capsys.readouterr()
    assert "Commands:" in captured.out + captured.err
    assert "coinswarm: error" not in captured.err


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["bactest"], "unknown command 'coinswarm bactest': did you mean 'backtest'?"),
        (["plugins", "lst"], "unknown command 'coinswarm plugins lst': did you mean 'list'?"),
        (["--vresion"], "No such option"),
        (["plugins", "info"], "Missing argument 'NAME'"),
        (["plugins", "list", "--jsn"], "(see coinswarm plugins list --help)"),
        (["backtest", "my.toml"], "'my.toml' stands alone: did you mean --profile my.toml? (see coinswarm backtest"),
        (["trade", "my.toml", "--profile", "paper"], "'my.toml' stands alone: did you mean --profile my.toml?"),
        (["backtest", "what"], "unexpected extra argument"),
    ],
)
def test_a_mistyped_line_is_answered_in_one_line(
    args: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(args) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("coinswarm: error: ")
    assert said in captured.err
    assert captured.err.count("\n") == 1


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (ProfileError("cash is 0", remedy="raise it"), 2, "cash is 0: raise it"),
        (ContractError("decide returned None"), 3, "decide returned None"),
        (RetryableError("the venue is busy"), 4, "the venue is busy"),
        (InvariantError("lots are lost"), 70, "lots are lost"),
        (CoinswarmError("something"), 1, "something"),
        (OSError(errno.ENOSPC, "No space left on device", "runs/x"), 2, "no space left to write 'runs/x': free"),
        (OSError(errno.EFBIG, "File too large"), 2, "no space left to write: free some space"),
        (PermissionError(errno.EACCES, "Permission denied", "runs"), 2, "cannot use 'runs' (Permission denied)"),
        (OSError("odd"), 2, "cannot use a file (odd)"),
        (ModuleNotFoundError("No module named 'x'"), 3, "installation is incomplete (No module named 'x')"),
        (ZeroDivisionError("division\nby zero"), 70, "internal error (ZeroDivisionError: division by zero): run"),
        (click.ClickException("a\nb"), 1, "a b"),
        (click.Abort(), 130, "interrupted"),
        (KeyboardInterrupt(), 130, "interrupted"),
    ],
)
def test_errors_are_one_line_and_an_exit_code(
    command: Callable[[object], None],
    error: BaseException,
    code: int,
    said: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    command(error)
    assert main(["plugins"]) == code
    err = capsys.readouterr().err
    assert said in err
    assert len(err.split()) == len(err.strip().splitlines()[0].split()), "one line"
    assert "Traceback" not in err


def test_several_findings_are_a_line_each(
    command: Callable[[object], None], capsys: pytest.CaptureFixture[str]
) -> None:
    command(ProfileError("one\ntwo"))
    assert main(["plugins"]) == 2
    assert capsys.readouterr().err == "coinswarm: error: one\ncoinswarm: error: two\n"


@pytest.mark.parametrize(("args", "variable"), [(["--debug"], ""), ([], "1")])
def test_debug_shows_the_traceback_and_the_line(
    command: Callable[[object], None],
    args: list[str],
    variable: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("COINSWARM_DEBUG", variable)
    command(ProfileError("cash is 0"))
    assert main([*args, "plugins"]) == 2
    err = capsys.readouterr().err
    assert "Traceback" in err
    assert err.endswith("coinswarm: error: cash is 0\n")


def test_a_command_returns_its_exit_code(command: Callable[[object], None]) -> None:
    command(5)
    assert main(["plugins"]) == 5
    command(None)
    assert main(["plugins"]) == 0


def test_a_reader_that_leaves_is_not_an_error(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    replaced: list[tuple[int, int]] = []
    left = BrokenPipeError(errno.EPIPE, "Broken pipe")
    monkeypatch.setattr(os, "dup2", lambda old, new: replaced.append((old, new)))
    monkeypatch.setattr(sys, "stdout", Mock(flush=Mock(side_effect=left), fileno=lambda: 1))
    assert cli._report(BrokenPipeError(errno.EPIPE, "Broken pipe"), debug=False) == 1
    assert replaced
    assert capfd.readouterr().err == ""


def test_ctrl_c_is_ctrl_c_where_python_fails_on_its_way_out(
    capsys: pytest.CaptureFixture[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between two instructions of ``Condition.wait`` a lock is let go, and nobody knows: leaving the block fails."""

    def wait(**_: object) -> None:
        try:
            raise KeyboardInterrupt
        finally:
            threading.Lock().release()

    monkeypatch.setattr(cli.group, "main", wait)
    assert main(["plugins"]) == cli.INTERRUPTED
    assert capsys.readouterr().err == "coinswarm: interrupted\n"


def test_an_older_click_is_understood(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[Any]) -> None:
    monkeypatch.setattr(cli, "_NO_ARGUMENTS", ())
    assert cli._report(ProfileError("x"), debug=False) == 2
    assert capsys.readouterr().err == "coinswarm: error: x\n"

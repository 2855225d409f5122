"""How a command ends when something wants to end the process, or its output is gone."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click
import pytest

from coinswarm import cli
from coinswarm.cli import main

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

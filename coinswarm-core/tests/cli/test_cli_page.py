"""``docs/cli.md`` tells every command, argument and option, and every exit code."""

from __future__ import annotations

import importlib
import re
from pathlib import Path
from typing import TYPE_CHECKING

import click
import pytest

from coinswarm import cli, errors

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.static

PAGE = Path(__file__).parents[3] / "docs" / "cli.md"


@pytest.fixture(scope="module")
def page() -> str:
    """The page; not beside an installed wheel."""
    if not PAGE.exists():
        pytest.skip("docs/ is not beside the tests")
    return PAGE.read_text(encoding="utf-8")


def leaves(command: click.Command, path: str) -> Iterator[tuple[str, click.Command]]:
    """A command and what is below it, groups left out."""
    if not isinstance(command, click.Group):
        yield path, command
        return
    for name, inner in command.commands.items():
        yield from leaves(inner, f"{path} {name}")


def spelled(param: click.Parameter) -> str:
    """A parameter as the page writes it."""
    if isinstance(param, click.Argument):
        return str(param.name).upper()
    return ", ".join([*param.opts, *param.secondary_opts])


def test_the_page_has_every_command_and_option(page: str) -> None:
    told: dict[str, list[str]] = {}
    for command, option in re.findall(r"^\| (`[a-z ]+`)? *\| ([^|]*?) *\|", page, re.MULTILINE):
        if command:
            told[command.strip("`")] = []
        if option and told and not option.startswith("-"):
            told[next(reversed(told))].append(option.replace("`", ""))
    real = {
        path: [spelled(param) for param in command.params]
        for name, (module, attribute, _) in cli.COMMANDS.items()
        for path, command in leaves(getattr(importlib.import_module(module), attribute), name)
    }
    assert {path: sorted(options) for path, options in told.items()} == {
        path: sorted(options) for path, options in real.items()
    }
    assert list(told) == [path for path in told if path in real]


def test_the_page_has_the_options_of_the_program(page: str) -> None:
    told = set(re.findall(r"`(--?[\w-]+)`", page.split("## Runs", maxsplit=1)[0]))
    real = {option for param in cli.group.params for option in param.opts}
    assert told == real | {"-h", "--help", "--json"}


def test_the_page_has_every_exit_code(page: str) -> None:
    told = [int(code) for code in re.findall(r"^\| (\d+) \|", page.split("## Exit codes")[1], re.MULTILINE)]
    kinds: list[type[errors.CoinswarmError]] = [
        errors.CoinswarmError,
        errors.OperatorError,
        errors.PluginError,
        errors.RetryableError,
    ]
    kinds += [errors.HaltedError, errors.InvariantError]
    assert told == [0, *(kind.exit_code for kind in kinds), cli.INTERRUPTED]
    assert cli.group.help is not None
    assert [int(code) for code in re.findall(r"\b(\d+) ", cli.group.help.split("Exit codes:")[1])] == told


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("backtest --debug", "--debug backtest"),
        ("backtest --profile x --quiet --json", "--quiet backtest --profile x --json"),
        ("--json runs list --runs x", "runs list --json --runs x"),
        ("--json", "--json"),
        ("plugins block x -- --debug", "plugins block x -- --debug"),
        ("", ""),
        ("--version", "--version"),
    ],
)
def test_options_are_put_where_they_belong(typed: str, meant: str) -> None:
    assert cli.in_place(typed.split()) == meant.split()


def test_debug_after_the_command_shows_the_traceback(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["trade", "--profile", "no-such", "--debug"]) == 2
    err = capsys.readouterr().err
    assert "Traceback" in err
    assert err.splitlines()[-1].startswith("coinswarm: error: profile 'no-such'")


def test_json_before_the_command_is_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["--json", "plugins", "list"]) == 0
    assert capsys.readouterr().out.startswith("[")

"""Completion: what the Tab key offers, in processes as a shell starts them."""

from __future__ import annotations

import sys
from typing import Any

import pytest

from coinswarm import cli
from coinswarm.cli import completion

pytestmark = pytest.mark.integration

Shell = Any
Site = Any


def offered(shell: Shell, line: str) -> list[str]:
    """What a shell is told for a line whose last word is being typed."""
    words = line.split(" ")
    done = shell.run(_COINSWARM_COMPLETE="bash_complete", COMP_WORDS=line, COMP_CWORD=str(len(words) - 1))
    assert done.stderr == ""
    return [item.removeprefix("plain,") for item in done.stdout.splitlines() if item]


@pytest.mark.parametrize("name", completion.SHELLS)
def test_the_script_is_the_one_that_click_writes(shell: Shell, name: str) -> None:
    script = shell.run("completion", name).stdout
    assert "_COINSWARM_COMPLETE" in script
    assert f"{name}_complete" in script
    assert shell.run(_COINSWARM_COMPLETE=f"{name}_source").stdout.strip() == script.strip()


@pytest.mark.parametrize(
    ("line", "items"),
    [
        ("coinswarm ba", ["backtest"]),
        ("coinswarm runs ", ["compare", "export", "list", "show"]),
        ("coinswarm backtest --no-t", ["--no-trial"]),
        ("coinswarm --deb", ["--debug"]),
        ("coinswarm backtest --debug --no-t", ["--no-trial"]),
        ("coinswarm trade --profile p", ["paper"]),
        ("coinswarm trade --profile my.t", ["file,my.t"]),
        ("coinswarm replay --engine s", ["steps"]),
        ("coinswarm runs export tr", ["trades"]),
        ("coinswarm plugins new a", ["agent"]),
        ("coinswarm plugins info me", ["meanrev"]),
        ("coinswarm completion z", ["zsh"]),
        ("coinswarm data show x", ["file,x"]),
        ("coinswarm nonsense x", []),
    ],
)
def test_what_is_known_is_offered(shell: Shell, line: str, items: list[str]) -> None:
    assert sorted(offered(shell, line)) == items


def test_runs_are_offered_newest_first_from_the_folder_that_is_named(shell: Shell) -> None:
    for name in ("20240101T000000000Z-00000000", "20250101T000000000Z-11111111"):
        folder = shell.folder / "kept" / name
        folder.mkdir(parents=True)
        (folder / "run.json").write_text("{}")
    assert offered(shell, "coinswarm replay --runs kept 2") == [
        "20250101T000000000Z-11111111",
        "20240101T000000000Z-00000000",
    ]
    assert offered(shell, "coinswarm replay 2") == ["file,2"]
    assert offered(shell, "coinswarm explain l") == ["latest"]


def test_no_plugin_is_imported(shell: Shell, site: Site) -> None:
    site.add("loud", "raise SystemExit('imported')")
    shell.env["PYTHONPATH"] = str(site.folder)
    assert offered(shell, "coinswarm plugins disable l") == ["loud"]


def test_commands_are_completed_without_importing_them(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in [name for name in sys.modules if name == "coinswarm.cli.trials"]:
        monkeypatch.delitem(sys.modules, name)
    for name, value in (("_COINSWARM_COMPLETE", "bash_complete"), ("COMP_WORDS", "coinswarm tr"), ("COMP_CWORD", "1")):
        monkeypatch.setenv(name, value)
    assert cli.main([]) == 0
    assert capsys.readouterr().out.split() == ["plain,trade", "plain,trials"]
    assert "coinswarm.cli.trials" not in sys.modules


def test_what_cannot_be_known_is_not_offered(shell: Shell) -> None:
    shell.env["COINSWARM_HOME"] = str(shell.write("occupied", ""))
    assert offered(shell, "coinswarm data show ") == ["file,"]

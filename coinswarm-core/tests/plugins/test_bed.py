"""The whole bed of broken plugins at once: every command works beside it, and each fault is named."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from coinswarm.cli import main

if TYPE_CHECKING:
    from pathlib import Path

Site = Any

FAULTS = {
    "missing-import": ("failed", "ModuleNotFoundError: No module named 'no_such_module_anywhere'"),
    "asserting": ("failed", "AssertionError: not today"),
    "exiting": ("failed", "SystemExit: 3"),
    "skipping": ("failed", "Skipped: not here"),
    "syntax": ("failed", "SyntaxError"),
    "signature": ("failed", "'swarm'"),
    "unknown-hook": ("failed", "'coinswarm_agentz': did you mean 'coinswarm_agents'"),
    "wrapper": ("failed", "wrappers are refused"),
    "raising": ("failed", "RuntimeError: no agents today"),
    "late": ("failed", "SystemExit: half way"),
    "no-hook": ("failed", "implements no hook"),
    "not-a-list": ("failed", "TypeError"),
    "forgetful": ("failed", "coinswarm_agents returned None"),
    "optional": ("failed", "implements no hook"),
    "coroutine": ("failed", "plain def"),
    "wrong-type": ("failed", "returned 'trend'"),
    "bad-name": ("failed", "'Bad_Name', whose name is not lower-case"),
    "twin": ("conflict", "both declare the agent 'sound'"),
    "double": ("conflict", "fake-double-one and fake-double-two both bring"),
    "outdated": ("incompatible", "asks for coinswarm-core<0.1, and this is"),
    "fake-unreadable": ("failed", "entry_points.txt cannot be read"),
    "fake-binary": ("failed", "entry_points.txt cannot be read"),
    "target": ("failed", "target 'not a module!' is not"),
    "undated": ("loaded", "its requirement on coinswarm-core is missing"),
    "garbled": ("loaded", "METADATA cannot be read"),
    "slow": ("loaded", "slow import"),
    "heavy": ("loaded", "heavy import: its declarations import numpy"),
    "printing": ("loaded", "prints when imported or asked, '{not json'"),
}
"""Plugin -> its status once loading was tried, and what its reason or a warning says."""


def listed(text: str) -> dict[str, list[dict[str, Any]]]:
    """Rows of ``--json`` by name."""
    found: dict[str, list[dict[str, Any]]] = {}
    for row in json.loads(text):
        found.setdefault(row["name"], []).append(row)
    return found


def said(row: dict[str, Any]) -> str:
    return "\n".join([row["reason"], *row["warnings"]])


@pytest.fixture(scope="module")
def faults(bed_loaded: str) -> dict[str, list[dict[str, Any]]]:
    """What is said of each, once loading was tried."""
    return listed(bed_loaded)


@pytest.mark.parametrize(("name", "expected"), FAULTS.items())
def test_each_fault_is_named(faults: dict[str, list[dict[str, Any]]], name: str, expected: tuple[str, str]) -> None:
    for row in faults[name]:
        assert row["status"] == expected[0]
        assert expected[1] in said(row)
        assert "\n" not in row["reason"]


def test_the_bed_holds_no_other_plugin(faults: dict[str, list[dict[str, Any]]]) -> None:
    fakes = {name for name, rows in faults.items() if any(row["distribution"].startswith("fake-") for row in rows)}
    assert fakes - {"sound", "core"} == set(FAULTS) - {"garbled"}
    [sound] = faults["sound"]
    assert (sound["status"], sound["provides"]) == ("loaded", ["agent: sound"])


def test_nobody_takes_the_name_of_core(faults: dict[str, list[dict[str, Any]]]) -> None:
    by_distribution = {row["distribution"]: row for row in faults["core"]}
    assert by_distribution["coinswarm-core"]["status"] == "loaded"
    assert by_distribution["fake-core-thief"]["status"] == "conflict"
    assert "core's own" in by_distribution["fake-core-thief"]["reason"]


def test_listing_remembers_each_fault_and_imports_nothing(bed: Site, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plugins", "list", "--load"]) == 0
    for name in [name for name in sys.modules if name.partition(".")[0] in bed.packages]:
        del sys.modules[name]
    capsys.readouterr()
    assert main(["plugins", "list", "--json"]) == 0
    captured = capsys.readouterr()
    assert not [name for name in sys.modules if name.partition(".")[0] in bed.packages]
    found = listed(captured.out)
    for name, (status, words) in FAULTS.items():
        for row in found[name]:
            assert row["status"] == ("enabled" if status == "loaded" else status)
            assert words in said(row)
            if status == "failed" and row["target"] and name != "target":
                assert row["as_of"].endswith("Z")
    broken = {name for name, (status, _) in FAULTS.items() if status != "loaded"}
    for name in broken:
        assert f"plugin '{name}'" in captured.err, name
    assert "(as of 2" in captured.err


@pytest.mark.parametrize("name", [*FAULTS, "sound"])
def test_every_decision_can_be_made_about_any_of_them(bed: Site, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert bed.packages
    for args, status in (
        (["disable", name], "disabled"),
        (["block", name, "--reason", "it is broken"], "blocked"),
    ):
        assert main(["plugins", *args]) == 0
        capsys.readouterr()
        assert main(["plugins", "info", name, "--json"]) == 0
        captured = capsys.readouterr()
        assert {row["status"] for row in json.loads(captured.out)} == {status}
        assert captured.err == "", "what somebody decided is no fault"
    assert main(["plugins", "enable", name]) == 0
    capsys.readouterr()
    assert main(["plugins", "info", name]) == 0
    assert capsys.readouterr().out.startswith("name ")


def coinswarm(site: Path, *args: str | Path, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", "import sys; from coinswarm.cli import main; sys.exit(main())", *args],
        env={**os.environ, "PYTHONPATH": str(site), **env},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.integration
@pytest.mark.parametrize(
    "args",
    [
        ["--help"],
        ["plugins", "--help"],
        ["plugins", "list"],
        ["plugins", "list", "--load"],
        ["plugins", "info", "exiting"],
        ["plugins", "info", "exiting", "--load"],
        ["plugins", "disable", "syntax"],
        ["plugins", "block", "wrapper"],
    ],
    ids=" ".join,
)
def test_the_bed_breaks_no_command(bed: Site, args: list[str]) -> None:
    done = coinswarm(bed.folder, *args)
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout


@pytest.mark.integration
def test_a_backtest_beside_the_bed_is_the_same_and_says_nothing_of_it(bed: Site, tmp_path: Path) -> None:
    beside = coinswarm(bed.folder, "demo", "--json", "--runs", tmp_path / "runs")
    alone = coinswarm(tmp_path / "nowhere", "demo", "--json", "--runs", tmp_path / "runs")
    assert (beside.returncode, beside.stderr) == (0, "")
    assert json.loads(beside.stdout)["order_hash"] == json.loads(alone.stdout)["order_hash"]
    assert "fake_" not in beside.stdout


PROFILE = """
mode = "{mode}"
plugins = [{plugins}]
[[instruments]]
symbol = "BTC/USD"
sample = "BTC/USD"
[[agents]]
name = "sound"
weight_bp = 10_000
"""


@pytest.mark.parametrize(("command", "mode"), [("backtest", "backtest"), ("trade", "paper")])
@pytest.mark.parametrize("name", sorted(name for name, (status, _) in FAULTS.items() if status != "loaded"))
def test_a_run_refuses_when_a_plugin_that_it_names_is_not_loaded(
    bed: Site, tmp_path: Path, capsys: pytest.CaptureFixture[str], command: str, mode: str, name: str
) -> None:
    names = f'"sound", "{name}"'
    (tmp_path / "my.toml").write_text(PROFILE.format(mode=mode, plugins=names))
    assert bed.packages
    assert main([command, "--profile", str(tmp_path / "my.toml"), "--runs", str(tmp_path / "runs")]) == 3
    [line] = capsys.readouterr().err.splitlines()
    assert f"plugin '{name}'" in line
    assert FAULTS[name][1].partition(" both bring")[0] in line
    assert not (tmp_path / "runs").exists() or not list((tmp_path / "runs").iterdir())


@pytest.mark.parametrize(("command", "mode"), [("backtest", "backtest"), ("trade", "paper")])
def test_every_plugin_that_is_not_loaded_is_named_at_once(
    bed: Site, tmp_path: Path, capsys: pytest.CaptureFixture[str], command: str, mode: str
) -> None:
    names = '"exiting", "sound", "wrapper"'
    (tmp_path / "my.toml").write_text(PROFILE.format(mode=mode, plugins=names))
    assert main(["plugins", "disable", "sound"]) == 0
    capsys.readouterr()
    assert main([command, "--profile", str(tmp_path / "my.toml"), "--runs", str(tmp_path / "runs")]) != 0
    lines = capsys.readouterr().err.splitlines()
    assert ["exiting" in lines[0], "sound" in lines[1], "wrapper" in lines[2], len(lines)] == [True, True, True, 3]
    assert "coinswarm plugins enable sound" in lines[1]
    assert bed.packages


def test_strict_mode_makes_any_fault_fatal(
    bed: Site, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COINSWARM_STRICT_PLUGINS", "1")
    assert main(["plugins", "list"]) == 3
    captured = capsys.readouterr()
    assert "sound" in captured.out
    assert "COINSWARM_STRICT_PLUGINS is set" in captured.err.splitlines()[-1]
    (tmp_path / "my.toml").write_text(PROFILE.format(mode="backtest", plugins='"sound"'))
    assert main(["backtest", "--profile", str(tmp_path / "my.toml"), "--no-save"]) == 3
    assert "'outdated'" in capsys.readouterr().err
    assert main(["plugins", "disable", "outdated"]) == 0, "a remedy must stay at hand"
    assert main(["plugins", "info", "sound"]) == 0
    monkeypatch.setenv("COINSWARM_STRICT_PLUGINS", "perhaps")
    assert main(["plugins", "list"]) == 2
    assert "COINSWARM_STRICT_PLUGINS is 'perhaps': set it to 1 or 0" in capsys.readouterr().err
    assert bed.packages


def test_ctrl_c_while_a_plugin_is_imported_ends_the_command(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    site.add("alpha", "raise KeyboardInterrupt")
    assert main(["plugins", "list", "--load"]) == 130
    assert capsys.readouterr().err.strip() == "coinswarm: interrupted"

"""``coinswarm plugins list`` and ``info``, beside sound and broken plugins."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from coinswarm.cli import main

Site = Any


def rows(capsys: pytest.CaptureFixture[str]) -> dict[str, dict[str, Any]]:
    return {row["name"]: row for row in json.loads(capsys.readouterr().out)}


def test_list_without_load_prints_the_columns_and_imports_nothing(
    site: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    site.add("alpha", "raise RuntimeError('imported')", version="2.5")
    assert main(["plugins", "list"]) == 0
    captured = capsys.readouterr()
    head, *lines = captured.out.splitlines()
    assert head.split() == ["NAME", "VERSION", "STATUS", "ORIGIN", "CERTIFICATE", "PROVIDES"]
    assert ["alpha", "2.5", "enabled", "wheel", "-", "-"] in [line.split() for line in lines]
    assert captured.err == ""
    assert "fake_alpha" not in sys.modules


def test_drivers_are_listed_beside_plugins(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    site.add(
        "alpha", "", distribution="fake-alpha", entry_points="[coinswarm.embedders]\nalpha = fake_alpha.driver:it\n"
    )
    (site.folder / "fake_alpha" / "driver.py").write_text(
        "from coinswarm.declarations import DriverType\n"
        'it = DriverType(name="alpha", summary="Fake.", target="fake_alpha.driver:It")\n'
    )
    assert main(["plugins", "list"]) == 0
    assert ["alpha", "1.0", "enabled", "wheel", "-", "-"] in [
        row.split() for row in capsys.readouterr().out.splitlines()
    ]
    assert "fake_alpha.driver" not in sys.modules
    assert main(["plugins", "info", "alpha", "--load"]) == 0
    assert "embedder: alpha" in capsys.readouterr().out
    assert main(["plugins", "disable", "alpha"]) == 0


def test_list_with_load_says_what_is_provided_and_what_is_broken(
    broken_site: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    assert broken_site.packages
    assert main(["plugins", "list", "--load"]) == 0
    captured = capsys.readouterr()
    assert "agent: sound" in captured.out
    [line] = [line for line in captured.err.splitlines() if "'exiting'" in line]
    assert line.startswith("coinswarm: plugin 'exiting' (fake-exiting 1.0) is failed: cannot be imported (SystemExit")


def test_json_has_the_reasons(broken_site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    assert broken_site.packages
    assert main(["plugins", "list", "--load", "--json"]) == 0
    found = rows(capsys)
    assert found["sound"]["status"] == "loaded"
    assert found["sound"]["provides"] == ["agent: sound"]
    assert found["wrapper"]["status"] == "failed"
    assert "wrappers are refused" in found["wrapper"]["reason"]


def test_info_shows_one_plugin(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    site.add("alpha")
    assert main(["plugins", "info", "alpha", "--load"]) == 0
    lines = dict(line.split(None, 1) for line in capsys.readouterr().out.splitlines())
    assert (lines["name"], lines["status"], lines["provides"]) == ("alpha", "loaded", "agent: alpha")
    assert lines["target"] == "fake_alpha.plugin"


def test_info_with_load_imports_that_plugin_alone(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    site.add("alpha")
    site.add("beta")
    assert main(["plugins", "info", "alpha", "--load"]) == 0
    assert "agent: alpha" in capsys.readouterr().out
    assert "fake_alpha" in sys.modules
    assert "fake_beta" not in sys.modules


def test_info_shows_both_sides_of_a_conflict(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    site.add("alpha", distribution="fake-one")
    site.add("alpha", distribution="fake-two")
    assert main(["plugins", "info", "alpha"]) == 0
    captured = capsys.readouterr()
    assert captured.out.count("conflict") == 2
    assert "fake-one and fake-two both" in captured.err
    assert main(["plugins", "info", "alpha", "--json"]) == 0
    assert [row["distribution"] for row in json.loads(capsys.readouterr().out)] == ["fake-one", "fake-two"]


def test_info_of_an_unknown_plugin_names_the_nearest(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    site.add("alpha")
    assert main(["plugins", "info", "alhpa"]) == 2
    assert capsys.readouterr().err == "coinswarm: error: unknown plugin 'alhpa': did you mean 'alpha'?\n"


@pytest.mark.integration
@pytest.mark.parametrize(
    "args", [["--help"], ["plugins", "list"], ["plugins", "list", "--load"], ["plugins", "info", "syntax", "--load"]]
)
def test_broken_plugins_break_no_command(broken_site: Site, args: list[str]) -> None:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", "import sys; from coinswarm.cli import main; sys.exit(main())", *args],
        env={**os.environ, "PYTHONPATH": str(broken_site.folder)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout
    assert ("syntax" in done.stderr) == ("--load" in args)


@pytest.mark.integration
@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no /dev/full on this system")  # noqa: PTH110
def test_a_full_disk_is_one_line() -> None:
    with open("/dev/full", "w") as full:  # noqa: PTH123
        done = subprocess.run(
            [sys.executable, "-c", "import sys; from coinswarm.cli import main; sys.exit(main(['plugins', 'list']))"],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert done.returncode == 2
    assert done.stderr == "coinswarm: error: no space left to write: free some space or write elsewhere\n"


@pytest.mark.integration
def test_a_reader_that_leaves_is_quiet() -> None:
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run(
        [sys.executable, "-c", "import sys; from coinswarm.cli import main; sys.exit(main(['plugins', 'list']))"],
        stdout=write,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    os.close(write)
    assert (done.returncode, done.stderr) == (1, "")


def test_decisions_are_said_and_listed(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    site.add("alpha")
    for args, answer, status in (
        (["disable", "alpha"], "alpha is disabled; coinswarm plugins enable alpha switches it on again", "disabled"),
        (["enable", "alpha"], "alpha is no longer disabled", "enabled"),
        (["block", "alpha", "--reason", "it  is\nrude."], "alpha is blocked (it is rude); ", "blocked"),
        (["enable", "alpha"], "alpha is no longer blocked", "enabled"),
        (["enable", "alpha"], "alpha was not off", "enabled"),
        (["untrust", "alpha"], "alpha was not trusted", "enabled"),
    ):
        assert main(["plugins", *args]) == 0
        assert capsys.readouterr().out.startswith(answer)
        assert main(["plugins", "list", "--json"]) == 0
        assert rows(capsys)["alpha"]["status"] == status


def test_decisions_answer_in_json(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    site.add("alpha", record=True)
    for command, status in (
        ("disable", "disabled"), ("enable", "enabled"), ("block", "blocked"), ("enable", "enabled"),
        ("trust", "enabled"), ("untrust", "enabled"),
    ):  # fmt: skip
        assert main(["plugins", command, "alpha", "--json"]) == 0
        row = rows(capsys)["alpha"]
        assert row["status"] == status
        assert ("entry" in row) == (command == "trust")
        assert bool(row["trust"]) == (command == "trust")


def test_trust_prints_the_line_that_a_profile_takes(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    site.add("alpha", record=True)
    assert main(["plugins", "trust", "alpha"]) == 0
    line, _ = capsys.readouterr().out.splitlines()
    assert line.startswith("fake-alpha==1.0 sha256:")
    (site.folder / "fake_alpha" / "agent.py").write_text("changed = True\n")
    assert main(["plugins", "list"]) == 0
    captured = capsys.readouterr()
    assert "untrusted" in captured.out
    assert "agent.py differs from what was installed" in captured.err
    assert main(["plugins", "untrust", "alpha"]) == 0
    capsys.readouterr()
    assert main(["plugins", "list"]) == 0
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["disable", "alhpa"], "unknown plugin 'alhpa': did you mean 'alpha'?"),
        (["trust", "alhpa"], "did you mean 'alpha'?"),
        (["enable", "alhpa"], "did you mean 'alpha'?"),
        (["disable", "core"], "plugin 'core' is coinswarm-core itself, about which nothing can be decided"),
        (["block", "core"], "name another plugin"),
        (["block", "alpha", "--reason", " "], "--reason is ' ': say in a few words why"),
        (["block", "alpha", "--reason", "\x1b[31m"], "say in a few words why"),
        (["trust", "alpha"], "cannot be trusted: it has no RECORD of its files: reinstall fake-alpha from a wheel"),
        (["trust", "double"], "fake-one and fake-two bring it: uninstall one of them first"),
        (["dissable", "alpha"], "unknown command 'coinswarm plugins dissable': did you mean 'disable'?"),
    ],
)
def test_mistakes_in_decisions_are_one_line(
    site: Site, capsys: pytest.CaptureFixture[str], args: list[str], said: str
) -> None:
    site.add("alpha")
    site.add("double", distribution="fake-one")
    site.add("double", distribution="fake-two")
    assert main(["plugins", *args]) == 2
    [line] = capsys.readouterr().err.splitlines()
    assert said in line


def test_a_decision_about_a_plugin_that_is_gone_can_be_taken_back(
    site: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    site.add("alpha", record=True)
    assert main(["plugins", "disable", "alpha"]) == 0
    assert main(["plugins", "trust", "alpha"]) == 0
    (site.folder / "fake_alpha-1.0.dist-info" / "entry_points.txt").unlink()
    assert main(["plugins", "enable", "alpha"]) == 0
    assert main(["plugins", "untrust", "alpha"]) == 0
    assert main(["plugins", "untrust", "alpha"]) == 2
    assert "unknown plugin 'alpha'" in capsys.readouterr().err


def test_a_policy_that_cannot_be_read_is_one_line(
    site: Site, capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.add("alpha")
    monkeypatch.setenv("COINSWARM_HOME", str(tmp_path))
    (tmp_path / "plugins.toml").write_text("disabled = [")
    for args in (["plugins", "list"], ["plugins", "disable", "alpha"], ["demo", "--runs", str(tmp_path)]):
        assert main(args) == 2
        [line] = capsys.readouterr().err.splitlines()
        assert "plugins.toml is not valid TOML" in line
        assert "move it away" in line


def test_warnings_are_shown_when_a_plugin_is_loaded(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    site.add(
        "alpha",
        """
        import numpy as np
        print("hello")
        @hookimpl
        def coinswarm_agents(): yield AgentType(name="alpha", summary="Fake.", target="x.y:Z")
    """,
    )
    assert main(["plugins", "info", "alpha", "--load"]) == 0
    lines = capsys.readouterr().err.splitlines()
    assert all(line.startswith("coinswarm: warning: plugin 'alpha' (fake-alpha 1.0): ") for line in lines)
    assert [word for word in ("heavy import", "prints") if not any(word in line for line in lines)] == []


def test_what_cannot_be_remembered_is_said(
    site: Site, capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.add("alpha")
    monkeypatch.setenv("COINSWARM_HOME", str(tmp_path / "home"))
    (tmp_path / "home" / "plugins.json").mkdir(parents=True)
    assert main(["plugins", "list", "--load"]) == 0
    captured = capsys.readouterr()
    assert "agent: alpha" in captured.out
    assert "could not be remembered: set COINSWARM_HOME" in captured.err


def test_new_writes_a_package_and_says_what_next(
    site: Site, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    site.add("alpha")
    assert main(["plugins", "new", "weigher", "mine", "--out", str(tmp_path)]) == 0
    *files, last = capsys.readouterr().out.splitlines()
    assert all(Path(file).is_file() for file in files)
    assert last.endswith("change src/coinswarm_mine/weigher.py")
    assert main(["plugins", "new", "agent", "mine", "--out", str(tmp_path / "else"), "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["folder"] == str(tmp_path / "else" / "coinswarm-mine")
    assert "src/coinswarm_mine/agent.py" in answer["files"]
    for args, said in (
        (["agent", "mine"], "is there already"),
        (["agent", "alpha"], "is installed: choose another one"),
        (["weigher", "weighted"], "declares the weigher 'weighted'"),
        (["bus", "local"], "taken: driver 'local' (coinswarm-core"),
        (["agent", "hashing"], "taken: driver 'hashing' (coinswarm-core"),
    ):
        assert main(["plugins", "new", *args, "--out", str(tmp_path)]) == 2
        [line] = capsys.readouterr().err.splitlines()
        assert said in line

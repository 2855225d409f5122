"""``coinswarm plugins list`` and ``info``, beside sound and broken plugins."""

from __future__ import annotations

import json
import os
import subprocess
import sys
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

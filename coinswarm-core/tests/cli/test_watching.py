"""Watching plugins beside a command: Ctrl-C still works, JSON stays JSON, and ``plugins info`` says who watches."""

from __future__ import annotations

import json
import signal
from typing import TYPE_CHECKING, Any

import pytest

from coinswarm.cli import main

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

pytestmark = pytest.mark.integration

Shell = Any
Site = Any
ON_FILL = "@hookimpl\ndef coinswarm_order_filled(fill):\n    {body}\n"


@pytest.fixture
def watch(shell: Shell, site: Site, tmp_path: Path) -> Callable[[str], None]:
    """A profile ``p.toml`` that names a plugin with this body at every fill, beside the bundled agents."""

    def install(body: str) -> None:
        site.add("watch", ON_FILL.format(body=body))
        shell.env["PYTHONPATH"] = str(tmp_path / "site")
        shell.profile("p.toml", "wave.csv", plugins='["trend", "meanrev", "watch"]')
        shell.profile("alone.toml", "wave.csv")

    return install


def test_a_watcher_that_prints_and_raises_is_told_beside_clean_json(
    certified: Shell, watch: Callable[[str], None]
) -> None:
    watch("print('filled'); raise OSError('the line is down')")
    done = certified.run("backtest", "--profile", "p.toml", "--json")
    told = json.loads(done.stdout)
    alone = json.loads(certified.run("backtest", "--profile", "alone.toml", "--json").stdout)
    assert done.stderr == ""
    assert told["order_hash"] == alone["order_hash"]
    count = told["orders"]["fills"]
    assert count > 3
    raised, printed = (line for line in told["warnings"] if line.startswith("plugin 'watch' (fake-watch 1.0): "))
    assert raised.endswith(f"order_filled raised in {count} of {count} calls, first OSError: the line is down")
    assert "its watching hooks print, 'filled filled " in printed
    assert printed.endswith("...': kept from standard output")
    shown = certified.run("trade", "--profile", "p.toml", "--set", "mode=paper").stdout
    assert f"coinswarm_order_filled raised in {count}" in " ".join(shown.split())


def test_ctrl_c_ends_the_telling_and_keeps_the_run(shell: Shell, watch: Callable[[str], None]) -> None:
    watch("import sys, threading; print('watching', file=sys.stderr, flush=True); threading.Event().wait()")
    with shell.start("backtest", "--profile", "p.toml") as process:
        assert process.stderr.readline() == "watching\n"
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=100)
    assert (process.returncode, out, err.strip()) == (130, "", "coinswarm: interrupted")
    [run] = (shell.folder / "runs").iterdir()
    assert shell.run("runs", "show", run.name).stdout


def test_a_listing_says_who_watches(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    site.add("watch", ON_FILL.format(body="pass"))
    assert main(["plugins", "info", "watch", "--load"]) == 0
    told = capsys.readouterr()
    assert "watches: order_filled" in told.out
    assert told.err == ""

"""Finding and running servers: where they come from, what is told when there is none, that they end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import anyio
import pytest

from coinswarm_testkit.servers import program
from coinswarm_testkit.servers.nats import VARIABLE, WHEEL, nats_server
from coinswarm_testkit.servers.program import NoServerError, Program, find_program, started

if TYPE_CHECKING:
    from collections.abc import Sequence

pytest_plugins = ["pytester"]

SPEAKS = "import pathlib, sys, time; pathlib.Path(sys.argv[1]).write_text('here'); time.sleep(600)"
STUBBORN = f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); {SPEAKS}"


def written(path: Path) -> str | None:
    """What the child wrote, once it has."""
    return (path.read_text(encoding="utf-8") or None) if path.exists() else None


def gone(pid: str) -> bool:
    """Whether a process is over."""
    return not Path(f"/proc/{pid}").exists()


@pytest.mark.parametrize("script", [SPEAKS, STUBBORN])
def test_a_server_runs_until_the_block_is_left(script: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(program, "STOP_SECONDS", 0.2)
    script = script.replace("'here'", "str(__import__('os').getpid())")
    command: Sequence[str | Path] = (sys.executable, "-c", script, tmp_path / "up")
    with started(command, tmp_path / "output", lambda: written(tmp_path / "up")) as pid:
        assert not gone(pid)
    assert gone(pid)


ORPHANING = """
import os, pathlib, signal, sys
from coinswarm_testkit.servers.program import started
up = pathlib.Path(sys.argv[1]) / "up"
server = "import pathlib, sys, time; held = open(sys.argv[1], 'w'); pathlib.Path(sys.argv[2]).touch(); time.sleep(600)"
command = (sys.executable, "-c", server, up.with_name("alive"), up)
with started(command, up.with_name("output"), lambda: up.exists() or None):
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_server_does_not_outlive_a_process_that_is_killed(tmp_path: Path) -> None:
    """It holds the writing end of a fifo for as long as it lives: reading ends when it does."""
    os.mkfifo(tmp_path / "alive")
    with subprocess.Popen([sys.executable, "-c", ORPHANING, tmp_path]) as parent:
        with (tmp_path / "alive").open() as alive:
            assert alive.read() == ""
        assert parent.wait() == -signal.SIGKILL
    assert (tmp_path / "up").exists()


def test_one_that_ends_at_once_is_told_with_what_it_said(tmp_path: Path) -> None:
    command = (sys.executable, "-c", "print('no such option'); raise SystemExit(3)")
    with (
        pytest.raises(NoServerError, match=r"ended with code 3: it said: no such option"),
        started(command, tmp_path / "output", lambda: None),
    ):
        pass


def test_one_that_is_never_ready_is_not_waited_for_for_ever(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(program, "START_SECONDS", 0.05)
    begin = time.monotonic()
    with (
        pytest.raises(NoServerError, match="is not ready"),
        started((sys.executable, "-c", "import time; time.sleep(600)"), tmp_path / "output", lambda: None),
    ):
        pass
    assert time.monotonic() - begin < program.STOP_SECONDS


def test_a_program_that_is_installed_serves_where_no_wheel_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(program, "SYSTEM", str(tmp_path / "sbin"))
    with pytest.raises(NoServerError, match="install the package no-such-wheel, or name a running server in X_URL"):
        find_program("served", wheel="no-such-wheel", variable="X_URL")
    (tmp_path / "sbin").mkdir()
    path = tmp_path / "sbin" / "served"
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    assert find_program("served", wheel="no-such-wheel", variable="X_URL") == Program(path, str(path))


def test_the_variable_comes_first_but_not_for_a_configuration_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "nats://127.0.0.1:1")
    with nats_server() as server:
        assert server.url == "nats://127.0.0.1:1"
        assert VARIABLE in server.about


def test_a_real_server_listens_on_loopback_and_ends(nats_url: str) -> None:
    async def greeted(url: str) -> bytes:
        address = urlsplit(url)
        async with await anyio.connect_tcp(address.hostname or "", address.port or 0) as stream:
            return await stream.receive()

    assert anyio.run(greeted, nats_url).startswith(b"INFO ")
    with nats_server("server_name: mine") as server:
        assert urlsplit(server.url).hostname == "127.0.0.1"
        assert WHEEL in server.about or "/nats-server" in server.about
        assert b'"server_name":"mine"' in anyio.run(greeted, server.url)
    with pytest.raises(OSError, match=r"connect|refused|All connection attempts failed"):
        anyio.run(greeted, server.url)


TEST = """
def test_it(nats_url):
    import os
    assert os.environ["COINSWARM_NATS_URL"] == nats_url
"""


def test_the_fixture_tells_what_tests_ran_against(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "nats://127.0.0.1:1")
    pytester.makepyfile(TEST)
    found = pytester.runpytest_inprocess()
    found.assert_outcomes(passed=1)
    assert (
        "real server: nats: the NATS server that COINSWARM_NATS_URL names at nats://127.0.0.1:1" in found.stdout.str()
    )


@pytest.mark.parametrize(("ci", "outcome"), [("", {"skipped": 1}), ("true", {"errors": 1})])
def test_without_a_server_tests_are_skipped_and_in_ci_they_fail(
    ci: str, outcome: dict[str, int], pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("coinswarm_testkit.servers.nats.WHEEL", "no-such-wheel")
    monkeypatch.setattr(program, "SYSTEM", str(tmp_path))
    monkeypatch.delenv(VARIABLE, raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("CI", ci)
    pytester.makepyfile(TEST)
    found = pytester.runpytest_inprocess("-rs")
    found.assert_outcomes(**outcome)
    assert "there is no nats-server here" in found.stdout.str()

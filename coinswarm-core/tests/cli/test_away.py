"""A database that is away costs a command one line and exit code 4, whichever it is: nobody has to change anything."""

from __future__ import annotations

import json
import socket
from pathlib import Path

import pytest

from coinswarm.cli import main
from coinswarm.runtime.swarm import opening

AWAY = "postgresql://me@127.0.0.1:{port}/swarm"
COMMANDS = (
    "memory log",
    "memory show 1",
    "memory verify",
    "memory rebuild",
    "memory migrate",
    "memory index",
    "memory voters",
    "memory propose whole.json",
    "memory propose short.json",
    "weights show",
    "weights history",
    "weights diff",
    "weights measure demo",
    "weights propose trend=10000",
    "weights rollback",
)


@pytest.fixture
def nobody() -> socket.socket:
    """A port that is taken, and where nothing answers."""
    held = socket.socket()
    held.bind(("127.0.0.1", 0))
    return held


@pytest.mark.parametrize("words", COMMANDS)
def test_a_database_that_is_away_is_one_line_and_four(
    words: str,
    nobody: socket.socket,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COINSWARM_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(opening, "PATIENCE", 0.0)
    with nobody:
        url = AWAY.format(port=nobody.getsockname()[1])
        assert main(["memory", "init", "--cluster", "north", "--database", url]) == 0
        with Path("north-main.toml").open("a", encoding="utf-8") as profile:
            profile.write('\n[memory]\nbackend = "local"\n')
        setting = {"kind": "configure", "change": {"key": "acceptance.folds", "value": "6"}}
        Path("whole.json").write_text(json.dumps(setting), encoding="utf-8")
        Path("short.json").write_text(json.dumps({**setting, "evidence": ["returns/trend"]}), encoding="utf-8")
        capsys.readouterr()
        assert main([*words.split(), "--profile", "north-main.toml"]) == 4
    told = capsys.readouterr()
    assert told.out == ""
    assert "cannot be reached" in told.err.splitlines()[-1]
    assert "Traceback" not in told.err

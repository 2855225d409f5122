"""A person who asks is not kept waiting for ever by a bus that is away, or by voters who are."""

from __future__ import annotations

import json
import socket
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from coinswarm.cli import main
from coinswarm.memory.quorum.roster import roster_from
from coinswarm.memory.store.opening import open_store
from coinswarm.runtime.swarm import opening

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.integration

PROFILE = ("--profile", "north-main.toml", "--set")
SETTING = {
    "kind": "configure",
    "subject": "acceptance/folds",
    "change": {"key": "acceptance.folds", "value": "6"},
}


@pytest.fixture(autouse=True)
def _quorum(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """A quorum of whom nobody runs, and a proposal to it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COINSWARM_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(opening, "PATIENCE", 0.3)
    assert main(["memory", "init", "--cluster", "north"]) == 0
    roster = roster_from(Path("north-main.roster.json").read_text(encoding="utf-8").strip())
    open_store("north.sqlite", "north", "main", roster=roster).close()
    Path("p.json").write_text(json.dumps(SETTING), encoding="utf-8")
    capsys.readouterr()


@pytest.fixture
def nobody() -> Iterator[str]:
    """An address where nothing answers."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield f"drivers.bus.settings.url=nats://127.0.0.1:{held.getsockname()[1]}"


@pytest.mark.parametrize("words", [("memory", "propose", "p.json"), ("memory", "voters")])
def test_a_bus_that_is_away_is_told(words: tuple[str, ...], nobody: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*words, *PROFILE, nobody]) == 4
    assert "cannot be reached" in capsys.readouterr().err.splitlines()[-1]


@pytest.mark.parametrize(
    "words",
    [("memory", "propose", "p.json"), ("memory", "voters"), ("memory", "log"), ("weights", "propose", "trend=10000")],
)
def test_who_only_asks_begins_no_log(words: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    Path("north.sqlite").unlink()
    assert main([*words, *PROFILE[:2]]) == 2
    told = capsys.readouterr().err
    assert "north.sqlite" in told
    assert "first voter or coordinator" in told
    assert not Path("north.sqlite").exists()


def test_a_decision_that_nobody_makes_is_told(nats_url: str, capsys: pytest.CaptureFixture[str]) -> None:
    bus = f"drivers.bus.settings.url={nats_url}"
    assert main(["memory", "propose", "p.json", *PROFILE, bus, "--seconds", "1"]) == 4
    told = capsys.readouterr().err.splitlines()[-1]
    assert "nothing was decided within 1.3 s" in told
    assert "see coinswarm memory voters" in told
    assert main(["memory", "voters", *PROFILE, bus, "--json"]) == 0
    assert {seat["status"] for seat in json.loads(capsys.readouterr().out)["seats"]} == {None}

"""``coinswarm memory index``: what a backend holds beside its log, tidied up where that is asked for."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import anyio
import numpy as np
import pytest

from coinswarm.cli import main
from coinswarm.domain.episode import Episode, LogPosition, Space
from coinswarm.domain.health import Condition, Health
from coinswarm.drivers.episodes import LocalMemory
from coinswarm.drivers.settings import LocalMemorySettings
from coinswarm_testkit.quorum import decided
from coinswarm_testkit.quorum.decided import ROSTER, DecidedLog

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SPACE, OTHER = Space("north", "trend/state.1", 2), Space("north", "trend/state.2", 3)
PROFILE = """
[swarm]
cluster = "north"
roster = "roster.json"
database = "swarm.db"
[[swarm.voters]]
id = "v0"
voter = "decimals"
"""
MEMORY = '[memory]\nbackend = "local"\nsettings = { path = "index.db" }\n'
WORDS = ["memory", "index", "--profile", "north.toml"]


@pytest.fixture
def log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[DecidedLog]:
    """A log whose only episode is in the index."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COINSWARM_HOME", str(tmp_path / "home"))
    (tmp_path / "roster.json").write_text(ROSTER.text() + "\n", encoding="utf-8")
    (tmp_path / "north.toml").write_text(PROFILE + MEMORY, encoding="utf-8")
    made = DecidedLog(tmp_path / "swarm.db")
    vector = np.array([[0.6, 0.8]], np.float32)
    one = Episode(id="0" * 64, agent="trend", instrument="X", side=1, decided_ns=1, known_ns=2, result_ppm=3)
    for space in (SPACE, OTHER):
        made.store.facts.add_space(space)
    made.remembered(SPACE, one, vector.astype("<f4").tobytes())

    async def fold() -> None:
        backend = LocalMemory(LocalMemorySettings(path="index.db"))
        head = made.store.log.read(0, 0, 0).head
        await backend.remember(SPACE, [one], vector, at=LogPosition(head.index, head.hash))
        await backend.close()

    anyio.run(fold)
    yield made
    made.close()


@pytest.mark.usefixtures("log")
def test_each_space_is_shown_and_tidied_up(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*WORDS, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    first, second = told.pop("spaces")
    assert told == {"backend": "local", "condition": "good", "reason": None, "log_entries": 1}
    assert first | {"bytes": 0} == {
        "space": "trend/state.1", "dimension": 2, "entries": 1, "bytes": 0, "exact": True, "applied": 1,
    }  # fmt: skip
    assert (second["space"], second["entries"], second["applied"]) == ("trend/state.2", 0, None)
    tidied: list[Space] = []

    async def optimize(_: LocalMemory, space: Space) -> None:
        tidied.append(space)

    monkeypatch.setattr(LocalMemory, "optimize", optimize)
    assert main(WORDS) == 0
    assert tidied == []
    shown = capsys.readouterr().out.splitlines()
    assert shown[0] == "local: good; the log has 1 entry"
    assert shown[1].split() == ["SPACE", "DIMENSION", "ENTRIES", "BYTES", "EXACT", "APPLIED"]
    assert main([*WORDS, "--optimize"]) == 0
    assert tidied == [SPACE, OTHER]


@pytest.mark.usefixtures("log")
def test_what_could_not_be_tidied_up_is_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    async def optimize(memory: LocalMemory, space: Space) -> None:
        memory._troubles[space] = "the disk is full"

    monkeypatch.setattr(LocalMemory, "optimize", optimize)
    assert main([*WORDS, "--optimize"]) == 0
    assert capsys.readouterr().out.startswith("local: impaired (the disk is full); the log has 1 entry\n")


def test_the_index_of_another_shard_is_its_own(
    log: DecidedLog, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(decided, "SHARD", "eu")
    there = DecidedLog(log.path)
    there.store.facts.add_space(SPACE)
    there.close()
    profile = PROFILE.replace('cluster = "north"', 'cluster = "north"\nshard = "eu"') + MEMORY
    log.path.with_name("north.toml").write_text(profile, encoding="utf-8")
    assert main([*WORDS, "--json"]) == 0
    [space] = json.loads(capsys.readouterr().out)["spaces"]
    assert (space["space"], space["entries"], space["applied"]) == ("trend/state.1", 0, None)


def test_what_stands_in_the_way_is_told(
    log: DecidedLog, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    async def down(_: LocalMemory) -> Health:
        return Health(Condition.DOWN, "nobody is there")

    monkeypatch.setattr(LocalMemory, "health", down)
    assert main(WORDS) == 4
    assert "local cannot be used (nobody is there): start it" in capsys.readouterr().err
    log.path.with_name("north.toml").write_text(PROFILE, encoding="utf-8")
    assert main(WORDS) == 2
    assert "north.toml has no [memory]: name a backend" in capsys.readouterr().err
    log.path.unlink()
    assert main(WORDS) == 2
    assert "there is no store swarm.db" in capsys.readouterr().err

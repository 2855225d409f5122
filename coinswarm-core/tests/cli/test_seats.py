"""``coinswarm memory keys`` and ``init``: keys, a roster and a profile, none of them written over."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from coinswarm.cli import main
from coinswarm.config.profile import load_profile
from coinswarm.config.swarm import load_swarm
from coinswarm.memory.quorum.roster import roster_from

if TYPE_CHECKING:
    from collections.abc import Sequence


@pytest.fixture(autouse=True)
def _place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def said(capsys: pytest.CaptureFixture[str], args: Sequence[str], code: int = 0) -> str:
    """What a command prints; on stderr where it fails."""
    assert main(args) == code
    captured = capsys.readouterr()
    return captured.err if code else captured.out


def test_a_key_is_created_listed_and_shown_by_its_public_half(capsys: pytest.CaptureFixture[str]) -> None:
    line = said(capsys, ["memory", "keys", "create", "v9"])
    name, key = line.split()
    assert (name, len(key)) == ("v9", len("ed25519:") + 64)
    assert said(capsys, ["memory", "keys", "show", "v9"]) == line
    assert json.loads(said(capsys, ["memory", "keys", "list", "--json"])) == [{"name": "v9", "key": key, "problem": ""}]
    secret = Path(os.environ["COINSWARM_HOME"], "seats", "v9.key").read_text(encoding="ascii").strip()
    assert secret.removeprefix("ed25519-seed:") not in line
    assert "has a key already" in said(capsys, ["memory", "keys", "create", "v9"], 2)
    assert "'../v' is no name" in said(capsys, ["memory", "keys", "create", "../v"], 2)


def test_a_quorum_begins_with_four_voters_of_whom_three_decide(capsys: pytest.CaptureFixture[str]) -> None:
    text = said(capsys, ["memory", "init", "--cluster", "north"])
    assert "north/main: 3 of 4 voters decide; bears 1 silent, and 1 that lies" in text
    assert "coinswarm run voter --id v4 --profile north-main.toml" in text
    profile = load_swarm(Path("north-main.toml"))
    for name in profile.swarm.coordinators:
        assert f"coinswarm run coordinator --id {name} --profile north-main.toml" in text
    roster = roster_from(Path(profile.swarm.roster).read_text(encoding="utf-8").strip())
    assert (roster.version, roster.quorum, roster.faulty) == (0, 3, 1)
    assert list(roster.voter_keys) == ["v1", "v2", "v3", "v4"] == [seat.id for seat in profile.swarm.voters]
    assert len({seat.voter for seat in profile.swarm.voters}) == 2, "two programs"
    again = said(capsys, ["memory", "init", "--cluster", "north"], 2)
    assert "north-main.roster.json is there already" in again


def test_economy_says_what_it_does_not_bear(capsys: pytest.CaptureFixture[str]) -> None:
    text = said(capsys, ["memory", "init", "--cluster", "north", "--economy"])
    assert "2 of 3 voters decide; bears 1 silent, and no liar: a single voter that lies" in text
    wrong = said(capsys, ["memory", "init", "--cluster", "west", "--economy", "--voter", "a"], 2)
    assert "--economy stands for three voters" in wrong


def test_keys_of_other_hosts_are_named_and_none_is_made_for_them(capsys: pytest.CaptureFixture[str]) -> None:
    key = "ed25519:" + "ab" * 32
    args = ["memory", "init", "--cluster", "north", "--voter", f"a={key}", "--voter", "b", "--voter", "c", "--json"]
    told = json.loads(said(capsys, args))
    assert told["voters"]["a"] == key
    assert told["made"] == ["b", "c", "desk", "operator"]
    assert told["faulty"] == 0, "three voters bear no liar"


def test_sizes_that_cannot_work_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    wrong = said(capsys, ["memory", "init", "--cluster", "north", "--faulty", "2"], 2)
    assert "4 voters cannot bear 2 faulty ones: it takes 7" in wrong
    assert not Path("north-main.toml").exists()
    for key in ("ed25519:abc", f"ed25519:{'A' * 64}", "v1"):
        wrong = said(capsys, ["memory", "init", "--cluster", "north", "--voter", f"a={key}"], 2)
        assert f"'{key}', given for a, is no public key: coinswarm memory keys show a prints it" in wrong
    twice = said(capsys, ["memory", "init", "--cluster", "north", "--voter", "a", "--voter", "a"], 2)
    assert "a voter is named twice" in twice


@pytest.mark.parametrize("url", ["postgresql://a:hunter2@c/d", "postgresql://c/d?password=hunter2"])
def test_a_password_is_written_into_no_profile(capsys: pytest.CaptureFixture[str], url: str) -> None:
    wrong = said(capsys, ["memory", "init", "--cluster", "north", "--database", url], 2)
    assert "holds a password, and a profile holds none: leave --database out, and write database = {env = " in wrong
    assert "hunter2" not in wrong
    assert not [*Path().glob("north*")], "nothing was begun"


def test_what_a_process_reads_of_a_profile(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """The rest of a profile is not looked at; what it reads is held to the model, paths to the profile's folder."""
    said(capsys, ["memory", "init", "--cluster", "north", "--out", "conf"])
    path = tmp_path / "conf" / "north-main.toml"
    assert load_swarm(Path("conf/north-main.toml")).swarm.database == "conf/north.sqlite"
    demo = load_profile("demo")
    assert demo.swarm is None
    text = path.read_text(encoding="utf-8")
    path.write_text(f'mode = "paper"\ncash = "much"\n{text}', encoding="utf-8")
    assert load_swarm(path).swarm.cluster == "north"
    for old, new, error in (
        ('shard = "main"', 'shrd = "main"', "did you mean 'shard'?"),
        ('database = "north.sqlite"', 'database = "postgresql://a:b@c/d"', "holds a password in plain text"),
        ('database = "north.sqlite"', 'database = "postgresql://c/d?password=b"', "holds a password in plain text"),
        ('id = "v2"', 'id = "v1"', "'v1' is there twice"),
        (text, 'mode = "paper"', "has no [swarm]"),
    ):
        assert old in text
        path.write_text(text.replace(old, new, 1), encoding="utf-8")
        wrong = said(capsys, ["run", "voter", "--id", "v1", "--profile", str(path)], 2)
        assert error in wrong, wrong
        assert wrong.startswith(f"coinswarm: error: {path}")
        assert "a:b@" not in wrong
    path.write_text(text, encoding="utf-8")
    for value, error in (('""', "must not be empty"), ("5", "must be text in quotes, or a reference")):
        override = ("--set", f"swarm.database={value}")
        wrong = said(capsys, ["run", "voter", "--id", "v1", "--profile", str(path), *override], 2)
        assert wrong.startswith(f"coinswarm: error: --set: swarm.database = …: {error}"), wrong


def test_a_seat_needs_its_own_key_and_a_bus(capsys: pytest.CaptureFixture[str]) -> None:
    said(capsys, ["memory", "init", "--cluster", "north"])
    command = ["run", "voter", "--profile", "north-main.toml", "--id"]
    assert "has no voter 'v5'" in said(capsys, [*command, "v5"], 2)
    key = Path(os.environ["COINSWARM_HOME"], "seats", "v1.key")
    key.write_text("ed25519-seed:", encoding="ascii")
    assert "v1.key holds no seat's key" in said(capsys, [*command, "v1"], 2)
    key.unlink()
    assert "coinswarm memory keys create v1" in said(capsys, [*command, "v1"], 2)

"""Voters and a coordinator as processes, over a real bus: they decide, say how they are, and stop when told to."""

from __future__ import annotations

import json
import signal
import sqlite3
import subprocess
import sys
import time
import tomllib
import urllib.request
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from coinswarm.canonical import digest
from coinswarm.cli import main
from coinswarm.clock import DAY_NS
from coinswarm.config.profile import parse_profile
from coinswarm.memory.store.opening import opened
from coinswarm.runtime.runs import backtest, replay
from coinswarm.runtime.trade import trade

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

pytestmark = pytest.mark.integration

CLI = (sys.executable, "-c", "import sys; from coinswarm.cli import main; sys.exit(main())")
VOTERS = ("v1", "v2", "v3")

PROPOSAL = {
    "kind": "configure",
    "subject": "acceptance/min-days",
    "change": {"key": "acceptance.min-days", "value": "not a number"},
}


class Part:
    """A process of the quorum."""

    def __init__(self, *words: str) -> None:
        self.process = subprocess.Popen([*CLI, "run", *words], stderr=subprocess.PIPE, text=True)
        self.lines: list[str] = []

    def until(self, text: str) -> None:
        """Wait until it says something."""
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.lines.append(line)
            if text in line:
                return
        pytest.fail(f"it ended with {self.process.wait()} and said {self.lines}")

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Tell it to stop; its exit code."""
        self.process.send_signal(number)
        self.lines += (self.process.communicate(timeout=30)[1] or "").splitlines()
        return self.process.returncode


@contextmanager
def part(*words: str) -> Iterator[Part]:
    """A process that is ended whatever happens."""
    made = Part(*words)
    with made.process:
        try:
            yield made
        finally:
            made.process.kill()


@pytest.fixture
def profile(tmp_path: Path, nats_url: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An economy quorum on a SQLite file."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COINSWARM_HOME", str(tmp_path / "home"))
    assert main(["memory", "init", "--cluster", "north", "--economy"]) == 0
    path = tmp_path / "north-main.toml"
    path.write_text(path.read_text(encoding="utf-8").replace("nats://127.0.0.1:4222", nats_url), encoding="utf-8")
    return path


@pytest.fixture
def running(profile: Path) -> Iterator[dict[str, Part]]:
    """Three voters and a coordinator, that have said that they are there."""
    with ExitStack() as stack:
        parts = {}
        for name in (*VOTERS, "c1"):
            part = parts[name] = Part(
                "coordinator" if name == "c1" else "voter", "--id", name, "--profile", str(profile)
            )
            stack.enter_context(part.process)  # waits for its end, and closes its pipe
            stack.callback(part.process.kill)
        for name, one in parts.items():
            one.until(f"{name}: {'coordinates' if name == 'c1' else 'votes in'} north/main: 2 of 3 voters decide")
        yield parts


def test_a_quorum_of_processes(profile: Path, running: dict[str, Part], capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    with closing(sqlite3.connect("north.sqlite")) as store, closing(sqlite3.connect("backup.sqlite")) as backup:
        store.backup(backup)
    Path("proposal.json").write_text(json.dumps(PROPOSAL), encoding="utf-8")
    told = ["--profile", str(profile)]
    assert main(["memory", "propose", "proposal.json", *told, "--json"]) == 1
    ended = json.loads(capsys.readouterr().out)
    assert (ended["outcome"], ended["entry"]) == ("reject", 1)
    assert main(["memory", "propose", "proposal.json", *told, "--set", "swarm.deadline_seconds=60"]) == 1
    assert capsys.readouterr().out.startswith("rejected: the voters agree that it must not be (entry 2, proposal ")

    def asked() -> dict[str, Any]:
        assert main(["memory", "voters", *told, "--json"]) == 0
        return {seat["name"]: seat for seat in json.loads(capsys.readouterr().out)["seats"]}

    seats, limit = asked(), time.monotonic() + 30
    while any(seats[name]["status"]["head"] != 2 for name in (*VOTERS, "c1")):  # each reads the log once a second
        assert time.monotonic() < limit, seats
        seats = asked()
    assert seats["desk"]["status"] is None, "it is not running"
    assert sum(seat["last_ballot"] == {**(seat["last_ballot"] or {}), "entry": 2} for seat in seats.values()) >= 2

    assert main(["run", "voter", "--id", "v1", *told]) == 2
    assert f"v1 runs already, in process {running['v1'].process.pid}" in capsys.readouterr().err
    assert main(["memory", "verify", "--store", "north.sqlite"]) == 0

    assert running["v3"].stop(signal.SIGINT) == 130
    assert [running[name].stop() for name in ("v1", "v2", "c1")] == [0, 0, 0]
    assert all("stopped" in one.lines[-1] or "interrupted" in one.lines[-1] for one in running.values())
    assert all(b"Traceback" not in line.encode() for one in running.values() for line in one.lines)

    away = Path("north.sqlite").rename("away.sqlite")
    for words in (["run", "voter", "--id", "v1"], ["run", "coordinator", "--id", "c1"]):
        assert main([*words, *told]) == 2
        assert "north.sqlite, and its log had 2 entries" in capsys.readouterr().err
    assert away.exists()
    assert not Path("north.sqlite").exists(), "no other log is begun in its place"

    # A restored backup: what was decided is gone from the database, and the voter remembers it.
    Path("backup.sqlite").rename("north.sqlite")
    with part("voter", "--id", "v2", "--profile", str(profile)) as again:
        _, said = again.process.communicate(timeout=60)
    assert again.process.returncode == 5
    assert "v2 has stopped for good (split-brain: the log ends at entry 0, but was seen at 2)" in said
    assert "coinswarm memory verify" in said


def refused(*words: str) -> str:
    """What a process says that ends because the person who started it must act."""
    with part(*words) as one:
        _, said = one.process.communicate(timeout=60)
    assert one.process.returncode == 2, said
    assert "Traceback" not in said
    return said


def change_roster(told: tuple[str, ...], capsys: pytest.CaptureFixture[str], *words: str) -> None:
    """Have the operator propose another roster, and the quorum accept it."""
    capsys.readouterr()
    assert main(["memory", "roster", *told, *words]) == 0
    Path("change.json").write_text(capsys.readouterr().out, encoding="utf-8")
    assert main(["memory", "propose", "change.json", *told, "--set", "swarm.submitter.id=operator"]) == 0


def deciders(told: tuple[str, ...]) -> set[str]:
    """Who decides a proposal of the desk's now."""
    Path("proposal.json").write_text(json.dumps(PROPOSAL), encoding="utf-8")
    assert main(["memory", "propose", "proposal.json", *told]) == 1
    with opened("north.sqlite") as store:
        head = store.log.read(0, 0, 0).head.index
        [entry] = store.log.read(0, head - 1, 1).entries
    return {ballot.voter for ballot in entry.proof}


def test_a_change_of_the_roster_is_carried_out(
    profile: Path, running: dict[str, Part], capsys: pytest.CaptureFixture[str]
) -> None:
    """A voter is given a new key, another is added, a third removed: those decide who are seated then."""
    seats, told = Path("home/seats"), ("--profile", str(profile))
    text = profile.read_text(encoding="utf-8")
    profile.write_text(f'{text}\n[[swarm.voters]]\nid = "v4"\nvoter = "integers"\n', encoding="utf-8")
    assert main(["memory", "keys", "create", "v4"]) == 0
    early = refused("voter", "--id", "v4", *told)
    assert "the roster in force (version 0) has no voter 'v4'" in early
    assert "not in force yet: propose it (coinswarm memory roster)" in early

    (seats / "v1.key").rename(seats / "v1.old")
    assert main(["memory", "keys", "create", "v1"]) == 0
    change_roster(told, capsys, "--voter", "v1")
    running["v1"].until("the key of v1 was replaced by version 1 of the roster")
    assert running["v1"].process.wait(60) == 2, "the old key votes no more"
    running["v2"].until("v2: version 1 of the roster is in force: 2 of 3 voters decide")
    assert running["v2"].stop() == 0
    with part("voter", "--id", "v1", *told) as first, ExitStack() as more:
        first.until("v1: votes in north/main: 2 of 3 voters decide")
        assert deciders(told) == {"v1", "v3"}
        change_roster(told, capsys, "--voter", "v4")
        fourth = more.enter_context(part("voter", "--id", "v4", "--new-disk", *told))
        fourth.until("v4: votes in north/main: 3 of 4 voters decide")
        assert deciders(told) == {"v1", "v3", "v4"}
        change_roster(told, capsys, "--remove", "v2")
        gone = refused("voter", "--id", "v2", *told)
        assert "v2 has no seat any more: version 3 of the roster removed that voter" in gone
        assert first.stop() == 0
        (seats / "v1.old").replace(seats / "v1.key")
        assert "the key of v1 was replaced by version 1" in refused("voter", "--id", "v1", *told)
        assert deciders(told) == {"v3", "v4"}
    assert main(["memory", "verify", *told]) == 0


@pytest.mark.usefixtures("running")
def test_who_proposes_is_held_to_the_roster_in_force(profile: Path, capsys: pytest.CaptureFixture[str]) -> None:
    seats, told = Path("home/seats"), ("--profile", str(profile))
    Path("proposal.json").write_text(json.dumps(PROPOSAL), encoding="utf-8")
    (seats / "desk.key").rename(seats / "desk.old")
    assert main(["memory", "keys", "create", "desk"]) == 0
    capsys.readouterr()
    assert main(["memory", "propose", "proposal.json", *told]) == 2
    assert "but the roster in force (version 0) has ed25519:" in capsys.readouterr().err
    change_roster(told, capsys, "--submitter", "desk")
    assert len(deciders(told)) == 2
    (seats / "desk.old").replace(seats / "desk.key")
    capsys.readouterr()
    assert main(["memory", "propose", "proposal.json", *told]) == 2
    assert "the key of desk was replaced by version 1" in capsys.readouterr().err
    assert main(["memory", "keys", "create", "operator-next"]) == 0
    following = capsys.readouterr().out.split()[1]
    change_roster(told, capsys, "--submitter", f"operator={following}")  # who asked for it is told, though it is he
    (seats / "operator-next.key").replace(seats / "operator.key")
    change_roster(told, capsys, "--faulty", "0")
    capsys.readouterr()
    assert main(["memory", "roster", *told, "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert (shown["version"], shown["quorum"], len(shown["seats"])) == (3, 2, 5)


@pytest.mark.usefixtures("running")
def test_weights_are_proposed_and_decided(profile: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The operator's first, a planner's change, and one that is not proposed at all."""
    day = time.time_ns() // DAY_NS
    with opened("north.sqlite") as store:
        for agent, mean in (("trend", -500), ("meanrev", 1_500)):
            store.facts.add_certificate(agent, digest(agent), "silver")
            wave = [mean + (3_000 if one % 5 < 2 else -2_000) for one in range(len(agent), len(agent) + 60)]
            store.facts.add_returns(f"returns/{agent}", day - 60, wave)
    capsys.readouterr()
    told, operator = ("--profile", str(profile), "--json"), ("--set", "swarm.submitter.id=operator")

    def asked(*words: str, code: int = 0) -> dict[str, Any]:
        assert main(["weights", *words, *told]) == code, capsys.readouterr()
        found: dict[str, Any] = json.loads(capsys.readouterr().out)
        return found

    first = asked("propose", "trend=5000", "meanrev=5000", *operator)
    assert (first["outcome"], first["entry"]) == ("accept", 1)
    early = asked("propose", "trend=4500", "meanrev=5500", code=1)
    assert (early["verdicts"][0]["failed"], early["outcome"]) == (["cap", "cool-down"], None)
    setting: dict[str, object] = {"kind": "configure", "subject": "acceptance/max-weight-bp"}
    setting |= {"change": {"key": "acceptance.max-weight-bp", "value": "6000"}}
    Path("setting.json").write_text(json.dumps(setting), encoding="utf-8")
    for submitter, code in (((), 1), (operator, 0)):
        assert main(["memory", "propose", "setting.json", *told, *submitter]) == code
    capsys.readouterr()
    wider = asked("propose", "trend=4500", "meanrev=5500", code=1)
    assert wider["verdicts"][0]["failed"] == ["cool-down"], "nobody above 6,000 bp now"
    assert main(["weights", "show", "--store", "north.sqlite", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["weights"] == {"meanrev": 5_000, "trend": 5_000}
    assert main(["memory", "voters", *told]) == 0
    assert json.loads(capsys.readouterr().out)["weights_due"] is None, "no day was measured since"
    with opened("north.sqlite") as store:
        for agent in ("trend", "meanrev"):
            store.facts.add_returns(f"returns/{agent}", day, [0, -90_000])
    assert main(["memory", "voters", *told[:2]]) == 0
    assert "take them back with coinswarm weights rollback" in capsys.readouterr().out


DIARY = """
import sys
@hookimpl
def coinswarm_proposal_decided(proposal, outcome, entry):
    print(f"diary: {entry} {proposal.kind} {outcome}", file=sys.stderr, flush=True)
"""


@contextmanager
def following(profile: Path, site: Any) -> Iterator[tuple[Part, str]]:  # noqa: ANN401 - conftest's
    """A follower with a plugin to tell, once it knows from where on; and where it is measured."""
    site.add("diary", DIARY)
    told = ("--profile", str(profile), "--set", 'plugins=["diary"]', "--metrics", "0")
    with part("follower", *told) as follower:
        follower.until("follower: follows north/main and tells diary; metrics are at http://127.0.0.1:")
        url, limit = follower.lines[-1].rpartition(" ")[2].strip(), time.monotonic() + 30
        while not Path("home/swarm/north/main/follower.json").exists():
            assert time.monotonic() < limit, follower.lines
            time.sleep(0.02)
        yield follower, url


@pytest.mark.usefixtures("running")
def test_a_proposal_of_each_kind_is_written_from_its_example_and_decided_and_told(
    profile: Path,
    site: Any,  # noqa: ANN401 - conftest's
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """What is left out is what the store knows; what nothing speaks for is rejected, by rules that have names."""
    monkeypatch.setenv("PYTHONPATH", str(site.folder))
    with opened("north.sqlite") as store:
        store.facts.add_certificate("trend", digest("trend"), "silver")
        for place in ("returns/trend", "returns/meanrev"):
            store.facts.add_returns(place, time.time_ns() // DAY_NS - 40, [100, -50] * 20)
    told, operator = ("--profile", str(profile)), ("--set", "swarm.submitter.id=operator")
    assert main(["run", "follower", *told]) == 2
    assert "no plugin in plugins of " in capsys.readouterr().err
    ends = {
        "configure": "accept",
        "set_weights": "reject",  # meanrev has no certificate
        "update_pattern": "accept",
        "deprecate_pattern": "accept",
        "admit_agent": "accept",
        "suspend_agent": "accept",
    }
    with following(profile, site) as (follower, url):
        for number, (kind, outcome) in enumerate(ends.items(), 1):
            assert main(["memory", "propose", "--example", kind]) == 0
            content = json.loads(capsys.readouterr().out)
            if kind == "deprecate_pattern":
                content["evidence"] = []  # a pattern without capital is given up without showing anything
            Path("proposal.json").write_text(json.dumps(content), encoding="utf-8")
            code = 0 if outcome == "accept" else 1
            assert main(["memory", "propose", "proposal.json", *told, *operator]) == code, capsys.readouterr()
            assert f"(entry {number}, proposal " in capsys.readouterr().out
            follower.until(f"diary: {number} {kind} {outcome}")
        text, limit = "", time.monotonic() + 30
        while 'coinswarm_seat_up{cluster="north",name="v1",part="voter",shard="main"} 1.0' not in text:
            assert time.monotonic() < limit, text
            text = urllib.request.urlopen(url, timeout=10).read().decode()  # noqa: S310 - our own
        assert 'coinswarm_decisions_total{cluster="north",kind="set_weights",outcome="reject",shard="main"} 1.0' in text
        assert follower.stop() == 0
    assert follower.lines[-1].strip() == "follower: stopped"
    assert main(["memory", "show", "2", "--store", "north.sqlite"]) == 0
    assert "certified failed" in capsys.readouterr().out
    for kind, why in (("promote_pattern", "nothing lies at trades/dip"), ("add_episode", "nothing lies at trade/000")):
        assert main(["memory", "propose", "--example", kind]) == 0
        Path("proposal.json").write_text(capsys.readouterr().out, encoding="utf-8")
        assert main(["memory", "propose", "proposal.json", *told]) == 2
        assert why in capsys.readouterr().err


REMEMBERS = """\
    def decide(self, state):
        return Action(Side.BUY if state.close > state.open else Side.FLAT, 0.5, 0.5, 5.0, 3.0)

    def embed(self, state):
        import numpy as np
        return np.array([state.close - state.open, 3.0], np.float32)
"""


@pytest.mark.usefixtures("running")
def test_a_paper_session_has_its_episodes_decided(
    profile: Path,
    fake: Any,  # noqa: ANN401 - conftest's
    bars: Callable[..., Path],
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Trades of a session become episodes by the ballots of other processes; the run is had again without them."""
    fake(REMEMBERS)
    told = tomllib.loads(profile.read_text(encoding="utf-8"))
    given = {"symbol": "BTC/USD", "lot": "0.0001"}
    seats = {"plugins": ["fake"], "agents": [{"name": "fake", "weight_bp": 10_000}], "memory": {}}
    paper = parse_profile({**told, **seats, "mode": "paper", "instruments": [given]}, "p")
    recorded = bars("r.csv", 110)
    run = trade(paper, label="p", recordings={"BTC/USD": recorded}, runs=Path("runs"))
    recall = run.result.recall
    assert recall is not None
    assert (recall.log, recall.refused) == ("north/main", 0)
    assert recall.episodes == recall.head[0] >= 3
    capsys.readouterr()
    assert main(["memory", "verify", "--store", "north.sqlite"]) == 0
    listed = [{**given, "file": str(recorded)}]
    alone = parse_profile({**seats, "mode": "backtest", "instruments": listed}, "p")
    assert backtest(alone, label="p", runs=None).result.order_hash == run.result.order_hash
    assert run.path is not None
    assert replay(run.path).same

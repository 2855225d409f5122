"""A paper profile with a swarm: trades become episodes by a quorum's decision; the run is had again from its log."""

from __future__ import annotations

import socket
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from coinswarm.backtest.remembered import memory_words
from coinswarm.backtest.runread import check_run
from coinswarm.errors import NotReadyError, ProfileError, UnreachableError
from coinswarm.memory.quorum.fold import genesis
from coinswarm.memory.quorum.keys import Ed25519Scheme
from coinswarm.memory.quorum.roster import roster_from
from coinswarm.memory.quorum.verify import verify
from coinswarm.memory.store.opening import open_store, opened
from coinswarm.runtime.explain import Selector, explain
from coinswarm.runtime.runs import backtest, replay
from coinswarm.runtime.swarm import keyring
from coinswarm.runtime.swarm.founding import Founding, found
from coinswarm.runtime.trade import trade

if TYPE_CHECKING:
    from collections.abc import Callable

Profiles = Any
Fake = Any

VOTERS = ("v1", "v2", "v3", "v4")


@pytest.fixture
def swarm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """``[swarm]`` of a profile: four seats whose keys are here, on a file."""
    monkeypatch.setenv("COINSWARM_HOME", str(tmp_path / "home"))
    folder = tmp_path / "swarm"
    folder.mkdir()
    made = found(
        Founding(
            cluster="north", shard="main", voters=dict.fromkeys(VOTERS, ""), submitter=("desk", ""), faulty=None,
            database=str(folder / "swarm.db"), folder=folder,
        )
    )  # fmt: skip
    return {
        "cluster": "north",
        "roster": str(made.roster_file),
        "database": str(folder / "swarm.db"),
        "voters": [
            {"id": name, "voter": kind} for name, kind in zip(VOTERS, ("decimals", "integers") * 2, strict=True)
        ],
    }


def test_a_session_has_its_episodes_decided_and_is_the_backtest(
    swarm: dict[str, Any], profile: Profiles, fake: Fake, recalls: str, bars: Callable[..., Path], tmp_path: Path
) -> None:
    fake(recalls)
    recorded, pair = bars("r.csv", 200), {"symbol": "BTC/USD", "lot": "0.0001"}
    said: list[str] = []
    paper = trade(
        profile(mode="paper", instruments=[pair], memory={}, swarm=swarm),
        label="p", recordings={"BTC/USD": recorded}, runs=tmp_path / "runs", say=said.append,
    )  # fmt: skip
    recall = paper.result.recall
    assert recall is not None
    assert (recall.log, recall.refused, recall.fork[0]) == ("north/main", 0, 0)
    assert recall.episodes == recall.head[0] > 5
    with opened(swarm["database"]) as store:
        read = store.log.read(0, 0, 1_000)
        report = verify(genesis("north", "main", store.first), read.entries, read.head, Ed25519Scheme())
        assert (report.why, read.head.index, read.head.hash) == ("", *recall.head)
    alone = backtest(
        profile(instruments=[{**pair, "file": str(recorded)}], memory={}), label="p", runs=None
    )  # fmt: skip
    assert alone.result.order_hash == paper.result.order_hash
    assert alone.result.recall is not None
    assert (alone.result.recall.rows == recall.rows).all()
    assert "log of north/main from position 0" in memory_words(paper.summary["memory"])
    assert paper.path is not None
    assert check_run(paper.path)["memory"]["log"] == "north/main"
    assert replay(paper.path).same
    assert explain(paper.path, Selector(trade=len(paper.result.trade_rows) - 1))["explained"]


DIARY = """
seen = []
@hookimpl
def coinswarm_swarm_started(): seen.append("started")
@hookimpl
def coinswarm_proposal_decided(proposal, outcome, entry): seen.append((proposal.subject, outcome, entry))
@hookimpl
def coinswarm_swarm_stopping(): seen.append("stopping")
"""


def test_plugins_are_told_what_was_decided_for_a_session(
    swarm: dict[str, Any], profile: Profiles, fake: Fake, recalls: str, bars: Callable[..., Path]
) -> None:
    fake(recalls, hooks=DIARY)
    paper = profile(mode="paper", memory={}, swarm=swarm)
    trade(paper, label="p", recordings={"BTC/USD": bars("r.csv", 120)}, runs=None)
    first, *told, last = sys.modules["fake_fake.plugin"].seen
    assert (first, last) == ("started", "stopping")
    with opened(swarm["database"]) as store:
        entries = store.log.read(0, 0, 1_000).entries
    assert len(entries) > 3
    assert told == [(one.envelope.proposal.subject, "accept", one.index) for one in entries]


def test_a_swarm_without_a_memory_is_told_to_be_idle(
    swarm: dict[str, Any], profile: Profiles, fake: Fake, recalls: str, bars: Callable[..., Path]
) -> None:
    fake(recalls)
    run = trade(profile(mode="paper", swarm=swarm), label="p", recordings={"BTC/USD": bars("r.csv")}, runs=None)
    assert "the profile has a [swarm], but no [memory]: nothing is proposed to it" in run.summary["notes"]
    assert not Path(swarm["database"]).exists()


def test_a_second_session_begins_where_the_first_ended(
    swarm: dict[str, Any], profile: Profiles, fake: Fake, recalls: str, bars: Callable[..., Path], tmp_path: Path
) -> None:
    fake(recalls)
    recorded = bars("r.csv", 120)
    runs = [
        trade(
            profile(mode="paper", memory={}, swarm=swarm),
            label="p", recordings={"BTC/USD": recorded}, runs=tmp_path / "runs",
        )
        for _ in range(2)
    ]  # fmt: skip
    first, second = (run.result.recall for run in runs)
    assert first is not None
    assert second is not None
    assert second.fork == first.head
    assert runs[1].path is not None
    assert replay(runs[1].path).same


def test_a_seat_without_its_key_is_told(
    swarm: dict[str, Any], profile: Profiles, fake: Fake, recalls: str, bars: Callable[..., Path], tmp_path: Path
) -> None:
    fake(recalls)
    (tmp_path / "home" / "keys" / "v3").unlink(missing_ok=True)
    for key in (tmp_path / "home").rglob("v3*"):
        key.unlink()
    with pytest.raises(NotReadyError, match="v3"):
        trade(
            profile(mode="paper", memory={}, swarm=swarm),
            label="p", recordings={"BTC/USD": bars("r.csv")}, runs=None,
        )  # fmt: skip


@pytest.mark.parametrize("seat", ["v3", "desk"])
def test_a_key_that_the_roster_in_force_has_not_is_told_before_anything_begins(
    swarm: dict[str, Any], profile: Profiles, fake: Fake, recalls: str, bars: Callable[..., Path], seat: str
) -> None:
    """With the quorum inside; and joining one, whose bus need not even be there."""
    fake(recalls)
    folder = keyring.keys_folder()
    (folder / f"{seat}.key").unlink()
    keyring.create(folder, seat)
    roster = roster_from(Path(swarm["roster"]).read_text(encoding="utf-8").strip())
    open_store(swarm["database"], "north", "main", roster=roster).close()
    away = {"bus": {"name": "nats", "settings": {"url": "nats://127.0.0.1:9"}}}
    for drivers in ({}, away) if seat == "desk" else ({},):
        with pytest.raises(NotReadyError, match=rf"the key of {seat} is .* but the roster in force \(version 0\) has"):
            trade(
                profile(mode="paper", memory={}, swarm=swarm, drivers=drivers),
                label="p", recordings={"BTC/USD": bars("r.csv")}, runs=None,
            )  # fmt: skip


def test_a_roster_that_is_not_there_is_told(
    swarm: dict[str, Any], profile: Profiles, fake: Fake, recalls: str, bars: Callable[..., Path]
) -> None:
    fake(recalls)
    with pytest.raises(ProfileError, match="memory init"):
        trade(
            profile(mode="paper", memory={}, swarm={**swarm, "roster": "nowhere"}),
            label="p", recordings={"BTC/USD": bars("r.csv")}, runs=None,
        )  # fmt: skip


class Enough(Exception):  # noqa: N818 - who asked has heard it
    """It was said."""


def test_a_session_whose_bus_is_away_waits_and_says_so_and_not_for_ever(
    swarm: dict[str, Any], profile: Profiles, fake: Fake, recalls: str, bars: Callable[..., Path]
) -> None:
    fake(recalls)

    def session(patience: float) -> None:
        bus = {"name": "nats", "settings": {"url": f"nats://127.0.0.1:{held.getsockname()[1]}"}}
        paper = profile(
            mode="paper", memory={}, swarm={**swarm, "patience_seconds": patience}, drivers={"bus": bus}
        )  # fmt: skip
        trade(paper, label="p", recordings={"BTC/USD": bars("r.csv")}, runs=None, warn=enough)

    def enough(line: str) -> None:
        raise Enough(line)

    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        with pytest.raises(NotReadyError, match="holds no log of north/main: the first voter or coordinator"):
            session(600.0)
        roster = roster_from(Path(swarm["roster"]).read_text(encoding="utf-8").strip())
        open_store(swarm["database"], "north", "main", roster=roster).close()
        with pytest.raises(Enough, match="the bus does not answer"):
            session(0.0)
        with pytest.raises(UnreachableError, match="cannot be reached"):
            session(0.001)


def test_no_log_is_begun_in_place_of_one_that_was_seen(
    swarm: dict[str, Any], profile: Profiles, fake: Fake, recalls: str, bars: Callable[..., Path]
) -> None:
    """As where what it lies on is not mounted."""
    fake(recalls)
    given: dict[str, Any] = {"label": "p", "recordings": {"BTC/USD": bars("r.csv")}, "runs": None}
    trade(profile(mode="paper", memory={}, swarm=swarm), **given)
    path = Path(swarm["database"])
    away = path.rename(path.with_suffix(".away"))
    with pytest.raises(NotReadyError, match=r"there is no store .*swarm\.db, and its log had [1-9][0-9]* entries"):
        trade(profile(mode="paper", memory={}, swarm=swarm), **given)
    assert not path.exists()
    path.touch()  # as who copies it back begins
    with pytest.raises(NotReadyError, match=r"there is no store .*swarm\.db, and its log had [1-9][0-9]* entries"):
        trade(profile(mode="paper", memory={}, swarm=swarm), **given)
    away.rename(path)
    trade(profile(mode="paper", memory={}, swarm=swarm), **given)

"""Memory from a profile to a run on disk: kept, read back, replayed and explained, on whichever backend."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from coinswarm.backtest.explain_text import explain_text
from coinswarm.backtest.remembered import memory_words
from coinswarm.backtest.render import render
from coinswarm.backtest.rundir import RECALLS
from coinswarm.backtest.runread import check_run, read_run
from coinswarm.canonical import GENESIS
from coinswarm.config.profile import load_profile
from coinswarm.drivers.episodes import LocalMemory
from coinswarm.errors import DataError, NotReadyError, ProfileError, UnknownNameError
from coinswarm.memory.recall.record import RECALL_FIELDS, How
from coinswarm.runtime.assembly import assemble
from coinswarm.runtime.explain import Selector, explain
from coinswarm.runtime.runs import backtest, execute, replay, stored_summary
from coinswarm.runtime.trade import trade

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from coinswarm.domain.episode import Space

Profiles = Any
Fake = Any

SWINGS = """\
    def decide(self, state):
        return Action(Side.BUY if state.close > state.open else Side.FLAT, 0.5, 0.5, 5.0, 3.0)

    def embed(self, state):
        import numpy as np
        return np.array([state.close - state.open, 3.0], np.float32)
"""
"""In and out with the swings of ``bars``; surer where it went well."""


TRUSTS = """
    def reconsider(self, action, recalled):
        return action._replace(confidence=action.confidence * (0.8 + 0.02 * len(recalled)))
"""


@pytest.fixture
def swings(fake: Fake) -> None:
    fake(SWINGS)


def moved(result: Any) -> int:  # noqa: ANN401
    """Recalls that changed a confidence."""
    return int(np.count_nonzero(result.recall.rows[:, RECALL_FIELDS.index("multiplier_bp")] != 10_000))


def test_a_paper_replay_recalls_as_its_backtest_does(
    profile: Profiles, fake: Fake, bars: Callable[..., Path], tmp_path: Path
) -> None:
    fake(SWINGS + TRUSTS)
    recorded = bars("r.csv", 400)
    pair = {"symbol": "BTC/USD", "lot": "0.0001"}
    listed = [{**pair, "file": str(recorded)}]
    run = backtest(profile(instruments=listed, memory={}), label="p", runs=None)
    replayed = profile(mode="paper", instruments=[pair], memory={})
    paper = trade(replayed, label="p", recordings={"BTC/USD": recorded}, runs=tmp_path)
    assert run.result.recall is not None
    assert moved(run.result) > 5
    assert paper.result.order_hash == run.result.order_hash
    assert paper.result.recall is not None
    assert paper.result.recall.head == run.result.recall.head
    assert paper.summary["memory"] == run.summary["memory"]
    without = backtest(profile(instruments=listed), label="p", runs=None)
    assert without.result.order_hash != run.result.order_hash
    assert (without.result.recall, "memory" in without.summary) == (None, False)
    assert without.summary["notes"][-1] == "fake would recall, but the profile has no [memory]: it decides without"


@pytest.mark.usefixtures("swings")
def test_a_run_with_memory_is_kept_read_back_and_had_again(
    profile: Profiles, bars: Callable[..., Path], tmp_path: Path
) -> None:
    listed = [{"symbol": "BTC/USD", "file": str(bars("r.csv", 400))}]
    run = backtest(profile(instruments=listed, memory={"neighbours": 9}), label="p", runs=tmp_path)
    path, recall = run.path, run.result.recall
    assert path is not None
    assert recall is not None
    record = check_run(path)
    assert record["memory"] == {
        "fork": {"index": 0, "digest": GENESIS},
        "head": {"index": recall.episodes, "digest": recall.head[1]},
        "log": "",
        "episodes": recall.episodes,
        "refused": 0,
        "recalls": len(recall.rows),
        "abstained": recall.abstained,
    }
    assert record["profile"]["memory"]["neighbours"] == 9
    assert record["engine"] == "steps", "it goes bar by bar, whatever was asked for"
    stored = read_run(path).result.recall
    assert stored is not None
    assert (stored.fork, stored.head, stored.episodes) == (recall.fork, recall.head, recall.episodes)
    for table in ("rows", "neighbours", "ids"):
        assert np.array_equal(getattr(stored, table), getattr(recall, table))
    assert replay(path).same
    assert replay(path, "steps").same
    words = memory_words(stored_summary(path)["memory"])
    assert words.startswith(f"fake recalled {len(recall.rows)} times from local ({recall.abstained} abstained)")
    assert "Memory       fake recalled" in render(stored_summary(path))
    assert words.replace("&", "&amp;") in (path / "report.html").read_text(encoding="utf-8")
    (path / RECALLS).write_bytes((path / RECALLS).read_bytes()[:-1] + b"x")
    with pytest.raises(DataError, match=r"recalls\.npz was altered"):
        read_run(path)


@pytest.mark.usefixtures("swings")
def test_a_decision_is_explained_without_any_index(
    profile: Profiles, bars: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    listed = [{"symbol": "BTC/USD", "file": str(bars("r.csv", 400))}]
    run = backtest(profile(instruments=listed, memory={}), label="p", runs=tmp_path, report=False)
    assert run.path is not None
    assert run.result.recall is not None

    async def gone(*_: object) -> None:
        raise AssertionError

    monkeypatch.setattr(LocalMemory, "recall", gone)
    last = len(run.result.decisions) - 1
    seen = set()
    for number in (0, last // 2, last):
        told = explain(run.path, Selector(decision=number))["explained"][0]
        memory, said = told["agents"][0]["memory"], told["agents"][0]
        if memory is None:
            assert said["stance"]["direction"] == 0
            continue
        seen.add(memory["how"])
        stands = round(said["confidence_bp"] * memory["multiplier_bp"] / 10_000)
        assert said["stance"]["confidence_bp"] == stands == told["intent"]["exposure_bp"]
        text = explain_text(told)
        assert f"memory: confidence x {memory['multiplier_bp'] / 10_000:g} since" in text
        for one in memory["neighbours"]:
            assert one["episode"][:8] in text
            assert one["known"] < memory["since"]
            assert one["age_ns"] > 0
    assert How.NOTHING_KNOWN.name in seen
    assert "nothing to recall" not in seen
    moving = run.result.recall.rows[:, RECALL_FIELDS.index("multiplier_bp")] != 10_000
    at = int(run.result.recall.rows[moving][-1, 0])
    told = explain(run.path, Selector(at_ns=at))["explained"][0]
    memory = told["agents"][0]["memory"]
    assert memory["how"] == "ESTIMATE"
    assert len(memory["neighbours"]) >= 5
    assert json.loads(json.dumps(told)) == told


@pytest.mark.usefixtures("swings")
def test_nothing_of_a_run_stays_in_its_backend(
    profile: Profiles, bars: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cleared: list[Space] = []
    clear = LocalMemory.clear

    async def watched(self: LocalMemory, space: Space) -> None:
        assert (await self.info(space)).entries > 0
        cleared.append(space)
        await clear(self, space)
        assert (await self.info(space)).entries == 0

    monkeypatch.setattr(LocalMemory, "clear", watched)
    listed = [{"symbol": "BTC/USD", "file": str(bars("r.csv"))}]
    kept = {"backend": "local", "settings": {"path": str(tmp_path / "memory.sqlite")}}
    ready = assemble(profile(instruments=listed, memory=kept), label="p")
    first, second = execute(ready, "columns"), execute(ready, "steps")
    assert first.order_hash == second.order_hash
    assert [space.name for space in cleared] == ["fake/state.1"] * 2
    assert cleared[0].swarm != cleared[1].swarm


def test_an_index_lies_beside_its_profile_and_is_found_by_a_replay_from_anywhere(
    fake: Fake, recalls: str, bars: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake(recalls)
    for name in ("sub", "other"):
        (tmp_path / name).mkdir()
    bars("sub/bars.csv")
    (tmp_path / "sub" / "p.toml").write_text("""
        mode = "backtest"
        plugins = ["fake"]
        instruments = [{symbol = "BTC/USD", file = "bars.csv"}]
        agents = [{name = "fake", weight_bp = 10_000}]
        memory = {settings = {path = "index/here.sqlite"}}
    """)
    (tmp_path / "sub" / "index").mkdir()
    monkeypatch.chdir(tmp_path)
    run = backtest(load_profile("sub/p.toml"), label="sub/p.toml", runs=tmp_path / "runs")
    assert (tmp_path / "sub" / "index" / "here.sqlite").is_file()
    assert run.path is not None
    monkeypatch.chdir(tmp_path / "other")
    assert replay(run.path).same
    assert [*(tmp_path / "other").iterdir()] == []


def test_a_backend_that_fails_ends_the_run_in_one_line(
    profile: Profiles, fake: Fake, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake(SWINGS)

    async def down(*_: object) -> None:
        message = "memory is down"
        raise DataError(message)

    monkeypatch.setattr(LocalMemory, "recall", down)
    with pytest.raises(DataError, match="memory is down"):
        backtest(profile(memory={}), label="p", runs=None)


def test_an_agent_that_needs_memory_is_seated_where_there_is_one(profile: Profiles, fake: Fake) -> None:
    fake(SWINGS, declared='needs=frozenset({"memory"})')
    ready = assemble(profile(memory={}), label="p")
    assert ready.plan.seats[0].space == "fake/state.1"
    assert not ready.plan.seats[0].reconsiders
    assert ready.plan.recall is not None
    assert ready.plan.recall.embargo_ns == ready.plan.bar_ns


def test_a_memory_that_nobody_uses_is_said(profile: Profiles, fake: Fake) -> None:
    fake()
    run = backtest(profile(memory={}), label="p", runs=None)
    assert "the profile has a [memory], but no agent recalls anything with its settings" in run.summary["notes"]
    assert memory_words(run.summary["memory"]) == "local, and nobody recalled"


@pytest.mark.parametrize(
    ("memory", "kind", "said"),
    [
        ({"backend": "lokal"}, UnknownNameError, "did you mean 'local'?"),
        ({"settings": {"pfad": "x"}}, ProfileError, "memory.settings"),
        ({"settings": {"path": {"env": "COINSWARM_TEST_SECRET"}}}, NotReadyError, "export COINSWARM_TEST_SECRET"),
    ],
)
def test_a_backend_that_is_not_there_or_set_wrongly(
    profile: Profiles, fake: Fake, memory: dict[str, Any], kind: type[Exception], said: str
) -> None:
    fake(SWINGS)
    with pytest.raises(kind) as caught:
        backtest(profile(memory=memory), label="p", runs=None)
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("memory", "said"),
    [
        ({"neighbors": 3}, "did you mean 'neighbours'?"),
        ({"embargo_bars": 0}, "memory.embargo_bars"),
        ({"least_sample": 4}, "memory.least_sample"),
        ({"bandwidth": 0}, "memory.bandwidth"),
        ({"neighbours": 4}, "memory.neighbours"),
    ],
)
def test_a_section_that_is_wrong_is_named(profile: Profiles, memory: dict[str, Any], said: str) -> None:
    with pytest.raises(ProfileError) as caught:
        profile(memory=memory)
    assert said in str(caught.value)

"""Selectors: which moment they mean, the nearest where they mean none, and runs that are not the same any more."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from coinswarm.backtest.explain_text import explain_text
from coinswarm.backtest.runread import read_run
from coinswarm.clock import HOUR_NS, iso
from coinswarm.config.profile import load_profile
from coinswarm.errors import DataError, NotReadyError, UnknownNameError
from coinswarm.runtime import explain as module
from coinswarm.runtime.assembly import assemble
from coinswarm.runtime.explain import Selector, explain
from coinswarm.runtime.runs import backtest, restore
from coinswarm.runtime.trade import trade

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from coinswarm.backtest.runread import StoredRun
    from coinswarm.config.profile import Profile
    from coinswarm.runtime.runs import Engine

integration = pytest.mark.integration


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo's last months."""
    profile = load_profile("demo", ['start="2018-07-01T00:00:00Z"'])
    path = backtest(profile, label="demo", runs=tmp_path_factory.mktemp("runs"), report=False).path
    assert path is not None
    return path


@pytest.fixture(scope="module")
def stored(run: Path) -> StoredRun:
    return read_run(run)


def only(path: Path, **selector: Any) -> dict[str, Any]:  # noqa: ANN401 - a selector's fields
    told = explain(path, Selector(**selector))
    assert len(told["explained"]) == 1
    explained: dict[str, Any] = told["explained"][0]
    return explained


@integration
def test_without_a_selector_the_last_decision(run: Path, stored: StoredRun) -> None:
    last = len(stored.result.decisions) - 1
    told = explain(run, Selector())
    assert told["order_hash"] == stored.result.order_hash
    assert told["asked"] == f"decision {last} of {last + 1}, the last"
    assert told["explained"] == [only(run, decision=last)]
    assert told["explained"][0]["decision"] == last


@integration
def test_an_order_leads_to_its_decision(run: Path, stored: StoredRun) -> None:
    orders = stored.result.orders
    entry = int(np.flatnonzero((orders[:, 1] < 0) & (orders[:, 10] == 0) & (orders[:, 12] == 1))[0])
    guard = int(np.flatnonzero(orders[:, 1] == entry)[0])
    told = only(run, order=entry)
    assert told["known_ns"] == orders[entry, 3]
    assert entry in [order["order"] for order in told["orders"]]
    assert only(run, order=guard) == told
    assert f"it guards order {entry}" in explain(run, Selector(order=guard))["asked"]
    leaving = int(np.flatnonzero(orders[:, 10] == 1)[0])
    assert leaving in [order["order"] for order in only(run, order=leaving)["orders"]]


@integration
def test_a_trade_leads_to_the_decision_that_opened_it(run: Path, stored: StoredRun) -> None:
    for number in (0, len(stored.result.trade_rows) - 1):
        told = only(run, trade=number)
        assert told["trade"]["trade"] == number
        assert told["desk"] in {"enters", "turns"}


@integration
def test_a_time_means_every_bar_known_then(run: Path, stored: StoredRun) -> None:
    known = int(stored.result.times_ns[-5]) + HOUR_NS
    told = explain(run, Selector(at_ns=known))
    assert [one["instrument"] for one in told["explained"]] == ["BTC/USD", "ETH/USD"]
    assert {one["known_ns"] for one in told["explained"]} == {known}
    assert only(run, at_ns=known, symbol="ETH/USD") == told["explained"][1]
    early = only(run, at_ns=int(stored.result.times_ns[9]) + HOUR_NS, symbol="BTC/USD")
    assert early["desk"] == "before the start"
    assert {agent["abstains"] for agent in early["agents"]} == {"warming up: bar 10 of 280"}


@integration
@pytest.mark.parametrize(
    ("selector", "says"),
    [
        ({"order": 10**6}, r"has no order 1000000: they go from 0 to (\d+); the nearest is \1"),
        ({"trade": -1}, r"has no trade -1: they go from 0 to \d+; the nearest is 0"),
        ({"decision": 10**6}, r"has no decision 1000000: they go from 0 to (\d+); the nearest is \1"),
        ({"at_ns": 1_530_403_200 * 10**9 + 1_800 * 10**9}, r"the nearest are 2018-07-01T00:00:00Z and 2018-07-01T01:0"),
        ({"at_ns": 0}, r"no bar of BTC/USD or ETH/USD was known at 1970.*: the nearest is 2017-01-01T01:00:00Z"),
        ({"at_ns": 4 * 10**18}, r"the nearest is 2019-01-01T00:00:00Z"),
        ({"at_ns": 0, "symbol": "BTC/EUR"}, r"does not trade 'BTC/EUR': did you mean 'BTC/USD'\?"),
    ],
)
def test_a_near_miss_names_the_nearest(run: Path, selector: dict[str, Any], says: str) -> None:
    with pytest.raises(UnknownNameError, match=says):
        explain(run, Selector(**selector))


@pytest.mark.parametrize("engine", ["columns", "steps"])
def test_runs_of_both_engines(profile: Callable[..., Profile], fake: Any, tmp_path: Path, engine: Engine) -> None:  # noqa: ANN401 - conftest's
    fake()
    finished = backtest(profile(), label="p", runs=tmp_path / "runs", engine=engine, report=False)
    assert finished.path is not None
    told = only(finished.path, order=0)
    assert told["agents"][0]["says"] == "BUY"
    assert told["sizing"]["method"] == "calibrated"
    assert told["gate"]["verdict"] == "APPROVED"


def test_a_paper_run(profile: Callable[..., Profile], fake: Any, bars: Callable[..., Path], tmp_path: Path) -> None:  # noqa: ANN401
    fake()
    files = {"BTC/USD": bars("recorded.csv")}
    finished = trade(profile(mode="paper"), label="p", recordings=files, runs=tmp_path / "runs")
    assert finished.path is not None
    assert only(finished.path)["decision"] == len(finished.result.decisions) - 1


def test_an_agent_that_raises_is_quoted(profile: Callable[..., Profile], fake: Any, tmp_path: Path) -> None:  # noqa: ANN401
    fake(
        "    def decide(self, state):\n"
        "        if state.index == 50:\n"
        "            raise ValueError('no\\nidea')\n"
        "        return Action(Side.BUY if state.index < 60 else Side.FLAT, 1.0, 0.5, 5.0, 10.0)\n",
    )
    finished = backtest(profile(), label="p", runs=tmp_path / "runs", report=False)
    assert finished.path is not None
    told = only(finished.path, at_ns=int(finished.result.times_ns[50]) + HOUR_NS)
    agent = told["agents"][0]
    assert (agent["says"], agent["counts"], agent["abstains"]) == ("ABSTAIN", False, "it raised ValueError: no idea")
    assert (agent["stance"]["direction"], told["intent"]["rule"]) == (1, "no quorum: stands")
    assert "its last target, long with 100 %" in " ".join(explain_text(told).split())


def test_a_run_without_decisions(profile: Callable[..., Profile], fake: Any, tmp_path: Path) -> None:  # noqa: ANN401
    fake("    def decide(self, state):\n        return Action(Side.ABSTAIN)\n")
    path = backtest(profile(), label="p", runs=tmp_path / "runs", report=False).path
    assert path is not None
    with pytest.raises(NotReadyError, match=r"nothing was decided in run .*: ask for a time with --at"):
        explain(path, Selector())
    with pytest.raises(UnknownNameError, match="has no trade 0: it has no trades at all"):
        explain(path, Selector(trade=0))
    told = only(path, at_ns=1_514_764_800 * 10**9 + HOUR_NS)
    assert (told["agents"][0]["abstains"], told["desk"]) == ("its own choice", "stays flat")
    assert told["time"] == iso(1_514_764_800 * 10**9 + HOUR_NS)


@integration
def test_another_outcome_is_not_explained(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Same profile and data, but the code has changed: what it does now says nothing of what it did then."""

    def changed(path: Path) -> Any:  # noqa: ANN401 - as restore
        found, ready = restore(path)
        other = load_profile("demo", ['start="2018-07-01T00:00:00Z"', "costs.taker_bps=11"])
        assert ready.profile != other
        return found, assemble(other, label="other")

    monkeypatch.setattr(module, "restore", changed)
    with pytest.raises(DataError, match=r"executes to the order hash .* not to its own .*: install what it was made "):
        explain(run, Selector())


@integration
def test_what_is_told_is_json(run: Path) -> None:
    told = explain(run, Selector())
    assert json.loads(json.dumps(told, allow_nan=False)) == told

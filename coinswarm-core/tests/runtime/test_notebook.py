"""Coinswarm in a notebook: ten lines, the command line's order hash, DataFrames that hold the run's numbers."""

from __future__ import annotations

import inspect
import json
import subprocess
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

import coinswarm
from coinswarm import backtest, load_market
from coinswarm.backtest.runread import read_run
from coinswarm.cli import main
from coinswarm.contracts import SignalAgent
from coinswarm.domain.action import FLAT, HOLD, Action, Side
from coinswarm.errors import CoinswarmError, ContractError, DataError, NotReadyError, OutputError, ProfileError
from coinswarm.runtime.notebook import Market, Result
from coinswarm.runtime.runs import replay

if TYPE_CHECKING:
    from pathlib import Path

    from coinswarm.domain.market import MarketState

TABLES = ("orders", "fills", "trades", "decisions")


class FastBreakout(SignalAgent):
    """Buys a new high, leaves at a new low."""

    def __init__(self, length: int = 40) -> None:
        self.length = length
        self.seen = 0

    def decide(self, state: MarketState) -> Action:
        self.seen += 1
        if self.seen <= self.length:
            return FLAT
        bars = state.bars
        if state.close > bars.high[-self.length : -1].max():
            return Action(Side.BUY, 0.8, stop_distance=0.05 * state.close, take_distance=0.1 * state.close)
        return FLAT if state.close < bars.low[-self.length // 2 : -1].min() else HOLD


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home of its own for the trials, and a working directory."""
    monkeypatch.setenv("COINSWARM_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    return tmp_path / "home"


@pytest.fixture(scope="module")
def market() -> Market:
    return load_market("BTC/USD", tick="0.01", lot="0.0001", min_notional=10)


@pytest.fixture(scope="module")
def result(market: Market) -> Result:
    made = backtest(agents=FastBreakout, market=market, cash=10_000, costs={"taker_bps": 10}, trial=False)
    assert isinstance(made, Result)
    return made


def test_the_package_is_the_function_whatever_was_imported_before() -> None:
    for before in ("", "import coinswarm.backtest.rundir; ", "import coinswarm; "):
        code = f"{before}from coinswarm import backtest; print(callable(backtest), coinswarm_backtest(backtest))"
        code = f"def coinswarm_backtest(x): import coinswarm; return coinswarm.backtest is x\n{code}"
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        assert done.stdout.split() == ["True", "True"]
    assert "agents" in inspect.signature(backtest).parameters
    assert {"backtest", "load_market"} <= {*coinswarm.PUBLIC, "backtest"}
    with pytest.raises(AttributeError, match="no attribute 'bactest'"):
        _ = coinswarm.bactest


def test_the_command_line_never_loads_pandas(tmp_path: Path) -> None:
    probe = (
        "import sys; from coinswarm.cli import main\n"
        "for args in (['demo', '--json'], ['runs', 'list'], ['runs', 'show'], ['runs', 'compare', 'latest'],"
        " ['runs', 'export', 'trades']):\n"
        "    assert main(args) == 0, args\n"
        "print('pandas' in sys.modules, file=sys.stderr)\n"
    )
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True, cwd=tmp_path)
    assert done.stderr.splitlines()[-1] == "False"


def test_a_profile_gives_the_command_lines_order_hash(capsys: pytest.CaptureFixture[str]) -> None:
    late = "start=2018-09-01T00:00:00Z"
    assert main(["demo", "--json", "--no-report", "--set", late]) == 0
    told = json.loads(capsys.readouterr().out)
    mine = backtest("demo", start=datetime(2018, 9, 1, tzinfo=UTC))
    assert mine.order_hash == told["order_hash"]
    assert mine.to_dict()["measures"] == told["measures"]


def test_an_agent_in_a_notebook_trades(result: Result) -> None:
    assert len(result.trades) > 20
    assert len(result.order_hash) == 64
    assert "fast-breakout" in repr(result.to_dict()["agents"])
    assert any("fast-breakout is not from a plugin" in note for note in result.to_dict()["notes"])
    assert result.path is None


def test_frames_hold_the_runs_numbers(result: Result) -> None:
    stored = result._finished.result
    tick, lot = (float(x) for x in (stored.instruments[0].tick, stored.instruments[0].lot))
    assert np.allclose(result.fills["price"], stored.fills[:, 3] * tick, rtol=1e-15, atol=0)
    assert np.allclose(result.fills["quantity"], stored.fills[:, 2] * lot, rtol=1e-15, atol=0)
    assert result.fills["price"].iloc[0] == round(result.fills["price"].iloc[0], 2), "the nearest float, no noise"
    assert (result.trades["pnl"] == stored.trade_rows[:, 5] / 1e8).all()
    assert (result.equity["equity"] == stored.equity / 1e8).all()
    assert result.equity.index[0] == pd.Timestamp("2017-01-01T01:00:00Z"), "a mark is made when its bar closes"
    assert result.equity["drawdown"].max() == pytest.approx(result.summary.loc["max_drawdown", "value"])
    assert np.prod(1 + result.daily["return"].to_numpy()) - 1 == pytest.approx(
        result.summary.loc["total_return", "value"]
    )
    assert result.orders["limit"].isna().sum() == (stored.orders[:, 7] == 0).sum()
    for name in TABLES:
        frame = getattr(result, name)
        assert len(frame) == len({"trades": stored.trade_rows}.get(name, getattr(stored, name, None)))  # type: ignore[arg-type]
        times = [column for column in frame if isinstance(frame[column].dtype, pd.DatetimeTZDtype)]
        assert times, name
        assert all(str(frame[column].dt.tz) == "UTC" for column in times)


def test_actions_are_what_the_agent_said(result: Result, market: Market) -> None:
    actions = result.actions
    assert len(actions) == len(market)
    assert set(actions["action"]) == {"FLAT", "HOLD", "BUY"}
    assert set(actions["target"]) == {0.0, 0.8}
    bought = actions[actions["action"] == "BUY"].iloc[0]
    close = market.frame["close"].loc[bought["time"] - pd.Timedelta(hours=1)]
    assert bought["stop_distance"] == pytest.approx(0.05 * close, abs=0.01)


def test_names_instances_functions_and_mappings_can_be_seated(market: Market) -> None:
    def never(state: MarketState) -> Action:  # noqa: ARG001 - it does not look
        return FLAT

    one = backtest(agents=[FastBreakout(30), FastBreakout, never, "trend"], market=market, trial=False)
    assert [a["name"] for a in one.to_dict()["agents"]] == ["fast-breakout", "fast-breakout-2", "never", "trend"]
    assert sum(a["weight_bp"] for a in one.to_dict()["agents"]) == 10_000
    named = backtest(
        agents={"mine": FastBreakout(30)}, market=[market, "ETH/USD"], trial=False, start="2018-06-01T00:00Z"
    )
    assert named.to_dict()["agents"] == [{"name": "mine", "weight_bp": 10_000}]
    assert set(named.actions["instrument"]) == {"BTC/USD", "ETH/USD"}
    assert list(market.frame.columns) == ["open", "high", "low", "close", "volume"]


def test_an_instance_is_fresh_in_every_run_and_for_every_instrument(market: Market, result: Result) -> None:
    agent = FastBreakout()
    again = [
        backtest(agents=agent, market=market, cash=10_000, costs={"taker_bps": 10}, trial=False).order_hash
        for _ in "ab"
    ]
    assert again == [again[0]] * 2
    assert agent.seen == 0
    assert again[0] == result.order_hash
    steps = backtest(agents=agent, market=market, cash=10_000, costs={"taker_bps": 10}, trial=False, engine="steps")
    assert steps.order_hash == result.order_hash


def test_a_kept_run_says_that_its_agent_is_not_from_a_plugin(market: Market, tmp_path: Path) -> None:
    made = backtest(
        agents=FastBreakout,
        market=market,
        start="2018-06-01T00:00Z",
        runs=tmp_path / "runs",
        risk={"daily_loss_bp": 300},
    )
    assert made.path is not None
    record = read_run(made.path).record
    assert record["not_from_plugins"] == ["fast-breakout"]
    assert record["profile"]["risk"]["daily_loss_bp"] == 300
    assert record["label"] == "notebook"
    assert made.report() == made.path / "report.html"
    assert "not from a plugin" in made.report().read_text(encoding="utf-8")
    with pytest.raises(NotReadyError, match=r"fast-breakout, which come from no plugin: run the notebook"):
        replay(made.path)
    assert main(["runs", "show", "--runs", str(tmp_path / "runs")]) == 0


def test_a_run_counts_as_a_trial_unless_it_should_not(market: Market, home: Path) -> None:
    backtest(agents=FastBreakout, market=market, start="2018-11-01T00:00Z", trial=False)
    assert not (home / "trials").exists()
    backtest(agents=FastBreakout, market=market, start="2018-11-01T00:00Z")
    assert len(list((home / "trials").glob("*.json"))) == 1


def test_it_shows_itself(result: Result, market: Market, tmp_path: Path) -> None:
    html = result._repr_html_()
    assert "<svg" in html
    assert "<script" not in html
    sharpe = next(m["value"] for m in result.to_dict()["measures"] if m["name"] == "sharpe")
    assert f"{sharpe:.2f}" in html
    assert repr(result).startswith("<Result: return ")
    assert result.order_hash in str(result)
    assert repr(market).startswith("BTC/USD: 17,520 bars of 1h, 2017-01-01 to 2018-12-31, tick 0.01")
    assert "<svg" in market._repr_html_()
    curves = result.equity[["equity", "buy_and_hold"]]
    assert f"{curves.min().min():,.2f} to {curves.max().max():,.2f} USD" in html, "of every bar, not of those drawn"
    written = result.report()
    assert written.name == f"report-{result.order_hash[:8]}.html"
    assert written.read_text(encoding="utf-8") == result.html()
    with pytest.raises(OutputError, match="cannot be written"):
        result.report(tmp_path / "no" / "such" / "folder.html")


class Unfinished(SignalAgent):
    """Has no ``decide``."""


class Costly(SignalAgent):
    """Cannot be made without an argument."""

    def __init__(self, needed: int) -> None:
        self.needed = needed

    def decide(self, state: MarketState) -> Action:  # noqa: ARG002 - it does not look
        return FLAT


@pytest.mark.parametrize(
    ("given", "error", "said"),
    [
        ({"agents": FastBreakout}, ProfileError, r"given no instruments: pass market="),
        ({"market": "BTC/USD"}, ProfileError, r"given no agents: pass agents="),
        ({"market": "BTC/USD", "agents": []}, ProfileError, r"agents is empty"),
        ({"market": "BTC/USD", "agents": Unfinished}, ContractError, r"Unfinished does not implement decide: write it"),
        ({"market": "BTC/USD", "agents": int}, ContractError, r"int is no agent: derive it"),
        ({"market": "BTC/USD", "agents": [7]}, ContractError, r"7 is no agent"),
        ({"market": "BTC/USD", "agents": Costly}, ContractError, r"'costly' cannot be made .*needed"),
        ({"market": "BTC/USD", "agents": FastBreakout, "csts": {}}, ProfileError, r"unknown key 'csts'.*costs"),
        ({"market": "BTC/USD", "agents": FastBreakout, "costs": {"taker": 1}}, ProfileError, r"costs.taker"),
        ({"market": "BTC/USD", "agents": "trnd"}, CoinswarmError, r"'trnd'"),
        ({"market": "btc.csv", "agents": FastBreakout}, DataError, r"no file 'btc.csv'"),
        ({"profile": "dmo"}, ProfileError, r"'dmo' is neither a file nor a template: did you mean 'demo'"),
        ({"profile": "live"}, CoinswarmError, r"live"),
        ({"profile": 7}, DataError, r"a profile cannot be of type int: name a TOML file"),
        ({"profile": {"costs": None}, "market": "BTC/USD", "agents": FastBreakout}, ProfileError, r"costs = None"),
        (
            {"profile": {"plugins": "x"}, "market": "BTC/USD", "agents": "trend"},
            ProfileError,
            r"plugins = 'x': must",
        ),
        ({"market": pd.DataFrame({"open": [1.0]}), "agents": FastBreakout}, DataError, r"of type DataFrame: .*to_csv"),
        ({"market": {"BTC/USD": "x.csv"}, "agents": FastBreakout}, DataError, r"a market cannot be of type dict"),
        ({"market": [None], "agents": FastBreakout}, DataError, r"a market cannot be None"),
        ({"market": "BTC/USD", "agents": FastBreakout, "engine": "colums"}, DataError, r"'colums' .* mean 'columns'"),
    ],
)
def test_mistakes_are_one_line(given: dict[str, Any], error: type[CoinswarmError], said: str) -> None:
    with pytest.raises(error, match=said) as raised:
        backtest(**given)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"tick": "a"}, r"tick 'a' is not a finite number: write for example tick=\"0.01\""),
        ({"tick": float("nan")}, r"tick nan is not a finite number"),
        ({"lot": float("inf")}, r"lot inf is not a finite number"),
        ({"min_notional": "x"}, r"min_notional 'x' is not a finite number"),
        ({"bar": 3600}, r"bar cannot be of type int: write bar=\"1h\""),
        ({"symbol": 5}, r"symbol cannot be of type int"),
        ({"stamp": "Close"}, r"stamp 'Close' is not one of open, close: did you mean 'close'"),
        ({"volume": "Quote"}, r"volume 'Quote' is not one of base, quote: did you mean 'quote'"),
        ({"shortable": "no"}, r"shortable cannot be of type str: give True or False"),
    ],
)
def test_what_is_said_wrongly_of_a_market_is_one_line(given: dict[str, Any], said: str) -> None:
    with pytest.raises(DataError, match=said):
        load_market("BTC/USD", **given)


def test_numbers_of_numpy_are_numbers(market: Market, result: Result) -> None:
    again = backtest(
        {"costs": None},
        agents=FastBreakout,
        instruments=[market.section],
        cash=np.int64(10_000),
        costs={"taker_bps": np.float32(10)},
        seed=np.int64(0),
        trial=False,
    )
    assert again.order_hash == result.order_hash


def test_one_declared_agent_may_sit_twice() -> None:
    made = backtest(agents=("trend", "trend"), market="BTC/USD", trial=False)
    assert [agent["name"] for agent in made.to_dict()["agents"]] == ["trend", "trend-2"]


def test_what_would_certify_an_agent_is_a_command_that_works() -> None:
    seat = {"name": "trend", "weight_bp": 10_000, "settings": {"fast": 7, "memory": True}}
    made = backtest({"plugins": ["trend"], "agents": [seat]}, market="BTC/USD", trial=False)
    command = "coinswarm plugins check trend --set fast=7 --set memory=true"
    assert f"trend is not certified: it has no certificate: {command}" in made.to_dict()["notes"]


def test_frames_without_rows_have_the_types_of_those_with_some(market: Market, result: Result) -> None:
    idle = backtest(agents=lambda _state: HOLD, market=market, start="2018-12-01T00:00Z", trial=False)
    for name in (*TABLES, "equity", "daily", "summary", "actions"):
        assert getattr(idle, name).dtypes.to_dict() == getattr(result, name).dtypes.to_dict(), name
    assert idle.trades.empty


def test_what_is_done_to_a_frame_changes_no_later_answer(result: Result) -> None:
    names = (*TABLES, "summary", "equity", "daily", "actions")
    before = {name: getattr(result, name).copy() for name in names}
    for name in names:
        frame = getattr(result, name)
        frame.iloc[:, 0] = frame.iloc[0, 0]
        frame["mine"] = 1
        pd.testing.assert_frame_equal(getattr(result, name), before[name])

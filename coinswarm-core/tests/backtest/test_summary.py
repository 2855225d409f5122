"""The summary: right numbers in the dictionary, honest words, and text that fits a terminal."""

from __future__ import annotations

import json
from dataclasses import replace
from decimal import Decimal
from typing import Any

import numpy as np
import pytest

from coinswarm.backtest.buyhold import BuyAndHold
from coinswarm.backtest.render import render
from coinswarm.backtest.summary import summary_dict
from coinswarm.backtest.words import END_WORDS, REFUSAL_WORDS
from coinswarm.clock import DAY_NS, HOUR_NS
from coinswarm.domain.instrument import MONEY, Instrument
from coinswarm.domain.order import EndReason, Refusal
from coinswarm.engine.result import RunResult

BTC = Instrument("BTC/USD", Decimal("0.1"), Decimal("0.001"))
ETH = Instrument("ETH/USD", Decimal("0.01"), Decimal("0.01"), Decimal(10), shortable=True)
START = 17_167 * DAY_NS  # 2017-01-01
CASH = 10_000 * MONEY


def result(days: int = 200, trades: int = 40, **change: Any) -> RunResult:  # noqa: ANN401 - fields of any type
    """A run of ``days`` daily bars with an order a day, of which one ETH buy of 20 x 50.00 fills on day 1."""
    rng = np.random.Generator(np.random.PCG64(5))
    orders = np.zeros((3, 13), np.int64)
    orders[:, 0] = [0, 1, 2]
    orders[:, 2] = [1, 0, 1]
    orders[:, 12] = [EndReason.FILLED, EndReason.WITHDRAWN, EndReason.WITHDRAWN]
    rows = np.zeros((trades, 10), np.int64)
    rows[:, 1], rows[:, 5] = 1, rng.integers(-50 * MONEY, 60 * MONEY, trades)
    decisions = np.zeros((4, 10), np.int64)
    decisions[:, 7] = [0, Refusal.NO_STOP, Refusal.NO_STOP, Refusal.NO_SIZE]
    equity = np.rint(CASH * np.cumprod(1 + rng.normal(0.002, 0.02, days))).astype(np.int64)
    made = RunResult(
        instruments=(BTC, ETH),
        anchor_ns=START,
        bar_ns=DAY_NS,
        cash=CASH,
        orders=orders,
        fills=np.array([[0, START + DAY_NS, 2_000, 5_000, MONEY]]),
        reference=np.array([4_990]),
        times_ns=START + np.arange(days) * DAY_NS,
        equity=equity,
        exposure_units=equity // 2,
        decisions=decisions,
        trade_rows=rows,
        costs={"fees": MONEY, "adverse": 2 * MONEY, "funding": 0},
    )
    return replace(made, **change)


def held(run: RunResult) -> BuyAndHold:
    """A benchmark that doubled at once."""
    rng = np.random.Generator(np.random.PCG64(6))
    equity = np.rint(2 * CASH * np.cumprod(1 + rng.normal(0, 0.01, len(run.times_ns)))).astype(np.int64)
    return BuyAndHold(equity, equity, np.array([[1, START, 1_000, 5_000, 4_990, MONEY]]), 0)


def summary(run: RunResult, **given: Any) -> dict[str, Any]:  # noqa: ANN401 - parameters of any type
    return summary_dict(run, agents=[("trend", 6_000), ("meanrev", 4_000)], **{"resamples": 100, **given})


def measure(found: dict[str, Any], name: str) -> dict[str, Any]:
    return next(m for m in found["measures"] if m["name"] == name)


def test_every_code_has_words() -> None:
    assert set(END_WORDS) == set(EndReason)
    assert set(REFUSAL_WORDS) == set(Refusal)
    for words in (END_WORDS, REFUSAL_WORDS):
        assert len(set(words.values())) == len(words)


def test_the_dictionary_states_the_run() -> None:
    run = result()
    found = summary(run, steps={"BTC/USD": "inferred"}, seed=3, run_id="id", notes=["uncertified"], hints=[("a", "b")])
    assert found["period"] == {
        "from": "2017-01-01T00:00:00Z",
        "to": "2017-07-20T00:00:00Z",
        "days": 200,
        "length_days": 200.0,
        "marks": 200,
        "bar_ns": DAY_NS,
    }
    assert found["currency"] == "USD"
    assert found["instruments"][0] == {
        "symbol": "BTC/USD",
        "tick": "0.1",
        "lot": "0.001",
        "min_notional": "0",
        "shortable": False,
        "steps": "inferred",
        "orders": 1,
        "fills": 0,
    }
    assert found["instruments"][1]["fills"] == 1
    assert found["orders"]["ends"] == {END_WORDS[EndReason.WITHDRAWN]: 2, "filled": 1}
    assert found["orders"]["refused"] == {"sized to less than one lot": 1, "no protective stop": 2}
    assert found["costs"] == {"adverse": "2", "fees": "1", "funding": "0", "total": "3"}
    assert found["equity"]["start"] == "10000"
    assert Decimal(found["equity"]["final"]) * MONEY == int(run.equity[-1])
    assert found["order_hash"] == run.order_hash
    assert found["interval"]["seed"] == 3


def test_turnover_and_costs_come_from_the_fills() -> None:
    """20 ETH at 50.00: 1,000 traded, 1 fee and 20 x 0.10 of spread and slippage."""
    run = result()
    found = summary(run)
    assert measure(found, "turnover")["value"] == pytest.approx(1_000 * MONEY / run.equity.mean() * 365 / 200)
    assert measure(found, "cost_rate")["value"] == pytest.approx(0.003)
    profit = float(run.equity[-1] - CASH)
    assert measure(found, "cost_share")["value"] == pytest.approx(3 * MONEY / (profit + 3 * MONEY))
    assert measure(found, "exposure_mean")["value"] == pytest.approx(0.5)


def test_funding_is_a_cost() -> None:
    run = result(costs={"fees": MONEY, "adverse": 2 * MONEY, "funding": 5 * MONEY})
    found = summary(run)
    assert measure(found, "cost_rate")["value"] == pytest.approx(0.008)
    assert found["costs"]["total"] == "8"


def test_buy_and_hold_stands_beside() -> None:
    run = result()
    beside = held(run)
    found = summary(run, benchmark=beside)
    assert measure(found, "total_return")["benchmark"]["value"] == pytest.approx(beside.equity[-1] / CASH - 1)
    assert measure(found, "cost_rate")["benchmark"]["value"] == pytest.approx((1 + 10 * 0.1) / 500)
    assert measure(found, "sharpe")["difference"]["low"] < measure(found, "sharpe")["difference"]["high"]
    assert measure(found, "win_rate")["benchmark"] is None
    assert measure(summary(run), "sharpe")["benchmark"] is None


def test_days_that_are_not_whole_are_told_beside_the_length() -> None:
    run = result()
    hours = replace(run, times_ns=run.times_ns + DAY_NS // 2, bar_ns=DAY_NS // 2)
    found = summary(hours)["period"]
    assert (found["days"], found["length_days"]) == (200, 199.5)
    assert "199.5 days (200 UTC days), 200 bars of 12h" in render(summary(hours))
    assert "200 days, 200 bars of 1d" in render(summary(run))


def test_long_symbols_and_steps_do_not_touch() -> None:
    long = replace(BTC, symbol="1000000MOGWAI/USDTPERP", tick=Decimal("0.00000000000001"))
    run = replace(result(), instruments=(long, ETH))
    head, first, second = render(summary(run)).splitlines()[3:6]
    assert first.split()[:3] == ["1000000MOGWAI/USDTPERP", "0.00000000000001", "0.001"]
    assert second.split()[:3] == ["ETH/USD", "0.01", "0.01"]
    assert head.index("tick") == first.index("0.0000") == second.index("0.01")


def test_the_warm_up_is_not_measured() -> None:
    run = result()
    found = summary(run, benchmark=held(run), start_ns=START + 100 * DAY_NS)
    assert found["period"]["days"] == 100
    assert found["period"]["from"] == "2017-04-11T00:00:00Z"
    assert "No bars" in render(summary(run, start_ns=START + 1_000 * DAY_NS))


@pytest.mark.parametrize(
    ("run", "warning"),
    [
        (result(orders=np.zeros((0, 13), np.int64), fills=np.zeros((0, 5), np.int64)), "no order was sent"),
        (result(trades=3), "only 3 closed trades:"),
        (result(trades=1), "only 1 closed trade:"),
        (result(days=40), "only 40 days"),
        (result(), "a position is still open"),
        (
            result(decisions=np.array([[START + DAY_NS, 0, 0, 0, 0, 0, 0, Refusal.DRAWDOWN, 0, 0]] * 3)),
            "the drawdown breaker refused 3 entries, the first on 2017-01-02",
        ),
        (
            result(errors={"trend": 7}, first_errors={"trend": "ValueError: no (bar of x)"}),
            "trend failed 7 times, and abstained where it had to decide; first ValueError: no (bar of x)",
        ),
        (result(trade_rows=np.array([[0, -1, 0, 0, 0, 5, 0, 0, 0, 0]])), "not tradable live"),
    ],
)
def test_warnings(run: RunResult, warning: str) -> None:
    run = replace(run, reference=run.reference[: len(run.fills)])
    found = summary(run)
    assert any(warning in w for w in found["warnings"]), found["warnings"]
    assert not any("meanrev failed" in w for w in found["warnings"])
    assert warning in " ".join(render(found).split())


def test_no_edge_and_no_gain_on_buy_and_hold_are_said() -> None:
    rng = np.random.Generator(np.random.PCG64(2))
    flat = np.rint(CASH * np.cumprod(1 + rng.normal(0, 0.02, 300))).astype(np.int64)
    bad = np.rint(CASH * np.cumprod(1 + rng.normal(-0.02, 0.01, 300))).astype(np.int64)
    run = result(days=300, equity=flat)
    same = BuyAndHold(flat, flat, np.zeros((0, 6), np.int64), 0)
    assert "includes zero: this run does not show an edge" in " ".join(summary(run)["warnings"])
    assert "not told apart from buy-and-hold" in " ".join(summary(run, benchmark=same)["warnings"])
    assert "worse than buy-and-hold" in " ".join(summary(result(days=300, equity=bad), benchmark=same)["warnings"])


EMPTY: dict[str, Any] = {
    "orders": np.zeros((0, 13), np.int64),
    "fills": np.zeros((0, 5), np.int64),
    "reference": np.zeros(0, np.int64),
    "decisions": np.zeros((0, 10), np.int64),
    "trade_rows": np.zeros((0, 10), np.int64),
    "costs": {},
}


@pytest.mark.parametrize(
    "run",
    [
        result(),
        result(days=1),
        result(**EMPTY),
        result(days=0, **EMPTY),
        result(days=50, equity=np.full(50, CASH), exposure_units=np.zeros(50, np.int64), **EMPTY),
        result(days=50, equity=np.arange(50) * -MONEY),
        result(bar_ns=HOUR_NS, cash=MONEY, equity=np.full(200, MONEY)),
        result(equity=np.full(200, 2**62), exposure_units=np.full(200, 2**61), cash=2**61),
    ],
    ids=["usual", "one day", "no orders", "no bars", "still", "ruined", "one coin", "largest"],
)
def test_any_run_gives_json_and_text_that_fits(run: RunResult) -> None:
    found = summary(run, benchmark=held(run) if len(run.times_ns) else None, notes=["a note " * 30], run_id="x" * 28)
    assert json.loads(json.dumps(found, allow_nan=False)) == found
    for width in (80, 100):
        text = render(found, width)
        assert text == render(json.loads(json.dumps(found)), width)
        assert text.isascii()
        assert text.endswith("\n")
        assert not text.endswith("\n\n")
        assert run.order_hash in text
        too_long = [line for line in text.splitlines() if len(line) > (100 if run.cash == 2**61 else width)]
        assert too_long == []
        assert [line for line in text.splitlines() if line != line.rstrip()] == []


def test_a_reason_stands_under_the_table_once() -> None:
    text = render(summary(result(**EMPTY)))
    assert text.count("no closed trades") == 1
    assert text.count("(a)") >= 2


def test_the_text_has_what_a_reader_looks_for() -> None:
    run = result()
    given: dict[str, Any] = {
        "notes": ["trend is uncertified"],
        "hints": [("coinswarm replay latest", "re-execute it")],
        "run_id": "ID-1",
    }
    text = render(summary(run, benchmark=held(run), steps={"BTC/USD": "given"}, **given))
    for words in (
        "2017-01-01 00:00 to 2017-07-20 00:00 UTC",
        "200 days, 200 bars of 1d",
        "trend 60 %, meanrev 40 %",
        "3 sent: 2 withdrawn",
        "2 no protective stop",
        "95 % interval",
        "buy-and-hold",
        "Sharpe",
        "3.00 USD: spread and slippage 2.00, fees 1.00, funding 0.00",
        "! trend is uncertified",
        "stationary bootstrap, 100 resamples",
        "coinswarm replay latest  (re-execute it)",
        "ID-1",
    ):
        assert words in text, words

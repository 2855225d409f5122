"""Whole backtests to the cent: the answers that vectorbt and backtesting.py give to the same work (benchmarks/)."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import pytest

from coinswarm.engine.columns import run_columns
from coinswarm.engine.steps import run_steps

pytestmark = pytest.mark.backtest

BENCHMARKS = Path(__file__).resolve().parents[3] / "benchmarks"


@pytest.fixture(scope="module")
def modules() -> dict[str, Any]:
    """``data`` and ``work`` of the benchmarks: scripts in a folder of their own, no package."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(BENCHMARKS))
        return {name: importlib.import_module(name) for name in ("data", "work")}


@pytest.fixture(scope="module")
def work(modules: dict[str, Any]) -> Any:  # noqa: ANN401 - a module
    """The plans."""
    return modules["work"]


@pytest.fixture(scope="module")
def w1(modules: dict[str, Any]) -> Any:  # noqa: ANN401 - columns by name
    """A million bars of one symbol, held to their digest: other numbers have other answers."""
    columns = modules["data"].w1()
    assert modules["data"].digest(columns) == modules["data"].DIGESTS["w1"]
    return columns


@pytest.fixture(scope="module")
def short(w1: Any) -> Any:  # noqa: ANN401
    """The first 100,000 of them."""
    return {name: values[:100_000] for name, values in w1.items()}


def answer(work: Any, result: Any) -> tuple[int, int]:  # noqa: ANN401
    """Fills, and final equity in cents."""
    facts = work.facts(result)
    return facts["fills"], facts["equity_cents"]


def test_w1_100k(work: Any, short: Any) -> None:  # noqa: ANN401
    result = run_columns(work.plan(work.instruments(short), [work.Columnar()]))
    assert answer(work, result) == (5_504, 983_656_216)


def test_w1_1m(work: Any, w1: Any) -> None:  # noqa: ANN401
    result = run_columns(work.plan(work.instruments(w1), [work.Columnar()]))
    assert answer(work, result) == (54_406, 870_819_445)


def test_w2_twenty_symbols_on_one_account(modules: dict[str, Any], work: Any) -> None:  # noqa: ANN401
    columns = modules["data"].w2()
    assert modules["data"].digest(columns) == modules["data"].DIGESTS["w2"]
    bars = work.instruments(columns)
    result = run_columns(work.plan(bars, [work.Columnar() for _ in bars]))
    assert answer(work, result) == (54_734, 834_924_984)


@pytest.mark.parametrize("engine", [run_steps, run_columns])
@pytest.mark.parametrize("agent", ["Columnar", "Stepwise"])
def test_every_way_through_w1_is_the_same_run(work: Any, short: Any, engine: Any, agent: str) -> None:  # noqa: ANN401
    bars = work.instruments(short)
    expected = run_columns(work.plan(bars, [work.Columnar()]))
    result = engine(work.plan(bars, [getattr(work, agent)()]))
    assert answer(work, result) == (5_504, 983_656_216)
    assert result.order_hash == expected.order_hash
    assert (result.equity == expected.equity).all()
    assert (result.trade_rows == expected.trade_rows).all()
    assert (result.decisions == expected.decisions).all()

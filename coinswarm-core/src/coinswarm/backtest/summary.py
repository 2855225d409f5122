"""What a run came to, as one dictionary: the source of the terminal summary and of ``--json``."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import numpy as np

from coinswarm.backtest.words import END_WORDS, REFUSAL_WORDS
from coinswarm.canonical import ORDER_FIELDS, decimal_text
from coinswarm.clock import iso
from coinswarm.domain.instrument import MONEY
from coinswarm.domain.order import EndReason, Refusal
from coinswarm.engine.result import DECISION_FIELDS
from coinswarm.evidence.bootstrap import LEVEL, RESAMPLES
from coinswarm.evidence.days import cut_days, sum_by_day
from coinswarm.evidence.drawdown import deepest
from coinswarm.evidence.estimate import DAY_MEASURES, TRADE_MEASURES, Estimate, counted
from coinswarm.evidence.measure import compare_days, mean_block_days, measure_days, measure_trades

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from coinswarm.backtest.buyhold import BuyAndHold
    from coinswarm.domain.instrument import Instrument
    from coinswarm.engine.result import RunResult
    from coinswarm.evidence.days import Days

    Floats = np.ndarray[tuple[int], np.dtype[np.float64]]
    I1 = np.ndarray[tuple[int], np.dtype[np.int64]]

SUMMARY_SCHEMA = "coinswarm.summary/1"
FEW_TRADES = 30
FEW_DAYS = 180
_SEQ, _INSTRUMENT, _END = (ORDER_FIELDS.index(name) for name in ("seq", "instrument", "end_reason"))
_TRADE_SIDE, _TRADE_PNL = 1, 5
_KNOWN, _REFUSAL = (DECISION_FIELDS.index(name) for name in ("known_ns", "refusal"))


def summary_dict(  # noqa: PLR0913 - each is one thing that the result itself does not know
    result: RunResult,
    *,
    agents: Sequence[tuple[str, int]],
    benchmark: BuyAndHold | None = None,
    steps: Mapping[str, str] | None = None,
    start_ns: int = 0,
    seed: int = 0,
    resamples: int = RESAMPLES,
    run_id: str = "",
    notes: Sequence[str] = (),
    hints: Sequence[tuple[str, str]] = (),
) -> dict[str, Any]:
    """The summary of a run, ready for JSON: no NaN, money as decimal strings.

    :param agents: name and weight in basis points of each seat.
    :param benchmark: buy-and-hold on the same timeline.
    :param steps: per symbol, where tick and lot come from (``given``, ``inferred`` …).
    :param start_ns: the warm-up before it is not measured.
    :param seed: the run's seed, for the intervals.
    :param run_id: under which it is stored; empty: it is not.
    :param notes: what else a reader must know (uncertified plugins, for example).
    :param hints: next commands, each with what it does.
    """
    shown = slice(int(np.searchsorted(result.times_ns, start_ns)), None)
    times, equity = result.times_ns[shown], result.equity[shown]
    days = cut_days(times, result.bar_ns, equity, result.exposure_units[shown], result.cash)
    of_fill = _instrument_of_fill(result)
    traded, costs = _daily_money(result, days, of_fill)
    measures = measure_days(days, traded, costs, seed=seed, resamples=resamples)
    pnl = result.trade_rows[:, _TRADE_PNL]
    measures.update(measure_trades(pnl, seed=seed, resamples=resamples))
    held: dict[str, Estimate] = {}
    difference: dict[str, Estimate] = {}
    if benchmark is not None and len(days):
        held_days, spent = _held(result, benchmark, shown)
        held = measure_days(held_days, *spent, seed=seed, resamples=resamples)
        difference = compare_days(days, held_days, seed=seed, resamples=resamples)
    final = int(equity[-1]) if len(equity) else result.cash
    paid = {name: int(amount) for name, amount in sorted(result.costs.items())}
    fall = deepest(times, result.bar_ns, equity, result.cash)
    summary: dict[str, Any] = {
        "schema": SUMMARY_SCHEMA,
        "run": run_id,
        "order_hash": result.order_hash,
        "period": {
            "from": iso(int(times[0])) if len(times) else "",
            "to": iso(int(times[-1]) + result.bar_ns) if len(times) else "",
            "days": len(days),
            "length_days": round(days.length, 6),
            "marks": len(times),
            "bar_ns": result.bar_ns,
        },
        "currency": result.instruments[0].quote if result.instruments else "",
        "instruments": _instruments(result, of_fill, steps or {}),
        "agents": [{"name": name, "weight_bp": weight} for name, weight in agents],
        "orders": {
            "sent": len(result.orders),
            "fills": len(result.fills),
            "ends": _ends(result),
            "refused": {REFUSAL_WORDS.get(r, r.name): n for r, n in sorted(result.refusals.items())},
        },
        "trades": len(pnl),
        "equity": {
            "start": money(result.cash),
            "final": money(final),
            "profit": money(final - result.cash),
            "benchmark": money(int(benchmark.equity[-1])) if benchmark and len(benchmark.equity) else None,
            "open_position": money(int(result.exposure_units[-1])) if len(result.exposure_units) else money(0),
        },
        "costs": {**{name: money(amount) for name, amount in paid.items()}, "total": money(sum(paid.values()))},
        "drawdown": {"peak": iso(fall.peak_ns), "trough": iso(fall.trough_ns)} if fall else None,
        "measures": [
            {
                "name": m.name,
                "label": m.label,
                "unit": m.unit,
                "definition": m.definition,
                **_plain(measures[m.name], m.unit),
                "benchmark": _plain(held[m.name], m.unit) if m.name in held else None,
                "difference": _plain(difference[m.name], m.unit) if m.name in difference else None,
            }
            for m in (*DAY_MEASURES, *TRADE_MEASURES)
        ],
        "interval": {
            "level": LEVEL,
            "method": "stationary bootstrap",
            "resamples": resamples,
            "block_days": round(mean_block_days(days), 2),
            "seed": seed,
        },
        "notes": list(notes),
        "hints": [{"command": command, "does": does} for command, does in hints],
    }
    summary["warnings"] = _warnings(result, measures, difference, days)
    return summary


def money(units: int) -> str:
    """Units of 1e-8 as a decimal string."""
    return decimal_text(Decimal(units) / MONEY)


def _plain(estimate: Estimate, unit: str) -> dict[str, Any]:
    """An estimate for JSON; money in the currency instead of units of 1e-8."""
    scale = 1.0 / MONEY if unit == "money" else 1.0
    low, value, high = (None if x is None else x * scale for x in (estimate.low, estimate.value, estimate.high))
    return {"value": value, "low": low, "high": high, "why": estimate.why, "count": estimate.count}


def _instrument_of_fill(result: RunResult) -> I1:
    """Instrument index of each fill: int64[f]."""
    row = np.searchsorted(result.orders[:, _SEQ], result.fills[:, 0])
    of_fill: I1 = result.orders[row, _INSTRUMENT]
    return of_fill


def _unit_values(instruments: Sequence[Instrument]) -> Floats:
    """Worth of one lot at one tick, in units of 1e-8, per instrument."""
    return np.array([num / den for num, den in (i.value_ratio for i in instruments)])


def _daily_money(result: RunResult, days: Days, of_fill: I1) -> tuple[Floats, Floats]:
    """Traded value and costs per day.

    Fees, spread and slippage fall on the day of their fill. Funding is known as a total and laid on
    the days by exposure: that changes intervals a little, values not at all.
    """
    _, bar_ns, lots, ticks, fee = result.fills.T
    worth = lots * _unit_values(result.instruments)[of_fill]
    traded = sum_by_day(bar_ns, result.bar_ns, worth * ticks, days)
    costs = sum_by_day(bar_ns, result.bar_ns, fee + worth * np.abs(ticks - result.reference), days)
    funding, held = float(result.costs.get("funding", 0)), days.exposure.sum()
    if funding and held:
        costs = costs + funding * days.exposure / held
    return traded, costs


def _held(result: RunResult, benchmark: BuyAndHold, shown: slice) -> tuple[Days, tuple[Floats, Floats]]:
    """Buy-and-hold in days, with its traded value and costs per day."""
    held = cut_days(
        result.times_ns[shown], result.bar_ns, benchmark.equity[shown], benchmark.exposure_units[shown], result.cash
    )
    which, bar_ns, lots, ticks, reference, fee = benchmark.purchases.T
    worth: Floats = lots * _unit_values(result.instruments)[which]
    traded = sum_by_day(bar_ns, result.bar_ns, worth * ticks, held)
    return held, (traded, sum_by_day(bar_ns, result.bar_ns, fee.astype(np.float64) + worth * (ticks - reference), held))


def _instruments(result: RunResult, of_fill: I1, steps: Mapping[str, str]) -> list[dict[str, Any]]:
    """One entry per instrument."""
    count = len(result.instruments)
    orders = np.bincount(result.orders[:, _INSTRUMENT], minlength=count)
    fills = np.bincount(of_fill, minlength=count)
    return [
        {
            "symbol": i.symbol,
            "tick": decimal_text(i.tick),
            "lot": decimal_text(i.lot),
            "min_notional": decimal_text(i.min_notional),
            "shortable": i.shortable,
            "steps": steps.get(i.symbol, ""),
            "orders": int(orders[k]),
            "fills": int(fills[k]),
        }
        for k, i in enumerate(result.instruments)
    ]


def _ends(result: RunResult) -> dict[str, int]:
    """How the orders ended, in words, the most frequent first."""
    codes, counts = np.unique(result.orders[:, _END], return_counts=True)
    found = sorted(zip((-counts).tolist(), codes.tolist(), strict=True))
    return {END_WORDS[EndReason(code)]: -count for count, code in found}


def _warnings(
    result: RunResult, measures: Mapping[str, Estimate], difference: Mapping[str, Estimate], days: Days
) -> list[str]:
    """What keeps a reader from believing too much."""
    trades = result.trade_rows
    warnings = [
        f"{name} failed {n:,} times, and abstained where it had to decide; first {result.first_errors.get(name, '-')}"
        for name, n in sorted(result.errors.items())
    ]
    if not len(result.orders):
        warnings.append("no order was sent: there is nothing to judge")
    elif len(trades) < FEW_TRADES:
        warnings.append(
            f"only {counted(len(trades), 'closed trade')}: win rate, profit factor and payoff say little yet"
        )
    stopped = result.decisions[result.decisions[:, _REFUSAL] == Refusal.DRAWDOWN, _KNOWN]
    if len(stopped):
        warnings.append(
            f"the drawdown breaker refused {len(stopped)} entries, the first on {iso(int(stopped[0]))[:10]}"
        )
    if 0 < len(days) < FEW_DAYS:
        warnings.append(f"only {counted(len(days), 'day')}: one market phase, not a judgement")
    sharpe, beaten = measures["sharpe"], difference.get("sharpe", Estimate())
    if sharpe.low is not None and sharpe.high is not None and sharpe.low <= 0.0 <= sharpe.high:
        warnings.append("the interval of the Sharpe ratio includes zero: this run does not show an edge")
    if beaten.high is not None and beaten.high < 0.0:
        warnings.append("worse than buy-and-hold: the interval of the Sharpe difference lies below zero")
    if beaten.low is not None and beaten.high is not None and beaten.low <= 0.0 <= beaten.high:
        warnings.append("not told apart from buy-and-hold: the interval of the Sharpe difference includes zero")
    if len(result.exposure_units) and result.exposure_units[-1]:
        warnings.append("a position is still open: marked at the last close, not counted as a trade")
    if (trades[:, _TRADE_SIDE] < 0).any():
        warnings.append("it shorts: not tradable live while live is spot")
    return warnings

"""The columnar engine: agents' columns, the committee over columns, then the kernel."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from coinswarm.committee import columns as committee
from coinswarm.committee.answers import ask_all
from coinswarm.committee.weighing import WeightedWeigher
from coinswarm.engine.actions import action_columns
from coinswarm.engine.learning import teach
from coinswarm.engine.result import FILL_FIELDS, RunResult, note_faults
from coinswarm.engine.volatility import volatility_bp
from coinswarm.risk.limits import METHODS
from coinswarm.simulator.kernel import layout as at
from coinswarm.simulator.kernel.codes import EXPIRED
from coinswarm.simulator.kernel.loop import run

if TYPE_CHECKING:
    from collections.abc import Sequence

    from coinswarm.domain.action import ActionColumns
    from coinswarm.engine.memory import RunMemory
    from coinswarm.engine.plan import RunPlan
    from coinswarm.engine.result import Faults

    I1 = np.ndarray[tuple[int], np.dtype[np.int64]]
    I2 = np.ndarray[tuple[int, int], np.dtype[np.int64]]

_LEAST_ROWS = 4_096
_BARS_PER_ROW = 16
"""Tables begin with a row for so many bars; untouched rows cost nothing."""


def run_columns(plan: RunPlan, memory: RunMemory | None = None) -> RunResult:
    """Run a plan through the kernel. Needs no agent state: decisions depend on market history only.

    A plan that recalls goes bar by bar: what is recalled depends on what was earned.

    :param memory: of a plan that recalls.
    """
    if memory is not None:
        from coinswarm.engine.steps import run_steps  # noqa: PLC0415 - a run without memory needs one engine

        return run_steps(plan, memory)
    columns, faults = action_columns(plan)
    state, series = prepare(plan, columns)
    while run(state, series) < len(series.times):
        state = _grow(state)
    result = _result(plan, state, series, faults)
    teach(plan, result)
    return result


def prepare(plan: RunPlan, columns: Sequence[Sequence[ActionColumns]]) -> tuple[at.State, at.Series]:
    """The kernel's arrays before its first timestamp.

    :param columns: per instrument, per seat.
    """
    sizes = [len(bars) for bars in plan.bars]
    total = sum(sizes)
    starts: I1 = np.cumsum([0, *sizes])
    changes = [_changes(plan, k, columns[k]) for k in range(len(plan.bars))]
    joined = committee.IntentChanges.join(changes, starts[:-1].tolist())
    ticks = plan.joined
    funding = [plan.funding.get(b.instrument.symbol) for b in plan.bars]
    fund_ns = np.concatenate([np.zeros(0, np.int64), *(f.times_ns for f in funding if f)])
    fund_ppb = np.concatenate([np.zeros(0, np.int64), *(f.rate_ppb for f in funding if f)])
    volatility = [volatility_bp(b) for b in plan.bars] if plan.sizing.method == "published" else []
    times = _times(plan)
    capacity = max(_LEAST_ROWS, total // _BARS_PER_ROW)
    state = at.State(
        _table(plan, sizes, [len(c.row) for c in changes], [len(f.times_ns) if f else 0 for f in funding]),
        np.zeros((capacity, at.ORDER_WIDTH), np.int64),
        np.zeros((capacity, at.FILL_WIDTH), np.int64),
        np.zeros((capacity, at.TRADE_WIDTH), np.int64),
        np.zeros((capacity, at.DECISION_WIDTH), np.int64),
    )
    series = at.Series(
        times,
        np.empty(len(times), np.int64),
        np.empty(len(times), np.int64),
        ticks.open_ns,
        ticks.open,
        ticks.high,
        ticks.low,
        ticks.close,
        ticks.volume,
        joined.row,
        *joined.intents,
        np.concatenate(volatility) if volatility else np.zeros(0, np.int32),
        fund_ns,
        fund_ppb,
    )
    return state, series


def _times(plan: RunPlan) -> I1:
    """The union timeline: every open time of any instrument, once."""
    first = plan.ticks[0].open_ns
    if all(np.array_equal(first, ticks.open_ns) for ticks in plan.ticks[1:]):
        return first
    return np.unique(plan.joined.open_ns)


def form_intents(plan: RunPlan, k: int, columns: Sequence[ActionColumns], out: committee.IntentColumns) -> None:
    """Write the committee's intent at every bar of instrument ``k``."""
    _changes(plan, k, columns).fill(out)


def _changes(plan: RunPlan, k: int, columns: Sequence[ActionColumns]) -> committee.IntentChanges:
    """The committee's intents on instrument ``k``; another weigher than the bundled one is asked."""
    shortable = plan.bars[k].instrument.shortable
    given = None
    if type(plan.weigher) is not WeightedWeigher:
        given = ask_all(plan.weigher, *committee.stances(columns, shortable=shortable), plan.weights)
    return committee.intent_changes(
        columns, plan.weights, plan.committee, shortable=shortable, cap_ticks=plan.cap_ticks(k), given=given
    )


def _table(plan: RunPlan, *lengths: Sequence[int]) -> I2:
    """Scalars, settings, instruments and agents before the first timestamp.

    :param lengths: bars, changes of intent and funding payments of each instrument.
    """
    instruments = len(plan.bars)
    table = np.zeros((at.I + instruments + len(plan.seats), at.WIDTH), np.int64)
    scalars = table[at.SC]
    scalars[at.CASH] = scalars[at.PEAK] = scalars[at.LAST_EQUITY] = scalars[at.DAY_START] = plan.cash
    scalars[at.RING :] = -1
    for place, value in _settings(plan).items():
        table[at.PAR, place] = int(value)
    _instruments(plan, lengths, table[at.I : at.I + instruments])
    table[at.I + instruments :, at.A_WEIGHT] = plan.weights
    return table


def _settings(plan: RunPlan) -> dict[int, int]:
    """The run's settings by their place in the kernel's row."""
    costs, limits, sizing, style = plan.costs, plan.limits, plan.sizing, plan.style
    longest = (1 << 61) // plan.bar_ns  # bars; 73 years, and sums of times stay in int64
    return {
        at.BAR: plan.bar_ns,
        at.START_NS: plan.start_ns,
        at.START_CASH: plan.cash,
        at.MAKER: costs.maker_ppm,
        at.TAKER: costs.taker_ppm,
        at.SPREAD: costs.spread_ppm,
        at.SLIP: costs.slippage_ppm,
        at.PARTICIPATION: costs.participation_bp,
        at.FEE_BASE: costs.fee_in_base,
        at.REBALANCE: plan.committee.rebalance_bp,
        at.COOL_BARS: min(limits.cool_down_bars, longest),
        at.GUARD_COUNT: limits.stop_guard_count,
        at.GUARD_BARS: min(limits.stop_guard_bars, longest),
        at.GUARD_PAUSE: min(limits.stop_guard_pause_bars, longest),
        at.DRAWDOWN_BP: limits.drawdown_bp,
        at.DRAWDOWN_PAUSE: min(limits.drawdown_pause_bars, longest),
        at.MAX_POSITION: limits.max_position_bp,
        at.MAX_EXPOSURE: limits.max_exposure_bp,
        at.MAX_ORDER: limits.max_order_units,
        at.MAX_LOSS: limits.max_loss_per_trade_bp,
        at.DAILY_LOSS_BP: limits.daily_loss_bp,
        at.MAX_TRADES: limits.max_trades_per_day,
        at.BAND: limits.price_band_bp,
        at.REQUIRE_STOP: limits.require_stop,
        at.METHOD: METHODS.index(sizing.method),
        at.KELLY: sizing.kelly_bp,
        at.PRIOR: sizing.prior_trades,
        at.PROBE: sizing.probe_bp,
        at.RISK_SCALING: sizing.risk_scaling_bp,
        at.ENTRY_KIND: style.entry,
        at.OFFSET: style.offset_ppm,
        at.LIMIT_OFFSET: style.limit_offset_ppm,
        at.TIF: style.tif,
        at.TTL: min(style.ttl_bars, longest),
        at.TRAILING: style.trailing,
        at.INSTRUMENTS: len(plan.bars),
        at.AGENTS: len(plan.seats),
    }


def _instruments(plan: RunPlan, lengths: Sequence[Sequence[int]], table: I2) -> None:
    """Fill in one row per instrument before its first bar."""
    ends: I2 = np.cumsum(np.array(lengths, np.int64), axis=1)
    begins = ends - np.array(lengths, np.int64)
    for k, bars in enumerate(plan.bars):
        instrument = bars.instrument
        row = table[k]
        row[at.NUM], row[at.DEN] = instrument.value_ratio
        row[at.MIN_UNITS] = instrument.min_notional_units
        row[at.SHORTABLE] = instrument.shortable
        row[at.MAX_LOTS] = plan.max_lots(k)
        row[at.FIXED_LOTS] = plan.sizing.fixed_lots[k] if plan.sizing.fixed_lots else 0
        row[[at.PTR, at.EV, at.FUND]] = begins[:, k]
        row[[at.PTR_END, at.EV_END, at.FUND_END]] = ends[:, k]
        row[at.ENTRY_SLOT : at.TAKE_SLOT + 1] = -1


def _grow(state: at.State) -> at.State:
    """The same state with tables of twice the length."""

    def doubled(table: I2) -> I2:
        return np.concatenate([table, np.zeros_like(table)])

    return state._replace(
        orders=doubled(state.orders),
        fills=doubled(state.fills),
        trades=doubled(state.trades),
        decisions=doubled(state.decisions),
    )


def _result(plan: RunPlan, state: at.State, series: at.Series, faults: Sequence[tuple[str, Faults]]) -> RunResult:
    """The kernel's tables as a result: views, because copying them would cost as much as filling them."""
    errors: dict[str, int] = {}
    first: dict[str, str] = {}
    for seat, found in faults:
        note_faults(errors, first, seat, found)
    sc = state.tab[at.SC]
    orders = state.orders[: sc[at.N_ORDERS]]
    close_expired(orders, int(series.times[-1]) + plan.bar_ns if len(series.times) else 0)
    fills = state.fills[: sc[at.N_FILLS]]
    return RunResult(
        instruments=tuple(b.instrument for b in plan.bars),
        anchor_ns=plan.anchor_ns,
        bar_ns=plan.bar_ns,
        cash=plan.cash,
        orders=orders[:, : at.HASHED],
        fills=fills[:, : len(FILL_FIELDS)],
        reference=fills[:, len(FILL_FIELDS)],
        times_ns=series.times,
        equity=series.equity_at,
        exposure_units=series.gross_at,
        decisions=state.decisions[: sc[at.N_DECISIONS]],
        trade_rows=state.trades[: sc[at.N_TRADES]],
        costs={"fees": int(sc[at.FEES]), "adverse": int(sc[at.ADVERSE]), "funding": int(sc[at.FUNDING])},
        seats=tuple(seat.name for seat in plan.seats),
        errors=errors,
        first_errors=first,
    )


def close_expired(orders: I2, known: int) -> None:
    """E1 for orders whose time ran out after their instrument's last bar."""
    late = (orders[:, at.O_REASON] == 0) & (orders[:, at.O_EXPIRE] > 0) & (orders[:, at.O_EXPIRE] <= known)
    orders[late, at.O_END] = orders[late, at.O_EXPIRE]
    orders[late, at.O_REASON] = EXPIRED

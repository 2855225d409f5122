"""What holds in every run, whatever the market, the agent and the rules; on the reference exchange."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

from hypothesis import given, settings
from hypothesis import strategies as st

from coinswarm.domain.instrument import MONEY
from coinswarm.domain.order import OrderKind, Refusal, TimeInForce
from coinswarm.engine.columns import run_columns
from coinswarm.engine.steps import run_steps
from coinswarm.execution.style import OrderStyle
from coinswarm.simulator.costs import Costs
from coinswarm_testkit.audit import audit
from coinswarm_testkit.differential import differences
from coinswarm_testkit.markets.tiny import FREE, OPEN, Leg, outcome, tiny_plan

if TYPE_CHECKING:
    from collections.abc import Iterator

    from coinswarm.engine.plan import RunPlan
    from coinswarm_testkit.audit.tables import DecisionRow, FillRow, OrderRow
    from coinswarm_testkit.markets.tiny import Outcome

T = TypeVar("T")

PPM = 1_000_000
few = settings(max_examples=80)


@st.composite
def bar_rows(draw: st.DrawFn) -> list[tuple[int, ...] | None]:
    """Three to sixteen bars that move by up to a third, some without volume, some missing."""
    rows: list[tuple[int, ...] | None] = []
    price = draw(st.integers(20, 300))
    for place in range(draw(st.integers(3, 16))):
        opened, close = (max(price + draw(st.integers(-price // 3, price // 3)), 1) for _ in range(2))
        high = max(opened, close) + draw(st.integers(0, 9))
        low = max(min(opened, close) - draw(st.integers(0, 9)), 1)
        row = (opened, high, low, close, draw(st.sampled_from([0, 3, 8, 1_000, 1_000])))
        rows.append(None if place and draw(st.integers(0, 9)) == 0 else row)
        price = close
    return rows


@st.composite
def legs(draw: st.DrawFn) -> Leg:
    """One instrument and its script."""
    rows = draw(bar_rows())
    saying = st.tuples(
        st.sampled_from([-1, 0, 1, 1, 2]), st.integers(0, 30), st.integers(0, 30), st.sampled_from([0.5, 1])
    )
    says = draw(st.lists(saying, min_size=1, max_size=len(rows)))
    return Leg(
        rows,
        says,
        lots=draw(st.integers(1, 30)),
        shortable=draw(st.booleans()),
        smallest=draw(st.sampled_from([0, 0, 200, 900])),
        funding=[(2, draw(st.integers(-(10**7), 10**7)))] if draw(st.booleans()) else [],
    )


@st.composite
def plans(draw: st.DrawFn) -> RunPlan:
    """One or two legs under any rules."""

    def pick(*values: T) -> T:
        return draw(st.sampled_from(values))

    kind = pick(*list(OrderKind)[:4])
    stops = kind in {OrderKind.STOP, OrderKind.STOP_LIMIT}
    tif = pick(
        TimeInForce.GTC, TimeInForce.DAY, TimeInForce.GTD, *([] if stops else [TimeInForce.IOC, TimeInForce.FOK])
    )
    return tiny_plan(
        *draw(st.lists(legs(), min_size=1, max_size=2)),
        cash=pick(500, 3_000, 100_000),
        begin=pick(0, 20),
        costs=Costs(
            maker_ppm=pick(0, 1_000),
            taker_ppm=pick(0, 2_000, 20_000),
            spread_ppm=pick(0, 30_000),
            slippage_ppm=pick(0, 10_000),
            participation_bp=pick(0, 10_000),
            fee_in_base=pick(False, True),  # noqa: FBT003 - values to draw from
        ),
        limits=replace(
            OPEN,
            max_position_bp=pick(0, 3_000),
            max_exposure_bp=pick(0, 5_000),
            max_loss_per_trade_bp=pick(0, 200),
            daily_loss_bp=pick(0, 300),
            drawdown_bp=pick(0, 500),
            cool_down_bars=pick(0, 2),
        ),
        style=OrderStyle(
            entry=kind,
            offset_ppm=pick(0, 50_000),
            limit_offset_ppm=pick(0, 20_000),
            tif=tif,
            ttl_bars=pick(1, 3) if tif == TimeInForce.GTD else 0,
            trailing=pick(False, True),  # noqa: FBT003 - values to draw from
        ),
        rebalance_bp=pick(0, 1_000),
    )


def ran(plan: RunPlan) -> Outcome:
    """The plan through the reference exchange."""
    return outcome(plan, run_steps(plan))


def sequence(done: Outcome) -> Iterator[tuple[OrderRow, FillRow, int, int]]:
    """Order, fill, and the position before and after, fees in base taken off."""
    held = [0] * len(done.plan.bars)
    carried = [0] * len(held)
    for fill in done.fills:
        order = done.orders[fill.order]
        k = order.instrument
        before, got = held[k], fill.lots
        if done.plan.costs.fee_in_base and order.side > 0 and not done.plan.bars[k].instrument.shortable:
            worth = fill.lots * fill.ticks * MONEY
            owed = carried[k] + fill.lots * (fill.fee * PPM // worth)
            got, carried[k] = fill.lots - owed // PPM, owed % PPM
        held[k] = before + order.side * got
        yield order, fill, before, held[k]


@few
@given(plans())
def test_both_engines_and_the_audit_agree(plan: RunPlan) -> None:
    result = run_columns(plan)
    assert differences(result, run_steps(plan)) == []
    assert audit(plan, result).broken == []


@few
@given(plans())
def test_a_fill_lies_in_a_traded_bar_after_its_decision(plan: RunPlan) -> None:
    done = ran(plan)
    for fill in done.fills:
        order = done.orders[fill.order]
        bar = done.tables.bars[order.instrument][done.tables.rows[order.instrument][fill.bar_ns]]
        assert bar.volume > 0
        assert bar.low <= fill.reference <= bar.high
        assert fill.bar_ns >= order.decided_ns
        assert fill.lots > 0
        assert fill.ticks > 0
        assert fill.fee >= 0
        assert (fill.ticks - fill.reference) * order.side >= 0, "costs are adverse"


@few
@given(plans())
def test_money_is_neither_made_nor_lost(plan: RunPlan) -> None:
    done = ran(plan)
    cash = plan.cash - done.result.costs["funding"]
    held = [0] * len(plan.bars)
    for order, fill, _, after in sequence(done):
        in_base = plan.costs.fee_in_base and order.side > 0 and not plan.bars[order.instrument].instrument.shortable
        cash -= order.side * fill.lots * fill.ticks * MONEY + (0 if in_base else fill.fee)
        held[order.instrument] = after
    worth = sum(lots * done.tables.bars[k][-1].close * MONEY for k, lots in enumerate(held))
    assert done.result.equity[-1] == cash + worth
    assert sum(fill.fee for fill in done.fills) == done.result.costs["fees"]


@few
@given(legs(), st.integers(20, 300))
def test_where_nothing_moves_and_nothing_costs_equity_stands(leg: Leg, price: int) -> None:
    rows = [None if row is None else (price, price, price, price, row[4]) for row in leg.rows]
    done = ran(tiny_plan(replace(leg, rows=rows, funding=()), costs=FREE))
    assert set(done.equity()) == {1_000_000}


@few
@given(plans())
def test_reductions_never_flip_and_spot_is_never_short(plan: RunPlan) -> None:
    for order, _, before, after in sequence(ran(plan)):
        if order.reduce_only:
            assert before * order.side < 0
            assert before * after >= 0
        if not plan.bars[order.instrument].instrument.shortable:
            assert after >= 0


@few
@given(plans())
def test_an_entry_keeps_the_limits_when_it_is_sent(plan: RunPlan) -> None:
    done = ran(plan)
    limits, costs = plan.limits, plan.costs
    for order in done.orders:
        if order.reduce_only:
            continue
        decision = done.tables.entry_decisions[order.seq]
        price, equity = marked(done, decision)
        worth = order.lots * price * MONEY
        if limits.max_position_bp:
            assert worth * 10_000 <= equity * limits.max_position_bp
        if limits.max_exposure_bp:
            assert worth * 10_000 <= equity * limits.max_exposure_bp
        if limits.max_loss_per_trade_bp and decision.stop_ticks:
            legs_ppm = 2 * costs.taker_ppm + costs.spread_ppm + 2 * costs.slippage_ppm
            loss = order.lots * (decision.stop_ticks * PPM + price * legs_ppm) * MONEY
            assert loss * 10_000 <= equity * limits.max_loss_per_trade_bp * PPM


def marked(done: Outcome, decision: DecisionRow) -> tuple[int, int]:
    """Last close of the instrument and equity, as the decision saw them."""
    t = decision.known_ns - done.plan.bar_ns
    bars = done.tables.bars[decision.instrument]
    row = done.result.times_ns.tolist().index(t)
    return bars[done.tables.rows[decision.instrument][t]].close, int(done.result.equity[row])


@few
@given(plans())
def test_exits_always_pass(plan: RunPlan) -> None:
    done = ran(plan)
    moves = list(sequence(done))
    for decision in done.decisions:
        if Refusal(decision.refusal) is Refusal.COOL_DOWN:
            continue
        k, now = decision.instrument, decision.known_ns
        held = [after for order, fill, _, after in moves if order.instrument == k and fill.bar_ns < now]
        if not held or held[-1] == 0 or held[-1] * decision.side > 0:
            continue
        exits = [
            order
            for order in done.orders
            if order.instrument == k
            and order.reduce_only
            and not order.protective
            and order.decided_ns <= now
            and (order.end_reason == 0 or order.end_ns >= now)
        ]
        dust = any(order.end_reason == 9 and order.instrument == k and order.end_ns < now for order in done.orders)
        assert dust or sum(order.lots - filled_before(done, order, now) for order in exits) >= abs(held[-1]), decision


def filled_before(done: Outcome, order: OrderRow, now: int) -> int:
    """Lots that an order had filled by then."""
    return sum(fill.lots for fill in done.fills if fill.order == order.seq and fill.bar_ns < now)

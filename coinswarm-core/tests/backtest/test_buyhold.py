"""Buy-and-hold: integer arithmetic like the engine's, worked out by hand and held against fractions."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, cast

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from coinswarm.backtest.buyhold import BuyAndHold, buy_and_hold
from coinswarm.domain.instrument import INT_LIMIT, MONEY, Instrument
from coinswarm.domain.market import Bars, TickBars
from coinswarm.simulator.costs import Costs

if TYPE_CHECKING:
    from coinswarm.engine.plan import RunPlan

BTC = Instrument("BTC/USD", Decimal("0.5"), Decimal("0.001"))
ETH = Instrument("ETH/USD", Decimal("0.01"), Decimal("0.01"))
FREE = Costs(maker_ppm=0, taker_ppm=0)


@dataclass(frozen=True)
class Plan:
    """What ``buy_and_hold`` reads of a plan: no agents are needed to hold."""

    bars: tuple[Bars, ...]
    cash: int
    costs: Costs
    start_ns: int = 0

    @property
    def ticks(self) -> tuple[TickBars, ...]:
        """The bars in integers."""
        return tuple(TickBars.of(b) for b in self.bars)

    def max_lots(self, k: int) -> int:
        """As the real plan: no product reaches 2**62."""
        num, den = self.bars[k].instrument.value_ratio
        return INT_LIMIT // (4 * int(self.ticks[k].high.max()) * (num // den + 1))

    def run(self) -> BuyAndHold:
        """Buy and hold on the union timeline."""
        times = np.unique(np.concatenate([b.open_ns for b in self.bars]))
        return buy_and_hold(cast("RunPlan", self), times)


def bars(instrument: Instrument, rows: list[tuple[int, float, float, float]]) -> Bars:
    """Bars from (time, open, close, volume)."""
    open_ns = np.array([r[0] for r in rows], np.int64)
    opens, closes, volume = (np.array([r[i] for r in rows]) for i in (1, 2, 3))
    return Bars(instrument, 10, open_ns, opens, np.maximum(opens, closes), np.minimum(opens, closes), closes, volume)


def test_bought_at_the_second_open_with_a_takers_costs() -> None:
    """100 bps around 200.0: 201.0 per coin, fee 10 bps: 1,000 buys 4.970 lots of 0.001 with 0.03 to spare."""
    market = bars(BTC, [(0, 150.0, 190.0, 1.0), (10, 200.0, 210.0, 1.0), (20, 210.0, 220.0, 1.0)])
    costs = Costs(taker_ppm=1_000, spread_ppm=6_000, slippage_ppm=2_000)
    held = Plan((market,), 1_000 * MONEY, costs).run()
    worth = 4_970 * 201 * MONEY // 1_000
    fee = worth // 1_000
    assert held.purchases.tolist() == [[0, 10, 4_970, 402, 400, fee]]
    assert held.unspent == 1_000 * MONEY - worth - fee
    assert held.equity.tolist() == [
        1_000 * MONEY,
        held.unspent + 10437 * MONEY // 10,
        held.unspent + 10934 * MONEY // 10,
    ]
    assert held.exposure_units.tolist() == [0, 10437 * MONEY // 10, 10934 * MONEY // 10]


def test_equal_shares_on_the_union_timeline_and_closes_carried_over_holes() -> None:
    btc = bars(BTC, [(0, 100.0, 100.0, 1.0), (10, 100.0, 100.0, 1.0), (40, 200.0, 200.0, 1.0)])
    eth = bars(ETH, [(20, 10.0, 10.0, 1.0), (30, 10.0, 20.0, 1.0), (50, 30.0, 30.0, 1.0)])
    held = Plan((btc, eth), 2_000 * MONEY, FREE).run()
    assert held.purchases[:, :4].tolist() == [[0, 10, 10_000, 200], [1, 30, 10_000, 1_000]]
    assert (held.equity // MONEY).tolist() == [2_000, 2_000, 2_000, 3_000, 4_000, 5_000]


def test_no_fill_on_a_bar_without_volume_nor_before_the_start() -> None:
    rows = [(0, 1.0, 1.0, 1.0), (10, 1.0, 1.0, 0.0), (20, 1.0, 1.0, 1.0), (30, 1.0, 1.0, 1.0), (40, 1.0, 1.0, 1.0)]
    assert Plan((bars(BTC, rows),), MONEY, FREE).run().purchases[0, 1] == 20
    assert Plan((bars(BTC, rows),), MONEY, FREE, start_ns=25).run().purchases[0, 1] == 30
    assert Plan((bars(BTC, rows),), MONEY, FREE, start_ns=30).run().purchases[0, 1] == 30
    assert len(Plan((bars(BTC, rows),), MONEY, FREE, start_ns=50).run().purchases) == 0


def test_participation_spreads_the_purchase_over_bars() -> None:
    market = bars(BTC, [(t, 1.0, 1.0, 4.0) for t in (0, 10, 20, 30, 40)])
    held = Plan((market,), 5 * MONEY, Costs(taker_ppm=0, participation_bp=5_000)).run()
    assert held.purchases[:, 1:3].tolist() == [[10, 2_000], [20, 2_000], [30, 1_000]]
    assert held.unspent == 0


def test_a_share_below_the_smallest_notional_stays_cash() -> None:
    small = Instrument("BTC/USD", BTC.tick, BTC.lot, min_notional=Decimal(10))
    held = Plan((bars(small, [(0, 1.0, 1.0, 1.0), (10, 1.0, 2.0, 1.0)]),), 9 * MONEY, FREE).run()
    assert len(held.purchases) == 0
    assert held.equity.tolist() == [9 * MONEY] * 2


@pytest.mark.parametrize("cash", [0, 1, 7])
def test_cash_that_does_not_divide_is_not_lost(cash: int) -> None:
    markets = (bars(BTC, [(0, 1.0, 1.0, 1.0)]), bars(ETH, [(0, 1.0, 1.0, 1.0)]))
    held = Plan(markets, cash, FREE).run()
    assert held.equity.tolist() == [cash]
    assert held.unspent == cash


@given(
    prices=st.lists(
        st.tuples(st.integers(1, 10**6), st.integers(1, 10**6), st.integers(0, 50)), min_size=1, max_size=12
    ),
    cash=st.integers(0, 10**14),
    ppm=st.tuples(st.integers(0, 50_000), st.integers(0, 50_000), st.integers(0, 50_000)),
    participation=st.integers(0, 10_000),
    steps=st.tuples(st.sampled_from(["0.01", "0.5", "3"]), st.sampled_from(["1E-8", "0.0001", "0.25"])),
)
def test_money_is_kept_to_the_unit(
    prices: list[tuple[int, int, int]],
    cash: int,
    ppm: tuple[int, int, int],
    participation: int,
    steps: tuple[str, str],
) -> None:
    """Never more spent than there is, at most one lot too few, and every mark is cash plus value."""
    instrument = Instrument("BTC/USD", Decimal(steps[0]), Decimal(steps[1]))
    tick, lot = float(instrument.tick), float(instrument.lot)
    market = bars(instrument, [(10 * t, o * tick, c * tick, v * 1000 * lot) for t, (o, c, v) in enumerate(prices)])
    costs = Costs(taker_ppm=ppm[0], spread_ppm=ppm[1], slippage_ppm=ppm[2], participation_bp=participation)
    held = Plan((market,), cash, costs).run()
    unit = Fraction(instrument.tick) * Fraction(instrument.lot) * MONEY
    left, lots = cash, 0
    for _, bar_ns, bought, price, reference, fee in held.purchases.tolist():
        assert price >= reference == prices[bar_ns // 10][0]
        worth = int(bought * price * unit)
        assert fee >= Fraction(worth * ppm[0], 10**6)
        left, lots = left - worth - fee, lots + bought
        assert left >= 0
        assert not participation or bought <= prices[bar_ns // 10][2] * 1000 * participation // 10_000
    assert left == held.unspent
    assert int(held.equity[-1]) == left + int(lots * prices[-1][1] * unit)
    assert (held.equity - held.exposure_units >= 0).all()
    if len(held.purchases) and not participation:
        price = int(held.purchases[0, 3])
        assert (lots + 2) * price * unit * (1 + Fraction(ppm[0], 10**6)) > cash


def test_no_more_lots_than_int64_can_mark() -> None:
    """A satoshi of a coin at a hundred-millionth: lots times ticks of a million coins would pass 2**63."""
    dust = Instrument("SHIB/USD", Decimal("1E-8"), Decimal("1E-8"))
    market = bars(dust, [(0, 1e-8, 1e-8, 1.0), (10, 1e-8, 1e-8, 1.0), (20, 1.0, 1.0, 1.0)])
    held = Plan((market,), 10**6 * MONEY, FREE).run()
    assert held.purchases[0, 2] == INT_LIMIT // (4 * 10**8)
    assert held.unspent > 0
    assert held.equity[-1] == held.unspent + int(held.purchases[0, 2])

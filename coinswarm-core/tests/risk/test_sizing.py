"""Sizing by hand: the four methods, the record behind Kelly, and the caps (S19)."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coinswarm.domain.instrument import Instrument
from coinswarm.domain.intent import Intent
from coinswarm.domain.outcome import TradeOutcome
from coinswarm.risk.limits import METHODS, RiskLimits, SizingRules
from coinswarm.risk.sizing import R_CAP_BP, Costing, Record, Sizer, kelly_risk_bp, published_share_bp
from coinswarm.simulator.money import Scale

CASH = 100_000_000
UNIT = Scale.of(Instrument("A/B", Decimal("0.0001"), Decimal("0.0001")), 1 << 40)
FREE = RiskLimits(max_position_bp=0, max_loss_per_trade_bp=0)
INTENT = Intent(10_000, 10_000, 50, 100, 0b1)
B = 20_000
"""The payoff of that bracket, without costs."""


def outcome(pnl: int, risk: int = 1_000, agree: int = 0b1) -> TradeOutcome:
    """A closed trade."""
    return TradeOutcome("A/B", 1, 0, 0, 1, 1, pnl, 0, risk, agree, stopped=pnl < 0)


def sizer(rules: SizingRules, limits: RiskLimits = FREE, *, cost: int = 0, record: Record | None = None) -> Sizer:
    """A sizer of one seat."""
    return Sizer(rules, limits, Costing(cost), record or Record([10_000]))


def lots(made: Sizer, intent: Intent = INTENT, **given: Any) -> int:  # noqa: ANN401
    """Its answer at 100 ticks and an equity of 100,000,000."""
    at = {"k": 0, "measure": UNIT, "price": 100, "equity": CASH, "volatility_bp": 0, **given}
    return made.lots(at["k"], at["measure"], at["price"], at["equity"], intent, at["volatility_bp"])


# -- the record


def test_a_trade_counts_in_r_for_the_only_agent() -> None:
    record = Record([10_000])
    record.add(outcome(2_500))
    record.add(outcome(-500))
    assert (record.wins, record.losses, record.won, record.lost) == ([10_000], [10_000], [25_000], [5_000])


def test_a_trade_is_credited_by_share_to_those_who_agreed_at_entry() -> None:
    record = Record([1_000, 3_000, 6_000])
    record.add(outcome(1_000, agree=0b011))
    assert record.wins == [2_500, 7_500, 0]
    assert record.won == [2_500, 7_500, 0]
    record.add(outcome(-2_000, agree=0b100))
    assert record.losses == [0, 0, 10_000]
    assert record.lost == [0, 0, 20_000]


def test_a_trade_without_risk_teaches_nothing_and_one_trade_only_so_much() -> None:
    record = Record([10_000])
    record.add(outcome(5_000, risk=0))
    assert record.wins == [0]
    record.add(outcome(10**12, risk=1))
    assert record.won == [R_CAP_BP] == [200_000]


def test_breaking_even_is_a_loss_of_nothing() -> None:
    record = Record([10_000])
    record.add(outcome(0))
    assert (record.wins, record.losses, record.lost) == ([0], [10_000], [0])


# -- costs


@pytest.mark.parametrize(("ppm", "ticks"), [(0, 50), (10_000, 51), (10_001, 52), (2_600, 51)])
def test_the_loss_at_the_stop_takes_costs_in_whole_ticks(ppm: int, ticks: int) -> None:
    assert Costing(ppm).loss_ticks(100, 50) == ticks


@pytest.mark.parametrize(
    ("ppm", "stop", "take", "payoff"),
    [
        (0, 50, 100, 20_000),
        (20_000, 50, 100, 18_846),  # 98 gained, 52 lost
        (20_000, 50, 0, 10_000),  # no target: taken for one
        (20_000, 50, 2, 100),  # the target earns its costs, and no more
        (20_000, 50, 1, 100),
        (0, 1, 10**6, 1_000_000),
    ],
)
def test_what_a_bracket_pays_is_what_is_left_of_it_after_costs(ppm: int, stop: int, take: int, payoff: int) -> None:
    assert Costing(ppm).payoff_bp(100, stop, take) == payoff


# -- Kelly


def test_without_a_record_the_prior_has_no_edge_and_the_probe_is_risked() -> None:
    for take in (0, 1, 25, 50, 100, 10**6):
        assert kelly_risk_bp(SizingRules(), Record([10_000]), 1, Costing(0).payoff_bp(100, 50, take)) == 25
    assert kelly_risk_bp(SizingRules(probe_bp=0), Record([10_000]), 1, B) == 0


def test_kelly_by_hand() -> None:
    """B = 2, prior of 30 trades at p0 = 1/3; 30 wins of 2 R and 10 losses of 1 R measured.

    wins 10 + 30, losses 20 + 10; won 20 + 60 R, lost 20 + 10 R. p = 4/7, lost/won = 3/8;
    f = 4/7 * 5/8 = 0.357; a quarter of it is 8.9 %.
    """
    record = Record([10_000])
    for _ in range(30):
        record.add(outcome(2_000))
    for _ in range(10):
        record.add(outcome(-1_000))
    assert kelly_risk_bp(SizingRules(), record, 1, B) == 892  # 0.25 * 5,714 * 6,250 / 10,000
    assert kelly_risk_bp(SizingRules(kelly_bp=10_000), record, 1, B) == 3_571


def test_without_a_target_the_payoff_is_taken_for_one() -> None:
    """p0 = 1/2: 15 + 30 wins of 60, won 15 + 60 R, lost 15 R: 0.75 * (1 - 15/75) = 0.6."""
    record = Record([10_000])
    for _ in range(30):
        record.add(outcome(2_000))
    assert kelly_risk_bp(SizingRules(kelly_bp=10_000), record, 1, Costing(0).payoff_bp(100, 50, 0)) == 6_000


def test_only_those_who_agree_count() -> None:
    record = Record([5_000, 5_000])
    for _ in range(30):
        record.add(outcome(2_000, agree=0b10))
    assert kelly_risk_bp(SizingRules(), record, 0b01, B) == 25
    assert kelly_risk_bp(SizingRules(), record, 0b11, B) > 25


@given(
    st.lists(st.integers(-3_000, 6_000), max_size=30),
    st.integers(1, 6_000),
    st.integers(1, 400),
    st.integers(0, 400),
    st.integers(1, 100),
)
def test_a_further_win_never_lowers_and_a_further_loss_never_raises_it(
    history: list[int], size: int, stop: int, take: int, prior: int
) -> None:
    """Wins and losses of one size; the rounding of integers may cost one basis point."""
    rules, b = SizingRules(kelly_bp=10_000, prior_trades=prior, probe_bp=0), Costing(0).payoff_bp(100, stop, take)

    def risk(*more: int) -> int:
        record = Record([10_000])
        for pnl in (*history, *more):
            record.add(outcome(pnl))
        return kelly_risk_bp(rules, record, 1, b)

    before = risk()
    assert 0 <= before <= 10_000
    assert risk(-size) <= before + 1
    assert risk(max(size, b // 10, 6_000)) >= before - 1


@given(st.integers(0, 60), st.integers(1, 200))
def test_a_heavier_prior_pulls_harder_toward_no_edge(wins: int, prior: int) -> None:
    record = Record([10_000])
    for _ in range(wins):
        record.add(outcome(2_000))
    light = SizingRules(prior_trades=prior, probe_bp=0)
    heavy = replace(light, prior_trades=2 * prior)
    assert kelly_risk_bp(heavy, record, 1, B) <= kelly_risk_bp(light, record, 1, B)


# -- the published formula


@pytest.mark.parametrize(
    ("confidence", "volatility", "share"),
    [
        (10_000, 0, 1_041),  # p 0.65: (0.65 * 1.5 - 0.35) / 1.5 = 0.4166; a quarter
        (10_000, 10_000, 520),  # divided by 1 + 100 %
        (5_000, 0, 416),  # p 0.5: 0.1666; a quarter
        (0, 0, 0),  # p 0.35: negative
    ],
)
def test_the_published_share_by_hand(confidence: int, volatility: int, share: int) -> None:
    assert published_share_bp(SizingRules(), confidence, volatility) == share


def test_the_published_share_is_scaled() -> None:
    assert published_share_bp(SizingRules(risk_scaling_bp=5_000), 10_000, 0) == 520


# -- lots


def test_calibrated_risks_the_probe_at_the_stop() -> None:
    assert lots(sizer(SizingRules())) == 5_000  # 0.25 % of 100 M = 250,000 over 50 ticks
    assert lots(sizer(SizingRules()), INTENT._replace(exposure_bp=-5_000)) == 2_500


def test_calibrated_counts_costs_to_what_is_risked() -> None:
    """30 of 80 ticks are costs: a stop-out costs the probe, and not 1.6 times it."""
    made = sizer(SizingRules(), cost=300_000)
    assert lots(made) == CASH * 25 // 10_000 // 80 == 3_125
    assert lots(made) * 80 <= CASH * 25 // 10_000


def test_calibrated_takes_the_payoff_after_costs_for_the_prior() -> None:
    """Target 100, stop 50, costs of 40: 60 gained for 90 lost; three wins of 1 R then are worth less than with 2."""
    rules, record = SizingRules(kelly_bp=10_000, prior_trades=1), Record([10_000])
    for _ in range(3):
        record.add(outcome(1_000))
    dear = kelly_risk_bp(rules, record, 1, 60 * 10_000 // 90)
    assert dear != kelly_risk_bp(rules, record, 1, B)
    assert lots(sizer(rules, cost=400_000, record=record)) == CASH * dear // 10_000 // 90


def test_calibrated_without_a_stop_is_nothing() -> None:
    assert lots(sizer(SizingRules()), INTENT._replace(stop_ticks=0)) == 0


def test_fraction_is_the_wished_share_by_exposure() -> None:
    made = sizer(SizingRules(method="fraction"))
    assert lots(made) == 1_000_000
    assert lots(made, INTENT._replace(exposure_bp=-4_000, size_bp=2_500)) == 100_000


def test_published_is_a_share_of_equity() -> None:
    made = sizer(SizingRules(method="published"))
    assert lots(made) == 104_100  # 10.41 % of 100 M at 100 ticks
    assert lots(made, volatility_bp=10_000) == 52_000


def test_lots_are_fixed_by_instrument_and_exposure_and_know_no_cap() -> None:
    made = sizer(SizingRules(method="lots", fixed_lots=(7, 900)), RiskLimits(max_position_bp=1))
    assert lots(made) == 7
    assert lots(made, k=1) == 900
    assert lots(made, INTENT._replace(exposure_bp=-5_001), k=1) == 450
    assert lots(made, k=1, measure=Scale(1, 1, 0, False, 100)) == 100  # noqa: FBT003 - a table's row


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("equity", [0, -1])
def test_nothing_is_sized_on_no_equity(method: str, equity: int) -> None:
    assert lots(sizer(SizingRules(method=method, fixed_lots=(5,))), equity=equity) == 0


def strong() -> Record:
    """A record that would risk a large part of equity."""
    record = Record([10_000])
    for _ in range(500):
        record.add(outcome(5_000))
    return record


@pytest.mark.parametrize("method", ["calibrated", "published", "fraction"])
@pytest.mark.parametrize(
    ("limits", "size_bp", "cost", "cap"),
    [
        ({"max_position_bp": 500}, 10_000, 0, 50_000),
        ({"max_position_bp": 500}, 300, 0, 30_000),  # the wished size is smaller
        ({"max_position_bp": 0}, 400, 0, 40_000),
        ({"max_loss_per_trade_bp": 100}, 10_000, 0, 20_000),  # 1 M over 50 ticks
        ({"max_loss_per_trade_bp": 100}, 10_000, 300_000, 12_500),  # over 50 + 30 ticks
    ],
)
def test_size_position_and_loss_cap_every_other_method(
    method: str, limits: dict[str, int], size_bp: int, cost: int, cap: int
) -> None:
    made = sizer(
        SizingRules(method=method, kelly_bp=10_000, risk_scaling_bp=100_000),
        replace(FREE, **limits),  # type: ignore[arg-type]
        cost=cost,
        record=strong(),
    )
    wished = INTENT._replace(size_bp=size_bp)
    expected = min(cap, lots(sizer(SizingRules(method="fraction")), wished))
    assert lots(made, wished) == expected


def test_without_a_stop_there_is_no_loss_to_cap() -> None:
    made = sizer(SizingRules(method="fraction"), replace(FREE, max_loss_per_trade_bp=1))
    assert lots(made, INTENT._replace(stop_ticks=0)) == 1_000_000
    assert lots(made) == 200

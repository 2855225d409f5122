"""Intents, accounts and markets for risk agents."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from coinswarm.domain.instrument import MONEY
from coinswarm.domain.intent import FLAT_INTENT, Intent
from coinswarm.domain.market import MarketState
from coinswarm.domain.portfolio import Holding, Portfolio
from coinswarm_testkit.markets.paths import MARKETS

BARS = 400
FULL_BP = 10_000
ORDINARY = ("trending_up", "trending_down", "ranging", "volatile", "no_edge", "golden_cross", "regimes")
"""Markets without holes, halts or damage."""


class Question(NamedTuple):
    """What ``assess`` is asked."""

    intent: Intent
    portfolio: Portfolio
    state: MarketState


def states(seed: int, *, hard: bool) -> list[MarketState]:
    """Ordinary markets at their last bar, or the hard ones, the empty one among them."""
    found = []
    for name, make in MARKETS.items():
        if (name in ORDINARY) != hard:
            bars = make(BARS, seed)
            found.append(MarketState.at(bars, len(bars) - 1) if len(bars) else MarketState(bars))
    return found


def intent(rng: np.random.Generator) -> Intent:
    """A wish for one side or the other, small or large."""
    size = int(rng.choice([1, FULL_BP, int(rng.integers(1, FULL_BP + 1))]))
    exposure = int(rng.choice([1, FULL_BP, int(rng.integers(1, FULL_BP + 1))])) * int(rng.choice([-1, 1]))
    stop, take = (int(value) for value in rng.integers(0, 5_000, 2))
    return Intent(exposure, size, stop, take, int(rng.integers(1, 16)))


def portfolio(rng: np.random.Generator, symbol: str, time_ns: int) -> Portfolio:
    """An account in good or bad days, with or without a position in the instrument and in others."""
    mark = int(rng.integers(100, 1_000_000)) * MONEY
    equity = mark - int(mark * rng.choice([0.0, 0.02, 0.1, 0.3]))
    held = []
    if rng.random() < 0.5:  # noqa: PLR2004 - as often as not
        held.append(_holding(rng, symbol, equity))
    held.extend(_holding(rng, f"C{number}/USD", equity) for number in range(int(rng.integers(0, 4))))
    return Portfolio(time_ns, equity, equity - sum(h.worth for h in held), mark, mark // 50, tuple(held))


def _holding(rng: np.random.Generator, symbol: str, equity: int) -> Holding:
    lots = int(rng.integers(1, 10_000)) * int(rng.choice([-1, 1]))
    return Holding(symbol, lots, int(rng.integers(1, 100_000)), equity // int(rng.integers(3, 20)))


def hard_portfolios(symbol: str, time_ns: int) -> list[Portfolio]:
    """Accounts that a division or an assumption breaks on."""
    everything = (1 << 60) * MONEY
    crowd = tuple(Holding(f"C{number}/USD", -1, 1, MONEY) for number in range(200))
    return [
        Portfolio(time_ns, 0, 0, 0),
        Portfolio(time_ns, 0, 0, MONEY, MONEY),
        Portfolio(time_ns, -MONEY, -2 * MONEY, MONEY, 2 * MONEY, (Holding(symbol, -5, 1, MONEY),)),
        Portfolio(time_ns, 1, 1, everything, everything),
        Portfolio(time_ns, everything, everything, everything, 0, (Holding(symbol, 1 << 60, 1 << 40, everything),)),
        Portfolio(time_ns, MONEY, MONEY, MONEY, 0, crowd),
    ]


def questions(seed: int, *, each: int = 25) -> list[Question]:
    """Ordinary questions: every ordinary market, many accounts, wishes for both sides."""
    rng = np.random.default_rng([seed, 2])
    return [
        Question(intent(rng), portfolio(rng, state.instrument.symbol, state.time_ns), state)
        for state in states(seed, hard=False)
        for _ in range(each)
    ]


def hard_questions(seed: int) -> list[Question]:
    """Every market with every account that something might break on, at least one of the two being hard."""
    rng = np.random.default_rng([seed, 3])
    found: list[Question] = []
    for hard in (True, False):
        for state in states(seed, hard=hard):
            accounts = hard_portfolios(state.instrument.symbol, state.time_ns)
            if hard:
                accounts.append(portfolio(rng, state.instrument.symbol, state.time_ns))
            found.extend(Question(intent(rng), account, state) for account in accounts)
    return found


def ladders(seed: int) -> list[list[Question]]:
    """Wishes that grow from step to step, all else equal: in size, in exposure, in both."""
    rng = np.random.default_rng([seed, 4])
    found = []
    for state in states(seed, hard=False):
        for grows in ((1, 0), (0, 1), (1, 1)):
            account = portfolio(rng, state.instrument.symbol, state.time_ns)
            side, first = int(rng.choice([-1, 1])), intent(rng)
            levels = sorted({1, FULL_BP, *rng.integers(1, FULL_BP + 1, 14).tolist()})
            found.append(
                [
                    Question(
                        first._replace(
                            exposure_bp=side * (level if grows[0] else 6_000), size_bp=level if grows[1] else 6_000
                        ),
                        account,
                        state,
                    )
                    for level in levels
                ]
            )
    return found


def exits(seed: int) -> list[Question]:
    """Nothing is wanted any more, in any account and any market."""
    rng = np.random.default_rng([seed, 5])
    found: list[Question] = []
    for hard in (True, False):
        for state in states(seed, hard=hard):
            symbol, time_ns = state.instrument.symbol, state.time_ns
            accounts = [*hard_portfolios(symbol, time_ns), portfolio(rng, symbol, time_ns)]
            found.extend(Question(FLAT_INTENT, account, state) for account in accounts)
    return found

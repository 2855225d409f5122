"""How many lots an intent is worth (S19)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from coinswarm.simulator.kernel import layout as at
from coinswarm.simulator.kernel.codes import CALIBRATED, FRACTION, LOTS
from coinswarm.simulator.kernel.money import lots_for, muldiv, part_up
from coinswarm.simulator.kernel.typed import jit

if TYPE_CHECKING:
    from coinswarm.simulator.kernel.layout import I2


@jit
def kelly_risk_bp(tab: I2, agree: int, b: int) -> int:
    """Equity to put at risk at the stop, in basis points: fractional Kelly, at least the probe (S19).

    Zero-edge prior of ``PRIOR`` trades with the bracket's payoff b: p0 = 1 / (1 + b), wins of b R,
    losses of 1 R. Kelly = p (1 - lost / won), which is p - (1 - p) / payoff.
    """
    prior = tab[at.PAR, at.PRIOR] * 10_000
    wins = prior * 10_000 // (10_000 + b)
    losses = prior - wins
    won, lost = wins * b // 10_000, losses
    for a in range(tab[at.PAR, at.AGENTS]):
        if (agree >> a) & 1:
            wins += tab[at.I + tab[at.PAR, at.INSTRUMENTS] + a, at.A_WINS]
            losses += tab[at.I + tab[at.PAR, at.INSTRUMENTS] + a, at.A_LOSSES]
            won += tab[at.I + tab[at.PAR, at.INSTRUMENTS] + a, at.A_WON]
            lost += tab[at.I + tab[at.PAR, at.INSTRUMENTS] + a, at.A_LOST]
    kelly = 0
    if won > lost and wins > 0:
        kelly = (wins * 10_000 // (wins + losses)) * ((won - lost) * 10_000 // won) // 10_000
    return max(kelly * tab[at.PAR, at.KELLY] // 10_000, tab[at.PAR, at.PROBE])


@jit
def cost_ticks(tab: I2, price: int) -> int:
    """What a lot's round trip costs at a price, in ticks, rounded up."""
    return part_up(price, 2 * tab[at.PAR, at.TAKER] + tab[at.PAR, at.SPREAD] + 2 * tab[at.PAR, at.SLIP])


@jit
def loss_ticks(tab: I2, price: int, stop: int) -> int:
    """Loss per lot at the stop, both legs' costs included, in ticks: 1 R (S17, S19)."""
    return stop + cost_ticks(tab, price)


@jit
def payoff_bp(tab: I2, price: int, stop: int, take: int) -> int:
    """What a bracket pays for each unit that it can lose, after costs; 1 without a target."""
    if take <= 0:
        return 10_000
    return min(max((take - cost_ticks(tab, price)) * 10_000 // loss_ticks(tab, price, stop), 100), 1_000_000)


@jit
def size_lots(tab: I2, k: int, equity: int, x: int, size_bp: int, stop: int, take: int, agree: int, vol_bp: int) -> int:
    """S19: lots for an intent of exposure ``x`` at the last close."""
    price = tab[at.I + k, at.CLOSE]
    strength = abs(x)
    method = tab[at.PAR, at.METHOD]
    if method == LOTS:
        return min(muldiv(tab[at.I + k, at.FIXED_LOTS], strength, 10_000), tab[at.I + k, at.MAX_LOTS])
    cap_bp = size_bp
    if tab[at.PAR, at.MAX_POSITION] > 0:
        cap_bp = min(cap_bp, tab[at.PAR, at.MAX_POSITION])
    cap = lots_for(tab, k, muldiv(equity, cap_bp, 10_000), price)
    if stop > 0 and tab[at.PAR, at.MAX_LOSS] > 0:
        cap = min(cap, lots_for(tab, k, muldiv(equity, tab[at.PAR, at.MAX_LOSS], 10_000), loss_ticks(tab, price, stop)))
    if method == FRACTION:
        lots = lots_for(tab, k, muldiv(muldiv(equity, size_bp, 10_000), strength, 10_000), price)
    elif method == CALIBRATED:
        if stop <= 0:
            return 0
        risk_bp = kelly_risk_bp(tab, agree, payoff_bp(tab, price, stop, take))
        risk = muldiv(muldiv(equity, risk_bp, 10_000), strength, 10_000)
        lots = lots_for(tab, k, risk, loss_ticks(tab, price, stop))
    else:
        p = 5_000 + (strength - 5_000) * 3 // 10
        kelly = max((p * 15_000 // 10_000 - (10_000 - p)) * 10_000 // 15_000, 0)
        share = kelly * tab[at.PAR, at.KELLY] // 10_000 * 10_000 // (10_000 + vol_bp)
        lots = lots_for(tab, k, muldiv(equity, share * tab[at.PAR, at.RISK_SCALING] // 10_000, 10_000), price)
    return min(lots, cap)

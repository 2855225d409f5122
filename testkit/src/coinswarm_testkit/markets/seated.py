"""Whole runs with the agent under judgement in the committee: its markets, everybody else's rules.

``seated_plan`` draws rules, costs, limits and order styles like ``plans.random_plan``, over markets that are
long enough for the agent to say something. The judge seats what the agent said as a script; the plugin's own
process seats the agent itself.
"""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING

from coinswarm.domain.instrument import Instrument
from coinswarm.engine.plan import RunPlan, SeatedAgent
from coinswarm_testkit.markets.paths import MARKETS
from coinswarm_testkit.markets.plans import random_plan

if TYPE_CHECKING:
    from collections.abc import Sequence

    from coinswarm.contracts import SignalAgent
    from coinswarm.domain.market import Bars

SHAPES = ("trending_up", "ranging", "volatile", "regimes", "crash", "gapped", "thin", "golden_cross")
"""Markets on which something happens; one after the other by seed."""

JUDGED = "judged"
"""The seat of the agent under judgement."""

LOT, SMALLEST = Decimal("0.00001"), Decimal(10)


def seated_bars(seed: int, n: int) -> tuple[Bars, ...]:
    """One or two instruments of ``n`` bars at the most; the second cannot be shorted."""
    shapes = [SHAPES[(seed + k) % len(SHAPES)] for k in range(1 + seed % 2)]
    made = [MARKETS[shape](n, 1_000 * seed + k) for k, shape in enumerate(shapes)]
    return tuple(
        _named(bars, Instrument(f"C{k}/USD", bars.instrument.tick, LOT, SMALLEST, shortable=k == 0))
        for k, bars in enumerate(made)
    )


def seated_plan(
    seed: int, bars: Sequence[Bars], agents: Sequence[SignalAgent], *, warm_up: int, reasons: tuple[str, ...] = ()
) -> RunPlan:
    """A run of one agent over ``bars`` under random rules.

    :param agents: one per instrument.
    """
    drawn = random_plan(seed)
    sizing = replace(drawn.sizing, fixed_lots=(drawn.sizing.fixed_lots * len(bars))[: len(bars)])
    seat = SeatedAgent(JUDGED, tuple(agents), 10_000, warm_up, reasons)
    return RunPlan(
        bars=tuple(bars),
        seats=(seat,),
        weigher=drawn.weigher,
        cash=drawn.cash,
        committee=drawn.committee,
        sizing=sizing,
        limits=drawn.limits,
        costs=drawn.costs,
        style=drawn.style,
        hole_bars=drawn.hole_bars,
    )


def _named(bars: Bars, instrument: Instrument) -> Bars:
    """The same bars as of another instrument."""
    return replace(bars, instrument=instrument)

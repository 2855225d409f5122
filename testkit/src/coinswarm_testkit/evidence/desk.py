"""The account on which evidence is earned: one agent, one instrument, the same terms for everybody.

The committee is core's default one with a single seat, and so are the order style and the limits on a position and on
the loss of a trade. Two things differ from a profile's defaults, so that what is measured is the agent:

- **Sizing is constant**: every trade puts ``probe_bp`` (25 basis points) of equity, times the agent's confidence, at
  risk at its own stop, costs included. It is the default sizing (``calibrated``) of an agent without a record, with a
  prior too heavy for any record to move. The default lets size follow the record: the same trades in another order
  would then earn another Sharpe ratio, early trades would weigh less than late ones, and daily returns would not be of
  one kind, which PSR and DSR take them to be. A fixed share of equity would compare agents by how wild their market and
  how wide their stop is.
- **The protections that look back are off** (drawdown breaker, daily loss): a drawdown that the breaker ended would be
  the breaker's.

An agent that gives no stop trades nothing here, as under core's defaults.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from coinswarm.committee.weighing import WeightedWeigher
from coinswarm.domain.instrument import MONEY
from coinswarm.engine.plan import RunPlan, SeatedAgent
from coinswarm.risk.limits import RiskLimits, SizingRules
from coinswarm.simulator.costs import Costs
from coinswarm_testkit.markets.plans import Scripted

if TYPE_CHECKING:
    from coinswarm.domain.action import ActionColumns
    from coinswarm.domain.market import Bars
    from coinswarm.engine.result import RunResult

CASH = 10_000 * MONEY
"""What each account begins with."""

VENUES = {
    "binance": Costs(maker_ppm=1_000, taker_ppm=1_000, spread_ppm=200, slippage_ppm=100, participation_bp=1_000),
    "coinbase": Costs(maker_ppm=6_000, taker_ppm=12_000, spread_ppm=500, slippage_ppm=200, participation_bp=1_000),
}
"""Costs by name: 10 bps on Binance; 60 bps as maker and 120 as taker on Coinbase, its lowest tier, as the worst case.

Spread (2 and 5 bps) and slippage (1 and 2 bps) are assumptions for liquid pairs, participation (a tenth of a bar's
volume) is one for everybody.
"""

USUAL, WORST = VENUES
"""The venue whose costs evidence is judged with, and the worst case."""

SIZING = SizingRules(prior_trades=1_000_000)
LIMITS = RiskLimits(daily_loss_bp=0, drawdown_bp=0)


FREE = Costs(maker_ppm=0, taker_ppm=0)
"""For what must be shown before costs."""


def plan(
    bars: Bars, columns: ActionColumns, *, costs: Costs = VENUES[USUAL], warm_up: int = 0, start_ns: int = 0
) -> RunPlan:
    """One account, ready to run.

    :param columns: what the agent says at each of ``bars``.
    :param warm_up: bars that the agent abstains at the start and after a hole.
    :param start_ns: nothing is traded before it.
    """
    return RunPlan(
        bars=(bars,),
        seats=(SeatedAgent("judged", (Scripted(columns),), 10_000, warm_up),),
        weigher=WeightedWeigher(),
        cash=CASH,
        sizing=SIZING,
        limits=LIMITS,
        costs=costs,
        start_ns=start_ns,
    )


def traded(
    bars: Bars, columns: ActionColumns, *, costs: Costs = VENUES[USUAL], warm_up: int = 0, start_ns: int = 0
) -> RunResult:
    """The same, run."""
    from coinswarm.engine.columns import run_columns  # noqa: PLC0415 - the judge compiles it, only where it is needed

    return run_columns(plan(bars, columns, costs=costs, warm_up=warm_up, start_ns=start_ns))

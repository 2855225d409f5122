"""A72 to A92: a signal agent's evidence is measured, complete, reproducible, without alarm; no profit is asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from coinswarm_testkit.checks.check import Check
from coinswarm_testkit.evidence.alpha import ALPHA, student
from coinswarm_testkit.evidence.claims import broken
from coinswarm_testkit.evidence.gather import again, gather
from coinswarm_testkit.evidence.record import OUT_OF_SAMPLE, WHOLE
from coinswarm_testkit.markets.ensembles import CONTROL, REGIMES
from coinswarm_testkit.verdicts import CheckFailedError, CheckSkipped, Measured

if TYPE_CHECKING:
    from coinswarm_testkit.bench import Bench
    from coinswarm_testkit.verdicts import Number

FREE = frozenset({"memory"})
"""Needs that cost nothing: core brings them itself."""

TOO_GOOD = 3.0
"""An annualised Sharpe ratio above it is an alarm."""

DRAWDOWN = 0.2
"""Deepest fall of equity in any regime, at most."""


def costs_measured(bench: Bench) -> Measured:
    """A72: what it earns after the costs of two venues, at which costs it would break even, and what its data costs."""
    evidence = gather(bench)
    values: dict[str, Number] = {}
    for one in evidence.records:
        if one.part == OUT_OF_SAMPLE:
            values[f"{one.market} {one.venue} profit"] = one.profit
            values[f"{one.market} {one.venue} cost_bps"] = one.cost_bps
            values[f"{one.market} {one.venue} break_even_bps"] = one.break_even_bps
    priced = sorted(set(bench.subject.declaration.get("needs", ())) - FREE)
    stated = bench.subject.declaration.get("data_cost")
    values["data_cost"] = stated if priced else 0
    measured = Measured(values)
    if priced and stated is None:
        message = f"it needs {', '.join(priced)}, and its declaration does not say what that costs (data_cost)"
        raise CheckFailedError(message, measured)
    idle = [one.name for one in evidence.chosen(OUT_OF_SAMPLE) if one.break_even_bps is None]
    if idle:
        message = f"nothing was traded, so that no cost was measured: {', '.join(idle)}"
        raise CheckFailedError(message, measured)
    return measured


def evidence_complete(bench: Bench) -> Measured:
    """A80: Sharpe ratio, hit rate, drawdown, turnover with intervals; PSR, DSR and track record; trials known."""
    evidence = gather(bench)
    records = evidence.chosen(OUT_OF_SAMPLE)
    measured = Measured({f"{one.market} {name}": value for one in records for name, value in one.plain().items()})
    for one in records:
        missing = one.missing()
        if missing:
            message = f"evidence incomplete: {one.name}: {'; '.join(missing)}"
            raise CheckFailedError(message, measured)
    return measured


def no_edge_on_the_control(bench: Bench) -> Measured:
    """A82: on the control market, where there is nothing to know, it shows no profit after costs."""
    found = gather(bench).tallies[CONTROL]
    bar = student(ALPHA, len(found) - 1)
    measured = Measured({"t": found.t, "profit": float(found.profit.mean())}, {"t": f"< {bar:.2f}"})
    if found.t >= bar:
        message = (
            f"a mean profit of {found.profit.mean():.2%} over {len(found)} paths of a market without memory or drift, "
            f"{found.t:.1f} standard errors: it knows what cannot be known"
        )
        raise CheckFailedError(message, measured)
    return measured


def not_too_good(bench: Bench) -> Measured:
    """A84: a Sharpe ratio above 3 over a whole recording is an alarm, not a prize."""
    records = gather(bench).chosen(WHOLE)
    measured = Measured(
        {f"{one.market} sharpe": one.value("sharpe") for one in records},
        {f"{one.market} sharpe": f"<= {TOO_GOOD:g}" for one in records},
    )
    for one in records:
        sharpe = one.value("sharpe")
        if sharpe is not None and sharpe > TOO_GOOD:
            message = f"a Sharpe ratio of {sharpe:.2f} on {one.name}: look for what it cannot know"
            raise CheckFailedError(message, measured)
    return measured


def reproducible(bench: Bench) -> Measured:
    """A86: measured once more in another process, every number is the same to the last bit."""
    first, second = again(bench)
    measured = Measured({"first": first[:16], "second": second[:16]})
    if first != second:
        message = "measured twice, its evidence differs: it depends on more than the bars"
        raise CheckFailedError(message, measured)
    return measured


def drawdown_in_each_regime(bench: Bench) -> Measured:
    """A90: on every path of each of the four regimes, equity stays within 20 % of its peak."""
    tallies = gather(bench).tallies
    measured = Measured(
        {f"{regime} drawdown": float(tallies[regime].drawdown.max()) for regime in REGIMES},
        {f"{regime} drawdown": f"<= {DRAWDOWN:g}" for regime in REGIMES},
    )
    deep = [regime for regime in REGIMES if float(tallies[regime].drawdown.max()) > DRAWDOWN]
    if deep:
        worst = ", ".join(f"{float(tallies[regime].drawdown.max()):.0%} in {regime}" for regime in deep)
        message = f"equity falls by {worst}, {DRAWDOWN:.0%} is the most that evidence bears"
        raise CheckFailedError(message, measured)
    return measured


def claims_hold(bench: Bench) -> Measured:
    """A92: it earns where it claims an edge, and keeps out of where it claims to abstain."""
    claims = [str(claim) for claim in bench.subject.declaration.get("claims", ())]
    tallies = gather(bench).tallies
    measured = Measured({f"{name} {key}": value for name, one in tallies.items() for key, value in one.plain().items()})
    if not claims:
        message = "it claims nothing"
        raise CheckSkipped(message)
    wrong = broken(claims, tallies)
    if wrong:
        raise CheckFailedError("; ".join(wrong), measured)
    return measured


CHECKS = (
    Check("A72", "costs are measured, and the data's stated", 5, costs_measured, tier="gold"),
    Check("A80", "evidence is complete: intervals, trials, track record", 2, evidence_complete, tier="gold"),
    Check("A82", "no profit where there is nothing to know", 2, no_edge_on_the_control, tier="gold"),
    Check("A84", "a Sharpe ratio above 3 is an alarm", 2, not_too_good, tier="gold"),
    Check("A86", "measured twice, the same numbers", 1, reproducible, tier="gold"),
    Check("A90", "drawdown within 20 % in each regime", 7, drawdown_in_each_regime, tier="gold"),
    Check("A92", "claims hold", 7, claims_hold, tier="gold"),
)

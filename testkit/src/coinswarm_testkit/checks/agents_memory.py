"""A95 and A97: what memory adds to a signal agent that uses it, and that it adds nothing which cannot be known."""

from __future__ import annotations

from typing import TYPE_CHECKING

from coinswarm_testkit.checks.check import Check
from coinswarm_testkit.evidence import desk
from coinswarm_testkit.evidence.ablation import ARMS, Ablation, ablate, told
from coinswarm_testkit.evidence.alpha import ALPHA, SHOWN, student
from coinswarm_testkit.markets.ensembles import CONTROL, PATHS, ensemble
from coinswarm_testkit.verdicts import CheckFailedError, CheckSkipped, Measured

if TYPE_CHECKING:
    from coinswarm_testkit.bench import Bench

BARS = 2_000
"""Of each path."""

LEARNABLE = "changing-regimes"
"""Where similar moments may end alike."""

LEAKY = "leaky"
HONEST = tuple(arm for arm in ARMS if arm not in {"none", LEAKY})


def _ablation(bench: Bench, kind: str) -> Ablation:
    """An ablation, run on first use: before costs on the control, where any size earns nothing; after them elsewhere.

    :raises CheckSkipped: for an agent that uses no memory, neither by its declaration nor with its settings.
    """
    needs = "memory" in bench.subject.declaration.get("needs", ())
    if not needs and not bench.standing("sessions").ask("recalls.embedding"):
        message = "it uses no memory"
        raise CheckSkipped(message)
    name = f"ablation on {kind}"
    if name not in bench.kept:
        costs = desk.FREE if kind == CONTROL else desk.VENUES[desk.USUAL]
        bench.kept[name] = ablate(bench, ensemble(kind, BARS, bench.seed), costs=costs)
    found: Ablation = bench.kept[name]
    return found


def memory_does_not_wear_out(bench: Bench) -> Measured:
    """A95: what memory adds in the second half of a history is not less than 0.8 times the first, beyond noise."""
    found = _ablation(bench, LEARNABLE)
    worn, bar = found.worn(), -student(ALPHA, PATHS - 1)
    first, second = (float(half) for half in found.added.mean(axis=0))
    measured = Measured({"first half": first, "second half": second, "t": worn}, {"t": f"> {bar:.2f}"})
    if worn <= bar:
        message = f"memory adds {first:+.2%} in the first half of a history, {second:+.2%} in the second: it wears out"
        raise CheckFailedError(message, measured)
    return measured


def memory_ablated(bench: Bench) -> Measured:
    """A97: on the control no honest memory helps, one that knows the future does; what it adds elsewhere is told."""
    control, learnable = _ablation(bench, CONTROL), _ablation(bench, LEARNABLE)
    bar, shown = student(ALPHA, PATHS - 1), student(SHOWN, PATHS - 1)
    values = {f"{CONTROL} {name}": value for name, value in told(control).items()}
    values |= {f"{LEARNABLE} {name}": value for name, value in told(learnable).items()}
    limits = {f"{CONTROL} {arm} t": f"< {bar:.2f}" for arm in HONEST} | {f"{CONTROL} {LEAKY} t": f">= {shown:.2f}"}
    measured = Measured(values, limits)
    knowing = [arm for arm in HONEST if control.t(arm) >= bar]
    if knowing:
        message = (
            f"where there is nothing to know, memory adds {control.t(knowing[-1]):.1f} standard errors of profit "
            f"({', '.join(knowing)}): what it recalls by, or what it recalls, knows the future"
        )
        raise CheckFailedError(message, measured)
    if control.t(LEAKY) < shown:
        message = (
            f"even a memory of the future adds only {control.t(LEAKY):.1f} standard errors of profit, "
            f"where {shown:.1f} would show: it makes nothing of what it recalls, and nothing could be found here"
        )
        raise CheckFailedError(message, measured)
    return measured


CHECKS = (
    Check("A95", "memory does not wear out", 6, memory_does_not_wear_out, tier="gold"),
    Check("A97", "memory knows nothing of the future, and does something", 6, memory_ablated, tier="gold"),
)

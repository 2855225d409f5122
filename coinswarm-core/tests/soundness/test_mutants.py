"""The differential test is worth something: twins of the reference with one rule broken are all told apart.

Each mutant replaces one snippet of the step engine's sources and runs the generated markets until a
result differs from the kernel's. Where a snippet is not found any more, the source was rewritten:
write the mutant anew, so that its rule stays guarded.
"""

from __future__ import annotations

from functools import cache
from importlib import import_module
from importlib.abc import InspectLoader
from importlib.util import find_spec, module_from_spec, spec_from_loader
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest

from coinswarm.engine import steps
from coinswarm.engine.columns import run_columns
from coinswarm_testkit.audit import audit
from coinswarm_testkit.differential import differences
from coinswarm_testkit.markets.plans import random_plan

if TYPE_CHECKING:
    from types import ModuleType

    from coinswarm.engine.plan import RunPlan
    from coinswarm.engine.result import RunResult

pytestmark = [pytest.mark.soundness, pytest.mark.compiled]

MARKETS = 640

REFERENCE = "coinswarm.simulator.reference"
DESK = "coinswarm.engine.desk"
STEPS = "coinswarm.engine.steps"
GATE = "coinswarm.risk.gate"
PROTECTIONS = "coinswarm.risk.protections"
SIZING = "coinswarm.risk.sizing"
COMMITTEE = "coinswarm.committee.committee"

SEAMS = {
    REFERENCE: (DESK, "SimulatedExchange"),
    DESK: (STEPS, "Desk"),
    GATE: (DESK, "RiskGate"),
    PROTECTIONS: (DESK, "Protections"),
    SIZING: (DESK, "Sizer"),
    COMMITTEE: (STEPS, "Committee"),
    STEPS: (STEPS, "Session"),
}
"""Module that is mutated -> where the engine takes its class from."""


class Mutant(NamedTuple):
    """One rule, broken.

    :param rule: the rule, and how it is broken.
    :param module: where.
    :param old, new: the snippet and what takes its place.
    :param judged: whether the audit alone, without the kernel, must tell it apart as well.
    """

    rule: str
    module: str
    old: str
    new: str
    judged: bool = True


TARGETS_FIRST = """for order in [w for w in working if w.protective and not w.is_stop]:
            self._limit_inside(k, order, bar)
        for order in [w for w in working if w.is_stop]:"""

NEW_STOPS = "for order in self.orders[before:]:"
TARGETS_AGAIN = """for order in [w for w in working if w.protective and not w.is_stop]:
            if order.end_reason is WORKING:
                self._limit_inside(k, order, bar)
        """

NEXT = "\n" + 16 * " "

MUTANTS = (
    Mutant(
        "E1: works through its last instant",
        REFERENCE,
        "order.order.expire_ns <= ns:",
        "order.order.expire_ns < ns:",
        judged=False,
    ),
    Mutant("E2: shorts pay", REFERENCE, "(holding.lots > 0) != (rate_ppb > 0)", "(holding.lots > 0) == (rate_ppb > 0)"),
    Mutant(
        "E3: newest order first",
        REFERENCE,
        "for order in list(holding.working):",
        "for order in list(holding.working)[::-1]:",
    ),
    Mutant(
        "E4: inside before all have opened",
        STEPS,
        "exchange.open_bar(k, bar)",
        "(exchange.open_bar(k, bar), exchange.inside_bar(k, bar))",
    ),
    Mutant("E5: marked at the open", STEPS, "holdings[k].close = bar[4]", "holdings[k].close = bar[1]"),
    Mutant(
        "E7: fills without volume",
        REFERENCE,
        "bar_ns, opened, _, _, _, volume = bar\n        if volume <= 0:",
        "bar_ns, opened, _, _, _, volume = bar\n        if volume < 0:",
    ),
    Mutant(
        "F1: fills at the close",
        REFERENCE,
        "self._at_open(k, order, bar_ns, opened)",
        "self._at_open(k, order, bar_ns, opened if order.order.kind else bar[4])",
    ),
    Mutant(
        "F2: a gap is filled at the trigger",
        REFERENCE,
        "opened, taker=True, inside=False)  # F1, F2, B4",
        "order.trigger or opened, taker=True, inside=False)",
    ),
    Mutant("F3: always a taker", REFERENCE, "opened, taker=first, inside=False", "opened, taker=True, inside=False"),
    Mutant(
        "F3: fills at a touch of the open",
        REFERENCE,
        "(order.order.limit - opened) * order.side > 0",
        "(order.order.limit - opened) * order.side >= 0",
    ),
    Mutant("F5: IOC keeps working", REFERENCE, "if tif == IOC:", "if tif < 0:"),
    Mutant(
        "F5: FOK fills in part",
        REFERENCE,
        "lots <= 0 or (lots < want and order.order.tif == FOK)",
        "lots <= 0",
    ),
    Mutant(
        "F6: born better than its entry",
        REFERENCE,
        "reference = best(reference, order.born_ref)",
        "best(reference, order.born_ref)",
    ),
    Mutant(
        "F6: a touch does not trigger",
        REFERENCE,
        "return high >= order.trigger if order.side > 0 else low <= order.trigger",
        "return high > order.trigger if order.side > 0 else low < order.trigger",
        judged=False,
    ),
    Mutant(
        "F7: a touch fills",
        REFERENCE,
        "low < limit if order.side > 0 else high > limit",
        "low <= limit if order.side > 0 else high >= limit",
    ),
    Mutant("F8: target before stop", REFERENCE, "for order in [w for w in working if w.is_stop]:", TARGETS_FIRST),
    Mutant(
        "F9: fills at its limit as taker",
        REFERENCE,
        "(order.order.limit - order.trigger) * order.side > 0",
        "(order.order.limit - order.trigger) * order.side >= 0",
    ),
    Mutant(
        "F10: no stop in the entry's bar",
        REFERENCE,
        NEW_STOPS,
        "for order in self.orders[:0]:",
        judged=False,
    ),
    Mutant(
        "F10: target in the bar of an entry inside",
        REFERENCE,
        "if order.is_stop and order.end_reason is WORKING:" + NEXT + "self._stop_inside(",
        "if order.end_reason is WORKING:" + NEXT + "(self._stop_inside if order.is_stop else self._limit_inside)(",
    ),
    Mutant("F10: targets again after entries", REFERENCE, NEW_STOPS, TARGETS_AGAIN + NEW_STOPS),
    Mutant(
        "P1: rounded in our favour", REFERENCE, "-(-reference * self._adverse_ppm", "(reference * self._adverse_ppm"
    ),
    Mutant("P1: costs turned round", REFERENCE, "reference + side * adverse", "reference - side * adverse"),
    Mutant(
        "P2: worse than its limit",
        REFERENCE,
        "if limit > 0:\n            price = min",
        "if limit < 0:\n            price = min",
    ),
    Mutant("P3: makers pay as takers", REFERENCE, "(reference, self._maker_ppm)", "(reference, self._taker_ppm)"),
    Mutant("P4: the fraction is forgotten", REFERENCE, "holding.carry = owed % PPM", "holding.carry = 0"),
    Mutant("Q1: each order takes all the room", REFERENCE, "holding.room = room - lots", "holding.room = room"),
    Mutant("Q2: a reduction flips", REFERENCE, "return min(want, held)", "return want"),
    Mutant(
        "Q3: an entry does not wait", REFERENCE, "return  # Q3", "return self.cancel(order, bar_ns, POSITION_CLOSED)"
    ),
    Mutant("Q4: the fee is forgotten", REFERENCE, "worth + (0 if base_rate else fee) > self.cash", "worth > self.cash"),
    Mutant(
        "Q5: dust is sold",
        REFERENCE,
        "scale.value(held, reference) < scale.min_units",
        "scale.value(held, reference) < 0",
    ),
    Mutant(
        "Q5: what can be shorted leaves dust, too",
        REFERENCE,
        "if not scale.shortable and scale.min_units",
        "if scale.min_units",
    ),
    Mutant(
        "B1: bracket around the reference price",
        REFERENCE,
        "trigger = max(price - side * stop, 1)",
        "trigger = max(reference - side * stop, 1)",
    ),
    Mutant(
        "B2: guards do not grow",
        REFERENCE,
        "guard.lots = guard.filled + abs(holding.lots)",
        "guard.lots += 0",
        judged=False,
    ),
    Mutant(
        "B3: every guard ends OCO",
        REFERENCE,
        "EndReason.OCO if closer.protective else POSITION_CLOSED",
        "EndReason.OCO",
        judged=False,
    ),
    Mutant(
        "B3: the entry stays", REFERENCE, "_entries(k, -closer.side, bar_ns)", "_entries(k, 0, bar_ns)", judged=False
    ),
    Mutant(
        "B4: the entry stays, inside",
        REFERENCE,
        "_entries(k, -order.side, bar_ns)\n        if order.order",
        "_entries(k, 0, bar_ns)\n        if order.order",
        judged=False,
    ),
    Mutant(
        "B4: the entry stays, at the open",
        REFERENCE,
        "_entries(k, -order.side, bar_ns)\n        if not",
        "_entries(k, 0, bar_ns)\n        if not",
        judged=False,
    ),
    Mutant(
        "B4: triggers anew inside",
        REFERENCE,
        "is not WORKING or order.triggered or not",
        "is not WORKING or not",
        judged=False,
    ),
    Mutant("T1: falls back", REFERENCE, "max(order.trigger, high - order.order.trail)", "high - order.order.trail"),
    Mutant(
        "T2: moves in the entry's bar",
        REFERENCE,
        "if order.triggered or (order.inside and order.order.decided_ns == bar_ns):",
        "if order.triggered:",
    ),
    Mutant(
        "T2: moves after it went off",
        REFERENCE,
        "if order.triggered or (order.inside and order.order.decided_ns == bar_ns):",
        "if order.inside and order.order.decided_ns == bar_ns:",
    ),
    Mutant("S17: peak forgotten", PROTECTIONS, "if equity > self.peak:", "if equity:", judged=False),
    Mutant("S17: an enlargement at its own stop", DESK, "guard = guard_of(holding, side)", "guard = 0", judged=False),
    Mutant(
        "D1: resized at the limit itself",
        DESK,
        "or change <= self._plan.committee.rebalance_bp",
        "or change < self._plan.committee.rebalance_bp",
        judged=False,
    ),
    Mutant("D2: a reduction passes for an exit", DESK, " or _only_reduces(want.exit, holding):", ":", judged=False),
    Mutant("D3: the exit stays", DESK, "if resize or held or ", "if resize or ", judged=False),
    Mutant(
        "D3: too much stays", DESK, "if held and lots < 0 and ", "if resize and held and lots < 0 and ", judged=False
    ),
    Mutant("D3: dust is reduced", DESK, "lots < 0 and self.ledger.is_open(k):", "lots < 0:", judged=False),
    Mutant("D5: a bar longer", DESK, "now >= want.blocked_until", "now > want.blocked_until", judged=False),
    Mutant(
        "D6: as if it could not be stopped out",
        GATE,
        "lowest = max(price - order.stop_ticks, 1) if order.side > 0 else price",
        "lowest = price",
        judged=False,
    ),
    Mutant("S3: below the quorum it may grow", COMMITTEE, "if toward >= abs(x):", "if toward < 0:", judged=False),
    Mutant(
        "S3: nobody is enough",
        COMMITTEE,
        "rules.participation_bp or participation == 0:",
        "rules.participation_bp:",
        judged=False,
    ),
    Mutant("S19: shrunk by no prior", SIZING, "prior = rules.prior_trades * 10_000", "prior = 10_000", judged=False),
    Mutant(
        "S19: sized by the distance alone",
        SIZING,
        "self._costing.loss_ticks(price, intent.stop_ticks)), cap)",
        "intent.stop_ticks), cap)",
        judged=False,
    ),
    Mutant(
        "S19: the prior pays its target",
        SIZING,
        "b = self._costing.payoff_bp(price, intent.stop_ticks, intent.take_ticks)",
        "b = intent.take_ticks * 10_000 // intent.stop_ticks or 10_000",
        judged=False,
    ),
)


class _Mutated(InspectLoader):
    """Loads a module with one snippet replaced."""

    def __init__(self, mutant: Mutant) -> None:
        spec = find_spec(mutant.module)
        assert spec is not None
        assert spec.origin is not None
        source = Path(spec.origin).read_text(encoding="utf-8")
        assert source.count(mutant.old) == 1, f"{mutant.module} was rewritten: write the mutant {mutant.rule!r} anew"
        self._source = source.replace(mutant.old, mutant.new)

    def get_source(self, fullname: str) -> str:  # noqa: ARG002 - the loader's form
        """The mutated source."""
        return self._source


def load(mutant: Mutant) -> ModuleType:
    """The mutated module, beside the true one."""
    spec = spec_from_loader(f"mutant.{mutant.module}", _Mutated(mutant))
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@cache
def by_columns(seed: int) -> tuple[RunPlan, RunResult]:
    """A generated plan and what the kernel makes of it."""
    plan = random_plan(seed)
    return plan, run_columns(plan)


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.rule)
def test_a_broken_rule_is_told_apart(mutant: Mutant, monkeypatch: pytest.MonkeyPatch) -> None:
    module = load(mutant)
    home, name = SEAMS[mutant.module]
    monkeypatch.setattr(import_module(home), name, getattr(module, name))
    caught = judged = False
    for seed in range(MARKETS):
        plan, columns = by_columns(seed)
        result = steps.run_steps(plan)
        if differences(columns, result):
            caught = True
            judged = judged or not mutant.judged or bool(audit(plan, result).broken)
            if judged:
                return
    assert caught, f"{MARKETS} markets do not tell it apart"
    assert judged, "only the kernel tells it apart; the audit should, too"


def test_the_true_engine_is_told_apart_from_none() -> None:
    plan, columns = by_columns(0)
    assert differences(columns, steps.run_steps(plan)) == []

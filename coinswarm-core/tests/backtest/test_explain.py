"""Explanations: every number in them recomputes, for every decision of the demo and of generated plans."""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import pytest

from coinswarm.backtest.explain import explain_moments
from coinswarm.backtest.explain_risk import costing, sizing_steps
from coinswarm.backtest.explain_text import OUTCOMES, RULES, explain_text
from coinswarm.backtest.explain_watch import intent_at, watch
from coinswarm.committee.weighing import WeightedWeigher
from coinswarm.config.profile import load_profile
from coinswarm.domain.instrument import MONEY
from coinswarm.domain.order import Refusal
from coinswarm.engine.columns import run_columns
from coinswarm.engine.steps import run_steps
from coinswarm.risk.sizing import Record, kelly_risk_bp, published_share_bp
from coinswarm.runtime.assembly import assemble
from coinswarm_testkit.markets.plans import random_plan
from coinswarm_testkit.markets.tiny import BUY, OPEN, SELL, Leg, tiny_plan

if TYPE_CHECKING:
    from collections.abc import Callable

    from coinswarm.backtest.explain_watch import Moment
    from coinswarm.domain.intent import Intent
    from coinswarm.engine.plan import RunPlan
    from coinswarm.engine.result import RunResult

Told = dict[str, Any]
F = TypeVar("F", bound="Callable[..., object]")


def soundness(test: F) -> F:
    """Of all decisions there are: not interpreted, and not in the first stage."""
    marked: F = pytest.mark.soundness(test)
    pytest.mark.compiled(marked)  # marks are kept on the function itself
    return marked


def moments(plan: RunPlan, result: RunResult) -> list[Moment]:
    """Where each decision was made."""
    return [
        (k, int(np.searchsorted(plan.bars[k].open_ns, known - plan.bar_ns)))
        for known, k in result.decisions[:, :2].tolist()
    ]


def weighed(told: Told) -> tuple[int, int]:
    """S3 by hand: exposure and participation from weights and stances as they are told."""
    present = [agent for agent in told["agents"] if agent["counts"]]
    weight = sum(agent["weight_bp"] for agent in present)
    total = sum(a["weight_bp"] * a["stance"]["direction"] * a["stance"]["confidence_bp"] for a in present)
    return (0 if weight == 0 else abs(total) // weight * (1 if total > 0 else -1)), weight


def intended(told: Told) -> int:
    """S3 by hand: what participation and hysteresis make of it."""
    exposure, weight = told["weigher"]["exposure_bp"], told["weigher"]["participation_bp"]
    rules, before = told["intent"], told["intent"]["before_bp"]
    if weight < rules["participation_bp"] or weight == 0:
        if not weight or not before:
            return int(before)
        toward = max(exposure if before > 0 else -exposure, 0)
        if toward >= abs(before):
            return int(before)
        return 0 if toward < rules["exit_bp"] else toward * (1 if before > 0 else -1)
    stays = before * exposure > 0 and abs(exposure) >= rules["exit_bp"]
    return exposure if exposure and (stays or abs(exposure) >= rules["enter_bp"]) else 0


def check_all(
    plan: RunPlan, again: RunPlan, engine: Callable[[RunPlan], RunResult] = run_columns
) -> tuple[RunResult, list[Told]]:
    """Explain every decision of a plan and hold it against what an engine noted.

    :param again: the same plan with fresh agents.
    """
    result = engine(plan)
    replayed, explained = explain_moments(again, moments(plan, result))
    assert replayed.order_hash == result.order_hash
    for number, (row, told) in enumerate(zip(result.decisions.tolist(), explained, strict=True)):
        known, k, exposure, size, stop, take, agree, refusal, order, lots = row
        instrument, intent = plan.bars[k].instrument, told["intent"]
        assert (told["decision"], told["known_ns"], told["instrument"]) == (number, known, instrument.symbol)
        assert intent["exposure_bp"] == exposure
        if type(plan.weigher) is WeightedWeigher:
            assert weighed(told) == (told["weigher"]["exposure_bp"], told["weigher"]["participation_bp"])
        assert intended(told) == exposure or (intent["rule"] == "nobody agrees" and exposure == 0), number
        assert intent["size_bp"] == size
        assert intent["stop"] == format(instrument.price(stop).normalize(), "f")
        assert intent["take"] == format(instrument.price(take).normalize(), "f")
        assert intent["agree"] == [s.name for a, s in enumerate(plan.seats) if agree >> a & 1]
        assert [agent["agrees"] for agent in told["agents"]] == [bool(agree >> a & 1) for a in range(len(plan.seats))]
        check_bracket(told, plan, k, row)
        check_risk(told, refusal, lots)
        if refusal == 0 and order >= 0:
            assert order in [one["order"] for one in told["orders"]]
        json.dumps(told, allow_nan=False)
        text = explain_text(told)
        assert max(map(len, text.splitlines())) <= 80
    return result, explained


def check_bracket(told: Told, plan: RunPlan, k: int, row: list[int]) -> None:
    """Size and distances are weighted means over those who agree and are counted (S4)."""
    _, _, exposure, size, stop, take, agree, *_ = row
    agreeing = [agent for agent in told["agents"] if agent["agrees"]]
    if not exposure or not agree or told["intent"]["rule"].startswith("no quorum"):
        return  # frozen at what it was

    def mean(name: str, *, given: bool) -> int:
        chosen = [a for a in agreeing if not given or a["stance"][name] > 0]
        cap = plan.cap_ticks(k) if given else 1 << 40
        weight = sum(a["weight_bp"] for a in chosen)
        return sum(a["weight_bp"] * min(a["stance"][name], cap) for a in chosen) // weight if weight else 0

    assert (size, stop, take) == (
        mean("size_bp", given=False), mean("stop_ticks", given=True), mean("take_ticks", given=True),
    )  # fmt: skip


def check_risk(told: Told, refusal: int, lots: int) -> None:
    """The gate's last check is the one that refused, and sizing comes to the lots that were asked for."""
    if told["gate"] is not None:
        failed = [check["refusal"] for check in told["gate"]["checks"] if not check["passes"]]
        assert failed == ([Refusal(refusal).name] if refusal else [])
    if told["sizing"] is not None:
        assert abs(told["sizing"]["difference_lots"]) == abs(lots)
    else:
        assert refusal in (Refusal.APPROVED, Refusal.COOL_DOWN)


@pytest.fixture(scope="module")
def demo() -> tuple[RunPlan, RunResult, list[Told]]:
    """The demo, every decision explained."""
    profile = load_profile("demo")
    plan, again = (assemble(profile, label="demo").plan for _ in range(2))
    result, explained = check_all(plan, again)
    return plan, result, explained


@soundness
def test_every_decision_of_the_demo(demo: tuple[RunPlan, RunResult, list[Told]]) -> None:
    _, result, explained = demo
    assert len(explained) == len(result.decisions) > 1_000
    reasons = Counter(agent["reason"] for told in explained for agent in told["agents"])
    assert len(reasons) > 5
    assert not [reason for reason in reasons if reason.startswith("reason ")]


@soundness
def test_trades_are_told_with_whose_idea_they_were(demo: tuple[RunPlan, RunResult, list[Told]]) -> None:
    plan, result, explained = demo
    told = {one["trade"]["trade"]: one["trade"] for one in explained if one["trade"] and not one["trade"]["open"]}
    assert len(told) == len(result.trade_rows)
    for number, trade in told.items():
        _, side, _, _, _, pnl, fees, risk, agree, stopped = result.trade_rows[number].tolist()
        assert float(trade["pnl"]) == pytest.approx(pnl / MONEY)
        assert float(trade["fees"]) == pytest.approx(fees / MONEY)
        assert trade["r"] == pnl / risk
        assert trade["stopped"] is bool(stopped)
        assert (trade["closed_by"]["role"] == "protective stop") is bool(stopped)
        assert (trade["side"] == "long") is (side > 0)
        weights = {seat.name: seat.weight_bp for a, seat in enumerate(plan.seats) if agree >> a & 1}
        shares = {share["seat"]: share["share_bp"] for share in trade["attributed"]}
        assert shares == {name: weight * 10_000 // sum(weights.values()) for name, weight in weights.items()}


@soundness
def test_fills_add_up_to_the_costs_of_the_run(demo: tuple[RunPlan, RunResult, list[Told]]) -> None:
    _, result, explained = demo
    orders: dict[int, Told] = {}
    for told in explained:
        for order in told["orders"]:
            orders[order["order"]] = order
            orders.update({guard["order"]: guard for guard in order["guards"]})
    assert sorted(orders) == list(range(len(result.orders)))
    fills = [fill for order in orders.values() for fill in order["fills"]]
    assert len(fills) == len(result.fills)
    assert sum(round(float(fill["fee"]) * MONEY) for fill in fills) == result.costs["fees"]
    assert sum(round(float(fill["slipped"]) * MONEY) for fill in fills) == result.costs["adverse"]


BATCH = 20


@pytest.fixture(scope="module")
def met() -> Counter[str]:
    """What the generated plans reached together."""
    return Counter()


@soundness
@pytest.mark.parametrize("first", range(0, 120, BATCH))
def test_every_decision_of_generated_plans(first: int, met: Counter[str]) -> None:
    for seed in range(first, first + BATCH):
        _, explained = check_all(random_plan(seed), random_plan(seed))
        for told in explained:
            met.update(
                [told["desk"], told["intent"]["rule"], told["sizing"]["method"] if told["sizing"] else "no sizing"]
            )
            met.update([told["gate"]["verdict"]] if told["gate"] else [])
            met.update(["open trade"] if told["trade"] and told["trade"]["open"] else [])


@soundness
def test_the_plans_reached_what_can_be_told(met: Counter[str]) -> None:
    assert met, "the plans come first: run this file as a whole"
    wanted = {r.name for r in Refusal if r is not Refusal.COOL_DOWN}
    wanted |= {"calibrated", "published", "fraction", "lots", "refused", "leaves", "resizes", "turns", "enters"}
    wanted |= {"leaves, refused"}
    assert wanted - set(met) == set()


def test_a_turn_whose_other_side_is_refused_is_told_with_its_exit() -> None:
    calm = (100, 101, 99, 100)
    plan = tiny_plan(Leg([calm] * 4, [(BUY, 5), (BUY, 5), SELL]), limits=replace(OPEN, require_stop=True))
    _, [told] = explain_moments(plan, [(0, 2)])
    assert (told["desk"], told["gate"]["verdict"]) == ("leaves, refused", "NO_STOP")
    assert [order["role"] for order in told["orders"]] == ["exit"]
    words = " ".join(explain_text(told).split())
    assert "left the position; no order for the other side: the risk gate refused it" in words


@soundness
def test_bars_without_a_decision_are_explained_too() -> None:
    """Any bar can be asked about, also one at which the desk was not asked."""
    seen: Counter[str] = Counter()
    for seed in range(12):
        plan = random_plan(seed)
        chosen = [(k, row) for k, bars in enumerate(plan.bars) for row in range(0, len(bars), 7)]
        _, explained = explain_moments(plan, chosen)
        for (k, row), told in zip(chosen, explained, strict=True):
            assert told["known_ns"] == int(plan.bars[k].open_ns[row]) + plan.bar_ns
            assert told["intent"]["rule"] in RULES
            assert told["desk"] in OUTCOMES
            assert intended(told) == told["intent"]["exposure_bp"] or told["intent"]["rule"] == "nobody agrees"
            seen.update([told["desk"]])
            assert explain_text(told).count("\n") > 5
    assert {"unchanged", "stays flat"} <= set(seen)


@soundness
def test_sizing_is_that_of_the_engine() -> None:
    """The written-out steps against the functions that sized the orders."""
    compared = Counter[str]()
    for seed in range(60):
        plan = random_plan(seed)
        result = run_columns(random_plan(seed))
        chosen = moments(plan, result)
        watched = watch(plan, chosen)
        for k, row in chosen:
            voices, view = watched.voices[k], watched.views[k, row]
            assert voices is not None
            intent: Intent = intent_at(voices.intents, row)
            if view.target < 0:
                continue
            steps = sizing_steps(plan, k, intent, view)
            assert steps["lots"] == view.target
            if "risk_bp" in steps:
                record = Record(plan.weights)
                for a, (wins, losses, won, lost) in enumerate(view.record):
                    record.wins[a], record.losses[a], record.won[a], record.lost[a] = wins, losses, won, lost
                b = costing(plan).payoff_bp(view.close, intent.stop_ticks, intent.take_ticks)
                assert (steps["payoff_bp"], steps["risk_bp"]) == (
                    b,
                    kelly_risk_bp(plan.sizing, record, intent.agree, b),
                )
                assert steps["loss_ticks"] == costing(plan).loss_ticks(view.close, intent.stop_ticks)
            if "share_bp" in steps:
                strength = abs(intent.exposure_bp)
                assert steps["share_bp"] == published_share_bp(plan.sizing, strength, view.volatility_bp)
            compared[str(steps["method"])] += 1
    assert len(compared) == 4


@pytest.mark.parametrize("seed", [5, 7, 13, 17, 22, 23, 30, 55])
def test_plans_that_refuse_for_many_reasons(seed: int) -> None:
    """By the step engine alone."""
    _, explained = check_all(random_plan(seed), random_plan(seed), run_steps)
    assert explained


def test_every_sentence_can_be_said() -> None:
    """No rule without a sentence, no placeholder left."""
    source = "\n".join(RULES[rule].format(participation_bp="50 %", enter_bp="20 %", exit_bp="10 %") for rule in RULES)
    assert not re.search(r"[{}]", source)

"""Each gold check against agents whose evidence breaks it: the set of checks that fail must be the one expected."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from coinswarm_testkit.bench import LocalBench
from coinswarm_testkit.evidence.gather import Evidence, gather
from coinswarm_testkit.subject import Subject
from coinswarm_testkit.suite import checks_for, judge

if TYPE_CHECKING:
    from coinswarm_testkit.verdicts import Outcome

pytestmark = pytest.mark.soundness

GOLD = [check for check in checks_for("agent") if check.tier == "gold"]
IN_PROCESSES = "A86"
"""Measures again in another process; run where it matters."""

MEASURED: dict[tuple[str, int, object], Evidence] = {}
"""Evidence does not depend on what is declared beside the trials: measured once for each agent."""


def bench(name: str, seed: int = 0, **declaration: object) -> LocalBench:
    subject = Subject(name, f"gold_agents:{name}", declaration={"trials": 1, **declaration})
    made = LocalBench(subject, seed)
    key = (name, seed, subject.declaration["trials"])
    if key not in MEASURED:
        MEASURED[key] = gather(made)
    made.kept["evidence"] = MEASURED[key]
    return made


def judged(one: LocalBench, *, processes: bool = False) -> dict[str, Outcome]:
    checks = [check for check in GOLD if processes or check.id != IN_PROCESSES]
    return {found.id: found for found in judge(one, checks)}


def failing(one: LocalBench, *, processes: bool = False) -> set[str]:
    return {name for name, found in judged(one, processes=processes).items() if not found.good}


@pytest.mark.parametrize(
    ("name", "claims"),
    [
        ("Follows", ["edge:trending-up", "edge:trending-down"]),
        ("Fades", ["edge:mean-reversion", "edge:range-bound"]),
    ],
)
@pytest.mark.parametrize("seed", [0, 1])
def test_honest_agents_fail_nothing(name: str, claims: list[str], seed: int) -> None:
    assert failing(bench(name, seed, claims=claims), processes=(name, seed) == ("Follows", 0)) == set()


@pytest.mark.parametrize(
    ("name", "declaration", "expected"),
    [
        ("GivesNoStop", {}, {"A72", "A80"}),
        ("Follows", {"needs": ["sentiment"]}, {"A72"}),
        ("Follows", {"needs": ["sentiment"], "data_cost": 0.0}, set()),
        ("Follows", {"needs": ["memory"]}, {"A97"}),
        ("Follows", {"trials": 0}, {"A80"}),
        ("KnowsTheNextBar", {}, {"A82", "A84"}),
        ("KnowsTheSample", {}, {"A84"}),
        ("Churns", {}, {"A90"}),
        ("IgnoresCosts", {"claims": ["edge:range-bound"]}, {"A92"}),
        ("Follows", {"claims": ["edge:range-bound"]}, {"A92"}),
        ("Follows", {"claims": ["abstains:range-bound"]}, {"A92"}),
        ("Follows", {"claims": ["edge:trending-upp"]}, {"A92"}),
        ("Follows", {"claims": ["wins:trending-up"]}, {"A92"}),
    ],
)
def test_what_breaks_a_demand_fails_it_alone(name: str, declaration: dict[str, Any], expected: set[str]) -> None:
    assert failing(bench(name, **declaration)) == expected


def test_two_processes_tell_what_depends_on_hashes() -> None:
    assert failing(bench("FollowsTheHash"), processes=True) == {"A86"}


def test_messages_say_what_is_wrong() -> None:
    needs = judged(bench("Follows", needs=["macro", "sentiment"], claims=["edge:crsh"], trials=0))
    assert needs["A72"].reason.startswith("it needs macro, sentiment, and its declaration does not say")
    assert "the number of trials is unknown" in needs["A80"].reason
    assert "did you mean 'crash'?" in needs["A92"].reason
    blind = judged(bench("IgnoresCosts", claims=["edge:range-bound"]))
    assert "standard errors, 3.22 would show an edge" in blind["A92"].reason
    assert MEASURED["IgnoresCosts", 0, 1].tallies["range-bound"].gross.mean() > 0


def test_an_edge_before_costs_is_told_apart_from_one_after_them() -> None:
    measured = judged(bench("IgnoresCosts"))["A72"].measured.values
    assert measured["BTC/USD binance cost_bps"] == pytest.approx(12, abs=1)
    assert measured["BTC/USD coinbase cost_bps"] == pytest.approx(120, abs=8)
    assert measured["data_cost"] == 0


def test_completeness_does_not_ask_for_profit() -> None:
    found = judged(bench("Fades"))["A80"]
    assert found.good
    sharpe = found.measured.values["BTC/USD sharpe"]
    assert isinstance(sharpe, float)
    assert sharpe < 0
    assert "PSR(0) is" in str(found.measured.values["BTC/USD admitted"])

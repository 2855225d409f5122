"""What the gold checks say and measure; that honest agents pass them; the mutants show what fails them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from coinswarm_testkit.bench import LocalBench
from coinswarm_testkit.evidence.gather import Evidence, gather
from coinswarm_testkit.subject import Subject
from coinswarm_testkit.suite import checks_for, judge

if TYPE_CHECKING:
    from coinswarm_testkit.verdicts import Outcome

pytestmark = pytest.mark.soundness

GOLD = [check for check in checks_for("agent") if check.tier == "gold"]
ROOM = "coinswarm_mutants.evidence"

MEASURED: dict[tuple[str, int], Evidence] = {}
"""Declarations beside the trials change no evidence: it is measured once for each agent."""


def judged(target: str, seed: int = 0, **declaration: object) -> dict[str, Outcome]:
    """How the gold checks end; A86, which measures everything twice, is left to the mutants."""
    subject = Subject(target, f"{ROOM}.{target}", declaration={"trials": 1, **declaration})
    with LocalBench(subject, seed) as bench:
        if declaration.get("trials", 1) == 1:
            bench.kept["evidence"] = MEASURED.get((target, seed)) or gather(bench)
            MEASURED[target, seed] = bench.kept["evidence"]
        return {found.id: found for found in judge(bench, [check for check in GOLD if check.id != "A86"])}


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize(
    ("target", "claims"),
    [
        ("_honest:Follows", ["edge:trending-up", "edge:trending-down"]),
        ("_honest:Fades", ["edge:mean-reversion", "edge:range-bound"]),
    ],
)
def test_honest_agents_fail_nothing(target: str, claims: list[str], seed: int) -> None:
    assert [found.reason for found in judged(target, seed, claims=claims).values() if not found.good] == []


def test_messages_say_what_is_wrong() -> None:
    found = judged("_honest:Follows", needs=["macro", "sentiment"], claims=["edge:crsh", "wins:gap"], trials=0)
    assert found["A72"].reason.startswith("it needs macro, sentiment, and its declaration does not say")
    assert "the number of trials is unknown" in found["A80"].reason
    assert "did you mean 'crash'?" in found["A92"].reason
    assert "claim 'wins:gap' begins with none of edge:, abstains:" in found["A92"].reason


def test_an_edge_before_costs_is_told_apart_from_one_after_them() -> None:
    blind = judged("forgets_the_costs:Mutant", claims=["edge:range-bound"])
    assert "standard errors, 3.22 would show an edge" in blind["A92"].reason
    assert MEASURED["forgets_the_costs:Mutant", 0].tallies["range-bound"].gross.mean() > 0
    measured = blind["A72"].measured.values
    assert measured["BTC/USD binance cost_bps"] == pytest.approx(12, abs=1)
    assert measured["BTC/USD coinbase cost_bps"] == pytest.approx(120, abs=8)
    assert measured["data_cost"] == 0


def test_completeness_does_not_ask_for_profit() -> None:
    found = judged("_honest:Fades")["A80"]
    assert found.good
    sharpe = found.measured.values["BTC/USD sharpe"]
    assert isinstance(sharpe, float)
    assert sharpe < 0
    assert "PSR(0) is" in str(found.measured.values["BTC/USD admitted"])

"""The desk's terms, the test's arithmetic, claims and thresholds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from coinswarm.domain.action import ActionColumns
from coinswarm.errors import UnknownNameError
from coinswarm.runtime.trials import TRIAL_SCHEMA, TrialRegistry
from coinswarm_testkit.bench import LocalBench
from coinswarm_testkit.evidence import desk
from coinswarm_testkit.evidence.alpha import ALPHA, SHOWN, student
from coinswarm_testkit.evidence.claims import understood
from coinswarm_testkit.evidence.gather import columns_of, gather, recordings
from coinswarm_testkit.evidence.looks import registered
from coinswarm_testkit.evidence.record import OUT_OF_SAMPLE, WHOLE, record
from coinswarm_testkit.evidence.tally import tally
from coinswarm_testkit.evidence.thresholds import Threshold, thresholds
from coinswarm_testkit.markets.ensembles import CONTROL, KINDS, ensemble
from coinswarm_testkit.markets.recorded import samples
from coinswarm_testkit.replay import table
from coinswarm_testkit.subject import Subject

if TYPE_CHECKING:
    from pathlib import Path


def test_students_quantiles_are_those_of_the_tables() -> None:
    for error, freedom, t in ((0.05, 10, 1.8125), (0.01, 30, 2.4573), (0.001, 60, 3.2317), (5e-4, 60, 3.4602)):
        assert student(error, freedom) == pytest.approx(t, abs=2e-3)
    assert student(ALPHA, 63) > student(SHOWN, 63)


def test_alarms_over_the_grid_are_as_rare_as_stated() -> None:
    assert 6 * 160 * ALPHA < 0.1


def test_size_does_not_follow_the_record() -> None:
    bars = ensemble("trending-up", 600, 3, paths=1)[0]
    side = np.where(np.arange(600) % 20 < 10, 1, 0)
    said = ActionColumns.of(bars.instrument, side, stop_distance=0.02 * bars.close)
    result = desk.traded(bars, said, costs=desk.FREE)
    assert len(result.trade_rows) > 20
    risk = result.trade_rows[:, 7] / np.interp(result.trade_rows[:, 2], result.times_ns, result.equity)
    assert risk == pytest.approx(0.0025, rel=0.02)


@pytest.mark.parametrize("damaged", [False, True])
def test_a_registry_that_cannot_be_read_outweighs_what_is_declared(
    damaged: bool,  # noqa: FBT001 - a case
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("COINSWARM_HOME", str(tmp_path))
    market = samples()[0]
    first = int(market.bars.open_ns[0] // 86_400_000_000_000)
    for name in ("a", "b", "c"):
        about = {"schema": TRIAL_SCHEMA, "id": name, "first_day": first, "instruments": [market.name]}
        TrialRegistry().add(about, np.full(900, 0.001))
    if damaged:
        (tmp_path / "trials" / "b.json").write_text("{")
    side = np.where(np.arange(len(market.bars)) % 40 < 20, 1, 0)
    said = ActionColumns.of(market.bars.instrument, side, stop_distance=0.05 * market.bars.close)
    found = record(market, said, part=OUT_OF_SAMPLE, warm_up=0, seen=registered(), declared=1)
    if not damaged:
        assert (found.admission.trials, found.missing()) == (4, [])
        return
    assert found.admission.reasons == ("the number of trials is unknown",)
    [lack] = found.missing()
    assert "the trial registry cannot be used" in lack
    assert "b.json" in lack


def test_a_tally_adds_up() -> None:
    market = ensemble("trending-up", 400, 5, paths=4)
    said = [
        ActionColumns.of(b.instrument, np.where(np.arange(400) % 40 < 20, 1, 0), stop_distance=0.05 * b.close)
        for b in market
    ]
    free = tally(market, said, warm_up=100, costs=desk.FREE)
    paid = tally(market, said, warm_up=100)
    assert free.profit == pytest.approx(free.gross)
    assert (paid.profit < paid.gross).all()
    assert (paid.trades > 5).all()
    assert 0.3 < float(paid.exposed.mean()) < 0.6
    assert free.t > 0
    assert paid.hit_rate is not None
    assert paid.plain()["paths"] == 4.0


def test_columns_survive_their_table() -> None:
    market = ensemble(CONTROL, 50, 3, paths=1)[0]
    said = ActionColumns.of(market.instrument, np.tile([1, -1, 0, 2, 3], 10), confidence=0.3, stop_distance=1.0)
    again = columns_of(table(said))
    assert again.problem(50) == ""
    for name in ("direction", "confidence_bp", "reason", "size_bp", "stop_ticks", "take_ticks"):
        np.testing.assert_array_equal(getattr(again, name), getattr(said, name))


@pytest.mark.parametrize("text", ["edge", "edge:", "profit:crash", "edge:nowhere", ""])
def test_claims_of_other_words_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="claim"):
        understood(text)


def test_every_kind_of_market_can_be_claimed() -> None:
    for kind in KINDS:
        assert str(understood(f"edge:{kind}")) == f"edge:{kind}"


def test_thresholds_are_reported_and_a_missing_number_meets_nothing() -> None:
    assert Threshold("g", "Sharpe", 1.0, ">= 1.0").met
    assert not Threshold("g", "Sharpe", 1.0, "> 1.0").met
    assert not Threshold("g", "Sharpe", None, "> -9").met
    assert Threshold("g", "Sharpe", None, "> -9").line() == "NOT MET g: Sharpe none (> -9)"


@pytest.mark.soundness
def test_evidence_of_an_agent() -> None:
    subject = Subject("Follows", "coinswarm_mutants.evidence._honest:Follows", declaration={"trials": 3})
    own = ensemble("range-bound", 3_000, 1)[0]
    with LocalBench(subject, data={"mine": own}) as bench:
        found = gather(bench)
        assert gather(bench) is found
    assert set(found.tallies) == set(KINDS)
    assert [one.market for one in found.chosen(WHOLE)] == ["BTC/USD", "ETH/USD", "your mine"]
    assert [one.name for one in recordings(bench)][-1] == "your mine"
    btc = found.chosen(OUT_OF_SAMPLE)[0]
    assert btc.proof["trials"]["count"] == 3
    assert btc.proof["days"] == 365
    assert btc.missing() == []
    whole = found.chosen(WHOLE)[0]
    assert whole.proof["days"] == 730
    assert btc.cost_bps is not None
    dear = found.chosen(OUT_OF_SAMPLE, desk.WORST)[0]
    assert dear.profit < btc.profit
    assert dear.cost_bps is not None
    assert dear.cost_bps > 100
    lines = thresholds("published", found)
    assert {line.group for line in lines} >= {"golden cross", "mean-reversion market", "high volatility", "range-bound"}
    assert {line.met for line in lines} == {True, False}
    with pytest.raises(UnknownNameError, match="publishd"):
        thresholds("publishd", found)

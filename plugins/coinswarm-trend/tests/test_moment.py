"""What the trend agent recalls by: past-only, bounded, the same on any scale of prices; and what it makes of it."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pytest

from coinswarm.domain.action import Action, Side
from coinswarm.domain.episode import Episode, Recollection
from coinswarm.domain.instrument import Instrument
from coinswarm.domain.market import Bars, MarketState
from coinswarm_trend.agent import TrendAgent
from coinswarm_trend.moment import HORIZONS, LIMIT, LOOK, moment
from coinswarm_trend.settings import TrendSettings

HOUR_NS = 3_600_000_000_000
INSTRUMENT = Instrument("BTC/USD", Decimal("0.01"), Decimal("0.0001"))
ACTION = Action(Side.BUY, 0.5, 1.0, 5.0)


def bars_of(close: np.ndarray) -> Bars:
    close = np.asarray(close, np.float64)
    times = np.arange(len(close), dtype=np.int64) * HOUR_NS
    return Bars(INSTRUMENT, HOUR_NS, times, close, close * 1.001, close * 0.999, close, np.ones(len(close)))


def walk(count: int, seed: int = 1) -> Bars:
    return bars_of(100 * np.exp(np.cumsum(0.01 * np.random.default_rng(seed).standard_normal(count))))


def test_a_rise_by_hand() -> None:
    found = moment(bars_of(100 * 1.01 ** np.arange(LOOK)))
    assert found is not None
    assert found.dtype == np.float32
    # every move is one standard deviation about nought: a return over h bars is h / sqrt(h)
    assert found[:2] == pytest.approx([1.0, 2.0], abs=1e-4)
    assert found[2:5] == pytest.approx([LIMIT] * 3)
    assert found[5] == pytest.approx(0.0, abs=1e-5)
    assert found[6:8] == pytest.approx([1.0, 1.0])
    assert found[8] > 0.9
    assert np.hypot(found[9], found[10]) == pytest.approx(0.5)
    assert found[11] == 1.0


def test_a_fall_is_its_mirror() -> None:
    up, down = moment(walk(LOOK)), moment(bars_of(1 / walk(LOOK).close))
    assert up is not None
    assert down is not None
    signed = [*range(len(HORIZONS)), 6, 7]
    assert down[signed] == pytest.approx(-up[signed], abs=1e-4)
    assert down[5] == pytest.approx(up[5], abs=1e-4)


def test_neither_the_scale_of_prices_nor_how_wild_the_year_is_shows() -> None:
    calm = walk(LOOK)
    dear = bars_of(calm.close * 1_000)
    wild = bars_of(np.exp(np.log(calm.close) * 3))
    assert moment(dear) == pytest.approx(moment(calm), abs=1e-5)
    there, here = moment(wild), moment(calm)
    assert there is not None
    assert here is not None
    assert there[:8] == pytest.approx(here[:8], abs=1e-4)


def test_where_nothing_moved_there_is_nothing_to_recall_by() -> None:
    assert moment(bars_of(np.full(LOOK, 100.0))) is None


@pytest.mark.parametrize("row", [LOOK - 1, 300, 398])
def test_a_moment_knows_nothing_later_and_nothing_before_its_window(row: int) -> None:
    agent = TrendAgent(TrendSettings(memory=True))
    bars = walk(400)
    found = agent.embed(MarketState.at(bars, row))
    assert found is not None
    assert found.shape == (12,)
    future = bars.close.copy()
    future[row + 1 :] *= 2
    for same in (agent.embed(MarketState.at(bars_of(future), row)), moment(bars[row + 1 - LOOK : row + 1])):
        assert same is not None
        assert np.array_equal(same, found)


def test_before_there_are_enough_bars_nothing_is_recalled() -> None:
    agent = TrendAgent(TrendSettings(memory=True))
    assert agent.embed(MarketState.at(walk(400), LOOK - 2)) is None


def test_it_recalls_only_where_the_settings_want_it() -> None:
    agent = TrendAgent()
    assert (agent.embedding(), agent.embed(MarketState.at(walk(400), 399))) == ("", None)
    assert TrendAgent(TrendSettings(memory=True)).embedding() == "moment.1"


def episodes(*outcomes: float, weight: float = 1.0, risk: int = 20_000) -> list[Recollection]:
    made = [
        Episode(
            id=f"{n:064x}", agent="trend", instrument="BTC/USD", side=1, decided_ns=0, known_ns=1,
            result_ppm=round(outcome * 20_000), risk_ppm=risk,
        )
        for n, outcome in enumerate(outcomes)
    ]  # fmt: skip
    return [Recollection(one, 0.1, weight) for one in made]


@pytest.mark.parametrize(
    ("recalled", "confidence"),
    [
        ([], 0.5),
        (episodes(1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0), 0.75),  # 8 / (8 + 8) = 0.5
        (episodes(-1.0, -1.0), 0.4),  # -2 / (2 + 8) = -0.2
        (episodes(-1.0, -1.0, weight=0.5), 0.5 * (1 - 1 / 9)),
        (episodes(*[50.0] * 3), 0.75),  # 9 / 11, and never more than half
        (episodes(*[-50.0] * 30), 0.25),
        (episodes(1.0, risk=0), 0.5),
    ],
)
def test_confidence_follows_what_came_of_similar_moments(recalled: list[Recollection], confidence: float) -> None:
    answer = TrendAgent(TrendSettings(memory=True)).reconsider(ACTION, recalled)
    assert answer.confidence == pytest.approx(confidence)
    assert answer._replace(confidence=0.5) == ACTION


def test_nobody_is_surer_than_sure() -> None:
    sure = ACTION._replace(confidence=0.9)
    assert TrendAgent().reconsider(sure, episodes(*[3.0] * 20)).confidence == 1.0


def test_memory_changes_no_decision() -> None:
    bars = walk(600, seed=5)
    plain, remembering = TrendAgent().decide_all(bars), TrendAgent(TrendSettings(memory=True)).decide_all(bars)
    for name in ("direction", "confidence_bp", "reason", "size_bp", "stop_ticks", "take_ticks"):
        assert np.array_equal(getattr(plain, name), getattr(remembering, name))

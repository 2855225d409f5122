"""Ensembles are repeatable, valid on every path, and what their names say."""

from __future__ import annotations

import numpy as np
import pytest

from coinswarm_testkit.markets import shapes
from coinswarm_testkit.markets.ensembles import CONTROL, KINDS, PATHS, REGIMES, ensemble
from coinswarm_testkit.markets.recorded import SPLIT_NS, out_of_sample, own, samples


@pytest.mark.parametrize("name", KINDS)
def test_paths_are_valid_repeatable_and_differ(name: str) -> None:
    made, again, other = ensemble(name, 300, 7), ensemble(name, 300, 7), ensemble(name, 300, 8)
    assert len(made) == PATHS
    assert made.grid.close.tobytes() == again.grid.close.tobytes()
    assert made.grid.close.tobytes() != other.grid.close.tobytes()
    assert len({path.close.tobytes() for path in made}) == PATHS
    for bars in made:
        assert len(bars) == 300
        assert (np.diff(bars.open_ns) > 0).all()
        assert (bars.high >= np.maximum(bars.open, bars.close)).all()
        assert (bars.low <= np.minimum(bars.open, bars.close)).all()
        assert (bars.low >= 0.01).all()


def test_one_path_is_what_the_shape_makes_alone() -> None:
    alone = shapes.trend(np.random.default_rng(3), (200,))
    first = shapes.trend(np.random.default_rng(3), (1, 200))
    for one, many in zip(alone, first, strict=True):
        np.testing.assert_array_equal(one, many[0])


def moves(name: str) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    found: np.ndarray[tuple[int, int], np.dtype[np.float64]] = np.diff(np.log(ensemble(name, 2_000, 1).grid.close))
    return found


def test_kinds_are_what_they_are_called() -> None:
    assert moves("trending-up").mean() == pytest.approx(0.002, abs=1e-4)
    assert moves("trending-down").mean() == pytest.approx(-0.002, abs=1e-4)
    assert moves("high-volatility").std() == pytest.approx(0.04, rel=0.02)
    for name, deviation in (("range-bound", 0.0192), ("mean-reversion", 0.0167)):
        away = np.log(ensemble(name, 2_000, 1).grid.close / shapes.PRICE)
        assert away[:, 500:].std() == pytest.approx(deviation, rel=0.05)
    wild = moves("volatility-spike").std(axis=0)
    assert wild[1_010:1_190].mean() > 4 * wild[:990].mean()
    assert wild[-100:].mean() < 1.5 * wild[:990].mean()
    assert set(REGIMES) < set(KINDS)


def test_the_control_has_no_drift_and_no_memory() -> None:
    found = moves(CONTROL)
    error = 0.006 / np.sqrt(found.size)
    assert abs(found.mean()) < 4 * error
    assert found.std() == pytest.approx(moves("trending-up").std(), rel=0.02)
    z = (found - found.mean()) / found.std()
    for lag in (1, 2, 24):
        assert abs((z[:, lag:] * z[:, :-lag]).mean()) < 4 / np.sqrt(found.size)


def test_the_sample_is_split_at_the_turn_of_the_year() -> None:
    found = samples()
    assert [one.name for one in found] == ["BTC/USD", "ETH/USD"]
    for one in found:
        late = out_of_sample(one)
        assert int(late.open_ns[0]) == one.split_ns == SPLIT_NS
        assert 0.45 < len(late) / len(one.bars) < 0.55


def test_own_bars_are_split_at_a_midnight_near_their_middle() -> None:
    bars = ensemble(CONTROL, 1_000, 1)[0]
    mine = own("mine", bars)
    assert mine.split_ns % 86_400_000_000_000 == 0
    assert 0.45 < len(out_of_sample(mine)) / len(bars) <= 0.5

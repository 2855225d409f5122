"""Generated markets are valid, repeatable, and what their names say."""

from __future__ import annotations

import numpy as np
import pytest

from coinswarm_testkit.markets import paths
from coinswarm_testkit.markets.paths import MARKETS


@pytest.mark.parametrize("name", MARKETS)
def test_bars_are_consistent_and_repeatable(name: str) -> None:
    for n in (0, 1, 2, 500):
        bars, again = MARKETS[name](n, 3), MARKETS[name](n, 3)
        for column in ("open_ns", "open", "high", "low", "close", "volume"):
            np.testing.assert_array_equal(getattr(bars, column), getattr(again, column))
        assert len(bars) == {"one_bar": 1, "empty": 0}.get(name, n)
        assert (np.diff(bars.open_ns) > 0).all()
        assert (bars.high >= np.maximum(bars.open, bars.close)).all()
        assert (bars.low <= np.minimum(bars.open, bars.close)).all()
        assert (bars.low >= 0.01).all()
        assert (bars.volume >= 0).all()
        for price in (bars.open, bars.high, bars.low, bars.close):
            np.testing.assert_allclose(price, np.round(price, 2), rtol=1e-12)


@pytest.mark.parametrize("name", sorted(set(MARKETS) - {"empty", "flat"}))
def test_seeds_differ(name: str) -> None:
    assert (MARKETS[name](100, 1).close != MARKETS[name](100, 2).close).any()


def returns(name: str) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    found: np.ndarray[tuple[int], np.dtype[np.float64]] = np.diff(np.log(MARKETS[name](4_000, 5).close))
    return found


def test_shapes() -> None:
    assert returns("trending_up").mean() > 0.0015
    assert returns("trending_down").mean() < -0.0015
    assert abs(returns("no_edge").mean()) < 0.0005
    assert returns("volatile").std() > 5 * returns("no_edge").std()
    assert abs(np.log(paths.ranging(4_000, 5).close / paths.PRICE)).max() < 0.15
    assert returns("crash").min() == pytest.approx(np.log(0.6), abs=1e-4)
    cross = paths.golden_cross(300, 5).close
    assert cross[199] < cross[0]
    assert cross[-1] > 1.3 * cross[199]


def test_gaps_holes_and_idle_bars() -> None:
    gaps = np.diff(paths.gapped(600, 5).open_ns) // paths.HOUR_NS
    assert (gaps > 30).sum() == 2
    assert (gaps == 2).sum() > 30
    thin = paths.thin(600, 5)
    idle = thin.volume == 0
    assert 0.3 < idle.mean() < 0.5
    np.testing.assert_array_equal(thin.close[idle][1:], thin.open[idle][1:])
    steady = paths.flat(600, 5)
    assert len({*steady.open, *steady.high, *steady.low, *steady.close}) == 1
    wild = paths.extreme(600, 5).close
    assert wild.max() / wild.min() > 1e7

"""An account: what is held once, and the two shares that risk is measured by."""

from __future__ import annotations

import pytest

from coinswarm.domain.portfolio import Holding, Portfolio

LONG = Holding("BTC/USD", 3, 100, 2_000)
SHORT = Holding("ETH/USD", -5, 50, 1_001)


def test_shares_are_rounded_to_the_careful_side() -> None:
    account = Portfolio(0, 9_000, 7_000, 10_001, 0, (LONG, SHORT))
    assert account.drawdown_bp == 1_000  # 1,001 of 10,001 is 1,000.9
    assert account.exposure_bp == 3_335  # 3,001 of 9,000 is 3,334.4
    assert (account.holding("ETH/USD"), account.holding("XRP/USD")) == (SHORT, None)


@pytest.mark.parametrize(
    ("equity", "mark", "drawdown"), [(5, 5, 0), (6, 5, 0), (0, 5, 10_000), (-5, 5, 20_000), (-1, 0, 0)]
)
def test_drawdown_at_the_edges(equity: int, mark: int, drawdown: int) -> None:
    assert Portfolio(0, equity, equity, mark).drawdown_bp == drawdown


def test_where_equity_is_gone_any_position_is_everything() -> None:
    assert Portfolio(0, 0, 0, 1).exposure_bp == 0
    assert Portfolio(0, -1, 0, 1, 0, (LONG,)).exposure_bp == 10_000


def test_an_instrument_is_held_once() -> None:
    with pytest.raises(ValueError, match="'BTC/USD' twice"):
        Portfolio(0, 1, 1, 1, 0, (LONG, Holding("BTC/USD", 1, 1, 1)))


@pytest.mark.parametrize(
    ("values", "said"),
    [
        (("", 1, 1, 1), "instrument"),
        (("BTC/USD", 0, 1, 1), "no holding"),
        (("BTC/USD", 1.0, 1, 1), "lots of BTC/USD is 1.0"),
        (("BTC/USD", 1, 0, 1), "entry_ticks"),
        (("BTC/USD", 1, 1, -1), "worth"),
    ],
)
def test_what_is_no_holding(values: tuple[str, int, int, int], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        Holding(*values)

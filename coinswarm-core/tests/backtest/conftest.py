"""The recorded bars beside the repository, and profiles that trade them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from coinswarm.config.profile import load_profile

if TYPE_CHECKING:
    from collections.abc import Callable

    from coinswarm.config.profile import Profile

OHLCV = Path(__file__).resolve().parents[4] / "shared" / "data" / "ohlcv"

STEPS = {"DOGE": ("0.00001", "1"), "XRP": ("0.0001", "1"), "SOL": ("0.01", "0.01"), "ETH": ("0.01", "0.001")}
"""Tick and lot by what a file's name holds; 0.01 and 0.0001 for the others."""


@pytest.fixture
def recorded() -> Callable[[str], Path]:
    """A recorded file by name; skips where the recordings are not there."""

    def found(name: str) -> Path:
        path = OHLCV / name
        if not path.is_file():
            pytest.skip(f"the recorded bars ({name}) are not beside this repository")
        return path

    return found


@pytest.fixture
def profile_of() -> Callable[..., Profile]:
    """The template with one recorded file, both agents, and what a test overrides.

    Tick and lot are what venues have for such a pair, not what the file's decimals say. The FTX file stamps bars with
    their close and counts its volume in quote.
    """

    def made(path: Path, *overrides: str, template: str = "backtest") -> Profile:
        tick, lot = next((steps for pair, steps in STEPS.items() if pair in path.name), ("0.01", "0.0001"))
        fields = [f'symbol="BTC/USD", tick={tick}, lot={lot}, min_notional=10']
        if template == "backtest":
            fields.append(f'file="{path}"')
        if path.name.startswith("ftx"):
            fields.append('stamp="close", volume="quote"')
        return load_profile(template, [f"instruments=[{{{', '.join(fields)}}}]", *overrides])

    return made

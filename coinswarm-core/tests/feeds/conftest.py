"""Small market files, written as a user might have them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

HEADER = "timestamp_ms,open,high,low,close,volume"
START_MS = 1_514_764_800_000  # 2018-01-01T00:00:00Z
HOUR_MS = 3_600_000


def rows(count: int = 5, *, step_ms: int = HOUR_MS) -> list[str]:
    """Sound hourly rows; prices have two decimals, volumes three."""
    return [
        f"{START_MS + number * step_ms},{100 + number}.50,{102 + number}.25,{99 + number}.75,{101 + number},1.125"
        for number in range(count)
    ]


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    """Write lines (or bytes) to a file whose name tells the pair."""

    def to_file(lines: Sequence[str] | bytes, name: str = "BTCUSD_1h.csv") -> Path:
        path = tmp_path / name
        path.write_bytes(lines if isinstance(lines, bytes) else ("\n".join(lines) + "\n").encode())
        return path

    return to_file


@pytest.fixture
def sound() -> list[str]:
    """Header and five sound rows."""
    return [HEADER, *rows()]


@pytest.fixture
def shared_ohlcv() -> Path:
    """The folder of recorded bars beside the repository."""
    folder = Path(__file__).resolve().parents[4] / "shared" / "data" / "ohlcv"
    if not folder.is_dir():
        pytest.skip("the recorded bars are not beside this repository")
    return folder

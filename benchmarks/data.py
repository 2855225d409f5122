"""The market that every benchmark and every reference answer is run on: random walks, the same bytes everywhere.

W1 is one symbol with 1,000,000 one-minute bars; W2 is 20 symbols with 50,000 bars each. ``python data.py`` writes
both below the cache folder and prints where. Needs numpy and the standard library only, so that tests may load it.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from itertools import accumulate
from pathlib import Path
from typing import Any

import numpy as np

SEED = 7
BAR_NS = 60_000_000_000
FIRST_OPEN_NS = 1_577_836_800_000_000_000
"""2020-01-01T00:00Z."""

BARS = 1_000_000
SYMBOLS = 20
SYMBOL_BARS = 50_000
START_CENTS = 3_000_000
FAST, SLOW = 10, 20
"""The two averages that W1 and W2 trade on, in bars."""

ANSWERS = {
    "w1-100k": (5_504, 983_656_216),
    "w1-1m": (54_406, 870_819_445),
    "w2": (54_734, 834_924_984),
}
"""Fills and final equity in cents: 10 M cash, one unit long where the fast average is above the slow one, else flat;
each fill at the next open, with a fee of 10 bps. Equity is rounded down to the cent."""

NAMES = ("ts", "open", "high", "low", "close", "volume")

Column = np.ndarray[Any, np.dtype[Any]]
Columns = dict[str, Column]
"""By the names of ``NAMES``: open times as int64 nanoseconds, the rest float64; [bars], or [symbols, bars] in W2."""

DIGESTS = {
    "w1": "33c0e8bd926b45f8b4d047edb56dbf8d97849dbdab226ae67a3690b7e53a2ee3",
    "w2": "b675b7c75ec2d191f46aa53ee9122b85a3a55988a6673eccd92c9a00678a22c3",
}
"""SHA-256 over the columns of each data set, in the order of ``NAMES``."""


def walk(bars: int, rng: np.random.Generator) -> Columns:
    """One symbol's bars. The order of the draws is part of the definition.

    Log-volatility is AR(1) around a daily cycle and returns have fat tails; prices are whole cents. No close leaves
    the two averages equal: engines that add up in another order would read a tie with either sign.
    """
    shocks = (rng.standard_normal(bars) * 0.02).tolist()
    volatility = np.array(list(accumulate(shocks, lambda level, shock: 0.999 * level + shock)))
    cycle = 1.0 + 0.35 * np.sin(2 * np.pi * (np.arange(bars) % 1440) / 1440.0)
    sigma = 6e-4 * np.exp(volatility) * cycle
    returns = sigma * rng.standard_t(5, bars) / np.sqrt(5 / 3)
    level = np.cumsum(returns - 0.5 * sigma**2)
    # Nine tenths of the whole drift are taken out, or a million bars would end anywhere.
    level = level - np.linspace(0.0, level[-1], bars) * 0.9
    close = np.maximum(np.rint(START_CENTS / 100 * np.exp(level) * 100), 100).astype(np.int64)
    _part_averages(close)
    gaps = rng.standard_normal(bars) * 5e-5
    before = np.concatenate(([START_CENTS], close[:-1]))
    opens = np.rint(before * (1 + gaps)).astype(np.int64)
    above = np.abs(rng.standard_normal(bars)) * sigma * 0.6
    below = np.abs(rng.standard_normal(bars)) * sigma * 0.6
    high = np.rint(np.maximum(opens, close) * (1 + above)).astype(np.int64)
    low = np.rint(np.minimum(opens, close) * (1 - below)).astype(np.int64)
    # Ten units and more a minute: an engine that caps its share of the volume still fills one unit whole.
    volume = np.rint(np.exp(rng.standard_normal(bars) * 0.8 + 2.0) * 1000) / 1000 + 10.0
    times = FIRST_OPEN_NS + BAR_NS * np.arange(bars, dtype=np.int64)
    columns = (times, opens / 100, high / 100, low / 100, close / 100, volume)
    return dict(zip(NAMES, columns, strict=True))


def _part_averages(close: Column) -> None:
    """Raise closes by a cent, in place, until the two averages differ at every bar.

    :param close: int64[n], cents, so that equal averages are equal exactly.
    """
    while True:
        sums = np.concatenate(([0], np.cumsum(close)))
        ends = np.arange(SLOW, len(sums))
        fast = (sums[ends] - sums[ends - FAST]) * (SLOW // FAST)
        ties = ends[fast == sums[ends] - sums[ends - SLOW]] - 1
        if not len(ties):
            return
        close[ties] += 1


def w1(bars: int = BARS) -> Columns:
    """One symbol: the first ``bars`` bars of the million."""
    made = walk(BARS, np.random.default_rng(SEED))
    return {name: made[name][:bars] for name in NAMES}


def w2() -> Columns:
    """Twenty symbols on one timeline, each column as [symbols, bars]."""
    made = [walk(SYMBOL_BARS, np.random.default_rng([SEED, k])) for k in range(SYMBOLS)]
    return {name: np.stack([columns[name] for columns in made]) for name in NAMES}


def digest(columns: Columns) -> str:
    """SHA-256 over the columns' bytes."""
    sha = hashlib.sha256()
    for name in NAMES:
        sha.update(np.ascontiguousarray(columns[name]).tobytes())
    return sha.hexdigest()


def folder() -> Path:
    """Where the data sets are kept; another text of this file means another folder."""
    base = os.environ.get("XDG_CACHE_HOME") or ""
    text = hashlib.sha256(Path(__file__).read_bytes()).hexdigest()[:12]
    return (Path(base) if base else Path.home() / ".cache") / "coinswarm" / "benchmarks" / text


def ensure() -> Path:
    """The folder that holds both data sets, a file per column; made first where something is missing.

    :raises RuntimeError: numpy here draws other numbers, so that no reference answer holds.
    """
    place = folder()
    for name, make in (("w1", w1), ("w2", w2)):
        if (place / name).exists():
            continue
        columns = make()
        if digest(columns) != DIGESTS[name]:
            message = f"{name} made by numpy {np.__version__} is not the {name} that the reference answers are for"
            raise RuntimeError(message)
        place.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=place) as unfinished:
            made = Path(unfinished) / name
            made.mkdir()
            for column, values in columns.items():
                np.save(made / f"{column}.npy", values)
            made.replace(place / name)
    return place


def load(work: str, bars: int = BARS) -> Columns:
    """One data set from disk: ``w1`` (its first ``bars`` bars) or ``w2``."""
    whole = work == "w2" or bars == BARS
    place = folder() / work
    if whole:
        return {name: np.load(place / f"{name}.npy") for name in NAMES}
    return {name: np.array(np.load(place / f"{name}.npy", mmap_mode="r")[:bars]) for name in NAMES}


if __name__ == "__main__":
    print(ensure())

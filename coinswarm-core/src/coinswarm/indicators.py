"""Public indicators: float64 columns in, float64 columns of the same length out, NaN until defined.

Row t of every result depends on rows 0 … t of its input only, and every loop is sequential, so that
the same numbers come out under any numpy (S11). Rows before the first finite one are skipped, which
lets an indicator be taken of an indicator; a NaN or infinity *after* it is refused with a
``ValueError``, as is a period that is not a whole number in range, or columns that are not one-dimensional
and of one length.

Windowed indicators (``sma``, ``std``, ``zscore``, ``volatility``) forget a row entirely once it has
left the window. Wilder's recursive ones (``rsi``, ``atr``, ``plus_di``, ``minus_di``, ``adx``) forget
exponentially: the row in which a value is *defined* is not the row from which it can be *trusted*.
Declare ``settled(period)`` bars of warm-up for them (S6).

Seeds and warm-up rows are those of TA-Lib; where results differ, the function says so.
"""

from __future__ import annotations

import operator
from math import sqrt
from typing import TYPE_CHECKING, SupportsIndex, cast

import numpy as np

from coinswarm._jit import jit

if TYPE_CHECKING:
    from collections.abc import Mapping, Sized

    from numpy.typing import ArrayLike

    Floats = np.ndarray[tuple[int], np.dtype[np.float64]]
    Bools = np.ndarray[tuple[int], np.dtype[np.bool_]]
    Signs = np.ndarray[tuple[int], np.dtype[np.int8]]

SETTLING_PERIODS = 20
"""Periods after which a Wilder average has forgotten its seed: (1 - 1/n)^(20 n) is about 2e-9."""

TIE = 1e-12
"""Relative difference below which two averages are equal: far above rounding, far below one tick."""

_FLAT = 1e-14
"""Mean range relative to the price below which a market is flat: less than a float can resolve."""

_YEAR_NS = 365 * 86_400 * 1_000_000_000


def settled(period: int) -> int:
    """Bars after which a recursive indicator of ``period`` no longer depends on where it began (S6)."""
    return SETTLING_PERIODS * _period(period, "settled")


def sma(values: ArrayLike, period: int) -> Floats:
    """Simple moving average: the mean of the last ``period`` values.

    Defined from row ``period - 1``; unit of the input. Every window is summed anew from partial sums
    (nothing is subtracted), so the error does not grow with the length of the column, and a flat
    window gives the flat value exactly.
    """
    (column,), begin = _columns(values=values)
    length = _period(period, "sma")
    out = np.empty_like(column)
    _sma(column, begin, length, out)
    return out


def ema(values: ArrayLike, period: int) -> Floats:
    """Exponential moving average: ``e += 2 / (period + 1) * (value - e)``.

    Defined from row ``period - 1``, where it is the mean of the first ``period`` values; unit of the input.
    """
    (column,), begin = _columns(values=values)
    length = _period(period, "ema")
    out = np.empty_like(column)
    _ema(column, begin, length, out)
    return out


def rsi(values: ArrayLike, period: int = 14) -> Floats:
    """Relative strength index, 0 to 100: ``100 * gain / (gain + loss)``.

    Gain and loss are Wilder averages of the rises and falls (Wilder, *New Concepts in Technical
    Trading Systems*, 1978, section VI), begun with the mean of the first ``period``. Defined from row
    ``period``. Where nothing moved the quotient is 0/0; this gives the neutral 50 (TA-Lib: 0).
    """
    (column,), begin = _columns(values=values)
    length = _period(period, "rsi")
    out = np.empty_like(column)
    _rsi(column, begin, length, out)
    return out


def true_range(high: ArrayLike, low: ArrayLike, close: ArrayLike) -> Floats:
    """True range: the largest of high - low, abs(high - former close) and abs(low - former close).

    Wilder 1978, section III. Defined from row 1, since row 0 has no former close; price unit.
    """
    (highs, lows, closes), begin = _columns(high=high, low=low, close=close)
    out = np.empty_like(closes)
    _true_range(highs, lows, closes, begin, out)
    return out


def atr(high: ArrayLike, low: ArrayLike, close: ArrayLike, period: int = 14) -> Floats:
    """Average true range: Wilder's average of ``true_range``, ``a += (range - a) / period``.

    Wilder 1978, section III. Defined from row ``period``, where it is the mean of the first ``period``
    true ranges; price unit.
    """
    (highs, lows, closes), begin = _columns(high=high, low=low, close=close)
    length = _period(period, "atr")
    out = np.empty_like(closes)
    _atr(highs, lows, closes, begin, length, out)
    return out


def plus_di(high: ArrayLike, low: ArrayLike, close: ArrayLike, period: int = 14) -> Floats:
    """Positive directional indicator, 0 to 100: share of upward movement in the true range.

    ``100 * average(+DM) / average(range)``, Wilder 1978, section IV: +DM is the rise of the high
    where it is positive and exceeds the fall of the low, else 0. Defined from row ``period``; 0 in a
    market that does not move.
    """
    return _direction(high, low, close, period, 1)


def minus_di(high: ArrayLike, low: ArrayLike, close: ArrayLike, period: int = 14) -> Floats:
    """Negative directional indicator, 0 to 100; mirror of ``plus_di``."""
    return _direction(high, low, close, period, -1)


def adx(high: ArrayLike, low: ArrayLike, close: ArrayLike, period: int = 14) -> Floats:
    """Average directional index, 0 to 100: strength of a trend, whichever its direction.

    Wilder's average of ``100 * abs(+DI - -DI) / (+DI + -DI)`` (1978, section IV), begun with the mean
    of the first ``period``. Defined from row ``2 * period - 1``, to be trusted from
    ``settled(period)``. A bar in which neither direction has moved leaves it unchanged.
    """
    return _direction(high, low, close, period, 0)


def std(values: ArrayLike, period: int, *, ddof: int = 0) -> Floats:
    """Standard deviation of the last ``period`` values.

    Defined from row ``period - 1``; unit of the input; exactly 0 in a flat window. Deviations are
    taken from a value inside the window and nothing is subtracted as it moves on, so that neither a
    high level nor a spike long past costs digits.

    :param ddof: 0 divides by ``period``, 1 by ``period - 1`` (which then is at least 2).
    """
    (column,), begin = _columns(values=values)
    length = _period(period, "std", 1 + ddof)
    gap, out = np.empty_like(column), np.empty_like(column)
    _deviation(column, begin, length, ddof, gap, out)
    return out


def zscore(values: ArrayLike, period: int) -> Floats:
    """How many standard deviations (``ddof`` 0) the newest value lies above its ``sma``.

    Defined from row ``period - 1``; within ±sqrt(period - 1); 0 in a flat window.
    """
    (column,), begin = _columns(values=values)
    length = _period(period, "zscore")
    gap, out = np.empty_like(column), np.empty_like(column)
    _deviation(column, begin, length, 0, gap, out)
    _quotient(gap, out)
    return out


def volatility(close: ArrayLike, period: int, length_ns: int) -> Floats:
    """Realised volatility per year of 365 x 24 h: ``std(returns, ddof=1) * sqrt(bars per year)``.

    Of ``period`` simple close-to-close returns, so defined from row ``period``; a pure number (0.8 is
    80 %). Volatility of the bars that are there: bars missing in a hole are not made up for.

    :param period: returns in the window, at least 2.
    :param length_ns: bar length in nanoseconds, as in ``Bars.length_ns``.
    :raises ValueError: also for a close that is not positive.
    """
    (column,), begin = _columns(close=close)
    length = _period(period, "volatility", 2)
    per_year = _YEAR_NS / _period(length_ns, "bar length")
    if begin < len(column) and not column[begin:].min() > 0:
        row = begin + int(np.argmax(column[begin:] <= 0))
        message = f"close is {column[row]} in row {row}, but a return needs positive prices"
        raise ValueError(message)
    returns = np.full_like(column, np.nan)
    returns[begin + 1 :] = column[begin + 1 :] / column[begin:-1] - 1.0
    returns.flags.writeable = False
    gap, out = np.empty_like(column), np.empty_like(column)
    _deviation(returns, begin + 1, length, 1, gap, out)
    out *= sqrt(per_year)
    return out


def compare(left: ArrayLike, right: ArrayLike) -> Signs:
    """Sign of ``left - right`` by row, int8: 1, 0 or -1; 0 where either is not defined.

    Differences below 1e-12 of the larger one are ties. Two averages that are equal as decimals differ
    by about 1e-15 as floats, and by at least 1e-8 when a tick separates them; without this a flat
    market would cross at random.
    """
    (first, _), (second, _) = (_column("left", left), _column("right", right))
    _same_length({"left": first, "right": second})
    out = np.empty(len(first), np.int8)
    _compare(first, second, out)
    return out


def latch(enter_long: ArrayLike, leave_long: ArrayLike, enter_short: ArrayLike, leave_short: ArrayLike) -> Signs:
    """The side a rule with entries and exits stands on after each row, int8: 1 long, -1 short, 0 neither.

    Begins at 0. An entry sets the side whatever it was (long first, if both are true); an exit
    resets only its own side, and only where there is no entry.

    :param enter_long, leave_long, enter_short, leave_short: bool[n].
    """
    masks = [_mask(mask) for mask in (enter_long, leave_long, enter_short, leave_short)]
    _same_length(dict(zip(("enter_long", "leave_long", "enter_short", "leave_short"), masks, strict=True)))
    out = np.empty(len(masks[0]), np.int8)
    _latch(masks[0], masks[1], masks[2], masks[3], out)
    return out


def _direction(high: ArrayLike, low: ArrayLike, close: ArrayLike, period: int, which: int) -> Floats:
    """``adx`` (which 0), ``plus_di`` (1) or ``minus_di`` (-1)."""
    (highs, lows, closes), begin = _columns(high=high, low=low, close=close)
    length = _period(period, "adx", 2)
    out = np.empty_like(closes)
    _directional(highs, lows, closes, begin, length, which, out)
    return out


def _period(period: SupportsIndex, name: str, least: int = 1) -> int:
    """``period`` as an int; ValueError where it is none or below ``least``."""
    try:
        length = operator.index(period)
    except TypeError:
        length = least - 1
    if length < least or isinstance(period, bool):
        message = f"period of {name} is {period!r}, but must be a whole number of at least {least}"
        raise ValueError(message)
    return length


def _columns(**given: ArrayLike) -> tuple[tuple[Floats, ...], int]:
    """The columns as float64, and the first row in which all are finite."""
    found = {name: _column(name, values) for name, values in given.items()}
    _same_length({name: column for name, (column, _) in found.items()})
    return tuple(column for column, _ in found.values()), max(begin for _, begin in found.values())


def _column(name: str, values: ArrayLike) -> tuple[Floats, int]:
    """``values`` as a contiguous read-only float64 column, and its first finite row.

    Read-only always: the loops are then compiled for one type, whether the caller may write or not.
    """
    array = np.asarray(values, np.float64)
    if array.ndim != 1:
        message = f"{name} has {array.ndim} dimensions, but a column has 1"
        raise ValueError(message)
    column = cast("Floats", np.ascontiguousarray(array).view())
    column.flags.writeable = False
    begin, hole = _finite(column)
    if hole < len(column):
        message = f"{name} is {column[hole]} in row {hole}, but must be finite after its first finite row ({begin})"
        raise ValueError(message)
    return column, begin


def _mask(values: ArrayLike) -> Bools:
    """``values`` as a contiguous read-only bool column."""
    array = np.ascontiguousarray(values, np.bool_).view()
    array.flags.writeable = False
    return cast("Bools", array)


def _same_length(columns: Mapping[str, Sized]) -> None:
    """ValueError unless all have one length."""
    lengths = {name: len(column) for name, column in columns.items()}
    if len(set(lengths.values())) > 1:
        message = f"columns differ in length: {', '.join(f'{name} {n}' for name, n in lengths.items())}"
        raise ValueError(message)


@jit
def _finite(values: Floats) -> tuple[int, int]:
    """The first finite row, and the first row after it that is not (the length where there is none)."""
    n = len(values)
    begin = 0
    while begin < n and not np.isfinite(values[begin]):
        begin += 1
    hole = begin
    while hole < n and np.isfinite(values[hole]):
        hole += 1
    return begin, hole


@jit
def _undefined(out: Floats, defined: int) -> None:
    """NaN in the rows before ``defined``."""
    for i in range(min(defined, len(out))):
        out[i] = np.nan


@jit
def _sma(values: Floats, begin: int, period: int, out: Floats) -> None:
    """Window sums as (sum of the last m rows before a block) + (sum of the block's first rows).

    A block has ``period`` rows, so each window holds its block's first row: deviations are taken
    from that row, and are small where the values are.
    """
    n = len(values)
    first = begin + period - 1
    _undefined(out, first)
    if first >= n:
        return
    before, coming = np.zeros(period), np.zeros(period)
    for m in range(1, period):
        before[m] = before[m - 1] + (values[first - m] - values[first])
    for block in range(first, n, period):
        origin = values[block]
        total = 0.0
        if block + period >= n:
            for k in range(n - block):
                total += values[block + k] - origin
                out[block + k] = origin + (total + before[period - 1 - k]) / period
            return
        # This block's sums and, backwards, those that the next one needs: two chains of additions that do not wait
        # for each other.
        end = block + period
        following = values[end]
        behind = 0.0
        for k in range(period):
            total += values[block + k] - origin
            out[block + k] = origin + (total + before[period - 1 - k]) / period
            coming[k] = behind
            behind += values[end - 1 - k] - following
        before, coming = coming, before


@jit
def _deviation(values: Floats, begin: int, period: int, ddof: int, gap: Floats, out: Floats) -> None:  # noqa: PLR0913 - two results of one pass
    """Standard deviation into ``out``, newest value minus mean into ``gap``; blocks as in ``_sma``.

    With the origin inside the window, sum(d*d) is at most (1 + period) times the sum of squared
    deviations from the mean, so the difference below loses at most log10(1 + period) digits.
    """
    n = len(values)
    first = begin + period - 1
    _undefined(out, first)
    _undefined(gap, first)
    if first >= n:
        return
    before = np.empty((period, 2))
    for block in range(first, n, period):
        origin = values[block]
        total = squares = 0.0
        before[0, 0] = before[0, 1] = 0.0
        for m in range(1, period):
            d = values[block - m] - origin
            total += d
            squares += d * d
            before[m, 0] = total
            before[m, 1] = squares
        total = squares = 0.0
        for k in range(min(period, n - block)):
            d = values[block + k] - origin
            total += d
            squares += d * d
            mean = (total + before[period - 1 - k, 0]) / period
            spread = squares + before[period - 1 - k, 1] - period * mean * mean
            gap[block + k] = d - mean
            out[block + k] = sqrt(max(spread, 0.0) / (period - ddof))


@jit
def _quotient(gap: Floats, out: Floats) -> None:
    """``out = gap / out``, 0 where ``out`` is 0."""
    for i in range(len(out)):
        if out[i] == 0.0:
            continue
        out[i] = gap[i] / out[i]


@jit
def _ema(values: Floats, begin: int, period: int, out: Floats) -> None:
    n = len(values)
    first = begin + period - 1
    _undefined(out, first)
    if first >= n:
        return
    average = 0.0
    for i in range(begin, first + 1):
        average += values[i]
    average /= period
    out[first] = average
    share = 2.0 / (period + 1)
    for i in range(first + 1, n):
        average += share * (values[i] - average)
        out[i] = average


@jit
def _rsi(values: Floats, begin: int, period: int, out: Floats) -> None:
    n = len(values)
    first = begin + period
    _undefined(out, first)
    if first >= n:
        return
    gain = loss = 0.0
    share = 1.0 / period
    for i in range(begin + 1, n):
        change = values[i] - values[i - 1]
        rise = 0.5 * (change + abs(change))  # exact, and without a branch to guess
        fall = rise - change
        if i <= first:
            gain += rise * share
            loss += fall * share
        else:
            gain += (rise - gain) * share
            loss += (fall - loss) * share
        if i >= first:
            if gain + loss <= _FLAT * abs(values[i]):
                gain = loss = 0.0
                out[i] = 50.0
            else:
                out[i] = 100.0 * gain / (gain + loss)


@jit
def _reach(high: float, low: float, former: float) -> float:
    """True range of one bar: the largest of the three differences is that of these two extremes."""
    # Not max() and min(): numba gives them NaN rules that cost a branch.
    top = high if high > former else former  # noqa: FURB136
    bottom = low if low < former else former  # noqa: FURB136
    return top - bottom


@jit
def _true_range(high: Floats, low: Floats, close: Floats, begin: int, out: Floats) -> None:
    _undefined(out, begin + 1)
    for i in range(begin + 1, len(close)):
        out[i] = _reach(high[i], low[i], close[i - 1])


@jit
def _atr(high: Floats, low: Floats, close: Floats, begin: int, period: int, out: Floats) -> None:  # noqa: PLR0913 - a bar is three columns
    n = len(close)
    first = begin + period
    _undefined(out, first)
    if first >= n:
        return
    average = 0.0
    share = 1.0 / period
    for i in range(begin + 1, n):
        reach = _reach(high[i], low[i], close[i - 1])
        if i < first:
            average += reach
        elif i == first:
            average = (average + reach) / period
            out[i] = average
        else:
            average += (reach - average) * share
            out[i] = average


@jit
def _directional(high: Floats, low: Floats, close: Floats, begin: int, period: int, which: int, out: Floats) -> None:  # noqa: PLR0913 - one recursion, three read-outs
    """Wilder's directional movement system; the averages begin as TA-Lib's do.

    They begin with the sum of ``period - 1`` rows divided by ``period`` and take the next row as any
    later one. Dividing the sums by ``period`` throughout leaves every quotient as it was.
    """
    n = len(close)
    first = begin + (2 * period - 1 if which == 0 else period)
    _undefined(out, first)
    if first >= n:
        return
    share = 1.0 / period
    up = down = span = strength = 0.0
    for i in range(begin + 1, n):
        rise, fall = high[i] - high[i - 1], low[i - 1] - low[i]
        plus = rise if rise > fall and rise > 0.0 else 0.0
        minus = fall if fall > rise and fall > 0.0 else 0.0
        reach = _reach(high[i], low[i], close[i - 1])
        if i < begin + period:
            up += plus * share
            down += minus * share
            span += reach * share
            continue
        up += (plus - up) * share
        down += (minus - down) * share
        span += (reach - span) * share
        if span <= _FLAT * abs(close[i]):
            up = down = span = 0.0
        if which == 0:
            moved = up + down
            if i <= begin + 2 * period - 1:
                # A seeding bar without movement counts as 0, a later one is passed over (as in TA-Lib).
                strength += 100.0 * abs(up - down) / moved * share if moved > 0.0 else 0.0
            elif moved > 0.0:
                strength += (100.0 * abs(up - down) / moved - strength) * share
            if i >= first:
                out[i] = strength
        elif span > 0.0:
            out[i] = 100.0 * (up if which > 0 else down) / span
        else:
            out[i] = 0.0


@jit
def _compare(left: Floats, right: Floats, out: Signs) -> None:
    for i in range(len(out)):
        difference = left[i] - right[i]
        margin = TIE * max(abs(left[i]), abs(right[i]))
        # Comparisons with NaN are false, so that undefined rows give 0.
        out[i] = (1 if difference > margin else 0) - (1 if difference < -margin else 0)


@jit
def _latch(enter_long: Bools, leave_long: Bools, enter_short: Bools, leave_short: Bools, out: Signs) -> None:
    side = 0
    for i in range(len(out)):
        if enter_long[i]:
            side = 1
        elif enter_short[i]:
            side = -1
        elif (side > 0 and leave_long[i]) or (side < 0 and leave_short[i]):
            side = 0
        out[i] = side

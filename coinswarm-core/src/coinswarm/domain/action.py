"""An agent's action, and a table of them rounded once to integers (S1, S9)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from coinswarm.domain.instrument import Instrument

    Column = np.ndarray[tuple[int], np.dtype[Any]]
    Floats = np.ndarray[Any, np.dtype[np.float64]]
    Rows = np.ndarray[tuple[int], np.dtype[np.bool_]]
    Given = Column | Sequence[float] | float

INVALID_REASON = 255
"""Reason code of a row that abstains because the agent's numbers were not finite or out of range."""

MAX_BP = 10_000
MAX_TICKS = 1 << 53
"""No distance has more ticks: floats count no further one by one."""


class Side(IntEnum):
    """An agent's stance. Codes are those of ``ActionColumns.direction``."""

    SELL = -1
    """Short where the instrument can be shorted, else flat."""
    FLAT = 0
    """No position."""
    BUY = 1
    """Long."""
    HOLD = 2
    """Keep the last target."""
    ABSTAIN = 3
    """Not counted: warm-up, stale data, a hole, an error."""


class Action(NamedTuple):
    """What one agent wants at one bar.

    :param side: the stance.
    :param confidence: 0 to 1.
    :param size: wished share of equity at full confidence, 0 to 1.
    :param stop_distance: distance of the protective stop from the entry, in price; 0 for none.
    :param take_distance: distance of the profit target from the entry, in price; 0 for none.
    :param reason: code into the declaration's ``reasons``.
    """

    side: Side
    confidence: float = 1.0
    size: float = 1.0
    stop_distance: float = 0.0
    take_distance: float = 0.0
    reason: int = 0


def checked(answer: object) -> Action:
    """An agent's answer as an Action of plain numbers; one that is none abstains with reason 255.

    Numbers may still be out of range: rounding judges that (``ActionColumns.of``). What abstains is not
    judged any further.
    """
    if type(answer) is Action and tuple(map(type, answer)) == _PLAIN and answer[0] != _ABSTAINS:  # almost every one
        return answer if 0 <= answer.reason < INVALID_REASON else INVALID
    if not (isinstance(answer, tuple) and len(answer) == len(Action._fields)):
        return INVALID
    side, *numbers, reason = answer
    plain = all(isinstance(number, Real) for number in (side, *numbers)) and isinstance(reason, Integral)
    if not (plain and side in _SIDES and 0 <= reason < INVALID_REASON):
        return INVALID
    if side == Side.ABSTAIN:
        return Action(Side.ABSTAIN, reason=int(reason))
    try:
        confidence, size, stop, take = (float(number) for number in numbers)
    except OverflowError:
        return INVALID
    return Action(Side(int(side)), confidence, size, stop, take, int(reason))


HOLD = Action(Side.HOLD)
FLAT = Action(Side.FLAT)
ABSTAIN = Action(Side.ABSTAIN)
INVALID = Action(Side.ABSTAIN, reason=INVALID_REASON)
_ABSTAINS = Side.ABSTAIN
_PLAIN = (Side, float, float, float, float, int)
_SIDES = frozenset(int(side) for side in Side)


@dataclass(frozen=True, slots=True, eq=False)
class ActionColumns:
    """One agent's actions over n bars, in integers; the only place where an agent's floats are rounded.

    :param direction: int8[n], a ``Side`` code (ABSTAIN is stored as FLAT with confidence -1).
    :param confidence_bp: int16[n], 0 to 10,000; -1 abstains.
    :param reason: uint8[n], code into the declaration's ``reasons``; 255 is "numbers not valid".
    :param size_bp: int32[n], wished share of equity, 0 to 10,000.
    :param stop_ticks, take_ticks: int64[n], distances from the entry in ticks; 0 for none.
    """

    direction: np.ndarray[tuple[int], np.dtype[np.int8]]
    confidence_bp: np.ndarray[tuple[int], np.dtype[np.int16]]
    reason: np.ndarray[tuple[int], np.dtype[np.uint8]]
    size_bp: np.ndarray[tuple[int], np.dtype[np.int32]]
    stop_ticks: np.ndarray[tuple[int], np.dtype[np.int64]]
    take_ticks: np.ndarray[tuple[int], np.dtype[np.int64]]

    def __len__(self) -> int:
        return len(self.direction)

    def __getitem__(self, rows: slice | np.ndarray[tuple[int], np.dtype[np.int64]]) -> ActionColumns:
        return ActionColumns(*(getattr(self, name)[rows] for name in self.__slots__))

    @classmethod
    def of(  # noqa: PLR0913 - an action has that many fields
        cls,
        instrument: Instrument,
        side: Column,
        *,
        confidence: Given = 1.0,
        size: Given = 1.0,
        stop_distance: Given = 0.0,
        take_distance: Given = 0.0,
        reason: Given = 0,
    ) -> ActionColumns:
        """Round an agent's float columns, half to even.

        A scalar stands for a constant column. A row whose numbers are not finite, or lie outside
        [0, 1] (confidence, size) or below 0 (distances), abstains with reason 255, which is reserved for
        that; a row that abstains by itself is not judged. A positive distance is at least one tick.

        :param side: integer array[n] of ``Side`` codes.
        :raises ValueError: for a reason outside 0 to 255.
        """
        side = np.asarray(side)
        n = len(side)
        tick = float(instrument.tick)
        bad = _outside(side)
        names = np.asarray(reason)
        if names.size and not (names.min() >= 0 and names.max() <= INVALID_REASON):
            message = f"reason codes run from 0 to {INVALID_REASON - 1}, these from {names.min()} to {names.max()}"
            raise ValueError(message)
        direction = side.astype(np.int8)
        columns = [
            _basis_points(confidence, n, np.int16, bad),
            _basis_points(size, n, np.int32, bad),
            _ticks(stop_distance, n, tick, bad),
            _ticks(take_distance, n, tick, bad),
        ]
        why = _constant(n, int(names), np.uint8) if names.ndim == 0 else names.astype(np.uint8)
        bad &= direction != Side.ABSTAIN  # who abstains may leave the numbers undefined
        if names.size and names.max() == INVALID_REASON:
            bad |= why == INVALID_REASON
        if bad.any():
            why = np.where(bad, np.uint8(INVALID_REASON), why)
            direction[bad] = Side.ABSTAIN
        if n and direction.max() == Side.ABSTAIN:
            abstain = direction == Side.ABSTAIN
            direction[abstain] = Side.FLAT
            for column, as_action in zip(columns, (-1, MAX_BP, 0, 0), strict=True):
                column[abstain] = as_action  # what ``Action(Side.ABSTAIN)`` says: nothing else is compared
        return cls(direction, columns[0], why, columns[1], columns[2], columns[3])

    @classmethod
    def from_actions(cls, instrument: Instrument, actions: Sequence[Action]) -> ActionColumns:
        """The table of single actions, rounded by the same rule as ``of``; what is no action abstains (255)."""
        rows = np.array([checked(action) for action in actions], dtype=np.float64).reshape(len(actions), 6)
        return cls.of(
            instrument,
            rows[:, 0].astype(np.int64),
            confidence=rows[:, 1],
            size=rows[:, 2],
            stop_distance=rows[:, 3],
            take_distance=rows[:, 4],
            reason=rows[:, 5],
        )

    def problem(self, n: int) -> str:
        """What is wrong with columns that an agent may have built by hand; empty when nothing is.

        :param n: how many rows they must have.
        """
        for name, (kind, low, high) in _KINDS.items():
            column = getattr(self, name)
            if not (isinstance(column, np.ndarray) and column.dtype == kind and column.shape == (n,)):
                found = (
                    f"{column.dtype} of shape {column.shape}"
                    if isinstance(column, np.ndarray)
                    else type(column).__name__
                )
                return f"{name} is {found}, not {np.dtype(kind)} of {n} rows"
            if n and (column.min() < low or column.max() > high):
                return f"{name} leaves {low} to {high}"
        sure = (self.direction == Side.ABSTAIN) & (self.confidence_bp >= 0)
        if sure.any():
            row = int(sure.argmax())
            return f"row {row} abstains (direction 3) with confidence_bp {self.confidence_bp[row]}, which must be -1"
        return ""

    def action(self, instrument: Instrument, row: int) -> Action:
        """Row ``row`` as an Action that rounds back to the same integers."""
        confidence = int(self.confidence_bp[row])
        tick = float(instrument.tick)
        return Action(
            Side.ABSTAIN if confidence < 0 else Side(int(self.direction[row])),
            max(confidence, 0) / MAX_BP,
            int(self.size_bp[row]) / MAX_BP,
            int(self.stop_ticks[row]) * tick,
            int(self.take_ticks[row]) * tick,
            int(self.reason[row]),
        )

    def masked(self, abstain: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> ActionColumns:
        """The same columns, abstaining (reason kept) where the mask is true.

        Core masks warm-up and holes. Such a row drops the last target, so that a HOLD after it does
        not bring back a stance from before; its direction is the code of ABSTAIN.
        """
        if not abstain.any():
            return self
        direction, confidence = self.direction.copy(), self.confidence_bp.copy()
        direction[abstain] = Side.ABSTAIN
        confidence[abstain] = -1
        return ActionColumns(direction, confidence, self.reason, self.size_bp, self.stop_ticks, self.take_ticks)


_KINDS: dict[str, tuple[type[np.integer], int, int]] = {
    "direction": (np.int8, -1, 3),
    "confidence_bp": (np.int16, -1, MAX_BP),
    "reason": (np.uint8, 0, INVALID_REASON),
    "size_bp": (np.int32, 0, MAX_BP),
    "stop_ticks": (np.int64, 0, MAX_TICKS),
    "take_ticks": (np.int64, 0, MAX_TICKS),
}
"""Type and range of each column."""


def _outside(side: Column) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Which sides are no ``Side`` code."""
    if len(side) == 0 or (side.min() >= Side.SELL and side.max() <= Side.ABSTAIN):
        return np.zeros(len(side), np.bool_)
    wrong: np.ndarray[tuple[int], np.dtype[np.bool_]] = (side < Side.SELL) | (side > Side.ABSTAIN)
    return wrong


def _constant(n: int, value: int, kind: type[np.integer]) -> Column:
    """A constant column; zeros cost nothing until they are written."""
    return np.full(n, value, kind) if value else np.zeros(n, kind)


def _basis_points(given: Given, n: int, kind: type[np.signedinteger], bad: Rows) -> Column:
    """A column of shares in basis points, rounded half to even; marks rows that have none in ``bad``."""
    values = np.asarray(given, np.float64)
    with np.errstate(over="ignore", invalid="ignore"):
        scaled = np.rint(values * MAX_BP)
    return _bounded(values, scaled, MAX_BP, n, kind, bad)


def _ticks(given: Given, n: int, tick: float, bad: Rows) -> Column:
    """A column of distances in ticks, rounded half to even, a positive one at least one; marks others in ``bad``."""
    values = np.asarray(given, np.float64)
    with np.errstate(over="ignore", invalid="ignore"):
        scaled = np.rint(values / tick)
    return _bounded(values, np.where((values > 0) & (scaled == 0), 1.0, scaled), MAX_TICKS, n, np.int64, bad)


def _bounded(  # noqa: PLR0913 - the six are one rule
    values: Floats, scaled: Floats, limit: int, n: int, kind: type[np.signedinteger], bad: Rows
) -> Column:
    """Scaled values as integers; marks rows whose values are negative, beyond the limit, or no number."""
    wrong = ~((values >= 0) & (scaled <= float(limit)))  # catches NaN as well
    if values.ndim == 0:
        if wrong:
            bad[:] = True
            return np.zeros(n, kind)
        return _constant(n, int(scaled), kind)
    if wrong.any():
        bad |= wrong
        scaled = np.where(wrong, 0.0, scaled)
    return scaled.astype(kind)

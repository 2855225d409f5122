"""The committee over whole columns: stances, weights, hysteresis; the jitted twin of ``committee.py``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from coinswarm._jit import jit

if TYPE_CHECKING:
    from collections.abc import Sequence

    from coinswarm.committee.rules import CommitteeRules
    from coinswarm.domain.action import ActionColumns

    I1 = np.ndarray[tuple[int], np.dtype[np.int64]]
    Short = np.ndarray[tuple[int], np.dtype[np.int32]]
    Small = np.ndarray[tuple[int, int], np.dtype[Any]]
    Column = np.ndarray[tuple[int], np.dtype[Any]]

HOLD = 2
DROPPED = 3
"""Direction of a row that core masks (warm-up, hole): it abstains, and its last target is gone."""


@jit
def stance_table(direction: Small, confidence: Small, shortable: bool, held: Small, sure: Small) -> None:  # noqa: FBT001
    """Resolve HOLD into ``held`` (direction in force) and ``sure`` (its confidence, -1 abstains)."""
    for a in range(direction.shape[0]):
        d, q = 0, 0
        for t in range(direction.shape[1]):
            now = confidence[a, t]
            if now < 0 and direction[a, t] == DROPPED:
                d, q = 0, 0
            if now >= 0 and direction[a, t] != HOLD:
                d, q = direction[a, t], now
                if d < 0 and not shortable:
                    d = 0
                if d == 0:
                    q = 0
            held[a, t] = d
            sure[a, t] = -1 if now < 0 else q


@jit
def intents(  # noqa: C901, PLR0912, PLR0913, PLR0915 - one pass over the columns is what makes it fast
    direction: Small,
    confidence: Small,
    size_bp: Small,
    stop_ticks: Small,
    take_ticks: Small,
    weights: I1,
    shortable: bool,  # noqa: FBT001
    cap_ticks: int,
    participation_bp: int,
    enter_bp: int,
    exit_bp: int,
    given_exposure: I1,
    given_participation: I1,
    out_row: Column,
    out_x: Column,
    out_size: Column,
    out_stop: Column,
    out_take: Column,
    out_agree: Column,
) -> int:
    """S1, S3: the intents of one instrument, a row for each bar at which the intent changes.

    Row 0 is always there. Writing changes only keeps memory traffic off the bars at which nothing happens.

    Where ``given_exposure`` is not empty it comes from a weigher that is not the bundled one;
    otherwise the exposure is the weighted mean of the stances of those who take part.

    :returns: how many rows were written.
    """
    count, n = direction.shape
    d = np.zeros(count, np.int64)
    q = np.zeros(count, np.int64)
    size = np.zeros(count, np.int64)
    stop = np.zeros(count, np.int64)
    take = np.zeros(count, np.int64)
    given = len(given_exposure) > 0
    here = np.zeros(count, np.bool_)
    x, x_size, x_stop, x_take, x_agree = 0, 0, 0, 0, 0
    e, part = 0, -1
    written = 0
    for t in range(n):
        if t > 0 and not given:  # the same actions as before give the same intent
            same = True
            for a in range(count):
                if (
                    direction[a, t] != direction[a, t - 1]
                    or confidence[a, t] != confidence[a, t - 1]
                    or size_bp[a, t] != size_bp[a, t - 1]
                    or stop_ticks[a, t] != stop_ticks[a, t - 1]
                    or take_ticks[a, t] != take_ticks[a, t - 1]
                ):
                    same = False
                    break
            if same:
                continue
        moved = part < 0
        for a in range(count):
            now = confidence[a, t]
            if (now >= 0) != here[a]:
                here[a] = now >= 0
                moved = True
            if now < 0:
                if direction[a, t] == DROPPED and d[a] != 0:
                    d[a], q[a] = 0, 0
                    moved = True
            elif direction[a, t] != HOLD:
                side = direction[a, t]
                if side < 0 and not shortable:
                    side = 0
                if side == 0:
                    now = 0
                if (
                    side != d[a]
                    or now != q[a]
                    or size[a] != size_bp[a, t]
                    or stop[a] != stop_ticks[a, t]
                    or take[a] != take_ticks[a, t]
                ):
                    moved = True
                    d[a], q[a] = side, now
                    size[a], stop[a], take[a] = size_bp[a, t], stop_ticks[a, t], take_ticks[a, t]
        if given:
            moved = moved or given_exposure[t] != e or given_participation[t] != part
        if not moved:  # the same stances give the same intent
            continue
        if given:
            e, part = given_exposure[t], given_participation[t]
        else:
            total, part = 0, 0
            for a in range(count):
                if here[a]:
                    part += weights[a]
                    total += weights[a] * d[a] * q[a]
            e = 0
            if part > 0:
                e = total // part if total >= 0 else -((-total) // part)
        if part < participation_bp or part == 0:
            if part > 0 and x != 0:
                toward = e if x > 0 else -e
                if toward < abs(x):
                    toward = max(toward, 0)
                    if toward < exit_bp:
                        toward = 0
                    x = toward if x > 0 else -toward
        elif (x != 0 and (e > 0) == (x > 0) and e != 0 and abs(e) >= exit_bp) or (e != 0 and abs(e) >= enter_bp):
            x = e
        else:
            x = 0
        if x == 0:
            x_size, x_stop, x_take, x_agree = 0, 0, 0, 0
        elif part >= participation_bp and part > 0:
            w_all, w_stop, w_take = 0, 0, 0
            s_size, s_stop, s_take, mask = 0, 0, 0, 0
            for a in range(count):
                if here[a] and ((x > 0 and d[a] > 0) or (x < 0 and d[a] < 0)) and weights[a] > 0:
                    mask |= 1 << a
                    w_all += weights[a]
                    s_size += weights[a] * size[a]
                    if stop[a] > 0:
                        w_stop += weights[a]
                        s_stop += weights[a] * min(stop[a], cap_ticks)
                    if take[a] > 0:
                        w_take += weights[a]
                        s_take += weights[a] * min(take[a], cap_ticks)
            if mask == 0 and (x > 0 or shortable):  # nobody agrees; a short of what cannot be shorted is for the gate
                x = 0
            x_size = s_size // w_all if w_all > 0 else 0
            x_stop = s_stop // w_stop if w_stop > 0 else 0
            x_take = s_take // w_take if w_take > 0 else 0
            x_agree = mask
        if (
            written == 0
            or x != out_x[written - 1]
            or x_size != out_size[written - 1]
            or x_stop != out_stop[written - 1]
            or x_take != out_take[written - 1]
            or x_agree != out_agree[written - 1]
        ):
            out_row[written] = t
            out_x[written] = x
            out_size[written] = x_size
            out_stop[written] = x_stop
            out_take[written] = x_take
            out_agree[written] = x_agree
            written += 1
    return written


class IntentColumns(NamedTuple):
    """The committee's intents over n bars (``domain.intent.Intent`` as columns).

    :param exposure, size_bp: int32[n].
    :param stop, take: int64[n], ticks.
    :param agree: int64[n], a bit per seat.
    """

    exposure: Short
    size_bp: Short
    stop: I1
    take: I1
    agree: I1

    @classmethod
    def empty(cls, n: int) -> IntentColumns:
        """Room for n bars; what is not written costs no memory."""
        wide = [np.empty(n, np.int64) for _ in range(3)]
        return cls(np.empty(n, np.int32), np.empty(n, np.int32), wide[0], wide[1], wide[2])

    def rows(self, rows: slice) -> IntentColumns:
        """A view of some bars."""
        return IntentColumns(
            self.exposure[rows], self.size_bp[rows], self.stop[rows], self.take[rows], self.agree[rows]
        )


class IntentChanges(NamedTuple):
    """The same, a row for each bar at which the intent changes.

    :param row: int64[m], the bar, ascending; the first is 0.
    :param intents: m rows.
    """

    row: I1
    intents: IntentColumns

    @classmethod
    def join(cls, parts: Sequence[IntentChanges], starts: Sequence[int]) -> IntentChanges:
        """Those of several instruments one after the other, rows counted from ``starts``."""
        if len(parts) == 1:
            return parts[0]
        return cls(
            np.concatenate([part.row + start for part, start in zip(parts, starts, strict=True)]),
            IntentColumns(
                np.concatenate([part.intents.exposure for part in parts]),
                np.concatenate([part.intents.size_bp for part in parts]),
                np.concatenate([part.intents.stop for part in parts]),
                np.concatenate([part.intents.take for part in parts]),
                np.concatenate([part.intents.agree for part in parts]),
            ),
        )

    def fill(self, out: IntentColumns) -> None:
        """Write the intent of every bar into ``out``."""
        lengths = np.diff(self.row, append=len(out.exposure))
        columns: list[tuple[Column, Column]] = list(zip(out, self.intents, strict=True))
        for dense, changes in columns:
            dense[:] = np.repeat(changes, lengths)


def stack(arrays: Sequence[Column]) -> Small:
    """One column of all seats as ``[seat, bar]``; a view where there is one seat."""
    return arrays[0].reshape(1, -1) if len(arrays) == 1 else np.stack(arrays)


def stances(columns: Sequence[ActionColumns], *, shortable: bool) -> tuple[Small, Small]:
    """Direction in force and its confidence (-1 abstains) of every seat: int8 and int16 ``[seat, bar]``."""
    shape = (len(columns), len(columns[0]))
    held, sure = np.empty(shape, np.int8), np.empty(shape, np.int16)
    direction, confidence = stack([c.direction for c in columns]), stack([c.confidence_bp for c in columns])
    stance_table(direction, confidence, shortable, held, sure)
    return held, sure


def intent_changes(  # noqa: PLR0913 - what an intent depends on
    columns: Sequence[ActionColumns],
    weights: Sequence[int],
    rules: CommitteeRules,
    *,
    shortable: bool,
    cap_ticks: int,
    given: tuple[I1, I1] | None = None,
) -> IntentChanges:
    """The intents of one instrument.

    :param given: exposure and participation per bar from a weigher that is not the bundled one.
    """
    none = np.zeros(0, np.int64)
    exposure, participation = given or (none, none)
    n = len(columns[0])
    row, out = np.empty(n, np.int64), IntentColumns.empty(n)
    written = intents(
        stack([c.direction for c in columns]),
        stack([c.confidence_bp for c in columns]),
        stack([c.size_bp for c in columns]),
        stack([c.stop_ticks for c in columns]),
        stack([c.take_ticks for c in columns]),
        np.array(weights, np.int64),
        shortable,
        cap_ticks,
        rules.participation_bp,
        rules.enter_bp,
        rules.exit_bp,
        exposure,
        participation,
        row,
        *out,
    )
    return IntentChanges(row[:written], out.rows(slice(0, written)))

"""The columnar committee equals the one-bar committee at every bar, whatever is said (S1, S3)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from coinswarm.committee.columns import IntentChanges, IntentColumns, stance_table
from coinswarm.committee.rules import CommitteeRules
from coinswarm.contracts import Weigher
from coinswarm.domain.intent import ActionRow, Exposure

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

Twins = Any
Row = tuple[int, int, int, int, int]

BP = st.sampled_from([0, 1, 999, 1_000, 1_500, 2_000, 5_000, 9_999, 10_000])
LEVELS = st.sampled_from([0, 1, 1_000, 2_000, 5_000, 10_000])
TICKS = st.sampled_from([0, 1, 7, 40, 999, 1_000, 1_001, 1 << 53])
SPOKEN = st.tuples(st.sampled_from([-1, 0, 1, 1, 2, 2]), BP, BP, TICKS, TICKS)
SILENT = st.sampled_from([(0, -1, 0, 0, 0), (3, -1, 0, 0, 0), (0, -1, 500, 9, 9)])
ROW = st.one_of(SPOKEN, SPOKEN, SILENT)
TWIN = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])  # the fixture is a plain function


@st.composite
def weights(draw: st.DrawFn) -> list[int]:
    """Weights of one to four seats that sum to 10,000, zeros among them."""
    n = draw(st.integers(1, 4))
    cuts = sorted(draw(st.lists(st.sampled_from([0, 1, 2_500, 5_000, 5_000, 9_999]), min_size=n - 1, max_size=n - 1)))
    return [b - a for a, b in zip([0, *cuts], [*cuts, 10_000], strict=True)]


@st.composite
def cases(draw: st.DrawFn) -> tuple[list[int], list[list[Row]], CommitteeRules, bool]:
    """Weights, a table, rules, and whether the instrument can be shorted."""
    seats = draw(weights())
    table = draw(st.lists(st.lists(ROW, min_size=len(seats), max_size=len(seats)), min_size=1, max_size=12))
    repeats = draw(st.lists(st.integers(1, 3), min_size=len(table), max_size=len(table)))
    long = [row for row, count in zip(table, repeats, strict=True) for _ in range(count)]
    exit_bp, enter_bp = sorted([draw(LEVELS), draw(LEVELS)])
    rules = CommitteeRules(participation_bp=draw(LEVELS), enter_bp=enter_bp, exit_bp=exit_bp)
    return seats, long, rules, draw(st.booleans())


@given(cases())
@TWIN
def test_both_ways_give_the_same_intents(
    twins: Callable[..., Twins], case: tuple[list[int], list[list[Row]], CommitteeRules, bool]
) -> None:
    seats, table, rules, shortable = case
    pair = twins(rules, seats, shortable=shortable)
    assert pair.over_columns(table) == pair.bar_by_bar(table)


@given(cases())
@TWIN
def test_who_repeats_what_was_heard_changes_nothing(
    twins: Callable[..., Twins], case: tuple[list[int], list[list[Row]], CommitteeRules, bool]
) -> None:
    """A session does not ask the committee again while its members repeat themselves."""
    seats, table, rules, shortable = case
    pair = twins(rules, seats, shortable=shortable)
    twice = [row for row in table for _ in range(2)]
    assert pair.bar_by_bar(twice)[::2] == pair.bar_by_bar(twice)[1::2]


@given(cases())
@TWIN
def test_a_row_is_written_where_the_intent_changes_and_nowhere_else(
    twins: Callable[..., Twins], case: tuple[list[int], list[list[Row]], CommitteeRules, bool]
) -> None:
    seats, table, rules, shortable = case
    pair = twins(rules, seats, shortable=shortable)
    every = pair.bar_by_bar(table)
    changes = pair.changes(table)
    rows = changes.row.tolist()
    assert rows == [t for t in range(len(every)) if t == 0 or every[t] != every[t - 1]]
    assert list(zip(*(part.tolist() for part in changes.intents), strict=True)) == [every[t] for t in rows]


def test_changes_of_instruments_are_joined_in_rows_of_all_bars(twins: Callable[..., Twins]) -> None:
    pair = twins(CommitteeRules(participation_bp=0, enter_bp=1, exit_bp=1), [10_000])
    buy, sell = (1, 10_000, 5_000, 20, 40), (-1, 9_000, 4_000, 30, 0)
    one, other = pair.changes([[buy], [buy], [sell]]), pair.changes([[sell], [buy]])
    joined = IntentChanges.join([one, other], [0, 3])
    assert joined.row.tolist() == [0, 2, 3, 4]
    out = IntentColumns.empty(5)
    joined.fill(out)
    assert out.exposure.tolist() == [10_000, 10_000, -9_000, -9_000, 10_000]
    assert out.take.tolist() == [40, 40, 0, 0, 40]
    assert IntentChanges.join([one], [0]) is one


class Boldest(Weigher):
    """A weigher of someone else: follows the most confident of those who take part."""

    def step(self, row: ActionRow, weights: Sequence[int]) -> Exposure:
        here = [i for i, present in enumerate(row.present) if present]
        if not here:
            return Exposure(0, 0)
        best = max(row.confidence_bp[i] for i in here)
        side = sum(row.direction[i] for i in here if row.confidence_bp[i] == best)
        return Exposure(max(-1, min(1, side)) * best, sum(weights[i] for i in here))


class Contrary(Weigher):
    """Breaks the contract on purpose: bets against everybody."""

    def step(self, row: ActionRow, weights: Sequence[int]) -> Exposure:
        mean = sum(w * d for w, d in zip(weights, row.direction, strict=True))
        return Exposure(-mean, sum(w for w, here in zip(weights, row.present, strict=True) if here))


@pytest.mark.parametrize("weigher", [Boldest(), Contrary()], ids=["boldest", "contrary"])
@given(case=cases())
@TWIN
def test_both_ways_give_the_same_intents_with_another_weigher(
    twins: Callable[..., Twins], weigher: Weigher, case: tuple[list[int], list[list[Row]], CommitteeRules, bool]
) -> None:
    seats, table, rules, shortable = case
    pair = twins(rules, seats, weigher, shortable=shortable)
    assert pair.over_columns(table) == pair.bar_by_bar(table)


@given(case=cases(), random=st.randoms(use_true_random=False))
@TWIN
def test_the_order_of_the_seats_does_not_matter(
    twins: Callable[..., Twins],
    case: tuple[list[int], list[list[Row]], CommitteeRules, bool],
    random: Any,  # noqa: ANN401
) -> None:
    seats, table, rules, shortable = case
    order = list(range(len(seats)))
    random.shuffle(order)
    said = twins(rules, seats, shortable=shortable).over_columns(table)
    mixed = twins(rules, [seats[i] for i in order], shortable=shortable).over_columns(
        [[row[i] for i in order] for row in table]
    )
    assert [row[:4] for row in mixed] == [row[:4] for row in said]
    moved = [sum(1 << order.index(i) for i in range(len(seats)) if row[4] >> i & 1) for row in said]
    assert [row[4] for row in mixed] == moved


@given(case=cases(), side=st.sampled_from([1, -1]))
@TWIN
def test_stances_of_one_side_never_make_an_intent_of_the_other(
    twins: Callable[..., Twins], case: tuple[list[int], list[list[Row]], CommitteeRules, bool], side: int
) -> None:
    seats, table, rules, shortable = case
    one_sided = [[(side * abs(a[0]) if a[0] in (-1, 1) else a[0], *a[1:]) for a in row] for row in table]
    said = twins(rules, seats, shortable=shortable).over_columns(one_sided)
    assert all(row[0] * side >= 0 for row in said)
    assert all((row[0] != 0) or row == (0, 0, 0, 0, 0) for row in said), "a flat intent has nothing else"


@given(case=cases())
@TWIN
def test_an_intent_has_a_side_only_where_somebody_agrees(
    twins: Callable[..., Twins], case: tuple[list[int], list[list[Row]], CommitteeRules, bool]
) -> None:
    seats, table, rules, shortable = case
    for x, size, stop, take, agree in twins(rules, seats, shortable=shortable).over_columns(table):
        assert (x == 0) == (agree == 0)
        assert x >= 0 or shortable
        assert 0 <= size <= 10_000
        assert 0 <= stop <= 1_000
        assert 0 <= take <= 1_000


def test_stances_of_a_table_by_hand() -> None:
    direction = np.array([[1, 2, 0, 2, -1, 2, 3, 2], [-1, 2, 0, 0, 1, 0, 0, 2]], np.int8)
    confidence = np.array([[9, 5, 5, 5, 7, 5, -1, 5], [8, 5, -1, 5, 6, -1, -1, 5]], np.int16)
    for shortable, first_held, first_sure, second_held, second_sure in (
        (True, [1, 1, 0, 0, -1, -1, 0, 0], [9, 9, 0, 0, 7, 7, -1, 0],
         [-1, -1, -1, 0, 1, 1, 1, 1], [8, 8, -1, 0, 6, -1, -1, 6]),
        (False, [1, 1, 0, 0, 0, 0, 0, 0], [9, 9, 0, 0, 0, 0, -1, 0],
         [0, 0, 0, 0, 1, 1, 1, 1], [0, 0, -1, 0, 6, -1, -1, 6]),
    ):  # fmt: skip
        held, sure = np.empty((2, 8), np.int8), np.empty((2, 8), np.int16)
        stance_table(direction, confidence, shortable, held, sure)
        assert held.tolist() == [first_held, second_held]
        assert sure.tolist() == [first_sure, second_sure]

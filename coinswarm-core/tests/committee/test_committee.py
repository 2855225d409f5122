"""The committee by hand: stances, participation, hysteresis and brackets (S1, S3, S4).

Each case is asked of the one-bar committee and of its columnar twin.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from coinswarm.committee.rules import CommitteeRules
from coinswarm.contracts import Weigher
from coinswarm.domain.intent import ActionRow, Exposure
from coinswarm.errors import ContractError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

Twins = Any
RULES = CommitteeRules(participation_bp=5_000, enter_bp=2_000, exit_bp=1_000)
BUY = (1, 10_000, 5_000, 20, 40)
SELL = (-1, 10_000, 5_000, 30, 0)
FLAT = (0, 10_000, 5_000, 1, 1)
HOLD = (2, 10_000, 1, 1, 1)
ABSTAIN = (0, -1, 0, 0, 0)
MASKED = (3, -1, 0, 0, 0)
Row = tuple[int, int, int, int, int]


@pytest.fixture
def intents(twins: Callable[..., Twins]) -> Callable[..., list[tuple[int, ...]]]:
    """The intents of a table whose rows are bars; both ways must agree."""

    def made(
        table: Sequence[Sequence[Row] | Row],
        *,
        weights: Sequence[int] = (10_000,),
        rules: CommitteeRules = RULES,
        shortable: bool = True,
        weigher: Weigher | None = None,
    ) -> list[tuple[int, ...]]:
        bars: Any = [[row] if isinstance(row[0], int) else list(row) for row in table]
        pair = twins(rules, weights, weigher, shortable=shortable)
        one: list[tuple[int, ...]] = pair.bar_by_bar(bars)
        assert pair.over_columns(bars) == one
        return one

    return made


def sides(rows: list[tuple[int, ...]]) -> list[int]:
    """The exposures alone."""
    return [row[0] for row in rows]


Intents = Any


def test_a_stance_sets_the_target(intents: Intents) -> None:
    assert intents([FLAT, BUY, SELL]) == [
        (0, 0, 0, 0, 0),
        (10_000, 5_000, 20, 40, 1),
        (-10_000, 5_000, 30, 0, 1),
    ]


def test_hold_keeps_the_last_target_its_bracket_and_its_size(intents: Intents) -> None:
    assert intents([HOLD, BUY, HOLD, HOLD])[:2] == [(0, 0, 0, 0, 0), (10_000, 5_000, 20, 40, 1)]
    assert intents([BUY, HOLD])[1] == (10_000, 5_000, 20, 40, 1)


def test_flat_drops_the_target_and_hold_after_it_is_flat(intents: Intents) -> None:
    assert sides(intents([BUY, FLAT, HOLD])) == [10_000, 0, 0]


def test_abstain_is_not_counted_and_the_stance_survives_it(intents: Intents) -> None:
    assert sides(intents([BUY, ABSTAIN, HOLD])) == [10_000, 10_000, 10_000]
    # Two seats: alone, the other's exposure is its own; the one that abstains does not pull it to zero.
    rows = [[BUY, (1, 4_000, 5_000, 20, 40)], [ABSTAIN, HOLD]]
    assert sides(intents(rows, weights=(5_000, 5_000))) == [7_000, 4_000]


def test_a_masked_row_abstains_and_the_stance_is_gone(intents: Intents) -> None:
    assert sides(intents([BUY, MASKED, MASKED])) == [10_000, 10_000, 10_000], "nobody takes part: the intent stands"
    assert sides(intents([BUY, MASKED, HOLD])) == [10_000, 10_000, 0], "HOLD brings nothing back"
    assert sides(intents([BUY, ABSTAIN, HOLD])) == [10_000, 10_000, 10_000]


def test_sell_is_flat_where_nothing_can_be_shorted(intents: Intents) -> None:
    assert sides(intents([BUY, SELL, HOLD], shortable=False)) == [10_000, 0, 0]
    # It takes part as flat: one seat buys, the other's SELL halves the mean instead of turning it.
    assert sides(intents([[BUY, SELL]], weights=(6_000, 4_000), shortable=False)) == [6_000]
    assert sides(intents([[BUY, SELL]], weights=(6_000, 4_000))) == [2_000]


def test_exposure_is_the_mean_by_weight_and_confidence_rounded_toward_zero(intents: Intents) -> None:
    rules = CommitteeRules(participation_bp=0, enter_bp=0, exit_bp=0)
    third = [[(1, 10_000, 1, 0, 0), (-1, 1_001, 1, 0, 0), FLAT]]
    # (3,333 * 10,000 - 3,333 * 1,001) / 10,000 = 2,999.36
    assert sides(intents(third, weights=(3_333, 3_333, 3_334), rules=rules)) == [2_999]
    mirrored = [[(-1, 10_000, 1, 0, 0), (1, 1_001, 1, 0, 0), FLAT]]
    assert sides(intents(mirrored, weights=(3_333, 3_333, 3_334), rules=rules)) == [-2_999]


# -- participation


def part(confidence: int, side: int = 1) -> Row:
    """A stance with a bracket of 10 and 10."""
    return (side, confidence, 10_000, 10, 10)


WEIGHTS = (4_000, 6_000)


def test_below_the_quorum_the_intent_may_only_shrink(intents: Intents) -> None:
    table = [
        [part(5_000), part(5_000)],  # all: 5,000
        [part(10_000), ABSTAIN],  # 4,000 of 10,000 take part: would grow, stands
        [part(3_000), ABSTAIN],  # would shrink: shrinks
        [part(4_000), ABSTAIN],  # would grow again: stands at 3,000
        [part(4_000), part(6_000)],  # all again
    ]
    assert sides(intents(table, weights=WEIGHTS)) == [5_000, 5_000, 3_000, 3_000, 5_200]


def test_below_the_quorum_brackets_size_and_agreement_stand(intents: Intents) -> None:
    table = [[part(5_000), (1, 5_000, 10_000, 30, 30)], [(1, 3_000, 1, 99, 99), ABSTAIN]]
    assert intents(table, weights=WEIGHTS) == [(5_000, 10_000, 22, 22, 3), (3_000, 10_000, 22, 22, 3)]


@pytest.mark.parametrize("side", [1, -1])
def test_below_the_quorum_it_shrinks_to_flat_under_the_exit_level_never_to_the_other_side(
    intents: Intents, side: int
) -> None:
    table = [[part(5_000, side), part(5_000, side)], [part(999, side), ABSTAIN]]
    assert intents(table, weights=WEIGHTS)[1] == (0, 0, 0, 0, 0)
    table[1] = [part(1_000, side), ABSTAIN]
    assert sides(intents(table, weights=WEIGHTS))[1] == side * 1_000
    table[1] = [part(9_000, -side), ABSTAIN]
    assert intents(table, weights=WEIGHTS)[1] == (0, 0, 0, 0, 0)


def test_below_the_quorum_nothing_is_entered(intents: Intents) -> None:
    assert sides(intents([[part(10_000), ABSTAIN], [part(10_000), FLAT]], weights=WEIGHTS)) == [0, 4_000]


@pytest.mark.parametrize(("weights", "exposure"), [((5_000, 5_000), 10_000), ((4_999, 5_001), 0)])
def test_the_quorum_itself_is_enough(intents: Intents, weights: tuple[int, int], exposure: int) -> None:
    assert sides(intents([[part(10_000), ABSTAIN]], weights=weights)) == [exposure]


def test_when_nobody_takes_part_the_intent_stands(intents: Intents) -> None:
    table = [[part(5_000), part(5_000)], [ABSTAIN, ABSTAIN]]
    assert sides(intents(table, weights=WEIGHTS)) == [5_000, 5_000]


@pytest.mark.parametrize("given", [False, True], ids=["bundled", "another weigher"])
def test_nobody_is_never_enough_whatever_the_quorum(intents: Intents, *, given: bool) -> None:
    nobody = CommitteeRules(participation_bp=0, enter_bp=0, exit_bp=0)
    table = [[ABSTAIN, ABSTAIN], [part(5_000), part(5_000)], [ABSTAIN, MASKED], [ABSTAIN, ABSTAIN], [FLAT, ABSTAIN]]
    weigher = Says((0, 0), (5_000, 10_000), (0, 0), (9_000, 0), (0, 5_000)) if given else None
    said = intents(table, weights=(5_000, 5_000), rules=nobody, weigher=weigher)
    assert said == [(0, 0, 0, 0, 0), *[(5_000, 10_000, 10, 10, 3)] * 3, (0, 0, 0, 0, 0)]


# -- hysteresis


@pytest.mark.parametrize("side", [1, -1])
def test_a_side_is_entered_at_one_level_and_left_below_another(intents: Intents, side: int) -> None:
    said = sides(intents([part(c, side) for c in (1_999, 2_000, 1_500, 1_000, 999, 1_500, 2_500)]))
    assert [s * side for s in said] == [0, 2_000, 1_500, 1_000, 0, 0, 2_500]


def test_the_other_side_is_entered_only_at_the_entry_level(intents: Intents) -> None:
    assert sides(intents([part(5_000), part(1_500, -1), part(2_000, -1)])) == [5_000, 0, -2_000]
    assert sides(intents([part(5_000), part(2_000, -1)])) == [5_000, -2_000], "at once, when it is reached"


def test_without_levels_no_confidence_is_still_no_side(intents: Intents) -> None:
    rules = CommitteeRules(participation_bp=0, enter_bp=0, exit_bp=0)
    assert sides(intents([part(0), part(1), part(0), part(1, -1)], rules=rules)) == [0, 1, 0, -1]


# -- brackets


def test_bracket_and_size_are_means_by_weight_over_those_who_agree(intents: Intents) -> None:
    table = [[(1, 10_000, 4_000, 10, 100), (1, 10_000, 8_000, 25, 40), (-1, 2_000, 9_999, 999, 999)]]
    weights = (2_000, 6_000, 2_000)
    # size (2 * 4,000 + 6 * 8,000) / 8, stop (2 * 10 + 6 * 25) / 8 = 21.25, take (2 * 100 + 6 * 40) / 8
    assert intents(table, weights=weights) == [(7_600, 7_000, 21, 55, 0b011)]


def test_who_has_no_stop_or_target_does_not_pull_the_mean(intents: Intents) -> None:
    table = [[(1, 10_000, 4_000, 0, 100), (1, 10_000, 8_000, 25, 0)]]
    assert intents(table, weights=(5_000, 5_000)) == [(10_000, 6_000, 25, 100, 0b11)]
    assert intents([[(1, 10_000, 4_000, 0, 0), FLAT]], weights=(5_000, 5_000)) == [(5_000, 4_000, 0, 0, 0b01)]


def test_a_distance_counts_for_at_most_twice_the_highest_price(intents: Intents) -> None:
    assert intents([(1, 10_000, 1, 1 << 53, 1 << 40)]) == [(10_000, 1, 1_000, 1_000, 1)]


def test_a_seat_without_weight_has_no_say_in_the_bracket(intents: Intents) -> None:
    assert intents([[BUY, (1, 10_000, 1, 999, 999)]], weights=(10_000, 0)) == [(10_000, 5_000, 20, 40, 0b01)]


def test_who_abstains_does_not_agree_even_with_a_stance_that_stands(intents: Intents) -> None:
    table = [[BUY, BUY], [HOLD, ABSTAIN]]
    assert [row[4] for row in intents(table, weights=(5_000, 5_000))] == [0b11, 0b01]


# -- weighers of others


class Says(Weigher):
    """Answers what it is told to, and remembers what it was asked."""

    def __init__(self, *answers: tuple[int, int]) -> None:
        self._answers = [Exposure(*answer) for answer in answers]
        self.rows: list[tuple[list[int], list[int], list[bool]]] = []

    def step(self, row: ActionRow, weights: Sequence[int]) -> Exposure:
        assert tuple(weights) == (5_000, 5_000)
        self.rows.append((list(row.direction), list(row.confidence_bp), list(row.present)))
        return self._answers[(len(self.rows) - 1) % len(self._answers)]


def test_a_weigher_sees_stances_with_hold_resolved_and_who_is_there(intents: Intents) -> None:
    weigher = Says((0, 10_000))
    intents([[BUY, SELL], [HOLD, ABSTAIN], [MASKED, FLAT]], weights=(5_000, 5_000), weigher=weigher)
    seen = [
        ([1, -1], [10_000, 10_000], [True, True]),
        ([1, -1], [10_000, 0], [True, False]),
        ([0, 0], [0, 0], [False, True]),
    ]
    assert weigher.rows[:3] == seen, "bar by bar"
    assert weigher.rows[3:] == seen, "over columns"


class Writes(Says):
    """Answers all bars at once."""

    def __init__(self, table: Any) -> None:  # noqa: ANN401 - whatever somebody else returns
        super().__init__((9_000, 10_000))
        self._table = table

    def weigh_all(self, direction: Any, confidence_bp: Any, weights: Sequence[int]) -> Any:  # noqa: ANN401
        assert direction.shape == confidence_bp.shape == (len(weights), 2)
        return self._table


@pytest.mark.parametrize(
    "table",
    [
        [Exposure(9_000, 10_000)] * 2,
        [(9_000, 10_000)] * 2,
        np.array([[9_000, 10_000]] * 2),
        np.array([[9_000, 10_000]] * 2, np.int32),
    ],
    ids=["exposures", "pairs", "integers", "short integers"],
)
def test_a_weigher_may_answer_with_exposures_or_a_table(intents: Intents, table: Any) -> None:  # noqa: ANN401
    said = intents([[BUY, BUY], [HOLD, HOLD]], weights=(5_000, 5_000), weigher=Writes(table))
    assert said == [(9_000, 5_000, 20, 40, 3)] * 2


@pytest.mark.parametrize("rows", [0, 1, 3])
def test_a_weigher_that_forgets_rows_is_refused(twins: Callable[..., Twins], rows: int) -> None:
    pair = twins(RULES, (5_000, 5_000), Writes([Exposure(9_000, 10_000)] * rows))
    with pytest.raises(ContractError, match=r"Writes\.weigh_all answered .* of shape .* for 2 bars"):
        pair.over_columns([[BUY, BUY], [HOLD, HOLD]])


class Answers(Weigher):
    """Answers every row with the same thing, or raises it."""

    def __init__(self, answer: object) -> None:
        self._answer = answer

    def step(self, row: ActionRow, weights: Sequence[int]) -> Any:  # noqa: ANN401, ARG002 - whatever a plugin may answer
        if isinstance(self._answer, Exception):
            raise self._answer
        return self._answer


def test_numbers_of_numpy_are_whole_numbers_too(intents: Intents) -> None:
    weigher = Answers(Exposure(np.int64(9_000), np.int32(10_000)))  # type: ignore[arg-type]
    assert intents([[BUY, BUY]], weights=(5_000, 5_000), weigher=weigher) == [(9_000, 5_000, 20, 40, 3)]


@pytest.mark.parametrize(
    "answer",
    [
        None,
        (1, 2, 3),
        (2_500.7, 10_000),
        (float("nan"), 10_000),
        (30_000, 10_000),
        (-10_001, 10_000),
        (5_000, -5),
        (5_000, 10_001),
        RuntimeError("mood"),
    ],
)
def test_an_answer_that_is_no_exposure_is_its_authors_to_mend(twins: Callable[..., Twins], answer: object) -> None:
    pair = twins(RULES, (5_000, 5_000), Answers(answer))
    with pytest.raises(ContractError, match=r"Answers\.step (answered|raised)"):
        pair.bar_by_bar([[BUY, BUY]])
    with pytest.raises(ContractError, match=r"Answers\.weigh_all (answered|raised)"):
        pair.over_columns([[BUY, BUY]])


@pytest.mark.parametrize("kind", [np.int16, np.int32, np.int64])
def test_a_nan_that_was_made_an_integer_is_no_exposure(
    twins: Callable[..., Twins], kind: type[np.integer[Any]]
) -> None:
    """The least integer is made of it, whose absolute value is negative."""
    pair = twins(RULES, (5_000, 5_000), Answers(Exposure(kind(np.iinfo(kind).min), kind(10_000))))  # type: ignore[arg-type]
    with pytest.raises(ContractError, match=r"Answers\.step answered"):
        pair.bar_by_bar([[SELL, SELL]])
    with pytest.raises(ContractError, match=r"Answers\.weigh_all answered int\d\d from -\d+ to 10000"):
        pair.over_columns([[SELL, SELL]])


def test_a_side_that_nobody_takes_is_flat(intents: Intents) -> None:
    assert intents([[BUY, BUY]], weights=(5_000, 5_000), weigher=Says((-9_000, 10_000))) == [(0, 0, 0, 0, 0)]
    assert intents([[SELL, SELL]], weights=(5_000, 5_000), weigher=Says((9_000, 10_000))) == [(0, 0, 0, 0, 0)]


def test_a_short_of_what_cannot_be_shorted_goes_on_to_the_gate(intents: Intents) -> None:
    said = intents([[BUY, FLAT]], weights=(5_000, 5_000), weigher=Says((-9_000, 10_000)), shortable=False)
    assert said == [(-9_000, 0, 0, 0, 0)]

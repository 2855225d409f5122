"""Actions are rounded once, half to even, and what cannot be rounded abstains (S1, S9)."""

from __future__ import annotations

import math
from decimal import Decimal
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from coinswarm.domain.action import ABSTAIN, FLAT, HOLD, INVALID, INVALID_REASON, Action, ActionColumns, Side, checked
from coinswarm.domain.instrument import Instrument
from coinswarm.engine.steps import round_action

BTC = Instrument("BTC/USD", Decimal("0.5"), Decimal("0.01"))
FINE = Instrument("A/B", Decimal("0.00001"), Decimal(1))
NAMES = ("direction", "confidence_bp", "reason", "size_bp", "stop_ticks", "take_ticks")
KINDS = (np.int8, np.int16, np.uint8, np.int32, np.int64, np.int64)

FRACTIONS = st.one_of(
    st.floats(0, 1),
    st.sampled_from([0.0, 1.0, 0.00005, 0.00015, 1.00005, 1.00004, 1.0001, -0.0, -0.1, 5.0, math.nan, math.inf]),
)
DISTANCES = st.one_of(
    st.floats(0, 1e6),
    st.sampled_from([0.0, 1e-9, 0.25, 0.75, 1.25, -1.0, -0.0, 1e15, 1e17, math.nan, math.inf, -math.inf]),
)
ACTIONS = st.builds(
    Action, st.sampled_from(list(Side)), FRACTIONS, FRACTIONS, DISTANCES, DISTANCES, st.integers(0, 254)
)


def rows(columns: ActionColumns) -> list[tuple[int, ...]]:
    """The columns as rows of plain integers."""
    return list(zip(*(getattr(columns, name).tolist() for name in NAMES), strict=True))


def test_columns_have_their_types_and_length() -> None:
    columns = ActionColumns.of(BTC, np.array([1, 0, -1, 2], np.int64))
    assert [getattr(columns, name).dtype for name in NAMES] == [np.dtype(kind) for kind in KINDS]
    assert len(columns) == 4
    assert rows(columns) == [(s, 10_000, 0, 10_000, 0, 0) for s in (1, 0, -1, 2)]


@pytest.mark.parametrize(
    ("confidence", "rounded"),
    [(0.00005, 0), (0.00025, 2), (0.00035, 4), (0.5, 5_000), (1.0, 10_000), (1.00004, 10_000)],
)
def test_confidence_and_size_round_half_to_even(confidence: float, rounded: int) -> None:
    columns = ActionColumns.of(BTC, np.array([1]), confidence=confidence, size=np.array([confidence]))
    assert rows(columns) == [(1, rounded, 0, rounded, 0, 0)]


@pytest.mark.parametrize(
    ("distance", "ticks"), [(0.0, 0), (1e-9, 1), (0.25, 1), (0.75, 2), (1.25, 2), (1.75, 4), (100.0, 200)]
)
def test_distances_become_ticks_and_a_positive_one_is_at_least_one(distance: float, ticks: int) -> None:
    columns = ActionColumns.of(BTC, np.array([1]), stop_distance=distance, take_distance=np.array([distance]))
    assert rows(columns) == [(1, 10_000, 0, 10_000, ticks, ticks)]


@pytest.mark.parametrize("name", ["confidence", "size", "stop_distance", "take_distance"])
@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf, -0.001, 1e300])
@pytest.mark.parametrize("scalar", [True, False])
def test_a_number_that_is_not_valid_makes_its_row_abstain(name: str, bad: float, *, scalar: bool) -> None:
    given_column: Any = bad if scalar else np.array([0.5, bad, 0.5])
    columns = ActionColumns.of(BTC, np.array([1, 1, -1]), reason=9, **{name: given_column})
    wrong = [0, 1, 2] if scalar else [1]
    for row in range(3):
        invalid = row in wrong
        assert (columns.confidence_bp[row] == -1) is np.bool_(invalid)
        assert columns.reason[row] == (INVALID_REASON if invalid else 9)
        assert columns.direction[row] == (Side.FLAT if invalid else (1, 1, -1)[row])


@pytest.mark.parametrize("code", [-2, 4, 100, -128])
def test_a_side_that_does_not_exist_abstains(code: int) -> None:
    columns = ActionColumns.of(BTC, np.array([code, 1]), reason=np.array([3, 4]))
    assert rows(columns) == [(0, -1, INVALID_REASON, 10_000, 0, 0), (1, 10_000, 4, 10_000, 0, 0)]


def test_abstain_is_stored_as_flat_with_its_own_reason() -> None:
    columns = ActionColumns.of(BTC, np.array([Side.ABSTAIN, Side.HOLD]), confidence=0.4, reason=2)
    assert rows(columns) == [(0, -1, 2, 10_000, 0, 0), (2, 4_000, 2, 10_000, 0, 0)]


@given(st.lists(st.sampled_from([-1, 0, 1, 2, 3]), min_size=1, max_size=5), FRACTIONS, FRACTIONS, DISTANCES, DISTANCES)
def test_a_scalar_is_a_constant_column(
    side: list[int], confidence: float, size: float, stop: float, take: float
) -> None:
    n = len(side)
    one = ActionColumns.of(
        FINE, np.array(side), confidence=confidence, size=size, stop_distance=stop, take_distance=take
    )
    many = ActionColumns.of(
        FINE,
        np.array(side),
        confidence=np.full(n, confidence),
        size=np.full(n, size),
        stop_distance=np.full(n, stop),
        take_distance=[take] * n,
        reason=np.zeros(n),
    )
    assert rows(one)[:] == rows(many) or [r[:3] for r in rows(one)] == [r[:3] for r in rows(many)]
    counted = one.confidence_bp >= 0
    assert [r for r, c in zip(rows(one), counted, strict=True) if c] == [
        r for r, c in zip(rows(many), counted, strict=True) if c
    ]


@given(st.lists(ACTIONS, max_size=8))
def test_single_actions_and_columns_round_alike(actions: list[Action]) -> None:
    table = ActionColumns.from_actions(FINE, actions)
    # An action that abstains drops its numbers; a row that abstains keeps those that can be rounded.
    actions = [Action(a.side, reason=a.reason) if a.side is Side.ABSTAIN else a for a in actions]
    column = [np.array([a[i] for a in actions]) for i in range(6)]
    direct = ActionColumns.of(
        FINE,
        column[0].astype(np.int64),
        confidence=column[1],
        size=column[2],
        stop_distance=column[3],
        take_distance=column[4],
        reason=column[5],
    )
    assert rows(table) == rows(direct)


@given(st.lists(ACTIONS, min_size=1, max_size=8), st.sampled_from([BTC, FINE]))
def test_the_step_engine_rounds_by_the_same_rule(actions: list[Action], instrument: Instrument) -> None:
    tick = float(instrument.tick)
    for action, row in zip(actions, rows(ActionColumns.from_actions(instrument, actions)), strict=True):
        rounded = round_action(action, tick)
        if row[2] == INVALID_REASON and action.side is not Side.ABSTAIN:
            assert rounded is None
        elif row[1] < 0:
            assert rounded == (0, -1, 0, 0, 0)
        else:
            assert rounded == (row[0], row[1], row[3], row[4], row[5])


@given(st.lists(ACTIONS, min_size=1, max_size=8), st.sampled_from([BTC, FINE]))
def test_a_row_as_an_action_rounds_back_to_itself(actions: list[Action], instrument: Instrument) -> None:
    table = ActionColumns.from_actions(instrument, actions)
    again = ActionColumns.from_actions(instrument, [table.action(instrument, t) for t in range(len(table))])
    counted = (table.confidence_bp >= 0).tolist()
    before, after = rows(table), rows(again)
    assert [a for a, c in zip(after, counted, strict=True) if c] == [
        b for b, c in zip(before, counted, strict=True) if c
    ]
    assert [a[:3] for a in after] == [b[:3] for b in before], "abstaining rows stay abstaining, for the same reason"


@pytest.mark.parametrize(
    "answer",
    [
        None,
        7,
        (),
        (1, 2),
        [1, 1.0, 1.0, 0.0, 0.0, 0],
        np.zeros(6),
        (4, 1.0, 1.0, 0.0, 0.0, 0),
        (1.5, 1.0, 1.0, 0.0, 0.0, 0),
        ("BUY", 1.0, 1.0, 0.0, 0.0, 0),
        (math.nan, 1.0, 1.0, 0.0, 0.0, 0),
        (1, "sure", 1.0, 0.0, 0.0, 0),
        (1, None, 1.0, 0.0, 0.0, 0),
        (1, 1j, 1.0, 0.0, 0.0, 0),
        (1, 1.0, 1.0, 0.0, 0.0, "why"),
        (1, 1.0, 1.0, 0.0, 0.0, 0.5),
        (1, 1.0, 1.0, 0.0, 0.0, -1),
        (1, 1.0, 1.0, 0.0, 0.0, 256),
    ],
    ids=repr,
)
def test_what_is_no_action_abstains_with_reason_255(answer: Any) -> None:  # noqa: ANN401 - anything at all
    assert checked(answer) is INVALID
    assert round_action(answer, 0.5) is None
    table = ActionColumns.from_actions(BTC, [answer, Action(Side.BUY, 1.0)])
    assert rows(table) == [(0, -1, INVALID_REASON, 10_000, 0, 0), (1, 10_000, 0, 10_000, 0, 0)]


@given(ACTIONS)
def test_an_action_is_checked_into_itself(action: Action) -> None:
    expected = Action(action.side, reason=action.reason) if action.side is Side.ABSTAIN else action
    assert repr(checked(action)) == repr(expected)
    assert repr(checked(tuple(action))) == repr(expected)


def test_numbers_of_numpy_become_plain_ones() -> None:
    found = checked((np.int8(-1), np.float32(0.5), np.float64(0.25), np.int64(3), 4, np.uint8(7)))
    assert found == Action(Side.SELL, 0.5, 0.25, 3.0, 4.0, 7)
    assert [type(part) for part in found] == [Side, float, float, float, float, int]


@pytest.mark.parametrize("reason", [-1, 256, 300, [0, 300], [-1, 0], math.nan, [0, math.nan], math.inf])
def test_a_reason_that_is_no_code_is_refused(reason: Any) -> None:  # noqa: ANN401 - number or column
    with pytest.raises(ValueError, match=r"reason codes run from 0 to 254"):
        ActionColumns.of(BTC, np.array([1, 1]), reason=reason)


@pytest.mark.parametrize("reason", [0, 254, INVALID_REASON, [0, INVALID_REASON]])
def test_every_code_of_a_reason_is_taken(reason: Any) -> None:  # noqa: ANN401 - number or column
    assert ActionColumns.of(BTC, np.array([1, 1]), reason=reason).reason.tolist() == (
        reason if isinstance(reason, list) else [reason] * 2
    )


def by_hand(**changed: Any) -> ActionColumns:  # noqa: ANN401 - whatever an agent may build
    """Two rows of columns that an agent built itself, some of them changed."""
    columns: dict[str, Any] = {name: np.zeros(2, kind) for name, kind in zip(NAMES, KINDS, strict=True)}
    return ActionColumns(**{**columns, **changed})


@given(actions=st.lists(ACTIONS, max_size=5), masked=st.booleans())
def test_columns_of_core_have_no_problem(actions: list[Action], *, masked: bool) -> None:
    columns = ActionColumns.from_actions(FINE, actions)
    if masked:
        columns = columns.masked(np.ones(len(columns), np.bool_))
    assert columns.problem(len(actions)) == ""
    assert columns.problem(len(actions) + 1) != ""


@pytest.mark.parametrize(
    ("name", "edges", "beyond"),
    [
        ("direction", (-1, 3), (-2, 4)),
        ("confidence_bp", (-1, 10_000), (-2, 10_001)),
        ("reason", (0, 255), ()),
        ("size_bp", (0, 10_000), (-1, 10_001)),
        ("stop_ticks", (0, 1 << 53), (-1, (1 << 53) + 1)),
        ("take_ticks", (0, 1 << 53), (-1, (1 << 53) + 1)),
    ],
)
def test_the_range_of_a_column_has_edges(name: str, edges: tuple[int, ...], beyond: tuple[int, ...]) -> None:
    kind = KINDS[NAMES.index(name)]
    silent = {"confidence_bp": np.full(2, -1, np.int16)} if name == "direction" else {}
    assert [by_hand(**{name: np.array([0, value], kind)}, **silent).problem(2) for value in edges] == [""] * len(edges)
    for value in beyond:
        assert by_hand(**{name: np.array([0, value], kind)}).problem(2).startswith(f"{name} leaves {edges[0]} to")


def test_who_abstains_has_no_confidence() -> None:
    """Its code is 3, and would count as three times long."""
    said = by_hand(direction=np.array([1, 3], np.int8), confidence_bp=np.array([5, 9_000], np.int16)).problem(2)
    assert said == "row 1 abstains (direction 3) with confidence_bp 9000, which must be -1"
    assert by_hand(direction=np.array([1, 3], np.int8), confidence_bp=np.array([5, -1], np.int16)).problem(2) == ""


@pytest.mark.parametrize("name", NAMES)
def test_the_type_and_shape_of_a_column_are_checked(name: str) -> None:
    kind = np.dtype(KINDS[NAMES.index(name)])
    other = np.int32 if kind != np.dtype(np.int32) else np.int64
    wrong: list[Any] = [None, [0, 0], np.zeros(2, other), np.zeros(2), np.zeros(3, kind), np.zeros((2, 1), kind)]
    found = ["NoneType", "list", f"{np.dtype(other)} of shape (2,)", "float64 of shape (2,)"]
    found += [f"{kind} of shape (3,)", f"{kind} of shape (2, 1)"]
    said = [by_hand(**{name: column}).problem(2) for column in wrong]
    assert said == [f"{name} is {what}, not {kind} of 2 rows" for what in found]


def test_a_slice_holds_the_same_rows_of_every_column() -> None:
    columns = ActionColumns.from_actions(BTC, [HOLD, FLAT, ABSTAIN, Action(Side.BUY, 0.5, 0.25, 1.0, 2.0, 7)])
    assert rows(columns[2:]) == rows(columns)[2:] == [(0, -1, 0, 10_000, 0, 0), (1, 5_000, 7, 2_500, 2, 4)]


def test_no_actions_make_empty_columns() -> None:
    assert len(ActionColumns.from_actions(BTC, [])) == 0


def test_a_mask_makes_rows_abstain_and_drop_their_target() -> None:
    columns = ActionColumns.of(BTC, np.array([1, 1, 2]), reason=5)
    masked = columns.masked(np.array([True, False, True]))
    assert masked.direction.tolist() == [Side.ABSTAIN, 1, Side.ABSTAIN]
    assert masked.confidence_bp.tolist() == [-1, 10_000, -1]
    assert masked.reason.tolist() == [5, 5, 5]
    assert rows(columns) == [(1, 10_000, 5, 10_000, 0, 0), (1, 10_000, 5, 10_000, 0, 0), (2, 10_000, 5, 10_000, 0, 0)]
    assert columns.masked(np.zeros(3, np.bool_)) is columns


def test_the_three_ready_actions() -> None:
    assert (HOLD.side, FLAT.side, ABSTAIN.side) == (Side.HOLD, Side.FLAT, Side.ABSTAIN)
    assert [int(s) for s in Side] == [-1, 0, 1, 2, 3]


def test_a_bare_stance_is_a_whole_one() -> None:
    """An agent that says BUY and nothing else wants to buy."""
    assert Action(Side.BUY) == (Side.BUY, 1.0, 1.0, 0.0, 0.0, 0)

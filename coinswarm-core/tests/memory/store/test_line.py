"""What is written over a line is read as it was, however much of it; after what is refused, nothing is done."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some
from sqlalchemy import Text, bindparam, cast, delete, func, select, text
from sqlalchemy.exc import DBAPIError

from coinswarm.canonical import digest
from coinswarm.errors import InvariantError, UnreachableError
from coinswarm.memory.store.among import ByNumber
from coinswarm.memory.store.engine import translated
from coinswarm.memory.store.models import Pattern
from coinswarm.memory.store.statement import FEW, Insertion, Statement
from coinswarm.memory.store.tables import SpentRow, SubjectRow

if TYPE_CHECKING:
    from collections.abc import Iterator

    from coinswarm.memory.store.line import Line
    from coinswarm.memory.store.opening import Store

PATTERN = Pattern.__table__
PUT, ALL = Insertion(Pattern, replaces=True, keeps=("stage",)), Statement(select(PATTERN).order_by(PATTERN.c.id))
NONE = Statement(delete(Pattern))
SPEND, SPENT = Insertion(SpentRow), Statement(select(SpentRow.use, SpentRow.proposal).order_by(SpentRow.use))
SUBJECT = Insertion(SubjectRow)
SESSION = Statement(select(func.pg_backend_pid()))
ECHO = Statement(select(cast(bindparam("given"), Text)))

NAMED = ByNumber(
    lambda names: select(SpentRow.use).where(names(SpentRow.use, "uses"), SpentRow.log == bindparam("log"))
)

TEXTS = some.text(some.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=9)
NUMBERS = some.integers(-(2**63), 2**63 - 1)


@pytest.fixture
def writing(stored: Store) -> Iterator[Line]:
    """A line in a transaction that is undone."""
    with stored.lines.writing() as line:
        yield line


def pattern(key: str, **fields: object) -> dict[str, object]:
    """A row with a column of every kind."""
    numbers = dict.fromkeys(("sample_size", "last_updated", "capital_bp", "variants", "registered_ns", "position"), 0)
    empty = dict.fromkeys(("mean_pnl", "std_dev", "sharpe", "win_rate", "tail_5pct", "tail_95pct", "mean_slippage"))
    row = {"log": 1, "id": key, "name": "", "regime": "", "enabled": False, "stage": "", "version": 1}
    return {**numbers, **empty, **row, **fields}


def spent(use: str) -> dict[str, object]:
    return {"log": 1, "use": use, "proposal": digest(use)}


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    told=some.dictionaries(TEXTS, some.tuples(TEXTS, some.booleans(), NUMBERS, some.none() | NUMBERS), max_size=3 * FEW)
)
def test_rows_are_written_as_they_are_few_and_many(
    writing: Line, told: dict[str, tuple[str, bool, int, int | None]]
) -> None:
    rows = [
        pattern(key, name=name, enabled=enabled, position=position, sharpe=sharpe)
        for key, (name, enabled, position, sharpe) in told.items()
    ]
    *_, found = writing.ask((NONE, {}), (PUT, rows), (ALL, {}))
    names = list(PATTERN.columns.keys())
    assert {row[1]: dict(zip(names, row, strict=True)) for row in found} == {row["id"]: row for row in rows}


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(there=some.sets(TEXTS, max_size=5), asked=some.sets(TEXTS, max_size=5), log=some.sampled_from([1, 2]))
def test_one_name_and_many_are_found_alike(writing: Line, there: set[str], asked: set[str], log: int) -> None:
    """Whatever is in a name, a list of one among them; each asked for alone, and all together."""
    writing.ask((Statement(delete(SpentRow)), {}), (SPEND, [spent(use) for use in there]))
    for names in (asked, *({one} for one in asked | there), {"[]"}, {'["a"]'}, set[str]()):
        [found] = writing.ask(NAMED.asked({"uses": names}, {"log": log}))
        assert {use for (use,) in found} == (names & there if log == 1 else set())


@pytest.mark.parametrize("count", [1, 2 * FEW])
def test_what_is_replaced_keeps_what_it_is_told_to(writing: Line, count: int) -> None:
    first, second = (
        [pattern(str(number), name=stage, stage=stage) for number in range(count)] for stage in ("first", "second")
    )
    *_, found = writing.ask((PUT, first), (PUT, second), (ALL, {}))
    names = list(PATTERN.columns.keys())
    assert {(row[names.index("name")], row[names.index("stage")]) for row in found} == {("second", "first")}


@pytest.mark.parametrize("count", [1, 2 * FEW])
def test_after_what_is_refused_nothing_is_done(stored: Store, count: int) -> None:
    bad = [{"log": 1, "name": str(number), "version": 0, "proposal": "", "since": 1} for number in range(count)]
    with pytest.raises(InvariantError), translated(stored.place), stored.lines.writing() as line:
        line.commit((SPEND, [spent("a")]), (SUBJECT, bad), (SPEND, [spent("b")]))
    with stored.lines.reading() as line:
        assert line.ask((SPENT, {})) == [[]]


def twice(stored: Store, use: str) -> None:
    """Write the same again, take no notice that it is refused, and commit."""
    with stored.lines.writing() as line:
        line.ask((SPEND, [spent(use)]))
        with pytest.raises(DBAPIError):
            line.ask((SPEND, [spent(use)]))
        line.commit()


def test_who_takes_no_notice_of_a_refusal_is_not_told_that_all_was_committed(stored: Store) -> None:
    if stored.place.path is None:  # a file undoes the one statement, and keeps the others
        with pytest.raises(DBAPIError, match="had failed before"):
            twice(stored, "a")
    else:
        twice(stored, "a")
    with stored.lines.reading() as line:
        assert len(line.ask((SPENT, {}))[0]) == (stored.place.path is not None)


def test_more_than_the_socket_takes_goes_both_ways_at_once(stored: Store) -> None:
    texts = [chr(ord("a") + number) * 1_000_000 for number in range(8)]
    with stored.lines.reading() as line:
        assert line.ask(*((ECHO, {"given": one}) for one in texts)) == [[(one,)] for one in texts]


class StopError(Exception):
    """Something else goes wrong."""


def stopped(stored: Store) -> None:
    with stored.lines.writing() as line:
        line.ask((SPEND, [spent("a")]))
        raise StopError


def test_a_line_that_is_left_early_leaves_nothing_and_can_be_had_again(stored: Store) -> None:
    for _ in range(2):
        with pytest.raises(StopError):
            stopped(stored)
    with stored.lines.reading() as line:
        assert line.ask((SPENT, {}), (SPENT, {})) == [[], []]


def test_lines_that_rest_are_lent_again_until_a_store_is_closed(stored: Store) -> None:
    with ExitStack() as stack:
        held = {stack.enter_context(stored.lines.reading()).held for _ in range(6)}
    assert len(held) == 6, "each has a connection of its own"
    with ExitStack() as stack:
        again = {stack.enter_context(stored.lines.writing()).held for _ in range(6)}
    assert len(again & held) == 4, "not more of them than are of use"
    stored.lines.close()
    with stored.lines.reading() as line:
        assert line.held not in held | again
        assert line.ask((SPENT, {})) == [[]]


def test_a_text_that_a_server_cannot_hold_is_refused_everywhere_and_not_cut_off(stored: Store) -> None:
    for count in (1, 2 * FEW):
        with pytest.raises(InvariantError, match=r"contains? NUL"), translated(stored.place):  # noqa: SIM117
            with stored.lines.writing() as line:
                line.commit((SPEND, [spent(f"{number}\0") for number in range(count)]))
    with pytest.raises(InvariantError, match=r"contains? NUL"), translated(stored.place):  # noqa: SIM117 - as above
        with stored.lines.reading() as line:
            line.ask((ECHO, {"given": "0\0"}))


# ── PostgreSQL ──


def test_after_one_line_broke_none_that_rests_is_lent_again(stored: Store) -> None:
    if stored.place.path is not None:
        return
    with stored.lines.reading() as one, stored.lines.reading() as other:
        before = {one.ask((SESSION, {}))[0][0], other.ask((SESSION, {}))[0][0]}
    with stored.lines.reading() as line:
        line.ask((SESSION, {}))
        line.broken = True
    with stored.lines.reading() as one, stored.lines.reading() as other:
        assert not before & {one.ask((SESSION, {}))[0][0], other.ask((SESSION, {}))[0][0]}


def test_a_statement_that_a_session_forgot_costs_one_try(stored: Store) -> None:
    if stored.place.path is not None:
        return
    seen = set()
    for forgotten in (False, True, False):
        if forgotten:
            with stored.lines.reading() as line:
                line.ask((Statement(text("DEALLOCATE ALL")), {}))
            with pytest.raises(UnreachableError, match="forgot a statement"), translated(stored.place):  # noqa: SIM117
                with stored.lines.reading() as line:
                    line.ask((SESSION, {}))
        else:
            with stored.lines.reading() as line:
                seen.add(line.ask((SESSION, {}))[0][0])
    assert len(seen) == 2, "another session took its place"

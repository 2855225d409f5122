"""The table is a dict that is never changed."""

from __future__ import annotations

import gc
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from coinswarm.memory.quorum import table as module
from coinswarm.memory.quorum.table import Table

if TYPE_CHECKING:
    from random import Random

WRITES = st.lists(st.tuples(st.integers(0, 30), st.booleans(), st.integers(0, 1_000)), max_size=120)


def same(table: Table[int], model: dict[str, int]) -> None:
    """Hold a table to a dict, in content and in order."""
    assert list(table.items()) == list(model.items())
    assert list(table) == list(model)
    assert list(table.values()) == list(model.values())
    assert len(table) == len(model)
    assert repr(table) == f"Table({model})"
    assert all(key in table and table.get(key) == value for key, value in model.items())
    assert table.of(["none", *reversed(model)]) == [*model.values()][::-1]
    assert table.get("none") is None
    assert "none" not in table


def written(table: Table[int], model: dict[str, int], key: str, number: int, *, drop: bool) -> Table[int]:
    """A table after a write, which the model takes in too."""
    if drop:
        model.pop(key, None)
        return table.drop(key)
    model[key] = number
    return table.put(key, number)


@given(WRITES)
def test_it_is_the_dict_and_every_earlier_one_stays(writes: list[tuple[int, bool, int]]) -> None:
    """Whatever is written to whichever of all the tables that there ever were."""
    line: list[tuple[Table[int], dict[str, int]]] = [(Table(), {})]
    for number, (key, drop, back) in enumerate(writes):
        table, model = line[back % len(line)] if back < 100 else line[-1]
        model = dict(model)
        line.append((written(table, model, str(key), number, drop=drop), model))
        if back % 7 == 0:
            same(*line[back % len(line)])
    for table, model in line:
        same(table, model)
        assert (table == line[-1][0]) is (model == line[-1][1])


@given(st.randoms(use_true_random=False))
def test_the_dict_is_copied_now_and_then(chance: Random) -> None:
    few, module._FEW = module._FEW, 8
    try:
        table, model = Table[int](), dict[str, int]()
        earlier = []
        for number in range(200):
            table = written(table, model, str(chance.randrange(10)), number, drop=chance.random() < 0.4)
            earlier.append((table, dict(model)))
        whole = sum(one._data is not None for one, _ in earlier)
        assert whole > 5, "else the oldest keeps all others alive"
        for one, held in earlier:
            same(one, held)
    finally:
        module._FEW = few


def test_who_reads_while_it_is_written_to_sees_what_was_there() -> None:
    table = Table[int]()
    for number in range(10):
        table = table.put(str(number), number)
    later = table
    for key in table:
        later = later.drop(key).put(f"{key}{key}", 0)
    same(table, {str(number): number for number in range(10)})
    assert len(later) == 10


def test_an_old_table_keeps_little_alive() -> None:
    gc.collect()
    before = sum(isinstance(one, Table) for one in gc.get_objects())
    begin = old = table = Table[int]()
    for number in range(20_000):
        table = table.put(str(number % 50), number)
        old = table if number == 5_000 else old
    assert sum(isinstance(one, Table) for one in gc.get_objects()) - before < 3_000
    assert old.get("0") == 5_000
    assert old.get("49") == 4_999
    assert not list(begin)


def test_a_long_line_ends_at_once() -> None:
    table = first = Table[int]().put("a", 0)
    for number in range(100_000):
        table = table.put(str(number), number)
    assert len(first) == 1
    assert len(table) == 100_001
    del first

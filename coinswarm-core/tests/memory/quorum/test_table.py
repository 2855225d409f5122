"""The table is a dict that is never changed."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from coinswarm.memory.quorum.table import Table


@given(st.lists(st.tuples(st.integers(0, 400), st.booleans()), max_size=600))
def test_it_holds_what_a_dict_holds_and_leaves_every_earlier_one_alone(writes: list[tuple[int, bool]]) -> None:
    table, model = Table[int](), dict[str, int]()
    earlier: list[tuple[Table[int], dict[str, int]]] = []
    for number, (key, drop) in enumerate(writes):
        if drop:
            table = table.drop(str(key))
            model.pop(str(key), None)
        else:
            table = table.put(str(key), number)
            model[str(key)] = number
        if number % 50 == 0:
            earlier.append((table, dict(model)))
    for one, held in [*earlier, (table, model)]:
        assert dict(one.items()) == held
        assert len(one) == len(held)
        assert repr(one) == f"Table({dict(one.items())})"
        assert (one == table) is (held == model)
        assert sorted(one) == sorted(held)
        assert sorted(one.values()) == sorted(held.values())
        assert all(key in one and one.get(key) == value for key, value in held.items())
        assert one.get("none") is None


def test_a_large_one_is_cut_and_iterates_the_same_everywhere() -> None:
    table = Table[int]()
    for number in range(1_000):
        table = table.put(str(number), number)
    assert len(table._buckets) == 256
    assert list(table)[:4] == ["49", "197", "266", "548"]

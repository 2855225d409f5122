"""What can travel to the judge, and that nothing else can."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from coinswarm.domain.action import Action, Side
from coinswarm.domain.order import Fill
from coinswarm_testkit.subject import Subject
from coinswarm_testkit.worker.wire import WireError, dumps, loads

leaves = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text()
    | st.binary()
    | st.decimals(allow_nan=False)
    | st.datetimes(timezones=st.just(UTC))
    | st.timedeltas()
    | st.sampled_from(Side)
)
values = st.recursive(
    leaves,
    lambda inner: (
        st.lists(inner)
        | st.tuples(inner, inner)
        | st.dictionaries(st.text() | st.integers(), inner)
        | st.frozensets(leaves)
    ),
)


@given(values)
def test_plain_values_come_back(value: Any) -> None:  # noqa: ANN401 - anything
    assert loads(dumps(value)) == value


def test_values_of_the_domain_come_back() -> None:
    fill = Fill(3, 1_600_000_000_000_000_000, 5, 1_000, 7)
    assert loads(dumps({"fill": fill, "action": Action(Side.BUY, 0.5)})) == {
        "fill": fill,
        "action": Action(Side.BUY, 0.5),
    }
    assert loads(dumps(datetime(2026, 1, 2, tzinfo=UTC))) == datetime(2026, 1, 2, tzinfo=UTC)
    assert loads(dumps([timedelta(seconds=1), Decimal("0.10")])) == [timedelta(seconds=1), Decimal("0.10")]


@pytest.mark.parametrize("kind", ["<i8", "<f8", "|b1", "|u1", ">i4"])
def test_arrays_come_back_in_memory_of_their_own(kind: str) -> None:
    array = np.arange(6).reshape(2, 3).astype(kind)
    found = loads(dumps(array))
    np.testing.assert_array_equal(found, array)
    found[0, 0] = 1
    assert loads(dumps(np.int64(3))) == 3


class Sly(float):
    """A number that claims to equal everything."""

    def __eq__(self, other: object) -> bool:
        return True

    __hash__ = float.__hash__


class Slyer(str):
    """A text that claims to equal everything."""

    __slots__ = ()

    def __eq__(self, other: object) -> bool:
        return True

    __hash__ = str.__hash__


def test_a_subclass_travels_as_what_it_is_made_of() -> None:
    found = loads(dumps([Sly(0.5), Slyer("no")]))
    assert [type(one) for one in found] == [float, str]
    assert found != [0.75, "yes"]


@pytest.mark.parametrize(
    ("value", "named"),
    [
        (object(), "a object"),
        (Subject("a", "b:c"), "coinswarm_testkit.subject:Subject, which is no value of coinswarm's domain"),
        (np.array(["text"]), "not numeric"),
        (lambda: None, "a function"),
    ],
)
def test_nothing_else_travels(value: object, named: str) -> None:
    with pytest.raises(WireError, match=named):
        dumps(value)


@pytest.mark.parametrize(
    "answer",
    [
        "not json",
        "[1",
        '{"no": "tag"}',
        '{"$": "code", "text": "import os"}',
        '{"$": "value", "of": "os:system", "fields": {}}',
        '{"$": "value", "of": "coinswarm.domain.market:np", "fields": {}}',
        '{"$": "value", "of": "coinswarm.domain.nowhere:Fill", "fields": {}}',
        '{"$": "value", "of": "coinswarm.domain.order:Nothing", "fields": {}}',
        '{"$": "value", "of": "coinswarm.domain.order:Fill", "fields": {"seq": 1}}',
        '{"$": "value", "of": "coinswarm.domain.action:Side", "fields": {}}',
        '{"$": "enum", "of": "coinswarm.domain.order:Fill", "value": 1}',
        '{"$": "enum", "of": "coinswarm.domain.action:Side", "value": 99}',
        '{"$": "named", "of": "coinswarm.domain.order:Fill", "items": []}',
        '{"$": "array", "dtype": "|O", "shape": [1], "base64": "AAAAAAAAAAA="}',
        '{"$": "array", "dtype": "<i8", "shape": [9], "base64": "AAAAAAAAAAA="}',
        '{"$": "bytes", "base64": "!"}',
        '{"$": "time", "iso": "yesterday"}',
        '{"$": "decimal", "text": "much"}',
        '{"$": "tuple", "items": 7}',
        '{"$": "dict", "items": [[[1], 2]]}',
        "[" * 100_000,
    ],
)
def test_what_is_no_answer_is_refused_in_words(answer: str) -> None:
    with pytest.raises(WireError):
        loads(answer.encode())


@given(st.binary())
def test_no_bytes_do_more_than_be_refused(data: bytes) -> None:
    try:
        loads(data)
    except WireError:
        return
    json.loads(data)

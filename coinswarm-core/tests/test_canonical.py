"""Canonical bytes: one spelling, and the order hash covers every field and nothing else."""

from __future__ import annotations

import hashlib
import json
import struct
from decimal import Decimal
from enum import IntEnum, StrEnum

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from coinswarm import canonical
from coinswarm.canonical import FILL_FIELDS, GENESIS, ORDER_FIELDS, canonical_json, chain, digest_arrays, order_hash
from coinswarm.domain.instrument import Instrument

BTC = Instrument("BTC/USD", Decimal("0.1"), Decimal("0.00000001"))
ETH = Instrument("ETH/USD", Decimal("0.01"), Decimal("0.0001"))
INT64 = st.integers(-(2**63), 2**63 - 1)


def tables(width: int) -> st.SearchStrategy[np.ndarray]:
    return hnp.arrays(np.int64, st.tuples(st.integers(0, 5), st.just(width)), elements=INT64)


def test_json_sorts_keys_and_has_no_white_space() -> None:
    value = {"b": [1, True, None], "a": Decimal("1.500"), "é": "ü"}
    assert canonical_json(value) == '{"a":"1.5","b":[1,true,null],"é":"ü"}'.encode()


PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**80), 2**80) | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner) | st.lists(inner).map(tuple) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=12,
)


@given(PLAIN)
def test_json_is_that_of_the_standard_library(value: object) -> None:
    expected = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    assert canonical_json(value) == expected.encode("utf-8")
    assert canonical.spelled(value) == expected


def test_every_character_is_spelled_as_the_standard_library_does() -> None:
    every = "".join(map(chr, [*range(0x3000), 0xFFFF, 0x1F600]))
    spelled = json.dumps([every], ensure_ascii=False)
    assert canonical_json([every]) == spelled.encode()
    assert canonical_json({every: None}) == f"{{{spelled[1:-1]}:null}}".encode()


@pytest.mark.parametrize("value", ["\ud800", ["\udfff"], {"\ud800": 1}])
def test_json_refuses_half_a_character(value: object) -> None:
    with pytest.raises(ValueError, match="surrogates"):
        canonical_json(value)


@given(st.text(st.characters(exclude_categories=["Cs"])) | st.text('abc0:"\\\x7f\n'))
def test_a_long_text_is_quoted_as_any(text: str) -> None:
    assert canonical.quoted(text) == canonical.spelled(text)
    assert canonical.spelled([canonical.Spelled(canonical.quoted(text)), 1]) == canonical.spelled([text, 1])


class Code(IntEnum):
    """Any IntEnum."""

    ONE = 1


class Word(StrEnum):
    """Any StrEnum."""

    ONE = 'Größe "1"'


class Loud(StrEnum):
    """One that says something else."""

    ONE = "one"

    def __str__(self) -> str:
        return "ONE"


def test_json_writes_members_of_a_strenum_as_they_say() -> None:
    assert canonical_json({"a": Word.ONE, "b": [Loud.ONE]}) == '{"a":"Größe \\"1\\"","b":["ONE"]}'.encode()
    assert canonical_json({Word.ONE: 1}) == '{"Größe \\"1\\"":1}'.encode()
    with pytest.raises(KeyError):
        canonical.spelled(Loud.ONE)


def test_json_writes_enum_and_numpy_integers_as_numbers() -> None:
    assert canonical_json([Code.ONE, np.int8(-3), 2**80]) == b"[1,-3,1208925819614629174706176]"


@pytest.mark.parametrize(
    ("text", "spelling"),
    [("0.10", "0.1"), ("1E+3", "1000"), ("1e-8", "0.00000001"), ("-0.00", "0"), ("100", "100"), ("-1.50", "-1.5")],
)
def test_decimals_have_one_spelling(text: str, spelling: str) -> None:
    assert canonical.decimal_text(Decimal(text)) == spelling


@given(st.decimals(allow_nan=False, allow_infinity=False, places=12), st.integers(0, 30))
def test_equal_decimals_have_equal_spellings_and_keep_their_value(value: Decimal, zeros: int) -> None:
    sign, digits, exponent = value.as_tuple()
    assert isinstance(exponent, int)
    padded = Decimal((sign, digits + (0,) * zeros, exponent - zeros))
    assert canonical.decimal_text(padded) == canonical.decimal_text(value)
    assert Decimal(canonical.decimal_text(value)) == value


@pytest.mark.parametrize(
    ("value", "error"),
    [
        ({"a": {"b": 1.5}}, "a float"),
        ({"a": b"x"}, "bytes"),
        ({1: 2}, "the key 1"),
        ([{"x": {3}}], r"\$\[0\]\.x"),
    ],
)
def test_json_refuses_what_has_no_one_form(value: object, error: str) -> None:
    with pytest.raises(TypeError, match=error):
        canonical_json(value)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), Decimal("NaN"), Decimal("-Infinity"), "\ud800"])
def test_json_refuses_numbers_that_are_not_finite_and_broken_text(value: object) -> None:
    with pytest.raises(ValueError, match=r".+"):
        canonical_json(value, floats=True)


def test_floats_are_taken_when_asked_for() -> None:
    assert canonical_json({"x": 0.1, "y": np.float64(2)}, floats=True) == b'{"x":0.1,"y":2.0}'


@given(st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), INT64, max_size=6))
def test_digest_does_not_depend_on_insertion_order(value: dict[str, int]) -> None:
    assert canonical.digest(value) == canonical.digest(dict(reversed(value.items())))


def test_order_hash_is_the_documented_layout() -> None:
    """Recomputed here with ``struct`` and ``hashlib`` alone, as a stranger would from the documentation."""
    orders = np.arange(26, dtype=np.int64).reshape(2, 13)
    fills = -np.arange(5, dtype=np.int64).reshape(1, 5)
    data = b'coinswarm.orders/1\n[["BTC/USD","0.1","0.00000001"],["ETH/USD","0.01","0.0001"]]\n'
    data += struct.pack("<q", 1_500_000_000_000_000_000)
    data += struct.pack("<q26q", 2, *range(26)) + struct.pack("<q5q", 1, *(-i for i in range(5)))
    assert order_hash([ETH, BTC], 1_500_000_000_000_000_000, orders, fills) == hashlib.sha256(data).hexdigest()


@given(tables(13), tables(5), INT64)
def test_order_hash_ignores_byte_order_and_memory_layout(orders: np.ndarray, fills: np.ndarray, anchor: int) -> None:
    expected = order_hash([BTC, ETH], anchor, orders, fills)
    assert order_hash([ETH, BTC], anchor, orders.astype(">i8"), np.asfortranarray(fills)) == expected
    strided = np.repeat(orders, 2, axis=0)[::2]
    assert order_hash((BTC, ETH), anchor, strided, fills.astype(">i8")) == expected


@given(st.data(), tables(13), tables(5), INT64)
def test_order_hash_changes_with_any_field(
    data: st.DataObject, orders: np.ndarray, fills: np.ndarray, anchor: int
) -> None:
    before = order_hash([BTC], anchor, orders, fills)
    for table, fields in ((orders, ORDER_FIELDS), (fills, FILL_FIELDS)):
        if not len(table):
            continue
        row = data.draw(st.integers(0, len(table) - 1))
        bit = np.int64(1) << np.int64(data.draw(st.integers(0, 62)))
        for column in range(len(fields)):
            table[row, column] ^= bit
            assert order_hash([BTC], anchor, orders, fills) != before
            table[row, column] ^= bit
    assert order_hash([BTC], anchor ^ 1, orders, fills) != before
    assert order_hash([BTC], anchor, orders, fills) == before


def test_order_hash_covers_symbol_tick_lot_and_their_number() -> None:
    empty = np.zeros((0, 13), np.int64), np.zeros((0, 5), np.int64)
    hashes = {
        order_hash(instruments, 0, *empty)
        for instruments in (
            [],
            [BTC],
            [BTC, ETH],
            [Instrument("BTC/EUR", BTC.tick, BTC.lot)],
            [Instrument("BTC/USD", Decimal("0.2"), BTC.lot)],
            [Instrument("BTC/USD", BTC.tick, Decimal("0.1"))],
        )
    }
    assert len(hashes) == 6


def test_order_hash_tells_order_rows_from_fill_rows() -> None:
    """65 numbers are 5 orders or 13 fills: the counts keep them apart."""
    numbers = np.zeros(65, np.int64)
    as_orders = order_hash([BTC], 0, numbers.reshape(5, 13), np.zeros((0, 5), np.int64))
    as_fills = order_hash([BTC], 0, np.zeros((0, 13), np.int64), numbers.reshape(13, 5))
    assert as_orders != as_fills


def test_order_hash_ignores_trailing_zeros_and_what_is_not_in_s16() -> None:
    empty = np.zeros((0, 13), np.int64), np.zeros((0, 5), np.int64)
    other = Instrument("BTC/USD", Decimal("0.10"), Decimal("1E-8"), Decimal(10), shortable=True)
    assert order_hash([BTC], 7, *empty) == order_hash([other], 7, *empty)


def test_order_hash_refuses_wrong_tables() -> None:
    orders, fills = np.zeros((0, 13), np.int64), np.zeros((0, 5), np.int64)
    with pytest.raises(ValueError, match="orders has the shape"):
        order_hash([BTC], 0, fills, fills)
    with pytest.raises(ValueError, match="fills has the shape"):
        order_hash([BTC], 0, orders, np.zeros(5, np.int64))
    with pytest.raises(TypeError, match="float64"):
        order_hash([BTC], 0, orders.astype(float), fills)
    with pytest.raises(ValueError, match="given twice"):
        order_hash([BTC, BTC], 0, orders, fills)


def test_unsigned_numbers_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ValueError, match="does not fit"):
        canonical.int_bytes(np.array([2**63], np.uint64))
    assert canonical.int_bytes(np.array([1], np.uint8)) == struct.pack("<q", 1)


def test_digest_of_arrays_covers_name_kind_shape_and_value() -> None:
    base = np.arange(6, dtype=np.int64)
    variants: list[dict[str, np.ndarray]] = [
        {"a": base},
        {"b": base},
        {"a": base.reshape(2, 3)},
        {"a": base.reshape(3, 2)},
        {"a": base.astype(np.float64)},
        {"a": base + 1},
        {"a": base, "b": base},
        {"a": base[:0]},
    ]
    assert len({digest_arrays(v) for v in variants}) == len(variants)


def test_digest_of_arrays_has_one_zero_one_nan_and_one_byte_order() -> None:
    left = {"x": np.array([0.0, np.nan]), "n": np.array([3], "<i4")}
    right = {"n": np.array([3], ">i8"), "x": -np.array([0.0, np.nan], ">f8")}
    assert digest_arrays(left) == digest_arrays(right)


@given(st.binary(), st.binary())
def test_chain_links_depend_on_payload_and_on_what_came_before(first: bytes, second: bytes) -> None:
    one, two = chain(GENESIS, first), chain(GENESIS, second)
    assert (one == two) == (first == second)
    assert chain(one, second) != two
    assert len(one) == 64


@pytest.mark.parametrize("previous", ["", "0" * 63, "g" * 64, "ab cd " + "0" * 58])
def test_chain_refuses_what_is_no_digest(previous: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        chain(previous, b"")

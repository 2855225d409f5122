"""Tables for people, JSON for machines, the same rows."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest

from coinswarm.cli.tables import emit, emit_fields, emit_json

ROWS = [
    {"name": "a", "bars": 10, "gaps": None, "flags": ["x", "y"], "hidden": Decimal("0.10")},
    {"name": "long name", "bars": 9, "gaps": True, "flags": []},
]


def test_columns_are_aligned_and_numbers_stand_right(capsys: pytest.CaptureFixture[str]) -> None:
    emit(ROWS, ("name", "bars", "gaps", "flags"), as_json=False)
    assert capsys.readouterr().out.splitlines() == [
        "NAME       BARS  GAPS  FLAGS",
        "a            10  -     x, y",
        "long name     9  yes   -",
    ]


def test_no_rows_are_a_head(capsys: pytest.CaptureFixture[str]) -> None:
    emit([], ("name", "open_time"), as_json=False)
    assert capsys.readouterr().out == "NAME  OPEN TIME\n"


def test_json_holds_everything(capsys: pytest.CaptureFixture[str]) -> None:
    emit(ROWS, ("name",), as_json=True)
    assert json.loads(capsys.readouterr().out) == [{**ROWS[0], "hidden": "0.10"}, ROWS[1]]


@pytest.mark.parametrize("as_json", [False, True])
def test_one_thing_is_lines_or_an_object(as_json: bool, capsys: pytest.CaptureFixture[str]) -> None:  # noqa: FBT001
    emit_fields({"order_hash": "ab", "fills": 3, "note": ""}, as_json=as_json)
    out = capsys.readouterr().out
    if as_json:
        assert json.loads(out) == {"order_hash": "ab", "fills": 3, "note": ""}
    else:
        assert out.splitlines() == ["order hash  ab", "fills       3", "note        -"]


def test_json_keeps_letters(capsys: pytest.CaptureFixture[str]) -> None:
    emit_json({"é": 1})
    assert "é" in capsys.readouterr().out

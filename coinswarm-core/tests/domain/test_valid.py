"""What values are held to: every refusal names the thing and the value."""

from __future__ import annotations

import pytest

from coinswarm.domain import valid


@pytest.mark.parametrize("value", [1.0, True, "1", None])
def test_only_whole_numbers_count(value: object) -> None:
    with pytest.raises(ValueError, match=r"size is .*, but must be a whole number"):
        valid.whole("size", value)


@pytest.mark.parametrize(
    ("value", "least", "most", "said"),
    [
        (-1, 0, None, "at least 0"),
        (10_001, 0, 10_000, "10,001, .*at least 0 and at most 10,000"),
        (1, None, 0, "most 0"),
    ],
)
def test_bounds_are_inclusive_and_told(value: int, least: int | None, most: int | None, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        valid.whole("size", value, least, most)
    for edge in (least, most):
        if edge is not None:
            valid.whole("size", edge, least, most)
    valid.whole("size", -(10**30), None)


@pytest.mark.parametrize("value", ["", "Trend", "a b", "-a", "a--b", "a/", "x" * 129, 7, "a\n"])
def test_what_is_no_name(value: object) -> None:
    with pytest.raises(ValueError, match="the seat is"):
        valid.name("the seat", value)
    for good in ("trend", "trend/state.2", "mean-rev", "x" * 128):
        valid.name("the seat", good)


@pytest.mark.parametrize("value", ["", "0" * 63, "0" * 65, "G" * 64, "A" * 64, None])
def test_what_is_no_digest(value: object) -> None:
    with pytest.raises(ValueError, match="SHA-256"):
        valid.digest("it", value)
    valid.digest("it", "0123456789abcdef" * 4)


def test_a_line_is_one_line() -> None:
    valid.line("it", "")
    for wrong in ("a\nb", 3):
        with pytest.raises(ValueError, match="one line"):
            valid.line("it", wrong)
    with pytest.raises(ValueError, match="one line"):
        valid.line("it", " ", empty=False)


def test_what_occurs_twice_is_named() -> None:
    valid.unique("weights", ("a", "b"))
    with pytest.raises(ValueError, match="weights name 'a' twice"):
        valid.unique("weights", ("a", "b", "a"))
    with pytest.raises(ValueError, match="must be a tuple"):
        valid.unique("weights", ["a"])

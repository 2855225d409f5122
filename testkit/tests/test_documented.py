"""Every check has its paragraph in docs/testkit.md, and every paragraph its check."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from coinswarm_testkit.checks import CHECKS, TIERS
from coinswarm_testkit.markets.paths import MARKETS
from coinswarm_testkit.subject import KINDS

pytestmark = pytest.mark.static

PAGE = (Path(__file__).parents[2] / "docs" / "testkit.md").read_text(encoding="utf-8")


def test_checks_and_paragraphs_are_the_same() -> None:
    headings = re.findall(r"^### (.+)$", PAGE, re.MULTILINE)
    assert headings == [f"{check.id} · {check.title}" for check in CHECKS]
    bodies = re.findall(r"^### .+\n\n(.+)$", PAGE, re.MULTILINE)
    assert len(bodies) == len(CHECKS), "a heading without a paragraph"


def test_every_market_is_named() -> None:
    assert [name for name in MARKETS if f"`{name}`" not in PAGE] == []


def test_the_table_counts_the_checks_of_each_kind() -> None:
    rows = re.findall(r"^\| `(\w+)` \|[^|]+\| (\w) \| (\d+) \| (\d+) \| (\d+) \| (\d+) \|$", PAGE, re.MULTILINE)
    expected = []
    for kind in KINDS:
        own = [check for check in CHECKS if kind in check.kinds]
        [letter] = {check.id[0] for check in own} - {"P"}
        counts = [sum(check.tier == tier for check in own) for tier in TIERS]
        expected.append((kind, letter, *map(str, [*counts, sum(check.safety for check in own)])))
    assert rows == expected

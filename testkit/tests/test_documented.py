"""Every check has its paragraph in docs/testkit.md, and every paragraph its check."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from coinswarm_testkit.checks import CHECKS
from coinswarm_testkit.markets.paths import MARKETS

pytestmark = pytest.mark.static

PAGE = (Path(__file__).parents[2] / "docs" / "testkit.md").read_text(encoding="utf-8")


def test_checks_and_paragraphs_are_the_same() -> None:
    headings = re.findall(r"^### (.+)$", PAGE, re.MULTILINE)
    assert headings == [f"{check.id} · {check.title}" for check in CHECKS]
    bodies = re.findall(r"^### .+\n\n(.+)$", PAGE, re.MULTILINE)
    assert len(bodies) == len(CHECKS), "a heading without a paragraph"


def test_every_market_is_named() -> None:
    assert [name for name in MARKETS if f"`{name}`" not in PAGE] == []

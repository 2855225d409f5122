"""What the documents name exists: anchors, files, rules; and lists that mirror the code are complete."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from coinswarm.domain.order import Refusal
from coinswarm.evidence.estimate import DAY_MEASURES, TRADE_MEASURES
from coinswarm_testkit import checks

pytestmark = pytest.mark.static

ROOT = Path(__file__).resolve().parents[2]
CORE = ROOT / "coinswarm-core" / "src" / "coinswarm"
PAGES = sorted(
    [
        *ROOT.glob("*.md"),
        *(ROOT / "docs").rglob("*.md"),
        *(ROOT / "coinswarm-core").glob("*.md"),
        *(ROOT / "testkit").glob("*.md"),
        *(ROOT / "testkit" / "mutants").glob("*.md"),
        *ROOT.glob("plugins/*/*.md"),
    ]
)
SEMANTICS = (ROOT / "docs" / "semantics.md").read_text(encoding="utf-8")
RULES = (CORE / "simulator" / "rules.md").read_text(encoding="utf-8")

CHECKS = set(
    re.findall(r"^### ([A-Z]\d\d) ·", (ROOT / "docs" / "testkit.md").read_text(encoding="utf-8"), re.MULTILINE)
)
"""Identifiers of the testkit's checks, told by its page."""

RENDERED = CORE / "plugins" / "templates"
"""What ``coinswarm plugins new`` renders: a page for authors names its files as they lie in the plugin."""

MADE = {"src/", "tests/", "runs/", "tests/risk/test_gate.py", "plugins/*/", "coinswarm/data"}
"""Paths that a page names which are patterns, made by a run, or relative to any package."""

each_page = pytest.mark.parametrize("page", PAGES, ids=lambda path: path.relative_to(ROOT).as_posix())


def prose(page: Path) -> str:
    """A page without its fenced blocks."""
    return re.sub(r"^```.*?^```$", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    heads = re.findall(r"^#+ (.+)$", prose(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}


@each_page
def test_links_lead_to_a_file_and_a_heading(page: Path) -> None:
    wrong = []
    for target in re.findall(r"\]\(([^)\s]+)\)", prose(page)):
        name, _, anchor = target.partition("#")
        if "://" in target or target.startswith("mailto:"):
            continue
        place = (page.parent / name).resolve() if name else page
        if not place.exists() or (anchor and anchor not in anchors(place)):
            wrong.append(target)
    assert wrong == []


@each_page
def test_files_that_a_page_names_exist(page: Path) -> None:
    wrong = []
    for name in re.findall(r"`([\w.*-]+/[\w./*-]*)`", prose(page)):
        homes = (ROOT, ROOT / "docs", CORE, page.parent)
        if name not in MADE and re.search(r"(/|\.(md|py|toml|txt|in))$", name):
            found = any(list(home.glob(name.rstrip("/"))) for home in homes) or list(RENDERED.glob(f"*/{name}.in"))
            if not found and not name.startswith("."):
                wrong.append(name)
    assert wrong == []


@each_page
def test_rules_that_a_page_names_exist(page: Path) -> None:
    known = set(re.findall(r"\*\*([A-Z]\d+)\*\*", RULES)) | set(re.findall(r"\*\*(S\d+)\b", SEMANTICS))
    known |= CHECKS  # the P of packaging is also the P of prices
    named = set(re.findall(r"\b([SEFPQBTD]\d{1,2})\b", prose(page)))
    assert named <= known


@each_page
def test_checks_that_a_page_names_exist(page: Path) -> None:
    assert set(re.findall(r"\b(A\d{2})\b", prose(page))) <= CHECKS


def test_every_check_of_the_testkit_is_explained() -> None:
    assert {check.id for check in checks.CHECKS} == CHECKS
    rules = set(re.findall(r"\*\*([A-Z]\d+)\*\*", RULES))
    assert not rules & CHECKS, "one name, one meaning"


def test_semantics_has_each_rule_once() -> None:
    found = re.findall(r"\*\*(S\d+)\b", SEMANTICS)
    assert found == [f"S{number}" for number in range(1, 24)]


def test_refusals_stand_in_the_order_of_the_gate() -> None:
    told = re.findall(r"^\| \d+ \| (\w+) \|", SEMANTICS, re.MULTILINE)
    gate = (CORE / "risk" / "gate.py").read_text(encoding="utf-8")
    assert told == re.findall(r"return Refusal\.(?!APPROVED)(\w+)", gate)
    assert {*told, "APPROVED", "COOL_DOWN"} == {one.name for one in Refusal}


def test_every_measure_is_explained() -> None:
    text = (ROOT / "docs" / "runs.md").read_text(encoding="utf-8")
    told = re.findall(r"^\| ([A-Z][^|]+) \|", text.split("## The summary")[1], re.MULTILINE)
    assert told[0] == "Final equity"
    assert told[1:-1] == [one.label for one in (*DAY_MEASURES, *TRADE_MEASURES)]


def test_decisions_are_numbered_and_have_a_status() -> None:
    pages = sorted((ROOT / "docs" / "decisions").glob("*.md"))
    assert len(pages) > 1
    for number, page in enumerate(pages, 1):
        text = page.read_text(encoding="utf-8")
        assert page.name.startswith(f"{number:04d}-")
        assert text.startswith(f"# {number}. ")
        assert "\nStatus: " in text

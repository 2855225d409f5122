"""The report of a run: self-contained, escaped, equal to the summary, and alive in a browser."""

from __future__ import annotations

import copy
import json
import re
import shutil
import subprocess
from dataclasses import dataclass, field, replace
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from coinswarm.backtest.buyhold import buy_and_hold
from coinswarm.backtest.proof import proof_lines
from coinswarm.backtest.render import number_text
from coinswarm.backtest.report.facts import Facts
from coinswarm.backtest.report.grid import Grid
from coinswarm.backtest.report.page import POLICY, render_report
from coinswarm.backtest.runread import read_run
from coinswarm.backtest.tables import trades
from coinswarm.config.profile import load_profile
from coinswarm.contracts import SignalAgent
from coinswarm.domain.action import ABSTAIN
from coinswarm.runtime.assembly import assemble
from coinswarm.runtime.runs import backtest, execute, heard, replay

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from coinswarm.domain.action import Action
    from coinswarm.domain.market import MarketState

NASTY = "</script><img src=x onerror=alert(1)>\"'&\u2028"
LOADING = {"src", "srcset", "poster", "background", "formaction", "ping", "manifest", "action"}


class Unheard(SignalAgent):
    """An agent whose answers nobody kept."""

    def decide(self, state: MarketState) -> Action:  # noqa: ARG002 - it does not look
        return ABSTAIN


@dataclass
class Page(HTMLParser):
    """Elements, tables and scripts of a page."""

    text: str
    elements: list[tuple[str, dict[str, str | None]]] = field(default_factory=list)
    tables: dict[str, list[list[str]]] = field(default_factory=dict)
    scripts: list[tuple[dict[str, str | None], str]] = field(default_factory=list)
    style: str = ""

    def __post_init__(self) -> None:
        super().__init__()
        self._in: list[str] = []
        self._rows: list[list[str]] = []
        self.feed(self.text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        self._in.append(tag)
        if tag == "table":
            self._rows = []
        if tag == "tr":
            self._rows.append([])
        if tag in ("td", "th"):
            self._rows[-1].append("")
        if tag == "script":
            self.scripts.append((dict(attrs), ""))

    def handle_endtag(self, tag: str) -> None:
        while self._in and self._in.pop() != tag:
            pass

    def handle_data(self, data: str) -> None:
        place = self._in[-1] if self._in else ""
        if place == "script":
            self.scripts[-1] = (self.scripts[-1][0], self.scripts[-1][1] + data)
        elif place == "style":
            self.style += data
        elif "caption" in self._in:
            self.tables[data] = self._rows
        elif self._rows and any(name in self._in for name in ("td", "th")):
            self._rows[-1][-1] += data

    def json(self, name: str) -> Any:  # noqa: ANN401 - whatever the page carries
        """What a script element of the page holds."""
        return next(json.loads(text) for attrs, text in self.scripts if attrs.get("id") == name)


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo of one autumn, kept."""
    profile = load_profile("demo", ["start=2018-04-01T00:00:00Z"])
    path = backtest(profile, label="profile demo", runs=tmp_path_factory.mktemp("runs")).path
    assert path is not None
    return path


@pytest.fixture(scope="module")
def page(kept: Path) -> Page:
    return Page((kept / "report.html").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def facts(kept: Path) -> Facts:
    """What the report was made from, again."""
    record = read_run(kept).record
    ready = heard(assemble(load_profile("demo", ["start=2018-04-01T00:00:00Z"]), label="demo"))
    result = execute(ready, "columns")
    plan = ready.plan
    bench = buy_and_hold(plan, result.times_ns)
    return Facts(plan, result, record["summary"], bench, record)


def test_a_run_is_kept_with_its_report_and_can_be_replayed(kept: Path) -> None:
    run = read_run(kept)
    assert set(run.record["files"]) == {"orders.npy", "fills.npy", "equity.npy", "decisions.npz", "report.html"}
    assert replay(kept).same


def test_without_a_report_a_run_has_none(tmp_path: Path) -> None:
    profile = load_profile("demo", ["start=2018-11-01T00:00:00Z"])
    path = backtest(profile, label="demo", runs=tmp_path / "runs", report=False).path
    assert path is not None
    assert not (path / "report.html").exists()
    assert "report.html" not in read_run(path).record["files"]


def test_the_page_loads_nothing(page: Page) -> None:
    assert {"http-equiv": "Content-Security-Policy", "content": POLICY} in [a for t, a in page.elements if t == "meta"]
    assert POLICY.startswith("default-src 'none'; ")
    assert not {tag for tag, _ in page.elements} & {
        "link",
        "img",
        "iframe",
        "object",
        "embed",
        "base",
        "audio",
        "video",
    }
    assert not [(tag, attrs) for tag, attrs in page.elements if LOADING & {*attrs}]
    links = {attrs["href"] for _, attrs in page.elements if "href" in attrs and not str(attrs["href"]).startswith("#")}
    assert links == {"https://www.tradingview.com/"}, "the attribution that the library's licence asks for"
    assert "url(" not in page.style
    assert "@import" not in page.style
    own = page.scripts[-1][1]
    assert "LightweightCharts" in own
    assert not re.search(r"fetch\(|XMLHttpRequest|WebSocket|EventSource|import\(|eval\(|https?:", own)
    assert not [name for _, attrs in page.elements for name in attrs if name.startswith("on")]


def test_the_page_names_its_run_and_how_to_have_it_again(page: Page, kept: Path) -> None:
    record = read_run(kept).record
    for text in (record["id"], record["order_hash"], f"coinswarm replay {kept.name}", record["data"][0]["sha256"]):
        assert text in page.text
    assert [row[0] for row in page.tables["Plugins"][1:]] == ["core", "meanrev", "trend"]
    assert "Copyright (c) 2026 TradingView, Inc." in page.text
    assert str(kept.parent) not in page.text


def test_numbers_equal_the_summary(page: Page, kept: Path) -> None:
    summary = read_run(kept).record["summary"]
    rows = {row[0]: row for row in page.tables["This run, and buy-and-hold on the same bars"][1:]}
    for m in summary["measures"]:
        assert rows[m["label"]][1] == number_text(m["value"], m["unit"], 2)
        if m["benchmark"]:
            assert rows[m["label"]][3] == number_text(m["benchmark"]["value"], m["unit"], 2)
    assert page.json("summary")["measures"] == summary["measures"]
    assert all(line[13:] in page.text for line in proof_lines(summary["evidence"], 10_000))
    costs = {row[0]: row[1] for row in page.tables["Costs by kind"][1:]}
    assert costs["all costs"] == f"{float(summary['costs']['total']):,.2f}"
    ends = {row[0]: int(row[1].replace(",", "")) for row in next(v for k, v in page.tables.items() if "ended" in k)[1:]}
    assert ends == summary["orders"]["ends"]
    refused = {row[0]: int(row[1]) for row in page.tables["Refusals"][1:]}
    assert refused == summary["orders"]["refused"]


def test_reasons_stand_below_the_measures_and_not_in_them(facts: Facts) -> None:
    """A sentence in a column of numbers would push the others off a screen."""
    summary = copy.deepcopy(facts.summary)
    few, other = "8 closed trades are too few for an interval (at least 10)", "no upper bound"
    for m in summary["measures"]:
        m["why"] = ""
        if m["name"] in ("win_rate", "payoff"):
            m |= {"low": None, "high": None, "why": few}
        if m["name"] == "sortino":
            m |= {"high": None, "why": other}
    html = render_report(replace(facts, summary=summary)).decode()
    page = Page(html)
    rows = {row[0]: row for row in page.tables["This run, and buy-and-hold on the same bars"][1:]}
    assert (rows["Win rate"][2], rows["Payoff"][2]) == ("(b)", "(b)")
    assert rows["Sortino"][2].endswith(" to ... (a)")
    assert html.count(f"(b) {few}") == 1
    assert f"(a) {other}" in html
    assert max(len(cell) for row in rows.values() for cell in row[:-1]) < 40


def test_the_best_trades_have_their_prices(page: Page, kept: Path) -> None:
    head, best, *_ = page.tables["The best and the worst closed trades"]
    columns = {column.name: column.texts() for column in trades(read_run(kept).result)}
    row = int(np.argmax(read_run(kept).result.trade_rows[:, 5]))
    told = dict(zip(head, best, strict=True))
    assert (told["Entry"], told["Exit"]) == (columns["entry"][row], columns["exit"][row])


def test_the_charts_end_where_the_summary_does(page: Page, kept: Path) -> None:
    run, data = read_run(kept), page.json("data")
    assert sum(data["equity"]) == round(float(run.record["summary"]["equity"]["final"]) * 100)
    assert sum(data["held"]) == round(float(run.record["summary"]["equity"]["benchmark"]) * 100)
    worst = next(m["value"] for m in run.record["summary"]["measures"] if m["name"] == "max_drawdown")
    assert max(np.cumsum(data["drawdown"])) == round(worst * 10_000)
    assert sum(len(one["fills"]) for one in data["instruments"]) == len(run.result.fills)
    assert data["step"] == 1
    first = data["instruments"][0]
    closes = np.cumsum(first["close"])
    assert len(closes) == len(run.result.times_ns)
    assert (np.array(first["high"]) >= np.maximum(first["open"], 0)).all()


def test_contribution_sums_to_the_closed_trades(page: Page, kept: Path) -> None:
    rows = page.tables["Contribution: closed trades, by the agents that agreed at entry"][1:]
    parts = [float(row[4].replace(",", "")) for row in rows]
    total = read_run(kept).result.trade_rows[:, 5].sum() / 1e8
    assert parts[-1] == pytest.approx(total, abs=0.005)
    assert sum(parts[:-1]) == pytest.approx(total, abs=0.02)


def test_months_multiply_to_the_total(page: Page, kept: Path) -> None:
    rows = page.tables["Returns by month, %"][1:]
    total = next(m["value"] for m in read_run(kept).record["summary"]["measures"] if m["name"] == "total_return")
    grown = np.prod([1 + float(row[13]) / 100 for row in rows])
    assert grown - 1 == pytest.approx(total, abs=0.001)


def test_every_string_is_escaped(facts: Facts) -> None:
    record = {
        **facts.record,
        "label": NASTY,
        "plugins": [dict.fromkeys(("name", "distribution", "version", "origin"), NASTY)],
    }
    summary = {**facts.summary, "notes": [NASTY], "currency": NASTY}
    seats = tuple(replace(seat, name=NASTY) for seat in facts.plan.seats)
    page = Page(
        render_report(replace(facts, record=record, summary=summary, plan=replace(facts.plan, seats=seats))).decode()
    )
    assert "<img" not in page.text
    assert not [tag for tag, _ in page.elements if tag == "img"]
    assert len(page.scripts) == 4
    assert page.json("data")["seats"] == [NASTY] * 2
    assert page.json("summary")["notes"] == [NASTY]
    assert page.tables["Plugins"][1] == [NASTY] * 4


def test_many_marks_are_grouped_and_the_page_says_so(facts: Facts, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("coinswarm.backtest.report.grid.MOST_POINTS", 2_000)
    page = Page(render_report(facts).decode())
    data = page.json("data")
    assert data["step"] == 9
    assert len(data["equity"]) == -(-len(facts.result.times_ns) // 9) <= 2_000
    assert f"{len(data['equity']):,} points of 9 bars each" in page.text
    assert sum(data["equity"]) == round(float(facts.summary["equity"]["final"]) * 100)
    worst = next(m["value"] for m in facts.summary["measures"] if m["name"] == "max_drawdown")
    assert max(np.cumsum(data["drawdown"])) == round(worst * 10_000), "a group shows its deepest mark"


def test_a_run_without_orders_has_a_report(facts: Facts) -> None:
    empty = np.zeros((0, 13), np.int64)
    result = replace(
        facts.result, orders=empty, fills=empty[:, :5], reference=empty[:, 0], trade_rows=empty[:, :10],
        decisions=empty[:, :10], equity=np.full_like(facts.result.equity, facts.result.cash),
    )  # fmt: skip
    seats = tuple(replace(seat, agents=(Unheard(), Unheard())) for seat in facts.plan.seats)
    page = Page(render_report(replace(facts, result=result, plan=replace(facts.plan, seats=seats))).decode())
    assert "The risk gate refused nothing." in page.text
    assert page.json("data")["instruments"][0]["stances"] == [None, None]


def test_agents_that_decide_bar_by_bar_are_heard(tmp_path: Path) -> None:
    """Both engines and every kind of agent leave the same stances."""
    profile = load_profile("demo", ["start=2018-10-01T00:00:00Z"])
    pages = []
    for engine in ("columns", "steps"):
        path = backtest(profile, label="demo", runs=tmp_path / engine, engine=engine).path
        assert path is not None
        pages.append(Page((path / "report.html").read_text(encoding="utf-8")).json("data"))
    assert pages[0] == pages[1]
    assert all(len(stances) > 1 for one in pages[0]["instruments"] for stances in one["stances"])


def colours(style: str) -> Iterator[dict[str, str]]:
    """The palettes for light and for dark."""
    for block in re.findall(r":root \{(.*?)\}", style, re.DOTALL):
        yield dict(re.findall(r"--(\w+): (#[0-9a-f]{3,6})", block))


def luminance(colour: str) -> float:
    """Relative luminance as WCAG 2.2 defines it."""
    digits = colour.lstrip("#")
    digits = "".join(d * 2 for d in digits) if len(digits) == 3 else digits
    parts = [int(digits[i : i + 2], 16) / 255 for i in (0, 2, 4)]
    red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def test_text_has_the_contrast_that_wcag_aa_asks_for(page: Page) -> None:
    palettes = list(colours(page.style))
    assert len(palettes) == 2
    for palette in palettes:
        for name in sorted(set(palette) - {"bg", "panel", "line"}):
            for ground in ("bg", "panel"):
                pair = sorted(luminance(palette[key]) for key in (name, ground))
                assert (pair[1] + 0.05) / (pair[0] + 0.05) >= 4.5, (name, ground)


def test_tables_and_charts_can_be_reached_by_keyboard(page: Page) -> None:
    scrolling = [attrs for _, attrs in page.elements if attrs.get("class") == "scroll"]
    assert scrolling
    assert all(a["tabindex"] == "0" and a["role"] == "region" and a["aria-label"] for a in scrolling)
    assert "canvas.tabIndex = 0" in page.scripts[-1][1]
    assert ("html", {"lang": "en"}) in page.elements


def test_the_grid_groups_without_losing_a_mark() -> None:
    times = np.arange(10) * 60_000_000_000
    grid = replace(Grid.over(times), step=3, first=np.array([0, 3, 6, 9]), last=np.array([2, 5, 8, 9]))
    assert grid.at(times).tolist() == [0, 0, 0, 1, 1, 1, 2, 2, 2, 3]
    assert grid.highest(np.arange(10.0)).tolist() == [2, 5, 8, 9]
    assert grid.seconds().tolist() == [0, 180, 360, 540]


@pytest.mark.integration
@pytest.mark.parametrize("width", [1280, 390])
def test_a_browser_draws_it_without_a_complaint(kept: Path, tmp_path: Path, width: int) -> None:
    """Headless Chromium, without network: the script runs to its end and the console stays empty."""
    browser = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if browser is None:
        pytest.skip("no Chromium is installed")
    clicked = (
        "<script>document.querySelector('button.show').click();"
        "document.querySelector('#chart-price .canvas').dispatchEvent(new KeyboardEvent('keydown', {key: '+'}));"
        "document.getElementById('log').click();"
        "document.body.dataset.wide = document.documentElement.scrollWidth - innerWidth;</script></body>"
    )
    copy = tmp_path / "report.html"
    copy.write_text((kept / "report.html").read_text(encoding="utf-8").replace("</body>", clicked), encoding="utf-8")
    done = subprocess.run(
        [
            browser, "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-quic",
            "--disable-background-networking", "--disable-component-update", "--disable-sync",
            "--proxy-server=127.0.0.1:9", f"--user-data-dir={tmp_path / 'profile'}", f"--window-size={width},900",
            "--enable-logging=stderr", "--virtual-time-budget=3000", "--dump-dom", copy.as_uri(),
        ],
        capture_output=True, text=True, check=True, timeout=120,
    )  # fmt: skip
    assert not [line for line in done.stderr.splitlines() if "CONSOLE" in line]
    dom = Page(done.stdout)
    assert ("html", "yes") in [(tag, attrs.get("data-ready")) for tag, attrs in dom.elements]
    drawn = [tag for tag, _ in dom.elements if tag == "canvas"]
    assert len(drawn) >= 6, "every chart has its canvas"
    body = next(attrs for tag, attrs in dom.elements if tag == "body")
    assert int(str(body["data-wide"])) <= 0, "nothing but tables scrolls sideways"

"""The whole page: sections, charts, data, style and script in one file that asks nobody for anything."""

from __future__ import annotations

from importlib.resources import files
from typing import TYPE_CHECKING

from coinswarm.backtest.render import length_text
from coinswarm.backtest.report import sections
from coinswarm.backtest.report.charts import chart_data
from coinswarm.backtest.report.costs import costs
from coinswarm.backtest.report.grid import Grid
from coinswarm.backtest.report.markup import Safe, embedded_json, join, tag, void
from coinswarm.backtest.report.sketch import sketch
from coinswarm.domain.instrument import MONEY
from coinswarm.feeds.length import format_length

if TYPE_CHECKING:
    from coinswarm.backtest.report.facts import Facts

POLICY = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:"
"""Content-Security-Policy: nothing is loaded from anywhere, whatever stands in the page."""
LIBRARY = "lightweight-charts.standalone.production.js"


def render_report(of: Facts) -> bytes:
    """The report as UTF-8 HTML: self-contained, readable without its script, every string escaped."""
    grid = Grid.over(of.result.times_ns, len(of.plan.bars))
    title = f"{of.record.get('label') or 'Run'}: {', '.join(of.result.symbols)}"
    period = of.summary["period"]
    span = f"{period['from'][:10]} to {period['to'][:10]} UTC"
    parts = [
        ("equity", "Equity and drawdown", join([_picture(of), _chart("equity"), _chart("drawdown", low=True)])),
        ("measures", "Measures", sections.measures(of)),
        ("months", "Monthly returns", sections.months(of)),
        ("price", "Price, fills and brackets", join([_chart("price"), sections.trade_list(of)])),
        ("stances", "Stances of the agents", _chart("stances", low=True)),
        ("exposure", "Exposure", _chart("exposure", low=True)),
        ("contribution", "Contribution and correlation", join([_chart("contribution"), sections.contribution(of)])),
        ("costs", "Costs", costs(of)),
        ("refusals", "Refusals and ends", sections.refusals(of)),
        ("made", "What it was made of", sections.made_of(of)),
    ]
    body = join(
        [
            tag("a", "Skip to the numbers", href="#measures", class_="skip"),
            tag(
                "header",
                tag("h1", title),
                tag("p", f"{span}, {length_text(period)}, {period['marks']:,} bars of {_length(of)}"),
                tag("p", tag("code", of.record.get("id") or of.summary["order_hash"][:16]), class_="note"),
                sections.headline(of),
                sections.cautions(of),
            ),
            tag("nav", *(tag("a", name, href=f"#{key}") for key, name, _ in parts), aria_label="Sections"),
            _controls(of, grid),
            tag("main", *(tag("section", tag("h2", name), content, id=key) for key, name, content in parts)),
            _footer(),
        ]
    )
    data = chart_data(of.plan, of.result, of.benchmark, of.actions, grid, of.places)
    page = join(
        [
            Safe('<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'),
            void("meta", http_equiv="Content-Security-Policy", content=POLICY),
            void("meta", name="viewport", content="width=device-width, initial-scale=1"),
            void("meta", name="color-scheme", content="light dark"),
            tag("title", title),
            Safe(f"<style>{_asset('report.css')}</style></head><body>"),
            body,
            Safe(f'<script type="application/json" id="data">{embedded_json(data)}</script>'),
            Safe(f'<script type="application/json" id="summary">{embedded_json(dict(of.summary))}</script>'),
            Safe(f"<script>{_asset(f'vendor/{LIBRARY}')}</script><script>{_asset('report.js')}</script>"),
            Safe("</body></html>\n"),
        ]
    )
    return page.encode()


def _asset(name: str) -> str:
    """A file that ships beside this module."""
    place = files("coinswarm.backtest.report")
    for part in name.split("/"):
        place = place.joinpath(part)
    return place.read_text(encoding="utf-8")


def _length(of: Facts) -> str:
    """The bar length in words."""
    return format_length(of.result.bar_ns)


def _picture(of: Facts) -> Safe:
    """The still picture of equity; the script puts charts in its place."""
    curves = [("This run", "run", of.result.equity), ("Buy-and-hold", "held", of.benchmark.equity)]
    return sketch(of.result.times_ns, curves, 1 / MONEY, of.currency)


def _chart(name: str, *, low: bool = False) -> Safe:
    """Where the script draws a chart."""
    return tag("div", id=f"chart-{name}", class_="chart low" if low else "chart", hidden="")


def _controls(of: Facts, grid: Grid) -> Safe:
    """What the charts can be asked; shown by the script."""
    spans = (("all", "All"), ("365", "1 year"), ("90", "3 months"), ("30", "1 month"), ("7", "1 week"))
    buttons = [tag("button", word, type="button", data_days=days) for days, word in spans]
    choice = tag(
        "label",
        "Instrument ",
        tag("select", *(tag("option", symbol, value=k) for k, symbol in enumerate(of.result.symbols)), id="instrument"),
    )
    coarse = (
        f" Shown here: {len(grid):,} points of {grid.step} bars each; all numbers come from every bar."
        if grid.step > 1
        else ""
    )
    hint = tag("p", f"In a chart: arrow keys move, + and - zoom, Home shows all.{coarse}", class_="note")
    group = tag("span", *buttons, role="group", aria_label="Period shown")
    return tag(
        "div", group, choice, tag("button", "Log scale", type="button", id="log"), hint, id="controls", hidden=""
    )


def _footer() -> Safe:
    """Where the charts come from, as their licence asks."""
    return tag(
        "footer",
        "Charts: TradingView Lightweight Charts™, Copyright (c) 2026 TradingView, Inc., ",
        tag("a", "www.tradingview.com", href="https://www.tradingview.com/", rel="noreferrer"),
        ", Apache License 2.0. This page loads nothing from anywhere.",
    )

"""A run and a market as a notebook shows them: a few numbers and a still picture, no script."""

from __future__ import annotations

from typing import TYPE_CHECKING

from coinswarm.backtest.render import interval_text, number_text
from coinswarm.backtest.report.markup import Safe, join, tag
from coinswarm.backtest.report.sketch import sketch
from coinswarm.clock import iso
from coinswarm.domain.instrument import MONEY
from coinswarm.feeds.length import format_length

if TYPE_CHECKING:
    from coinswarm.backtest.report.facts import Facts
    from coinswarm.domain.market import Bars

SHOWN = ("total_return", "cagr", "sharpe", "max_drawdown", "win_rate", "exposure_mean", "cost_share")
STYLE = (
    ".coinswarm svg{width:100%;max-width:46rem;height:180px;display:block}"
    ".coinswarm polyline{stroke:currentColor;stroke-width:1.5;vector-effect:non-scaling-stroke}"
    ".coinswarm .run{color:#0b57d0}.coinswarm .held{color:#8a5a00}"
    ".coinswarm .key{margin-right:1em}.coinswarm figure{margin:.5em 0}"
)


def inline_result(of: Facts) -> str:
    """A run in a notebook."""
    rows = []
    for m in of.summary["measures"]:
        if m["name"] in SHOWN:
            held = m["benchmark"]
            rows.append(
                tag(
                    "tr",
                    tag("th", m["label"], scope="row"),
                    tag("td", number_text(m["value"], m["unit"], of.places)),
                    tag("td", interval_text(m, m["unit"], of.places) or m["why"]),
                    tag("td", number_text(held["value"], m["unit"], of.places) if held else ""),
                )
            )
    head = tag("tr", *(tag("th", word, scope="col") for word in ("", "This run", "95 % interval", "Buy-and-hold")))
    equity = of.summary["equity"]
    title = (
        f"{', '.join(of.result.symbols)}: {float(equity['start']):,.2f} to {float(equity['final']):,.2f} "
        f"{of.currency}, {of.summary['trades']:,} trades"
    )
    curves = [("This run", "run", of.result.equity), ("Buy-and-hold", "held", of.benchmark.equity)]
    said = [*of.summary["notes"], *of.summary["warnings"]]
    return tag(
        "div",
        Safe(f"<style>{STYLE}</style>"),
        tag("strong", title),
        sketch(of.result.times_ns, curves, 1 / MONEY, of.currency),
        tag("table", tag("thead", head), tag("tbody", join(rows))),
        tag("ul", *(tag("li", line) for line in said)) if said else "",
        tag("small", f"Order hash {of.summary['order_hash'][:16]}…"),
        class_="coinswarm",
    )


def inline_market(bars: Bars) -> str:
    """Bars in a notebook."""
    close = (bars.close * MONEY).astype("int64")
    picture = sketch(bars.open_ns, [("Close", "run", close)], 1 / MONEY, bars.instrument.quote)
    return tag("div", Safe(f"<style>{STYLE}</style>"), tag("strong", one_line(bars)), picture, class_="coinswarm")


def one_line(bars: Bars) -> str:
    """``BTC/USD: 17,520 bars of 1h, 2017-01-01 to 2018-12-31, tick 0.01, lot 0.0001``."""
    if not len(bars):
        return f"{bars.instrument.symbol}: no bars"
    first, last = (iso(int(bars.open_ns[place]))[:10] for place in (0, -1))
    grid = f"tick {bars.instrument.tick}, lot {bars.instrument.lot}"
    return f"{bars.instrument.symbol}: {len(bars):,} bars of {format_length(bars.length_ns)}, {first} to {last}, {grid}"

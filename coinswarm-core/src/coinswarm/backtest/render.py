"""The terminal summary: plain text within 80 columns, no colour, the same in a pipe."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Any

from coinswarm.backtest.proof import proof_lines
from coinswarm.backtest.remembered import memory_words
from coinswarm.evidence.estimate import counted
from coinswarm.feeds.length import format_length

if TYPE_CHECKING:
    from collections.abc import Mapping

LABEL, VALUE, INTERVAL = 24, 15, 22
"""Widths of the first three columns of the table of measures."""
HEAD = 13
"""Width of a heading at the left."""
PERCENT_PLACES = ((1.0, 3), (10.0, 2), (1_000.0, 1))
"""Percentages below the first number are shown with so many decimals."""
HUGE = 10_000.0
"""Where a yearly figure of a short run leaves all sense, it is shown as a power of ten."""
CURRENCY_FROM = 100.0
"""Amounts from here on are shown in hundredths, smaller accounts (in bitcoin, say) to 1e-8."""


def render(summary: Mapping[str, Any], width: int = 80) -> str:
    """The summary as text, lines of at most ``width`` (80 to 100) columns, one newline at the end.

    :param summary: from ``summary_dict``.
    """
    blocks = [
        _period(summary),
        _instruments(summary),
        _people(summary, width),
        _measures(summary, width),
        _costs(summary, width),
        proof_lines(summary["evidence"], width) if "evidence" in summary else [],
        _cautions(summary, width),
        _identity(summary, width),
    ]
    return "\n\n".join("\n".join(line.rstrip() for line in block) for block in blocks if block) + "\n"


def _period(summary: Mapping[str, Any]) -> list[str]:
    """When, and how long."""
    period = summary["period"]
    begin, end = (period[key][:16].replace("T", " ") for key in ("from", "to"))
    if not begin:
        return ["No bars after the start: nothing was measured."]
    length = f"{length_text(period)}, {counted(period['marks'], 'bar')} of {format_length(period['bar_ns'])}"
    return [f"{'Period':<{HEAD}}{begin} to {end} UTC", f"{'':<{HEAD}}{length}"]


def length_text(period: Mapping[str, Any]) -> str:
    """``730 days``; ``31.3 days (33 UTC days)`` where the first or the last is not whole.

    :param period: of a summary; one of an older run knows no length.
    """
    days, length = period["days"], period.get("length_days", period["days"])
    return counted(days, "day") if days == length else f"{length:,.1f} days ({counted(days, 'UTC day')})"


def _instruments(summary: Mapping[str, Any]) -> list[str]:
    """What was traded, and on which grid."""
    head = ("Instruments", "tick", "lot", "tick and lot")
    rows = [(f"  {i['symbol']}", i["tick"], i["lot"], i["steps"] or "-") for i in summary["instruments"]]
    least = (HEAD, HEAD, HEAD, HEAD + 1)
    widths = [max(w, *(len(row[place]) + 1 for row in rows)) if rows else w for place, w in enumerate(least)]
    counts = [("orders", "fills"), *((f"{i['orders']:,}", f"{i['fills']:,}") for i in summary["instruments"])]
    return [
        "".join(f"{text:<{width}}" for text, width in zip(row, widths, strict=True)) + f"{sent:>9}{filled:>9}"
        for row, (sent, filled) in zip((head, *rows), counts, strict=True)
    ]


def _people(summary: Mapping[str, Any], width: int) -> list[str]:
    """Who decided, what was sent, what was refused."""
    orders = summary["orders"]
    agents = ", ".join(f"{a['name']} {a['weight_bp'] / 100:g} %" for a in summary["agents"])
    lines = _entry("Agents", agents or "none", width)
    sent = f"{orders['sent']:,} sent: {listed(orders['ends'])}" if orders["sent"] else "none"
    lines += _entry("Orders", sent, width)
    lines += _entry("Fills", f"{orders['fills']:,}", width)
    refused = sum(orders["refused"].values())
    lines += _entry("Refused", f"{refused:,}: {listed(orders['refused'])}" if refused else "none", width)
    lines += _entry("Trades", f"{summary['trades']:,} closed", width)
    if "memory" in summary:
        lines += _entry("Memory", memory_words(summary["memory"]), width)
    return lines


def _measures(summary: Mapping[str, Any], width: int) -> list[str]:
    """The table: value, interval, and buy-and-hold beside it; reasons below."""
    equity, currency = summary["equity"], summary["currency"]
    places = 2 if float(equity["start"]) >= CURRENCY_FROM else 8
    rest = 80 - 1 - LABEL - VALUE - INTERVAL
    level = f"{summary['interval']['level']:.0%}".replace("%", " %")
    lines = [f"{'':<{LABEL}}{'this run':>{VALUE}}{level + ' interval':>{INTERVAL}}{'buy-and-hold':>{rest}}"]
    held = equity["benchmark"]
    final = [_amount(float(x), places) if x is not None else "" for x in (equity["final"], held)]
    label = f"Final equity ({currency})"
    label = label if len(label) < LABEL else "Final equity"
    lines.append(f"{label:<{LABEL}}{final[0]:>{VALUE}}{'':>{INTERVAL}}{final[1]:>{rest}}")
    reasons: list[str] = []

    def row(label: str, unit: str, found: Mapping[str, Any], beside: str) -> str:
        mark = letter(reasons, found["why"])
        value = number_text(found["value"], unit, places)
        interval = interval_text(found, unit, places)
        if interval:
            return f"{label:<{LABEL}}{value:>{VALUE}}{interval + mark:>{INTERVAL}}{beside:>{rest}}"
        return f"{label:<{LABEL}}{value:>{VALUE}}{mark.strip():>{INTERVAL}}{beside:>{rest}}"

    for m in summary["measures"]:
        beside = "" if m["benchmark"] is None else number_text(m["benchmark"]["value"], m["unit"], places)
        lines.append(row(m["label"], m["unit"], m, beside))
    against = [m for m in summary["measures"] if m["difference"] is not None]
    lines += [row(f"{m['label']} - held", m["unit"], m["difference"], "") for m in against]
    for index, reason in enumerate(reasons):
        lines += textwrap.wrap(f"({chr(ord('a') + index)}) {reason}", width - 2, initial_indent="  ")
    return lines


def _costs(summary: Mapping[str, Any], width: int) -> list[str]:
    """What trading cost, by kind."""
    costs = dict(summary["costs"])
    places = 2 if float(summary["equity"]["start"]) >= CURRENCY_FROM else 8
    words = {"adverse": "spread and slippage"}
    total = _amount(float(costs.pop("total")), places)
    parts = ", ".join(f"{words.get(name, name)} {_amount(float(x), places)}" for name, x in costs.items())
    return _entry("Costs", f"{total} {summary['currency']}" + (f": {parts}" if parts else ""), width)


def _cautions(summary: Mapping[str, Any], width: int) -> list[str]:
    """What is uncertain, and how the intervals were made."""
    lines: list[str] = []
    for text in (*summary["notes"], *summary["warnings"]):
        lines += textwrap.wrap(text, width - 2, initial_indent="! ", subsequent_indent="  ")
    how = summary["interval"]
    lines += textwrap.wrap(
        f"Intervals: {how['method']}, {how['resamples']:,} resamples, mean block {how['block_days']:.1f} days, seed "
        f"{how['seed']}. They know this one history, and nothing of how many settings were tried on it.",
        width,
    )
    return lines


def _identity(summary: Mapping[str, Any], width: int) -> list[str]:
    """The hash, the id, and what to do next."""
    lines = [f"{'Order hash':<{HEAD}}{summary['order_hash']}"]
    if summary["run"]:
        lines.append(f"{'Run':<{HEAD}}{summary['run']}")
    for index, hint in enumerate(summary["hints"]):
        lines += _entry("" if index else "Next", f"{hint['command']}  ({hint['does']})", width)
    return lines


def _entry(head: str, text: str, width: int) -> list[str]:
    """A heading with text beside it, wrapped under itself."""
    blank = " " * HEAD
    return textwrap.wrap(text, width, initial_indent=f"{head:<{HEAD}}", subsequent_indent=blank, break_on_hyphens=False)


def listed(counts: Mapping[str, int]) -> str:
    """``3 filled; 1 expired``."""
    return "; ".join(f"{n:,} {words}" for words, n in counts.items())


def _amount(value: float, places: int) -> str:
    """Money with thousands separated."""
    return f"{value:,.{places}f}"


def _digits(value: float, unit: str, places: int) -> str:
    """A number in its unit, without the unit's sign."""
    if unit != "money" and abs(value) >= HUGE:
        return f"{value * 100.0 if unit == 'share' else value:.1e}"
    if unit == "share":
        percent = value * 100.0
        return f"{percent:,.{next((p for below, p in PERCENT_PLACES if abs(percent) < below), 0)}f}"
    if unit == "money":
        return _amount(value, places)
    return f"{value:,.{ {'days': 0, 'times': 1}.get(unit, 2) }f}"


def _sign(unit: str) -> str:
    """What follows a number of this unit."""
    return {"share": " %", "days": " days", "times": " x"}.get(unit, "")


def letter(reasons: list[str], why: str) -> str:
    """`` (a)`` for a reason, which joins ``reasons`` if it is new; nothing where there is none."""
    if not why:
        return ""
    if why not in reasons:
        reasons.append(why)
    return f" ({chr(ord('a') + reasons.index(why))})"


def number_text(value: float | None, unit: str, places: int) -> str:
    """A value with its unit; a dash where there is none."""
    if value is None:
        return "-"
    digits = _digits(value, unit, places)
    return "1 day" if (unit, digits) == ("days", "1") else digits + _sign(unit)


def interval_text(found: Mapping[str, Any], unit: str, places: int) -> str:
    """``low to high``; an open end is three dots; empty where there is no interval."""
    ends = [found["low"], found["high"]]
    if ends == [None, None]:
        return ""
    low, high = ("..." if x is None else _digits(x, unit, places) for x in ends)
    return f"{low} to {high}" + (" %" if unit == "share" else "")

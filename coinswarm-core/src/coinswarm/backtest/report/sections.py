"""The parts of a report that are words and tables; they need no script."""

from __future__ import annotations

from collections import Counter
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

import numpy as np

from coinswarm.backtest.compare import flatten
from coinswarm.backtest.proof import HEAD as PROOF_HEAD
from coinswarm.backtest.proof import proof_lines
from coinswarm.backtest.remembered import memory_words
from coinswarm.backtest.render import interval_text, letter, number_text
from coinswarm.backtest.report.charts import largest_trades
from coinswarm.backtest.report.contribution import AGREE, PNL, attributed, by_day
from coinswarm.backtest.report.markup import Safe, facts, heat, join, table, tag
from coinswarm.backtest.report.monthly import monthly_returns
from coinswarm.backtest.report.stances import correlation, stance
from coinswarm.backtest.words import REFUSAL_WORDS
from coinswarm.clock import iso
from coinswarm.domain.instrument import MONEY
from coinswarm.domain.order import Refusal
from coinswarm.engine.result import DECISION_FIELDS
from coinswarm.feeds.length import format_length

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from coinswarm.backtest.report.facts import Facts

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
HOTTEST = 0.2
"""A month of so much has the full colour."""
_KNOWN, _K, _REFUSAL = (DECISION_FIELDS.index(name) for name in ("known_ns", "instrument", "refusal"))


def money(value: float, places: int) -> str:
    """An amount with thousands separated."""
    return f"{value:,.{places}f}"


def headline(of: Facts) -> Safe:
    """The few numbers that are asked for first."""
    found = {m["name"]: m for m in of.summary["measures"]}

    def tile(name: str) -> Safe:
        m = found[name]
        interval = interval_text(m, m["unit"], of.places)
        held = m["benchmark"]
        below = [f"95 %: {interval}"] if interval else []
        below += [f"held: {number_text(held['value'], m['unit'], of.places)}"] if held else []
        return tag(
            "div",
            tag("dt", m["label"]),
            tag("dd", tag("strong", number_text(m["value"], m["unit"], of.places)), *(tag("small", b) for b in below)),
        )

    equity = of.summary["equity"]
    final = tag(
        "div",
        tag("dt", f"Final equity ({of.currency})"),
        tag(
            "dd",
            tag("strong", money(float(equity["final"]), of.places)),
            tag("small", f"from {money(float(equity['start']), of.places)}"),
            tag("small", f"held: {money(float(equity['benchmark'] or 0), of.places)}"),
        ),
    )
    tiles = [final, *(tile(n) for n in ("total_return", "sharpe", "max_drawdown", "win_rate", "cost_share"))]
    return tag("dl", *tiles, class_="tiles")


def cautions(of: Facts) -> Safe:
    """What keeps a reader from believing too much."""
    said = [*of.summary["notes"], *of.summary["warnings"]]
    return tag("ul", *(tag("li", line) for line in said), class_="cautions") if said else Safe("")


def measures(of: Facts) -> Safe:
    """Every measure with its interval, buy-and-hold beside it, and how it is computed."""
    rows: list[list[object]] = []
    reasons: list[str] = []

    def interval(found: Mapping[str, Any], unit: str) -> str:
        return (interval_text(found, unit, of.places) + letter(reasons, found["why"])).strip()

    def difference(found: Mapping[str, Any], unit: str) -> str:
        value = f"{number_text(found['value'], unit, of.places)}: " if found["value"] is not None else ""
        return value + interval(found, unit)

    for m in of.summary["measures"]:
        held, against = m["benchmark"], m["difference"]
        rows.append(
            [
                m["label"],
                number_text(m["value"], m["unit"], of.places),
                interval(m, m["unit"]),
                number_text(held["value"], m["unit"], of.places) if held else "",
                difference(against, m["unit"]) if against else "",
                m["definition"],
            ]
        )
    how = of.summary["interval"]
    note = (
        f"Intervals: {how['method']}, {how['resamples']:,} resamples, mean block {how['block_days']:.1f} days, seed "
        f"{how['seed']}. They know this one history, and nothing of how many settings were tried on it."
    )
    head = ["Measure", "This run", f"{how['level']:.0%} interval", "Buy-and-hold", "Difference: interval", "How"]
    return join(
        [
            table("This run, and buy-and-hold on the same bars", head, rows, numbers=(1, 2, 3, 4), class_="measures"),
            *(tag("p", f"({chr(ord('a') + n)}) {reason}", class_="note") for n, reason in enumerate(reasons)),
            tag("p", note, class_="note"),
            _proof(of),
        ]
    )


def _proof(of: Facts) -> Safe:
    """What the Sharpe ratio proves, in the words of the terminal's summary."""
    if "evidence" not in of.summary:
        return Safe("")
    lines = proof_lines(of.summary["evidence"], width=10_000)
    pairs = [(line[:PROOF_HEAD].strip(), line[PROOF_HEAD:]) for line in lines]
    return join([tag("h3", "What the Sharpe ratio proves"), facts(pairs)])


def months(of: Facts) -> Safe:
    """Returns by month, as a heat map."""
    found = monthly_returns(of.days)
    if not found:
        return tag("p", "Monthly returns are not defined: there are no days, or equity fell to zero.")
    rows = []
    for year, returns in found.items():
        cells: list[object] = [str(year)]
        for month in (*range(1, 13), 0):
            value = returns.get(month)
            cells.append("" if value is None else (percent_or_idle(value), heat(value / HOTTEST)))
        rows.append(cells)
    return table("Returns by month, %", ["Year", *MONTHS, "All year"], rows, numbers=range(1, 14), class_="heat")


def percent_or_idle(value: float) -> str:
    """A return in per cent; in a month without any change of equity nothing was held."""
    return f"{value * 100:+.1f}" if value else "idle"


def contribution(of: Facts) -> Safe:
    """Profit by agent, and how alike they are."""
    seats, result = of.plan.seats, of.result
    parts = attributed(result, of.plan.weights)
    agree = result.trade_rows[:, AGREE].tolist()
    total = int(result.trade_rows[:, PNL].sum())
    rows: list[list[object]] = []
    for seat, one in enumerate(seats):
        took = [row for row, mask in enumerate(agree) if mask >> seat & 1]
        mine = int(parts[:, seat].sum())
        won = sum(1 for row in took if result.trade_rows[row, PNL] > 0)
        rows.append(
            [
                one.name,
                f"{one.weight_bp / 100:g} %",
                f"{len(took):,}",
                f"{won / len(took):.1%}".replace("%", " %") if took else "-",
                money(mine / MONEY, of.places),
                f"{mine / total * 100:.0f} %" if total > 0 else "-",
            ]
        )
    nobody = int(parts[:, -1].sum())
    if nobody:
        rows.append(["nobody", "", "", "", money(nobody / MONEY, of.places), ""])
    rows.append(["all closed trades", "100 %", f"{len(parts):,}", "", money(total / MONEY, of.places), ""])
    head = ["Agent", "Weight", "Trades agreed", "Won", f"Attributed profit ({of.currency})", "Share of profit"]
    tables = [
        table("Contribution: closed trades, by the agents that agreed at entry", head, rows, numbers=range(1, 6)),
        tag(
            "p",
            "A trade belongs to the agents that agreed with it at its entry, by their weights. A position that is "
            "still open is not in it.",
            class_="note",
        ),
    ]
    if len(seats) > 1:
        tables += [_stance_correlation(of), _profit_correlation(of, parts)]
    return join(tables)


def _stance_correlation(of: Facts) -> Safe:
    """How alike the agents' targets are."""
    series = []
    for seat in range(len(of.plan.seats)):
        found = [
            (np.zeros(len(bars), np.int64), np.zeros(len(bars), np.bool_))
            if columns is None
            else stance(columns, shortable=bars.instrument.shortable)
            for bars, columns in ((b, of.actions[k][seat]) for k, b in enumerate(of.plan.bars))
        ]
        series.append((np.concatenate([v for v, _ in found]), np.concatenate([p for _, p in found])))
    return _matrix("Correlation of stances, bars on which both take part", of, correlation(series))


def _profit_correlation(of: Facts, parts: Any) -> Safe:  # noqa: ANN401 - int64[trades, seats + 1]
    """How alike the agents' days are."""
    daily = by_day(of.result, parts, of.days)[: len(of.plan.seats)]
    everywhere = np.ones(len(of.days), np.bool_)
    return _matrix("Correlation of attributed profit, day by day", of, correlation([(d, everywhere) for d in daily]))


def _matrix(caption: str, of: Facts, found: Sequence[Sequence[float | None]]) -> Safe:
    """A square of correlations."""
    names = [seat.name for seat in of.plan.seats]
    rows = [
        [name, *("-" if value is None else (f"{value:+.2f}", heat(value)) for value in values)]
        for name, values in zip(names, found, strict=True)
    ]
    return table(caption, ["", *names], rows, numbers=range(1, len(names) + 1), class_="heat")


def trade_list(of: Facts) -> Safe:
    """The best and the worst trades; with the script running, a button shows each in the charts."""
    rows = []
    for one in largest_trades(of.result):
        show = tag(
            "button", "show", type="button", class_="show", hidden="", data_instrument=one["instrument"],
            data_from=one["opened"], data_to=one["closed"],
            aria_label=f"show the {one['side']} {one['instrument']} trade of {one['opened']} in the charts",
        )  # fmt: skip
        rows.append(
            [
                join([_when(one["opened"]), " ", show]),
                _when(one["closed"]),
                f"{one['side']} {one['instrument']}",
                one["quantity"],
                one["entry"],
                one["exit"],
                money(float(one["pnl"]), of.places),
                money(float(one["fees"]), of.places),
                "stop" if one["stopped"] == "yes" else "",
                one["agreed"],
            ]
        )
    head = [
        "Opened",
        "Closed",
        "Trade",
        "Quantity",
        "Entry",
        "Exit",
        f"Profit ({of.currency})",
        "Fees",
        "Closed by",
        "Agreed",
    ]
    return table("The best and the worst closed trades", head, rows, numbers=(3, 4, 5, 6, 7))


def _when(moment: str) -> str:
    """A time to the minute."""
    return moment[:16].replace("T", " ")


def refusals(of: Facts) -> Safe:
    """What the risk gate refused, and how orders ended."""
    rows: list[list[object]] = []
    table_ = of.result.decisions
    for code in sorted(of.result.refusals):
        mine = table_[table_[:, _REFUSAL] == code]
        where = Counter(of.result.symbols[k] for k in mine[:, _K].tolist())
        rows.append(
            [
                REFUSAL_WORDS.get(Refusal(code), Refusal(code).name),
                f"{len(mine):,}",
                ", ".join(f"{symbol} {count:,}" for symbol, count in sorted(where.items())),
                iso(int(mine[0, _KNOWN]))[:10],
                iso(int(mine[-1, _KNOWN]))[:10],
            ]
        )
    head = ["Why the risk gate refused", "Times", "Where", "First", "Last"]
    refused = table("Refusals", head, rows, numbers=(1,)) if rows else tag("p", "The risk gate refused nothing.")
    sent = of.summary["orders"]["sent"]
    ends = [[words, f"{n:,}", f"{n / sent * 100:.0f} %"] for words, n in of.summary["orders"]["ends"].items()]
    return join([refused, table(f"How the {sent:,} orders ended", ["End", "Orders", "Share"], ends, numbers=(1, 2))])


def made_of(of: Facts) -> Safe:
    """Everything that is needed to have the run again."""
    record, summary = of.record, of.summary
    run = record.get("id")
    pairs: list[tuple[str, object]] = [
        ("Run", run or "not kept"),
        ("Made", record.get("created", "-")),
        ("Mode, engine", f"{record['mode']}, {record['engine']}"),
        ("Profile", record.get("label") or "-"),
        ("Bars", format_length(of.result.bar_ns)),
        ("Seed", summary["interval"]["seed"]),
        ("Order hash", tag("code", summary["order_hash"])),
    ]
    if "memory" in summary:
        pairs.append(("Memory", memory_words(summary["memory"])))
    if run and not record.get("not_from_plugins"):
        pairs.append(("Have it again", tag("code", f"coinswarm replay {run}")))
    data = [
        [
            one["symbol"], f"{one['rows']:,}", f"{one['missing']:,}", iso(one["first_ns"])[:16].replace("T", " "),
            iso(one["last_ns"])[:16].replace("T", " "), _grid(of, one["symbol"]), tag("code", one["sha256"]),
        ]
        for one in record["data"]
    ]  # fmt: skip
    head = ["Instrument", "Bars", "Missing", "First", "Last", "Tick, lot", "SHA-256 of the file"]
    plugins = [[p["name"], p["distribution"], p["version"], p["origin"]] for p in record["plugins"]]
    plugins += [[name, "not from a plugin", "-", "-"] for name in record.get("not_from_plugins", [])]
    certified = [
        [one["seat"], one["tier"] or "none", one["certificate"] or "-", one["why"] or "-"]
        for one in record.get("certificates", [])
        if one["plugin"] != "core"
    ]
    agents = [[a["seat"], f"{a['weight_bp'] / 100:g} %", f"{a['warm_up']:,}"] for a in record["agents"]]
    versions = [[name, version] for name, version in record["made_with"].items()]
    settings = [[key, _setting(key, value)] for key, value in flatten(dict(record["profile"])).items()]
    return join(
        [
            facts(pairs),
            table("Data", head, data, numbers=(1, 2)),
            table("Agents", ["Agent", "Weight", "Warm-up (bars)"], agents, numbers=(1, 2)),
            table("Plugins", ["Plugin", "Distribution", "Version", "Installed as"], plugins),
            table("Certificates", ["Seat", "Tier here", "Certificate", "What it lacks"], certified)
            if certified
            else "",
            table("Made with", ["Package", "Version"], versions),
            tag(
                "details",
                tag("summary", "The whole profile, defaults included"),
                table("Profile", ["Key", "Value"], settings),
            ),
        ]
    )


def _grid(of: Facts, symbol: str) -> str:
    """Tick and lot, and where they come from."""
    found = next(i for i in of.summary["instruments"] if i["symbol"] == symbol)
    return f"{found['tick']}, {found['lot']} ({found['steps'] or 'given'})"


def _setting(key: str, value: object) -> str:
    """A setting; of a file its name alone, because a report is passed on."""
    if value is None:
        return "-"
    return PurePath(str(value)).name if key.endswith((".file", ".funding")) else str(value)

"""``docs/fills.md`` holds: its tables, computed by hand, against both engines and the exchange alone."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pytest

from coinswarm.clock import HOUR_NS
from coinswarm.committee.weighing import WeightedWeigher
from coinswarm.config.sections import CommitteeSection, CostsSection, OrdersSection
from coinswarm.contracts import SignalAgent
from coinswarm.domain.action import HOLD, Action, Side
from coinswarm.domain.instrument import MONEY, Instrument
from coinswarm.domain.market import Bars
from coinswarm.domain.order import (
    EndReason,
    Order,
    OrderFlags,
    OrderKind,
    Refusal,
    RiskApproved,
    TimeInForce,
)
from coinswarm.engine.columns import run_columns
from coinswarm.engine.plan import Funding, RunPlan, SeatedAgent
from coinswarm.engine.steps import run_steps
from coinswarm.risk.limits import RiskLimits, SizingRules
from coinswarm.simulator.money import Scale
from coinswarm.simulator.reference import SimulatedExchange

if TYPE_CHECKING:
    from collections.abc import Callable

    from coinswarm.domain.market import MarketState
    from coinswarm.engine.result import RunResult
    from coinswarm.simulator.book import WorkingOrder
    from coinswarm.simulator.reference import TickBar

pytestmark = pytest.mark.soundness

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "fills.md").read_text(encoding="utf-8")
RULES = (ROOT / "coinswarm-core" / "src" / "coinswarm" / "simulator" / "rules.md").read_text(encoding="utf-8")
HOUR_0 = 1_577_908_800_000_000_000  # 2020-01-01 20:00 UTC

Row = dict[str, str]
COLUMNS = ("open", "high", "low", "close", "volume")
SIDES = {"buy": 1, "sell": -1}
KINDS = {
    "market": OrderKind.MARKET,
    "exit": OrderKind.MARKET,
    "limit": OrderKind.LIMIT,
    "stop": OrderKind.STOP,
    "stop-limit": OrderKind.STOP_LIMIT,
    "guard stop": OrderKind.STOP,
    "guard limit": OrderKind.LIMIT,
    "guard trailing": OrderKind.TRAILING_STOP,
}


class Told(NamedTuple):
    """An order as the page has it."""

    seq: int
    instrument: int
    decided_ns: int
    side: int
    kind: OrderKind
    lots: int
    limit: int
    trigger: int
    ended_ns: int
    why: EndReason
    reduces: bool
    guards: bool


def tables(text: str) -> dict[str, list[Row]]:
    """The tables of a section by the name of their first column."""
    found: dict[str, list[Row]] = {}
    for block in re.findall(r"(?:^\|.*\n)+", text, re.MULTILINE):
        rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in block.strip().splitlines()]
        found[rows[0][0]] = [dict(zip(rows[0], row, strict=True)) for row in rows[2:]]
    return found


def number(cell: str) -> int:
    """A whole number; a dash is 0."""
    return 0 if cell in {"-", ""} else int(cell)


def money(cell: str) -> int:
    """An amount in units of 1e-8."""
    units = Decimal(cell) * MONEY
    assert units == int(units), cell
    return int(units)


def moment(cell: str) -> int:
    """``bar 3`` is the open of hour 3, ``close 3`` its close, a dash is 0."""
    word, _, hour = cell.partition(" ")
    return 0 if word == "-" else HOUR_0 + (int(hour) + {"bar": 0, "close": 1}[word]) * HOUR_NS


@dataclass(frozen=True)
class Account:
    """A section of the page."""

    title: str
    text: str
    settings: dict[str, Any]
    tables: dict[str, list[Row]]
    refused: list[tuple[int, str]]

    @property
    def symbols(self) -> list[str]:
        names: list[str] = self.settings.get("instruments", ["A/USD"])
        return names

    def says(self, symbol: str) -> dict[int, Action]:
        """Hour -> what the agent says at its close."""
        rows = [row for row in self.tables["close"] if row.get("instrument", symbol) == symbol]
        return {
            int(row["close"]): Action(
                Side[row["says"]],
                float(row["confidence"]) if row["confidence"] != "-" else 0.0,
                1.0,
                number(row["stop"]),
                number(row["target"]),
            )
            for row in rows
        }


def accounts() -> list[Account]:
    """All accounts of the page."""
    found = []
    for section in re.split(r"^## ", PAGE, flags=re.MULTILINE):
        if section.startswith("Account "):
            block = re.search(r"```toml\n(.*?)```", section, re.DOTALL)
            assert block, section
            refused = re.findall(r"^Refused: (.*)\.$", section, re.MULTILINE)
            pairs = [one.split() for line in refused for one in line.split(", ")]
            found.append(
                Account(
                    section.splitlines()[0],
                    section,
                    tomllib.loads(block[1]),
                    tables(section),
                    [(moment(f"{word} {hour}"), reason) for word, hour, reason in pairs],
                )
            )
    return found


ACCOUNTS = accounts()
HOURS = {int(row["hour"]): row for row in tables(PAGE.split("## How to read")[0])["hour"]}

every = pytest.mark.parametrize("account", ACCOUNTS, ids=lambda one: one.title)


class Scripted(SignalAgent):
    """Says what the page says."""

    def __init__(self, says: dict[int, Action]) -> None:
        self._says = says

    def decide(self, state: MarketState) -> Action:
        return self._says.get((state.open_ns - HOUR_0) // HOUR_NS, HOLD)


def bars_of(account: Account, symbol: str) -> Bars:
    """The page's bars as the account's instrument has them."""
    told = account.settings
    instrument = Instrument(
        symbol,
        Decimal(1),
        Decimal(str(told.get("lot", 1))),
        Decimal(told.get("min_notional", 0)),
        shortable=told.get("shortable", False),
    )
    hours = [hour for hour in HOURS if hour not in told.get("absent", {}).get(symbol, [])]
    columns = [np.array([float(HOURS[hour][name]) for hour in hours]) for name in COLUMNS]
    return Bars(instrument, HOUR_NS, np.array([HOUR_0 + hour * HOUR_NS for hour in hours]), *columns)


def plan_of(account: Account) -> RunPlan:
    """The account as a run."""
    told = account.settings
    bars = tuple(bars_of(account, symbol) for symbol in account.symbols)
    lots = int(told["lots"])
    funding = {
        symbol: Funding(
            np.array([HOUR_0 + round(hour * HOUR_NS) for hour, _ in rows]),
            np.array([round(rate * 1_000_000_000) for _, rate in rows]),
        )
        for symbol, rows in told.get("funding", {}).items()
    }
    return RunPlan(
        bars=bars,
        seats=(SeatedAgent("scripted", tuple(Scripted(account.says(s)) for s in account.symbols), 10_000),),
        weigher=WeightedWeigher(),
        cash=money(str(told.get("cash", 10_000))),
        committee=CommitteeSection(**told.get("committee", {})).rules(),
        sizing=SizingRules(method="lots", fixed_lots=(lots,) * len(bars)),
        limits=RiskLimits(
            max_position_bp=0,
            max_loss_per_trade_bp=0,
            daily_loss_bp=0,
            drawdown_bp=0,
            require_stop=False,
            max_trades_per_day=told.get("risk", {}).get("max_trades_per_day", 0),
        ),
        costs=CostsSection(**{"maker_bps": 10, "taker_bps": 20, **told.get("costs", {})}).rules(),
        style=OrdersSection(**told.get("orders", {})).rules(),
        funding=funding,
    )


def told_orders(account: Account) -> list[Told]:
    """The page's orders."""
    return [
        Told(
            int(row["order"]),
            account.symbols.index(row.get("instrument", account.symbols[0])),
            moment(row["decided"]),
            SIDES[row["side"]],
            KINDS[row["kind"]],
            number(row["lots"]),
            number(row["limit"]),
            number(row["trigger"]),
            moment(row["ended"]),
            EndReason[row["why"]],
            row["kind"] == "exit" or row["kind"].startswith("guard"),
            row["kind"].startswith("guard"),
        )
        for row in account.tables["order"]
    ]


def told_fills(account: Account) -> list[tuple[int, ...]]:
    """The page's fills: order, bar, lots, ticks, fee."""
    return [
        (int(row["order"]), moment(f"bar {row['bar']}"), int(row["lots"]), int(row["price"]), money(row["fee"]))
        for row in account.tables["bar"]
    ]


def told_marks(account: Account) -> dict[int, int]:
    """The page's equity by the open time of its bar."""
    return {moment(f"bar {row['mark']}"): money(row["equity"]) for row in account.tables.get("mark", [])}


@every
@pytest.mark.parametrize("engine", [run_columns, run_steps])
def test_the_page_is_what_an_engine_does(account: Account, engine: Callable[[RunPlan], RunResult]) -> None:
    result = engine(plan_of(account))
    found = [
        (*o[:1], *o[2:9], o[11], o[12], bool(o[10] & OrderFlags.REDUCE_ONLY), bool(o[10] & OrderFlags.PROTECTIVE))
        for o in result.orders.tolist()
    ]
    assert found == told_orders(account)
    assert [tuple(row) for row in result.fills.tolist()] == told_fills(account)
    equity = dict(zip(result.times_ns.tolist(), result.equity.tolist(), strict=True))
    marks = told_marks(account)
    assert {when: equity[when] for when in marks} == marks
    refused = [(d[0], Refusal(d[7]).name) for d in result.decisions.tolist() if d[7]]
    assert refused == account.refused
    if "trade" in account.tables:
        rows = account.tables["trade"]
        trades = [(moment(row["opened"]), moment(row["closed"]), money(row["profit"])) for row in rows]
        assert [(t.opened_ns, t.closed_ns, t.pnl) for t in result.trades] == trades


@every
def test_both_engines_give_one_order_hash(account: Account) -> None:
    plan = plan_of(account)
    assert run_columns(plan).order_hash == run_steps(plan).order_hash


class Purse:
    """Hears what the exchange does, and writes cash and position down after each fill."""

    def __init__(self) -> None:
        self.exchange: SimulatedExchange | None = None
        self.after: list[tuple[int, int]] = []

    def filled(self, k: int, order: WorkingOrder, bar_ns: int, price: int, fee: int, flow: int, held: int) -> None:  # noqa: ARG002 - the listener's form
        assert self.exchange is not None
        self.after.append((self.exchange.cash, self.exchange.holdings[k].lots))

    def flat(self, k: int, order: WorkingOrder, bar_ns: int, residue: int) -> None: ...

    def funded(self, k: int, paid: int) -> None: ...


@every
def test_the_page_is_what_the_exchange_alone_does(account: Account) -> None:
    plan = plan_of(account)
    purse = Purse()
    scales = [Scale.of(bars.instrument, plan.max_lots(k)) for k, bars in enumerate(plan.bars)]
    exchange = SimulatedExchange(scales, plan.costs, plan.cash, purse, trailing=plan.style.trailing)
    purse.exchange = exchange
    told = told_orders(account)
    equity, triggers = {}, {}
    rows = [{t: i for i, t in enumerate(bars.open_ns.tolist())} for bars in plan.bars]
    due = [
        list(zip(f.times_ns.tolist(), f.rate_ppb.tolist(), strict=True)) if (f := plan.funding.get(s)) else []
        for s in account.symbols
    ]
    for t in sorted({t for one in rows for t in one}):
        here: list[tuple[int, TickBar]] = []
        for k, one in enumerate(rows):
            if t in one:
                b = plan.ticks[k]
                i = one[t]
                bar = (t, int(b.open[i]), int(b.high[i]), int(b.low[i]), int(b.close[i]), int(b.volume[i]))
                here.append((k, bar))
                exchange.expire(k, t)
                while due[k] and due[k][0][0] <= t:
                    exchange.fund(k, due[k].pop(0)[1])
                exchange.open_bar(k, bar)
        for k, bar in here:
            exchange.inside_bar(k, bar)
        for k, bar in here:
            exchange.holdings[k].close = bar[4]
        equity[t] = exchange.cash + sum(holding.value() for holding in exchange.holdings)
        for k, bar in here:
            exchange.trail(k, bar)
        triggers.update({(t, order.seq): order.trigger for order in exchange.orders})
        send(account, exchange, told, t + HOUR_NS, plan.style.tif)
    found = [(o.seq, o.end_ns, o.end_reason, o.lots, o.trigger) for o in exchange.orders]
    assert found == [(o.seq, o.ended_ns, o.why, o.lots, o.trigger) for o in told]
    assert [tuple(fill) for fill in exchange.fills] == told_fills(account)
    assert purse.after == [(money(row["cash"]), int(row["position"])) for row in account.tables["bar"]]
    marks = told_marks(account)
    assert {when: equity[when] for when in marks} == marks
    for row in account.tables.get("stop after", []):
        assert triggers[moment(f"bar {row['stop after']}"), int(row["order"])] == int(row["trigger"]), row


def send(account: Account, exchange: SimulatedExchange, told: list[Told], now: int, tif: TimeInForce) -> None:
    """Withdraw and send what the page says was withdrawn and sent at ``now``."""
    day = 24 * HOUR_NS
    for one in told:
        if one.ended_ns == now and one.why is EndReason.WITHDRAWN:
            exchange.cancel(exchange.orders[one.seq], now)
    for row in account.tables["order"]:
        if row["decided"].startswith("bar") or moment(row["decided"]) != now:
            continue
        symbol = row.get("instrument", account.symbols[0])
        entry = row["kind"] != "exit"
        says = account.says(symbol)[(now - HOUR_0) // HOUR_NS - 1]
        order = Order(
            account.symbols.index(symbol),
            now,
            SIDES[row["side"]],
            KINDS[row["kind"]],
            number(row["lots"]),
            number(row["limit"]),
            number(row["trigger"]),
            tif=tif if entry else TimeInForce.GTC,
            expire_ns=(now // day + 1) * day if entry and tif is TimeInForce.DAY else 0,
            flags=OrderFlags.NONE if entry else OrderFlags.REDUCE_ONLY,
            stop_ticks=int(says.stop_distance) if entry else 0,
            take_ticks=int(says.take_distance) if entry else 0,
        )
        exchange.submit(RiskApproved(order))


def test_the_page_shows_every_rule_and_no_other() -> None:
    numbered = set(re.findall(r"^\| \*\*([A-Z]\d+)\*\* \|", RULES, re.MULTILINE))
    shown = set(re.findall(r"\b([EFPQBTD]\d+)\b", PAGE))
    assert len(numbered) > 30
    assert shown == numbered


def test_the_index_names_accounts_that_show_the_rule() -> None:
    sections = {one.title.split(":")[0].removeprefix("Account "): one.text for one in ACCOUNTS}
    index = tables(PAGE)["rule"]
    assert {row["rule"] for row in index} == set(re.findall(r"^\| \*\*([A-Z]\d+)\*\* \|", RULES, re.MULTILINE))
    for row in index:
        for account in row["accounts"].split(", "):
            assert account == "all" or re.search(rf"\b{row['rule']}\b", sections[account]), row


def test_the_bars_are_twenty() -> None:
    assert len(HOURS) == 20
    assert len(ACCOUNTS) == 12

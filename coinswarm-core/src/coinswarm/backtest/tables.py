"""A run's tables as columns with their meaning: what CSV files and DataFrames are made of.

A column keeps the run's integers and says what one of them is worth, so that a CSV file is exact and a
DataFrame holds the nearest floats. Prices are in quote per base, quantities in base, money in the
settlement currency, times in UTC.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Literal

import numpy as np

from coinswarm.backtest.tradefills import PARTS, average_prices
from coinswarm.backtest.words import END_WORDS, REFUSAL_WORDS
from coinswarm.canonical import FILL_FIELDS, ORDER_FIELDS, decimal_text
from coinswarm.clock import to_datetime
from coinswarm.domain.instrument import MONEY
from coinswarm.domain.order import OrderFlags, OrderKind, Refusal, TimeInForce
from coinswarm.engine.result import DECISION_FIELDS, TRADE_FIELDS
from coinswarm.errors import UnknownNameError, nearest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from coinswarm.engine.result import RunResult

    I1 = np.ndarray[tuple[int], np.dtype[np.int64]]
    I2 = np.ndarray[tuple[int, int], np.dtype[np.int64]]

Kind = Literal["time", "text", "whole", "amount", "flag"]
UNIT = Decimal(1) / MONEY
"""One unit of money, in the settlement currency."""
BP = Decimal(1) / 10_000


@dataclass(frozen=True, slots=True, eq=False)
class Column:
    """One column of a table.

    :param kind: ``time`` (nanoseconds; 0 is no time), ``text``, ``whole``, ``flag`` or ``amount``.
    :param numbers: int64[n]; for text the codes of ``words``.
    :param scale: of an amount, what one is worth: for all rows, or by ``which``.
    :param which: int64[n], index into ``scale``.
    :param words: texts by code.
    :param absent: bool[n], where there is no value.
    """

    name: str
    kind: Kind
    numbers: I1
    scale: tuple[Decimal, ...] = (Decimal(1),)
    which: I1 | None = None
    words: dict[int, str] | None = None
    absent: np.ndarray[tuple[int], np.dtype[np.bool_]] | None = None

    def texts(self) -> list[str]:
        """Every value as text: decimals exact, times in ISO 8601, no value as nothing."""
        write = self._writer()
        which = self.which.tolist() if self.which is not None else [0] * len(self.numbers)
        missing = self.absent.tolist() if self.absent is not None else [False] * len(self.numbers)
        rows = zip(self.numbers.tolist(), which, missing, strict=True)
        return ["" if gone else write(value, place) for value, place, gone in rows]

    def _writer(self) -> Callable[[int, int], str]:
        """How one value is written."""
        if self.kind == "time":
            return lambda value, _: instant(value)
        if self.kind == "text":
            words = self.words or {}
            return lambda value, _: words.get(value, str(value))
        if self.kind == "flag":
            return lambda value, _: "yes" if value else "no"
        if self.kind == "whole":
            return lambda value, _: str(value)
        return lambda value, place: decimal_text(value * self.scale[place])

    def floats(self) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
        """An amount as the nearest floats, no value as NaN: float64[n]."""
        ratios = [scale.as_integer_ratio() for scale in self.scale]
        num, den = (np.array(part, np.float64) for part in zip(*ratios, strict=True))
        place = self.which if self.which is not None else np.zeros(len(self.numbers), np.int64)
        result: np.ndarray[tuple[int], np.dtype[np.float64]] = self.numbers * num[place] / den[place]
        return result if self.absent is None else np.where(self.absent, np.nan, result)


def instant(ns: int) -> str:
    """A time in ISO 8601, to the second where that is exact; nothing for 0."""
    if not ns:
        return ""
    moment = to_datetime(ns)
    return moment.isoformat(timespec="microseconds" if moment.microsecond else "seconds").replace("+00:00", "Z")


def orders(result: RunResult) -> list[Column]:
    """Every order: what was asked for, and how it ended."""
    of = dict(zip(ORDER_FIELDS, result.orders.T, strict=True))
    k, kind = of["instrument"], of["kind"]
    parent = of["parent"]
    return [
        Column("order", "whole", of["seq"]),
        Column("guards", "whole", parent, absent=parent < 0),
        _symbol(result, k),
        Column("decided", "time", of["decided_ns"]),
        Column("side", "text", of["side"], words={1: "buy", -1: "sell"}),
        Column("kind", "text", kind, words=_words(OrderKind)),
        _quantity(result, "quantity", of["lots"], k),
        _price(result, "limit", of["limit"], k, absent=of["limit"] == 0),
        _price(result, "trigger", of["trigger"], k, absent=of["trigger"] == 0),
        Column("time_in_force", "text", of["tif"], words={t.value: t.name for t in TimeInForce}),
        Column("purpose", "text", _purpose(of["flags"]), words={0: "entry", 1: "reduce", 2: "protect"}),
        Column("ended", "time", of["end_ns"]),
        Column("end", "text", of["end_reason"], words={r.value: words for r, words in END_WORDS.items()}),
    ]


def fills(result: RunResult) -> list[Column]:
    """Every fill: price with costs, the price before them, fee."""
    of = dict(zip(FILL_FIELDS, result.fills.T, strict=True))
    order = np.searchsorted(result.orders[:, 0], of["order"])
    rows = result.orders[order]
    k, side = rows[:, ORDER_FIELDS.index("instrument")], rows[:, ORDER_FIELDS.index("side")]
    flags = rows[:, ORDER_FIELDS.index("flags")]
    return [
        Column("order", "whole", of["order"]),
        _symbol(result, k),
        Column("bar", "time", of["bar_ns"]),
        Column("side", "text", side, words={1: "buy", -1: "sell"}),
        Column("purpose", "text", _purpose(flags), words={0: "entry", 1: "reduce", 2: "protect"}),
        _quantity(result, "quantity", of["lots"], k),
        _price(result, "price", of["ticks"], k),
        _price(result, "reference", result.reference, k),
        Column("fee", "amount", of["fee"], (UNIT,)),
    ]


def trades(result: RunResult) -> list[Column]:
    """Every closed trade, its average prices with costs, and who agreed at its entry."""
    of = dict(zip(TRADE_FIELDS, result.trade_rows.T, strict=True))
    k = of["instrument"]
    seats = {mask: ", ".join(seated(result.seats, mask)) for mask in np.unique(of["agree"]).tolist()}
    parts = tuple(i.tick / PARTS for i in result.instruments)
    average = average_prices(result)
    return [
        _symbol(result, k),
        Column("side", "text", of["side"], words={1: "long", -1: "short"}),
        Column("opened", "time", of["opened_ns"]),
        Column("closed", "time", of["closed_ns"]),
        _quantity(result, "quantity", of["lots"], k),
        Column("entry", "amount", average.entry, parts, k, absent=average.entry == 0),
        Column("exit", "amount", average.exit, parts, k, absent=average.exit == 0),
        Column("pnl", "amount", of["pnl"], (UNIT,)),
        Column("fees", "amount", of["fees"], (UNIT,)),
        Column("risk", "amount", of["risk"], (UNIT,), absent=of["risk"] == 0),
        Column("agreed", "text", of["agree"], words=seats),
        Column("stopped", "flag", of["stopped"]),
    ]


def equity(result: RunResult) -> list[Column]:
    """Equity and gross position value at each mark; a mark is made when its bar closes."""
    return [
        Column("time", "time", result.times_ns + result.bar_ns),
        Column("equity", "amount", result.equity, (UNIT,)),
        Column("exposure", "amount", result.exposure_units, (UNIT,)),
    ]


def decisions(result: RunResult) -> list[Column]:
    """Every intent that changed, and every refusal."""
    of = dict(zip(DECISION_FIELDS, result.decisions.T, strict=True))
    k, order = of["instrument"], of["order"]
    seats = {mask: ", ".join(seated(result.seats, mask)) for mask in np.unique(of["agree"]).tolist()}
    return [
        Column("known", "time", of["known_ns"]),
        _symbol(result, k),
        Column("exposure", "amount", of["exposure_bp"], (BP,)),
        Column("size", "amount", of["size_bp"], (BP,)),
        _price(result, "stop_distance", of["stop_ticks"], k, absent=of["stop_ticks"] == 0),
        _price(result, "take_distance", of["take_ticks"], k, absent=of["take_ticks"] == 0),
        Column("agreed", "text", of["agree"], words=seats),
        Column(
            "verdict",
            "text",
            of["refusal"],
            words={r.value: REFUSAL_WORDS[r] for r in Refusal},
            absent=(of["refusal"] == 0) & (order < 0),
        ),
        Column("order", "whole", order, absent=order < 0),
        _quantity(result, "quantity", of["lots"], k),
    ]


TABLES: dict[str, Callable[[RunResult], list[Column]]] = {
    "orders": orders,
    "fills": fills,
    "trades": trades,
    "equity": equity,
    "decisions": decisions,
}
"""What can be exported."""


def table(result: RunResult, name: str) -> list[Column]:
    """A table of a run.

    :raises UnknownNameError: for a name that is not in ``TABLES``.
    """
    if name not in TABLES:
        message = f"a run has no table {name!r}"
        raise UnknownNameError(message, remedy=nearest(name, TABLES))
    return TABLES[name](result)


def text_rows(columns: Sequence[Column]) -> Iterator[tuple[str, ...]]:
    """The rows of a table as text."""
    return zip(*(column.texts() for column in columns), strict=True)


def seated(seats: Sequence[str], mask: int) -> list[str]:
    """The seats whose bits are set."""
    return [name for place, name in enumerate(seats) if mask >> place & 1]


def _symbol(result: RunResult, k: I1) -> Column:
    """Instruments by index."""
    return Column("instrument", "text", k, words=dict(enumerate(result.symbols)))


def _price(
    result: RunResult,
    name: str,
    ticks: I1,
    k: I1,
    absent: np.ndarray[tuple[int], np.dtype[np.bool_]] | None = None,
) -> Column:
    """Ticks of instrument ``k``, in quote."""
    return Column(name, "amount", ticks, tuple(i.tick for i in result.instruments), k, absent=absent)


def _quantity(result: RunResult, name: str, lots: I1, k: I1) -> Column:
    """Lots of instrument ``k``, in base."""
    return Column(name, "amount", lots, tuple(i.lot for i in result.instruments), k)


def _purpose(flags: I1) -> I1:
    """0 an entry, 1 a reduction, 2 a protective order."""
    protect = (flags & OrderFlags.PROTECTIVE) != 0
    reduce = (flags & OrderFlags.REDUCE_ONLY) != 0
    result: I1 = np.where(protect, 2, np.where(reduce, 1, 0))
    return result


def _words(kinds: type[OrderKind]) -> dict[int, str]:
    """``stop limit`` for STOP_LIMIT."""
    return {kind.value: kind.name.lower().replace("_", " ") for kind in kinds}

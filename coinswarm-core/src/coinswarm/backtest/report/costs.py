"""The part of a report about what trading cost."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from coinswarm.backtest.report.markup import Safe, heat, join, table
from coinswarm.backtest.report.sections import money
from coinswarm.canonical import FILL_FIELDS, ORDER_FIELDS
from coinswarm.domain.instrument import MONEY

if TYPE_CHECKING:
    from coinswarm.backtest.report.facts import Facts


def costs(of: Facts) -> Safe:
    """What trading cost, by kind and by instrument."""
    paid = {name: float(amount) for name, amount in of.summary["costs"].items()}
    total = paid.pop("total")
    words = {"adverse": "spread and slippage"}
    traded = _traded(of)
    rows: list[list[object]] = [
        [
            words.get(name, name),
            money(amount, of.places),
            (f"{amount / total * 100:.0f} %", heat(-amount / total)) if total else "-",
            f"{amount / traded.sum() * 100:.3f} %" if traded.sum() else "-",
        ]
        for name, amount in paid.items()
    ]
    everything = f"{total / traded.sum() * 100:.3f} %" if traded.sum() else "-"
    rows.append(["all costs", money(total, of.places), "100 %" if total else "-", everything])
    by_kind = table(
        "Costs by kind",
        ["Cost", f"Amount ({of.currency})", "Share", "Of traded value"],
        rows,
        numbers=(1, 2, 3),
        class_="heat",
    )
    fees, adverse = _paid(of)
    each = [
        [symbol, money(traded[k], of.places), money(fees[k], of.places), money(adverse[k], of.places)]
        for k, symbol in enumerate(of.result.symbols)
    ]
    head = ["Instrument", "Traded value", "Fees", "Spread and slippage"]
    return join([by_kind, table(f"Costs by instrument ({of.currency})", head, each, numbers=(1, 2, 3))])


def _by_instrument(of: Facts, values: Any) -> Any:  # noqa: ANN401 - float64[f] to float64[instruments]
    """Sums of a number per fill, by instrument."""
    order = np.searchsorted(of.result.orders[:, 0], of.result.fills[:, 0])
    k = of.result.orders[order, ORDER_FIELDS.index("instrument")]
    return np.bincount(k, weights=values, minlength=len(of.result.instruments))


def _worth(of: Facts) -> Any:  # noqa: ANN401 - float64[f]
    """Per fill, what its lots are worth per tick, in the settlement currency."""
    unit = np.array([num / den for num, den in (i.value_ratio for i in of.result.instruments)]) / MONEY
    order = np.searchsorted(of.result.orders[:, 0], of.result.fills[:, 0])
    k = of.result.orders[order, ORDER_FIELDS.index("instrument")]
    return of.result.fills[:, FILL_FIELDS.index("lots")] * unit[k]


def _traded(of: Facts) -> Any:  # noqa: ANN401 - float64[instruments]
    return _by_instrument(of, _worth(of) * of.result.fills[:, FILL_FIELDS.index("ticks")])


def _paid(of: Facts) -> tuple[Any, Any]:
    """Fees, and spread and slippage, by instrument."""
    fills = of.result.fills
    away = np.abs(fills[:, FILL_FIELDS.index("ticks")] - of.result.reference)
    return _by_instrument(of, fills[:, FILL_FIELDS.index("fee")] / MONEY), _by_instrument(of, _worth(of) * away)

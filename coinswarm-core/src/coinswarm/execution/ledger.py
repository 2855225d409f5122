"""Trades from fills: what each position earned from its first entry to flat (S5)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from coinswarm.domain.outcome import TradeOutcome

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from coinswarm.risk.sizing import Costing
    from coinswarm.simulator.book import WorkingOrder
    from coinswarm.simulator.money import Scale


class OpenTrade:
    """A position being built, held or closed."""

    __slots__ = ("agree", "cash", "fees", "loss", "lots", "most", "opened_ns", "side")

    def __init__(self) -> None:
        self.side = self.cash = self.fees = self.most = self.lots = 0
        self.opened_ns = self.loss = self.agree = 0


class Ledger:
    """Turns fills, funding and flat positions into TradeOutcomes.

    :param costing: of a round trip, which belongs to what is at risk.
    :param closed: told of every outcome, with the order that closed it.
    """

    def __init__(
        self,
        symbols: Sequence[str],
        scales: Sequence[Scale],
        bar_ns: int,
        costing: Costing,
        closed: Callable[[int, TradeOutcome, WorkingOrder], None],
    ) -> None:
        self._symbols, self._scales = tuple(symbols), tuple(scales)
        self._bar = bar_ns
        self._costing = costing
        self._closed = closed
        self._trades = [OpenTrade() for _ in self._symbols]
        self.outcomes: list[TradeOutcome] = []

    def is_open(self, k: int) -> bool:
        """Whether a trade is open in instrument ``k`` (dust is not a trade)."""
        return self._trades[k].side != 0

    def filled(self, k: int, order: WorkingOrder, bar_ns: int, price: int, fee: int, flow: int, held: int) -> None:  # noqa: PLR0913 - a fill
        """A fill in the bar that opened at ``bar_ns``.

        :param price: in ticks; :param flow: change of cash.
        :param held: lots held after it, signed.
        """
        trade = self._trades[k]
        if not trade.side:
            trade.side = order.side
            if trade.lots == 0:
                trade.cash = 0
            trade.fees = trade.most = 0
            stop = order.order.stop_ticks
            trade.loss = self._costing.loss_ticks(price, stop) if stop > 0 else 0
            trade.opened_ns, trade.agree = bar_ns, order.agree
        trade.cash += flow
        trade.fees += fee
        trade.lots = held
        held = abs(held)
        trade.most = max(trade.most, held)

    def funded(self, k: int, paid: int) -> None:
        """A funding payment belongs to the open trade."""
        self._trades[k].cash -= paid

    def flat(self, k: int, order: WorkingOrder, bar_ns: int, residue: int) -> None:
        """The position is closed, but for dust worth ``residue``."""
        trade = self._trades[k]
        outcome = TradeOutcome(
            self._symbols[k],
            trade.side,
            trade.opened_ns,
            bar_ns,
            bar_ns + self._bar,
            trade.most,
            trade.cash + residue,
            trade.fees,
            self._scales[k].value(trade.most, trade.loss),
            trade.agree,
            order.is_stop,
        )
        trade.side, trade.cash = 0, -residue
        self.outcomes.append(outcome)
        self._closed(k, outcome, order)

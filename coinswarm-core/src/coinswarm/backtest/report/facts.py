"""What a report is made from."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from coinswarm.backtest.render import CURRENCY_FROM
from coinswarm.backtest.report.stances import actions_of
from coinswarm.evidence.days import cut_days

if TYPE_CHECKING:
    from collections.abc import Mapping

    from coinswarm.backtest.buyhold import BuyAndHold
    from coinswarm.backtest.report.stances import Actions
    from coinswarm.engine.plan import RunPlan
    from coinswarm.engine.result import RunResult
    from coinswarm.evidence.days import Days


@dataclass(frozen=True, eq=False)
class Facts:
    """A finished run and what it was made of.

    :param summary: from ``summary_dict``.
    :param record: what ``run.json`` says, as far as it is known.
    """

    plan: RunPlan
    result: RunResult
    summary: Mapping[str, Any]
    benchmark: BuyAndHold
    record: Mapping[str, Any]

    @cached_property
    def actions(self) -> Actions:
        """What each agent said, per instrument and seat."""
        return actions_of(self.plan, self.result.recall)

    @cached_property
    def days(self) -> Days:
        """The run in days, its warm-up left out."""
        result = self.result
        first = int(result.times_ns.searchsorted(self.plan.start_ns))
        return cut_days(
            result.times_ns[first:], result.bar_ns, result.equity[first:], result.exposure_units[first:], result.cash
        )

    @property
    def places(self) -> int:
        """Decimals of money that people are shown."""
        return 2 if float(self.summary["equity"]["start"]) >= CURRENCY_FROM else 8

    @property
    def currency(self) -> str:
        """The settlement currency."""
        return str(self.summary["currency"])

"""Shared by the committee's tests: the one-bar committee and its columnar twin over the same rows."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from coinswarm.clock import HOUR_NS
from coinswarm.committee.columns import IntentChanges, IntentColumns, intent_changes
from coinswarm.committee.committee import Committee
from coinswarm.committee.weighing import WeightedWeigher
from coinswarm.domain.action import ActionColumns
from coinswarm.domain.instrument import Instrument
from coinswarm.domain.market import Bars
from coinswarm.engine.columns import form_intents
from coinswarm.engine.plan import RunPlan, SeatedAgent

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from coinswarm.committee.rules import CommitteeRules
    from coinswarm.contracts import Weigher

Row = tuple[int, int, int, int, int]
Table = list[list[Row]]
"""Per bar, per seat: direction, confidence_bp (-1 abstains), size_bp, stop_ticks, take_ticks."""

HIGH_TICKS = 500
"""Highest price of the bars behind the columns: distances count up to twice that."""


class Twins:
    """Intents of the same table, bar by bar and over columns."""

    def __init__(self, rules: CommitteeRules, weights: Sequence[int], weigher: Weigher, *, shortable: bool) -> None:
        self._rules, self._weights, self._weigher = rules, tuple(weights), weigher
        self._shortable = shortable

    def bar_by_bar(self, table: Table) -> list[tuple[int, ...]]:
        """What ``Committee.step`` answers at each bar."""
        committee = Committee(
            self._weigher, self._weights, self._rules, shortable=self._shortable, cap_ticks=2 * HIGH_TICKS
        )
        return [tuple(committee.step(list(row))) for row in table]

    def columns(self, table: Table) -> list[ActionColumns]:
        """The table as one set of columns per seat."""
        n, seats = len(table), len(self._weights)
        kinds: list[Any] = [np.int8, np.int16, np.int32, np.int64, np.int64]
        columns = []
        for a in range(seats):
            parts = [np.array([row[a][i] for row in table], kind) for i, kind in enumerate(kinds)]
            columns.append(ActionColumns(parts[0], parts[1], np.zeros(n, np.uint8), parts[2], parts[3], parts[4]))
        return columns

    def changes(self, table: Table) -> IntentChanges:
        """What the jitted twin writes where the bundled weigher is seated."""
        return intent_changes(
            self.columns(table), self._weights, self._rules, shortable=self._shortable, cap_ticks=2 * HIGH_TICKS
        )

    def over_columns(self, table: Table) -> list[tuple[int, ...]]:
        """The same at every bar, through the engine."""
        n = len(table)
        prices = np.full(n, float(HIGH_TICKS))
        instrument = Instrument("A/B", Decimal(1), Decimal(1), shortable=self._shortable)
        bars = Bars(instrument, HOUR_NS, np.arange(n) * HOUR_NS, prices, prices, prices, prices, prices)
        plan = RunPlan(
            bars=(bars,),
            seats=tuple(SeatedAgent(f"s{a}", (), w) for a, w in enumerate(self._weights)),
            weigher=self._weigher,
            cash=1,
            committee=self._rules,
        )
        out = IntentColumns.empty(n)
        form_intents(plan, 0, self.columns(table), out)
        return list(zip(*(part.tolist() for part in out), strict=True))


@pytest.fixture
def twins() -> Callable[..., Twins]:
    """A pair of committees by rules, weights and weigher (the bundled one if none is given)."""

    def made(
        rules: CommitteeRules, weights: Sequence[int], weigher: Weigher | None = None, *, shortable: bool = True
    ) -> Twins:
        return Twins(rules, weights, weigher or WeightedWeigher(), shortable=shortable)

    return made

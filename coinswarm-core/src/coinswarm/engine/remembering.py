"""What a session asks of a memory, and the memory of a run that is over."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from coinswarm.domain.outcome import TradeOutcome
    from coinswarm.engine.memory import Tracker
    from coinswarm.engine.result import Faults
    from coinswarm.memory.recall.episodes import Traded
    from coinswarm.memory.recall.record import RecallRecord


class Settled(NamedTuple):
    """An outcome that is committed.

    :param instrument: by number.
    :param refused: seats (a bit each) whose episode was refused: what they did is not learned from.
    :param counted: seats whose sizing has counted it already, as an episode that was remembered before the run.
    """

    instrument: int
    outcome: TradeOutcome
    refused: int = 0
    counted: int = 0


class Remembering(Protocol):
    """What a session asks of a memory."""

    faults: dict[str, Faults]

    def tracker(self, seat: int, k: int) -> Tracker | None:
        """Who watches a seat on an instrument; None where it recalls nothing."""

    def closed(self, k: int, trade: Traded) -> None:
        """A trade of instrument ``k`` was closed."""

    def known(self, now: int) -> Sequence[tuple[int, int, int]]:
        """Outcomes of before the run that are known by ``now`` and were not before: seat, gain and risk in ppm."""

    def settle(self, now: int) -> Sequence[Settled]:
        """Outcomes that are committed by ``now``."""

    def record(self) -> RecallRecord:
        """What was recalled so far."""


class Recorded:
    """The memory of a run that is over, as its record tells it: nothing is recalled again, nobody is asked.

    What was recalled is in the confidences that the seats are given (``engine.light``); sizing learns as it did.
    """

    def __init__(self, record: RecallRecord) -> None:
        self.faults: dict[str, Faults] = {}
        self._record = record
        self._closed: list[tuple[int, Traded]] = []
        self._earlier: list[tuple[int, ...]] = [tuple(row) for row in record.earlier.tolist()]
        self._withheld: dict[int, int] = {trade: seats for trade, seats in record.withheld.tolist()}  # noqa: C416 - rows are lists
        self._next = self._trades = 0

    def tracker(self, seat: int, k: int) -> None:  # noqa: ARG002 - the form of ``Remembering``
        """Nobody recalls."""
        return

    def closed(self, k: int, trade: Traded) -> None:
        """Keep it until it is settled."""
        self._closed.append((k, trade))

    def known(self, now: int) -> list[tuple[int, int, int]]:
        """As the run was told."""
        first = self._next
        while self._next < len(self._earlier) and self._earlier[self._next][0] <= now:
            self._next += 1
        return [(seat, gained, risked) for _, seat, gained, risked in self._earlier[first : self._next]]

    def settle(self, now: int) -> list[Settled]:  # noqa: ARG002 - likewise
        """As the run was told: who was refused or had counted it is withheld from sizing."""
        settled, self._closed = self._closed, []
        told = [
            Settled(k, trade.outcome, counted=self._withheld.get(self._trades + place, 0))
            for place, (k, trade) in enumerate(settled)
        ]
        self._trades += len(settled)
        return told

    def record(self) -> RecallRecord:
        """The same record."""
        return self._record

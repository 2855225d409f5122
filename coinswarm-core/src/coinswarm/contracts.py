"""What declared objects do. Core calls these; plugins implement them.

A contract whose hook is *provisional* (``hookspecs.PROVISIONAL``) has no shipped plugin yet and may still change.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any

from coinswarm.domain.action import ABSTAIN, Action, ActionColumns
from coinswarm.domain.intent import ActionRow

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    import numpy as np

    from coinswarm.domain.health import Health
    from coinswarm.domain.intent import Exposure
    from coinswarm.domain.market import Bars, MarketState
    from coinswarm.domain.observation import Batch, Cursor
    from coinswarm.domain.outcome import TradeOutcome

    Columns = np.ndarray[tuple[int, int], np.dtype[Any]]
    Now = Callable[[], datetime]


class SignalAgent(ABC):
    """Decides from market history alone; sees no portfolio, no clock, and does no I/O.

    Constructed as ``Agent(settings)``, or ``Agent()`` when its declaration names no settings.
    """

    @abstractmethod
    def decide(self, state: MarketState) -> Action:
        """The stance at ``state``; called once per closed bar, in order.

        Guaranteed: ``state`` holds nothing later than ``state.time_ns``. Not guaranteed: that the
        answer is used (core abstains for the agent in warm-up and after a hole).
        An exception makes the agent abstain at that bar and is counted.
        """

    def warm_up(self) -> int:
        """Bars needed before the first decision counts, with these settings."""
        return 0

    def learn(self, outcome: TradeOutcome) -> None:
        """Take in a closed trade the agent agreed with; never changes ``decide`` (S5).

        ``outcome.share_bp`` is the agent's share of it. Called in the order in which trades closed; an
        exception is counted like one from ``decide``.
        """

    def snapshot(self) -> bytes:
        """Everything that ``restore`` needs to continue as if never stopped."""
        return b""

    def restore(self, data: bytes) -> None:
        """Continue from a snapshot."""

    def get_config(self) -> dict[str, Any]:
        """The settings in force, JSON-ready, without secrets."""
        return {}


class ColumnarAgent(SignalAgent):
    """Writes its strategy once, as columns; ``decide`` is the last row of them.

    The testkit holds the two equal at every bar.
    """

    @abstractmethod
    def decide_all(self, bars: Bars) -> ActionColumns:
        """The actions at every bar of ``bars``; row t depends on ``bars[: t + 1]`` only."""

    def decide(self, state: MarketState) -> Action:
        """The last row of ``decide_all`` over the bars so far."""
        bars = state.bars
        if len(bars) == 0:
            return ABSTAIN
        return self.decide_all(bars).action(bars.instrument, len(bars) - 1)


class Weigher(ABC):
    """Combines the stances of those who take part, by weight in basis points.

    Must hold: no participation gives no exposure; stances that all point one way never give the
    opposite sign; the order of the seats does not matter.
    """

    @abstractmethod
    def step(self, row: ActionRow, weights: Sequence[int]) -> Exposure:
        """The exposure of one row: a function of the row and the weights alone; core may skip repeated rows.

        :param weights: per agent, basis points, all at least 0, summing to 10,000.
        """

    def weigh_all(
        self, direction: Columns, confidence_bp: Columns, weights: Sequence[int]
    ) -> Sequence[Exposure] | Columns:
        """The exposure of every bar; must equal ``step`` row by row.

        Override it where ``step`` is too slow; the testkit holds the two equal.

        :param direction: int8[seats, n], HOLD already resolved.
        :param confidence_bp: int16[seats, n]; -1 abstains.
        :returns: n rows of exposure_bp and participation_bp: Exposures, or integers [n, 2].
        """
        return [
            self.step(ActionRow(sides, [max(c, 0) for c in sure], [c >= 0 for c in sure]), weights)
            for sides, sure in zip(direction.T.tolist(), confidence_bp.T.tolist(), strict=True)
        ]


class Sink(ABC):
    """Where a streaming ingestor puts what it sees, and from where it goes on."""

    @property
    @abstractmethod
    def cursor(self) -> Cursor:
        """Of the last batch that was taken, in this run or an earlier one; ``START`` at the very first."""

    @abstractmethod
    def now(self) -> datetime:
        """What ``received`` is to say: aware UTC. Ingestors have no other clock."""

    @abstractmethod
    async def put(self, batch: Batch) -> None:
        """Take a batch; waits while core is behind. Once it returns the batch is never asked for again.

        When it is cancelled instead, the batch was not taken.
        """


class Ingestor(ABC):
    """Reads a source: polled, when its declaration has ``polled_seconds``, else as a stream.

    Constructed as ``Ingestor(settings)``, or ``Ingestor()`` when its declaration names no settings; that does no I/O.
    It uses whatever client it likes, under anyio or asyncio, and leaves nothing running when a call ends. Addresses of
    the source are settings, so that recorded payloads can be played from another address; secrets are settings of
    the type ``SecretStr``.

    Must hold, for both ways: each observation once, also where the source repeats itself; in the order of
    publication within its lane; nothing lost or repeated when a fresh object goes on from a cursor; a payload that
    cannot be understood raises ``DataError`` naming the place, and nothing of it is delivered; no secret in a message,
    a ``repr``, a log or an observation.
    Errors: ``RateLimitedError`` (with the seconds that the source asked for), ``UnreachableError`` or another
    ``RetryableError`` for what may pass; core waits and calls again with the last cursor. ``OperatorError`` for what
    will not, such as a refused key. Never retried inside without a pause.
    """

    async def fetch(self, cursor: Cursor, now: Now) -> Batch:
        """The next batch after ``cursor``; an empty one when there is nothing new.

        :param cursor: where an earlier batch ended, or ``START``.
        :param now: what ``received`` is to say, asked when a payload has come: aware UTC.
        """
        message = f"{type(self).__name__} is no polled ingestor"
        raise NotImplementedError(message)

    async def stream(self, out: Sink) -> None:
        """Put what is seen into ``out``, from ``out.cursor`` on, until cancelled; it ends within a second of that.

        What was missed since the cursor is fetched first (backfill); what the source no longer has is said as a hole.

        :raises RetryableError: when the connection is lost and it does not make a new one itself.
        """
        message = f"{type(self).__name__} does not stream"
        raise NotImplementedError(message)

    @abstractmethod
    async def health(self) -> Health:
        """How it is doing, from what it knows: no request to the source."""

    def get_config(self) -> dict[str, Any]:
        """The settings in force, JSON-ready, without secrets."""
        return {}

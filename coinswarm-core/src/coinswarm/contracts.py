"""What declared objects do. Core calls these; plugins implement them.

A contract whose hook is *provisional* (``hookspecs.PROVISIONAL``) is seated by no session yet and may still change.
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

    from coinswarm.domain.acceptance import Evidence, Outlook, Verdict
    from coinswarm.domain.book import OrderBook
    from coinswarm.domain.episode import (
        Episode,
        Filter,
        LogPosition,
        Match,
        MemoryInfo,
        MemoryStats,
        Recollection,
        Space,
    )
    from coinswarm.domain.health import Health
    from coinswarm.domain.intent import Assessment, Exposure, Intent
    from coinswarm.domain.market import Bars, MarketState
    from coinswarm.domain.observation import Batch, Cursor
    from coinswarm.domain.order import ChildOrder, Order, RiskApproved
    from coinswarm.domain.outcome import TradeOutcome
    from coinswarm.domain.portfolio import Portfolio
    from coinswarm.domain.proposal import Proposal

    Columns = np.ndarray[tuple[int, int], np.dtype[Any]]
    Now = Callable[[], datetime]
    Vector = np.ndarray[tuple[int], np.dtype[np.float32]]
    Vectors = np.ndarray[tuple[int, int], np.dtype[np.float32]]


class Declared(ABC):  # noqa: B024 - a contract adds what must be implemented
    """What every declared object has.

    Constructed as ``Kind(settings)``, or ``Kind()`` when its declaration names no settings.
    """

    def get_config(self) -> dict[str, Any]:
        """The settings in force, JSON-ready, without secrets."""
        return {}


class SignalAgent(Declared):
    """Decides from market history alone; sees no portfolio, no clock, and does no I/O."""

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

    def embedding(self) -> str:
        """Name and version of what ``embed`` makes, with these settings; empty: it recalls nothing.

        Vectors are compared only with those of the same agent and the same embedding: another scaling is another
        version. As it stands, whoever writes ``embed`` recalls, by ``state.1``.
        """
        return "" if type(self).embed is SignalAgent.embed else "state.1"

    def embed(self, state: MarketState) -> Vector | None:  # noqa: ARG002 - the contract's form
        """What to recall similar episodes by, or None for nothing.

        A function of market history, as ``decide`` is: float32[dimension], finite, not all zero, the same width
        at every bar. Asked only where the direction of ``decide`` turns long or short (S20). The state is not the one
        that ``decide`` was shown, and it may be asked after later bars were decided: keep nothing from there.
        """
        return None

    def embed_all(self, bars: Bars) -> Vectors | None:  # noqa: ARG002 - as above
        """The same at every bar, where that is cheaper: a row of zeros stands for nothing. None: ask ``embed``.

        :returns: float32[n, dimension]; row t depends on ``bars[: t + 1]`` only, and equals ``embed`` there.
        """
        return None

    def reconsider(self, action: Action, recalled: Sequence[Recollection]) -> Action:  # noqa: ARG002 - as above
        """The action in the light of similar episodes; an agent without its own takes core's estimate.

        May change the confidence, to half of what it was up to one and a half times as much (S20); everything
        else stays. With nothing recalled it answers the action itself. Not asked where core's estimate abstains.

        :param action: as decided, but for its reason, which is 0.
        :param recalled: nearest first; every outcome was known when it was recalled (S21).
        """
        return action

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


class Weigher(Declared):
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


class Ingestor(Declared):
    """Reads a source: polled, when its declaration has ``polled_seconds``, else as a stream.

    Constructing one does no I/O.
    It uses whatever client it likes, under anyio or asyncio, and leaves nothing running when a call ends. Addresses of
    the source are settings, so that recorded payloads can be played from another address; secrets are settings of
    the type ``SecretStr``.

    Must hold, for both ways: each observation once, also where the source repeats itself; in the order of publication
    within its lane; nothing lost or repeated when a fresh object goes on from a cursor; a payload that cannot be
    understood raises ``PayloadError`` naming the place, and nothing of it is delivered; no secret in a message, a
    ``repr``, a log or an observation, nor sent where a source redirects to. The cursor alone says what was read: asked
    again with an earlier one, the same object gives again what came after it. Nothing blocks the event loop.

    Errors: ``RateLimitedError`` (with the seconds that the source asked for), ``UnreachableError`` or another
    ``RetryableError`` for what may pass; core waits and calls again with the last cursor. ``OperatorError`` for what
    will not, such as a refused key. Each as it is, never inside an exception group. Never retried inside without a
    pause.
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


class RiskAgent(Declared):
    """May shrink an intent or refuse it, never enlarge it. *Provisional*: no session seats one yet.

    Asked when an intent changes, not every bar (S18), and not about what only
    reduces a position: exits always pass (S17). Core takes the smaller of intent and answer whatever is answered,
    and its gate judges what is left.

    Must hold: on the intent's side or flat; no number further from zero than the intent's; a larger intent, all
    else equal, is never left with less; equal questions get equal answers, whoever asked before; nothing that it
    is shown is changed. An exception refuses the intent and is counted.
    """

    @abstractmethod
    def assess(self, intent: Intent, portfolio: Portfolio, state: MarketState) -> Assessment:
        """What may stand of ``intent``.

        :param intent: of the committee, before any risk agent.
        :param portfolio: the account at the last close.
        :param state: of the instrument; holds nothing later than ``state.time_ns``.
        """


class ExecutionAgent(Declared):
    """Decides how an approved order is placed, not whether. *Provisional*: no session seats one yet.

    Given entries and exits of kind ``MARKET`` and ``LIMIT``; protective orders
    rest at the venue as they are.

    Must hold: the children's lots sum to the order's; each is at least the smallest notional, unless the whole
    order is not; none is sent before the order was decided, and none works beyond its ``expire_ns``; where the
    order has a limit, every child has one that is no worse; an IOC order has only IOC children, an FOK order is
    one FOK child. A book may be empty, thin or crossed.
    """

    @abstractmethod
    def slice(self, order: RiskApproved[Order], book: OrderBook) -> Sequence[ChildOrder]:
        """The parts in which ``order`` is placed, in the order of ``at_ns``.

        :param book: as last seen, of the order's instrument.
        """


class MemoryBackend(Declared):
    """An index of episodes by vector: a fold of the log of what was committed, never the truth.

    It finds *which* episodes are near; what became of them is read from committed data, so that a backend can pick
    a bad neighbour but not invent a result. Times are int64 nanoseconds since the epoch, like everything that is
    hashed. All its methods may be called concurrently.

    Must hold: what one space holds is never seen in another; a write is whole or not at all, and once it returns
    every later recall sees it; a write at a log position that was already applied changes nothing, so that a fold
    may begin anywhere before where it stopped; the same log gives the same recall, whoever wrote when.
    Errors: ``ValueError`` for a vector that is not float32 of the space's width, not finite, or all zero;
    ``RetryableError`` where what it talks to cannot be reached.
    """

    @abstractmethod
    async def remember(
        self, space: Space, episodes: Sequence[Episode], vectors: Vectors, *, at: LogPosition | None = None
    ) -> None:
        """Take in episodes, each with its vector; one that is there already is replaced, vector and all.

        :param vectors: float32[n, dimension], a row per episode.
        :param at: the log entry that says so; recorded together with the write.
        """

    @abstractmethod
    async def recall(self, space: Space, vector: Vector, k: int, as_of_ns: int, where: Filter) -> Sequence[Match]:
        """The episodes nearest to ``vector``, nearest first, ties by id.

        Only those count that ``where`` admits and whose outcome was known: ``known_ns <= as_of_ns``. Core takes
        the embargo off ``as_of_ns`` beforehand (S21). A filter never costs matches: where at least k count, k come.

        :param vector: float32[dimension].
        :param k: at least 1; fewer come where fewer count.
        """

    @abstractmethod
    async def get(self, space: Space, episode_id: str) -> Episode | None:
        """What is remembered under that id, or None."""

    @abstractmethod
    async def update(self, space: Space, episode: Episode, *, at: LogPosition | None = None) -> bool:
        """Replace what is remembered about an episode; its vector stays.

        :returns: whether it was there.
        """

    @abstractmethod
    async def forget(self, space: Space, episode_id: str, *, at: LogPosition | None = None) -> bool:
        """Remove an episode.

        :returns: whether it was there.
        """

    @abstractmethod
    async def info(self, space: Space) -> MemoryInfo:
        """What it holds of a space; an unknown space is an empty one."""

    @abstractmethod
    async def stats(self) -> MemoryStats:
        """What it did since it was made."""

    @abstractmethod
    async def health(self) -> Health:
        """How it is doing; unlike the others it does not raise where the other side is down."""

    @abstractmethod
    async def clear(self, space: Space) -> None:
        """Remove everything of a space, the applied position too: a fold begins anew."""

    async def optimize(self, space: Space) -> None:
        """Tidy up: recall may become faster, its answers do not change beyond what an approximation allows."""

    async def close(self) -> None:
        """Let go of connections and files; what was written stays."""


class Voter(Declared):
    """How one seat of the quorum judges a proposal.

    No I/O, no clock, no chance: a verdict is a function of the two arguments, the same on every machine, so that
    honest seats agree to the letter on what held and what failed. It works numbers out from the evidence and
    believes no claim. Rules are about exact arithmetic on whole numbers, to the rounding that docs/promotion.md states.

    Must hold: the rules of ``acceptance.mandatory`` are judged, and no other. An exception is no ballot, and is
    counted.
    """

    @abstractmethod
    def evaluate(self, proposal: Proposal, evidence: Evidence) -> Verdict:
        """Which rules hold, which fail, and why."""


class Planner(Declared):
    """Proposes weights for the committee, hours or days apart. *Provisional*: no session asks one yet.

    No I/O, no clock, no chance: a proposal is a function of the outlook.

    Must hold: weights are whole basis points, at least 0, and sum to 10,000; they keep to ``outlook.rules``; only
    certified agents weigh anything; the proposal starts from the outlook's version and cites as evidence the
    returns that it rests on, at least one.
    """

    @abstractmethod
    def plan(self, outlook: Outlook) -> Proposal | None:
        """A proposal of kind ``SET_WEIGHTS`` about the subject ``weights``, or None to leave things as they are."""

"""A voter's plugin at work, in a thread that can be left behind: it may raise, answer nonsense, or never come back.

A thread that hangs cannot be ended. It is abandoned, so that the seat goes on with the next proposal; after
``ABANDONED`` of them the seat judges nothing more, because whoever wrote the plugin must act.

Seats of one process are one party: their evidence is gathered once (``Shared``), and what core's own voters judge in no
time, an episode, is judged in the event loop then. A thread for each seat costs more than that.
"""

from __future__ import annotations

import asyncio
import queue
import sys
import threading
from collections import OrderedDict, deque
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING

import anyio

from coinswarm.domain.acceptance import Verdict, mandatory
from coinswarm.errors import RetryableError, one_line
from coinswarm.memory.promotion.voters import judges_at_once
from coinswarm.memory.quorum.findings import findings
from coinswarm.memory.quorum.messages import Deferred, Evaluated, Evaluations
from coinswarm.runtime.swarm.hand import Hand
from coinswarm.runtime.swarm.queues import Lane

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from coinswarm.contracts import Voter
    from coinswarm.domain.acceptance import Evidence
    from coinswarm.memory.quorum.records import Envelope
    from coinswarm.runtime.swarm.telling import Teller

    Gather = Callable[[Envelope], Evidence | None]
    """Reads what a proposal cites from committed data; None where it is not there."""

    Found = tuple[Envelope, Evidence | Exception | None]
    """A proposal, and its evidence or what kept that from being read."""

    Judged = tuple[Evaluated | Deferred, str, str]
    """What came of a proposal; what kind of trouble there was, and in words."""

    Result = Evaluated | Deferred | Evaluations

JUDGE_SECONDS = 10.0
"""How long one evaluation may take."""

ABANDONED = 4
"""So many threads may hang before the seat stops judging."""

TOGETHER = 64
"""Most proposals whose evidence is gathered together, where those wait."""

STOP_SECONDS = 1.0
"""How long whoever stops waits for the evidence that is being gathered."""

_LOOK_SECONDS = 0.25
_TELL_SECONDS = 0.005
"""How long what was judged may wait for what is judged with it: ballots that are signed together cost less."""


class Shared:
    """Evidence that is gathered once for all seats of one process, where these are one party anyway.

    It is the same evidence as long as it is at the version that the proposal starts from; any other is gathered anew.

    :param limit: of how many subjects it is kept: a proposal to remember many episodes has the evidence of many.
    """

    def __init__(self, gather: Gather, limit: int = 1_024) -> None:
        self._gather, self._limit = gather, limit
        self._hand = Hand("evidence")
        self._asked: Lane[Envelope] = Lane(sys.maxsize)  # who waits for what is dropped would wait for ever
        self._waiting: dict[str, list[Callable[[Found], None]]] = {}
        """Proposal -> who waits for its evidence in the event loop."""
        self._known: OrderedDict[str, tuple[int, Evidence]] = OrderedDict()
        self._size = 0
        self._turn = threading.Lock()

    def __call__(self, envelope: Envelope) -> Evidence | None:
        """The evidence on a proposal; None where a part of it is not there.

        :raises RetryableError: the store does not answer.
        """
        with self._turn:
            known = self._known.get(envelope.id)
            return known[1] if known is not None else self._kept(envelope, self._gather(envelope))

    def many(self, envelopes: Sequence[Envelope]) -> list[Evidence | None]:
        """The evidence on several proposals; together, where the store can.

        :raises RetryableError: as above.
        """
        with self._turn:
            known = {one.id: self._known[one.id][1] for one in envelopes if one.id in self._known}
            new = [envelope for envelope in envelopes if envelope.id not in known]
            many = getattr(self._gather, "many", None)
            found = many(new) if many is not None and len(new) > 1 else [self._gather(envelope) for envelope in new]
            fresh = {one.id: self._kept(one, evidence) for one, evidence in zip(new, found, strict=True)}
            return [fresh[one.id] if one.id in fresh else known[one.id] for one in envelopes]

    def soon(self, envelope: Envelope, told: Callable[[Found], None]) -> None:
        """From the event loop: have somebody told there, in a later turn, what ``gathered`` finds."""
        waiting = self._waiting.setdefault(envelope.id, [])
        waiting.append(told)
        if len(waiting) == 1:
            self._asked.put(envelope)

    async def run(self) -> None:
        """Gather what ``soon`` asks for, until cancelled."""
        try:
            while True:
                batch = await self._asked.take(TOGETHER)
                for envelope, found in await self._hand.do(partial(gathered, self, batch)):
                    for told in self._waiting.pop(envelope.id):
                        told((envelope, found))
                    await asyncio.sleep(0)  # others have their turn
        finally:
            with anyio.move_on_after(STOP_SECONDS, shield=True):  # a store that stands still keeps nobody from stopping
                await self._hand.rest()

    def _kept(self, envelope: Envelope, found: Evidence | None) -> Evidence | None:
        """Keep evidence that is at the version that counts."""
        if found is not None and found.version == envelope.proposal.base_version:
            size = len(envelope.proposal.subjects)
            before, _ = self._known.pop(envelope.id, (0, None))
            self._known[envelope.id] = size, found
            self._size += size - before
            while self._size > self._limit:
                self._size -= self._known.popitem(last=False)[1][0]
        return found


class _Bench:
    """One thread that judges what it is handed, in order."""

    def __init__(self, judge: Judge) -> None:
        self.work: queue.SimpleQueue[Envelope | None] = queue.SimpleQueue()
        self.since: dict[str, float] = {}
        """Proposal that the plugin is at work on -> since when; at most one."""
        self.done: deque[Judged] = deque()
        """What came of proposals, and is not handed over yet."""
        threading.Thread(target=self._run, args=(judge,), name=f"judge {judge.name}", daemon=True).start()

    def _run(self, judge: Judge) -> None:
        while True:
            batch = [self.work.get()]
            with suppress(queue.Empty):
                while len(batch) < TOGETHER:
                    batch.append(self.work.get_nowait())
            asked = [envelope for envelope in batch if envelope is not None]
            told = judge.clock()
            for envelope, found in gathered(judge.gather, asked):
                self.done.append(judge.judged(envelope, found, self))
                if judge.clock() - told > _TELL_SECONDS:
                    judge.post(self)
                    told = judge.clock()
            judge.post(self)
            if len(asked) < len(batch):
                return


class Judge:
    """Has a voter's plugin judge proposals.

    :param voter: the plugin's object.
    :param gather: reads evidence; called in the same thread as the plugin.
    :param clock: seconds of a monotonic clock.
    :param soon: as ``Shared.soon``: what needs no thread of its own is judged where evidence is told. None: all does.
    """

    def __init__(  # noqa: PLR0913 - who judges, what, and how long
        self,
        name: str,
        voter: Voter,
        gather: Gather,
        teller: Teller,
        clock: Callable[[], float],
        *,
        seconds: float = JUDGE_SECONDS,
        soon: Callable[[Envelope, Callable[[Found], None]], None] | None = None,
    ) -> None:
        self.name, self.clock, self.gather = name, clock, gather
        self._voter, self._teller, self._seconds = voter, teller, seconds
        self._soon = soon
        self._pending: dict[str, Envelope] = {}
        self._hanging = 0
        self._bench: _Bench | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._tell: Callable[[Result], None] = lambda _: None

    async def run(self, tell: Callable[[Result], None]) -> None:
        """Hand over what comes of each ``judge``, until cancelled."""
        self._loop, self._tell = asyncio.get_running_loop(), tell
        self._bench = _Bench(self)
        try:
            for envelope in self._pending.values():
                self._queue(envelope)
            while True:
                await anyio.sleep(_LOOK_SECONDS)
                self._abandon()
        finally:
            self._bench.work.put(None)
            self._bench = None

    def judge(self, envelope: Envelope) -> None:
        """Have a proposal judged, after those that were asked for before where these take a thread too."""
        if self._hanging >= ABANDONED:
            self._tell(Deferred(envelope.id))
            return
        self._pending[envelope.id] = envelope
        if self._bench is not None:
            self._queue(envelope)

    def _queue(self, envelope: Envelope) -> None:
        assert self._bench is not None, "running"
        if self._soon is not None and judges_at_once(self._voter, envelope.proposal):
            self._soon(envelope, self._judge_here)
        else:
            self._bench.work.put(envelope)

    def _judge_here(self, found: Found) -> None:
        """Judge in the event loop."""
        if self._bench is not None:
            self._hand_over([self.judged(*found)])

    def judged(self, envelope: Envelope, found: Evidence | Exception | None, bench: _Bench | None = None) -> Judged:
        """What comes of a proposal, and what trouble there was.

        Only the plugin's own time is measured: a database that is slow, or stopped, is no fault of the plugin's.

        :param found: its evidence, or what kept that from being read.
        :param bench: the thread that this is; None: the event loop's.
        """
        proposal, evidence = envelope.proposal, found
        if isinstance(evidence, RetryableError):
            return Deferred(envelope.id), "evidence away", f"evidence cannot be read ({evidence}); it is tried again"
        if isinstance(evidence, Exception):
            text = f"the evidence of {envelope.id[:12]} cannot be gathered ({one_line(evidence)}); no ballot on it"
            return Deferred(envelope.id), "evidence broken", text
        if evidence is None or evidence.version != proposal.base_version:
            return Deferred(envelope.id), "", ""
        verdict, wrong = None, ""
        if bench is not None:
            bench.since = {envelope.id: self.clock()}
        try:
            verdict = self._voter.evaluate(proposal, evidence)
            wrong = _wrong(verdict, set(mandatory(proposal)))
        except BaseException as error:  # a plugin may raise anything, SystemExit too
            if bench is None and not isinstance(error, Exception):
                raise  # in the event loop it is Ctrl-C's
            wrong = f"raised {one_line(error)}"
        finally:
            if bench is not None:
                bench.since = {}
        if wrong or verdict is None:
            text = f"the voter's plugin {wrong} on {envelope.id[:12]}; no ballot on it. Its author must act"
            return Deferred(envelope.id), "plugin at fault", text
        return Evaluated(envelope.id, verdict.accepts, findings(verdict, evidence)), "", ""

    def post(self, bench: _Bench) -> None:
        """From a thread: have the event loop take what is done."""
        assert self._loop is not None, "started before"
        if bench.done:
            with suppress(RuntimeError):  # the loop has ended: nobody is there to be told
                self._loop.call_soon_threadsafe(self._take, bench)

    def _take(self, bench: _Bench) -> None:
        """Take what is done in a thread."""
        done = [bench.done.popleft() for _ in range(len(bench.done))]
        if bench is self._bench:  # else it came back after it was given up
            self._hand_over(done)

    def _hand_over(self, done: Sequence[Judged]) -> None:
        """Tell what is done, together."""
        results = []
        for result, trouble, text in done:
            if self._pending.pop(result.proposal, None) is None:
                continue  # it was given up, or asked for twice
            if trouble:
                self._teller.trouble(trouble, text)
            elif isinstance(result, Evaluated):
                for what in ("evidence away", "plugin at fault", "evidence broken"):
                    self._teller.over(what, f"judges again after: {what}")
            results.append(result)
        if results:
            self._tell(results[0] if len(results) == 1 else Evaluations(tuple(results)))

    def _abandon(self) -> None:
        """Leave a thread behind that hangs, and give what waits for it to another."""
        bench = self._bench
        assert bench is not None, "running"
        self._take(bench)  # what was done before it hung
        for proposal, since in list(bench.since.items()):
            if self.clock() - since < self._seconds or self._hanging >= ABANDONED:
                continue
            self._hanging += 1
            self._pending.pop(proposal, None)
            end = self._hanging >= ABANDONED
            last = "; that was the last thread: this seat judges nothing more until it is started again" if end else ""
            self._teller.counts["plugin hangs"] += 1
            self._teller.say(
                f"the voter's plugin has not come back from {proposal[:12]} within {self._seconds:g} s; no ballot on "
                f"it. Its author must act{last}"
            )
            self._tell(Deferred(proposal))
            if not end:
                self._bench = _Bench(self)
                for envelope in self._pending.values():
                    self._queue(envelope)
            bench.work.put(None)


def gathered(gather: Gather, batch: Sequence[Envelope]) -> list[Found]:
    """In a thread: the evidence on each proposal, or what kept it from being read."""
    many = getattr(gather, "many", None)
    if many is not None and len(batch) > 1:
        try:
            return list(zip(batch, many(batch), strict=True))
        except RetryableError as error:
            return [(envelope, error) for envelope in batch]
        except Exception:  # noqa: BLE001, S110 - one by one it shows whose fault it is
            pass
    return [(envelope, _gathered(gather, envelope)) for envelope in batch]


def _gathered(gather: Gather, envelope: Envelope) -> Evidence | Exception | None:
    try:
        return gather(envelope)
    except Exception as error:  # noqa: BLE001 - whatever is wrong with one proposal's evidence is no crash
        return error


def _wrong(verdict: object, rules: set[object]) -> str:
    """What is wrong with an answer of a plugin; empty where nothing is."""
    if not isinstance(verdict, Verdict):
        return f"answered a {type(verdict).__name__}"
    judged = {*verdict.held, *verdict.failed}
    if judged != rules:
        odd = ", ".join(sorted(str(rule) for rule in judged ^ rules))
        return f"judged other rules than are mandatory ({odd})"
    return ""

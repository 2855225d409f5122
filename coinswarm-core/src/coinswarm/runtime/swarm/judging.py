"""A voter's plugin at work, in a thread that can be left behind: it may raise, answer nonsense, or never come back.

A thread that hangs cannot be ended. It is left behind, so that the seat goes on with the next proposal; while
``ABANDONED`` of them hang the seat judges nothing that takes a thread. One that comes back hangs no longer, and what it
found counts as if it had been in time: it was worked out on evidence at the version that the proposal starts from, and
the voter's core, which was not answered meanwhile, signs nothing on a proposal that is not open any more. Thrown away,
it would be worked out again, no faster. A proposal is tried in ``TRIES`` threads at most, and never in a second one
where that could be the one too many.

Time is measured by who watches: where it is not scheduled either, the machine or the process stood still.

Seats of one process are one party: their evidence is gathered once (``sharing``), and what core's own voters judge in
no time, an episode, is judged in the event loop then. A thread for each seat costs more than that.
"""

from __future__ import annotations

import asyncio
import math
import queue
import threading
from collections import OrderedDict, deque
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

import anyio

from coinswarm.domain.acceptance import Verdict, mandatory
from coinswarm.errors import RetryableError, one_line
from coinswarm.memory.promotion.voters import judges_at_once
from coinswarm.memory.quorum.findings import findings
from coinswarm.memory.quorum.messages import Deferred, Evaluated, Evaluations
from coinswarm.runtime.swarm.sharing import TOGETHER, gathered

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from coinswarm.contracts import Voter
    from coinswarm.domain.acceptance import Evidence
    from coinswarm.memory.quorum.records import Envelope
    from coinswarm.runtime.swarm.sharing import Found, Gather
    from coinswarm.runtime.swarm.telling import Teller

    Judged = tuple[Evaluated | Deferred, str, str]
    """What came of a proposal; what kind of trouble there was, and in words."""

    Result = Evaluated | Deferred | Evaluations

JUDGE_SECONDS = 10.0
"""How long one evaluation may take."""

ABANDONED = 4
"""While so many threads hang, nothing is judged that takes one."""

TRIES = 2
"""In so many threads a proposal is judged whose plugin did not come back in time."""

PAUSE = 1
"""After so many times the plugin's time more it is judged again, unless the plugin has come back."""

SPARE = ABANDONED // 2
"""So many threads are left to proposals that are judged for the first time: with fewer, none is judged again."""

REMEMBERED = 1_024
"""Of so many slow proposals it is known how often they were tried."""

_LOOK_SECONDS = 0.25
_STOOD_STILL = 4
"""A look that comes later than so many looks' time: the time beyond that is nobody's."""
_TELL_SECONDS = 0.005
"""How long what was judged may wait for what is judged with it: ballots that are signed together cost less."""


class _Bench:
    """One thread that judges what it is handed, in order, until it is told to end or left behind."""

    def __init__(self, judge: Judge) -> None:
        self.work: queue.SimpleQueue[Envelope | None] = queue.SimpleQueue()
        self.turns = 0
        self.at: tuple[int, Envelope] | None = None
        """What the plugin is at work on, and its number among those."""
        self.seen: tuple[int, float] = 0, 0.0
        """Of whoever watches: the number of what it was seen at work on, and since when."""
        self.done: deque[Judged] = deque()
        """What came of proposals, and is not handed over yet."""
        self.left = self.ended = False
        """Whether it was left behind; whether its thread has nothing more to hand over."""
        threading.Thread(target=self._run, args=(judge,), name=f"judge {judge.name}", daemon=True).start()

    def _run(self, judge: Judge) -> None:
        while not self.ended:
            batch = [self.work.get()]
            with suppress(queue.Empty):
                while len(batch) < TOGETHER:
                    batch.append(self.work.get_nowait())
            asked = [envelope for envelope in batch if envelope is not None]
            told = judge.clock()
            for envelope, found in gathered(judge.gather, asked):
                self.done.append(judge.judged(envelope, found, self))
                if self.left:
                    break  # another has the rest
                if judge.clock() - told > _TELL_SECONDS:
                    judge.post(self)
                    told = judge.clock()
            self.ended = self.left or len(asked) < len(batch)
            judge.post(self)


class _Slow(NamedTuple):
    """A proposal that a plugin did not come back from in time.

    :param tries: threads that did not.
    :param again: when it may be judged again, by the watcher's time.
    """

    tries: int
    again: float


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
        """What an answer is owed on."""
        self._left: dict[_Bench, tuple[Envelope, float]] = {}
        """Threads that hang -> in what, and since when."""
        self._slow: OrderedDict[str, _Slow] = OrderedDict()
        self._bench: _Bench | None = None
        """Who judges; nobody while too many hang."""
        self._running = False
        self._looked = self._time = 0.0
        """When it was looked last, by the clock; time as it passed for whoever watches."""
        self._loop: asyncio.AbstractEventLoop | None = None
        self._tell: Callable[[Result], None] = lambda _: None

    async def run(self, tell: Callable[[Result], None]) -> None:
        """Hand over what comes of each ``judge``, until cancelled."""
        self._loop, self._tell = asyncio.get_running_loop(), tell
        self._running, self._looked = True, self.clock()
        self._go_on(self._pending.values())
        try:
            while True:
                await anyio.sleep(_LOOK_SECONDS)
                self._look()
        finally:
            self._running = False
            if self._bench is not None:
                self._bench.work.put(None)
            self._bench = None

    def judge(self, envelope: Envelope) -> None:
        """Have a proposal judged, after those that were asked for before where these take a thread too."""
        if any(one.id == envelope.id for one, _ in self._left.values()):
            self._pending[envelope.id] = envelope  # it is judged already, slowly
            return
        slow = self._slow.get(envelope.id)
        here = self._is_judged_here(envelope)
        if (len(self._left) >= ABANDONED and not here) or (slow is not None and not self._may_try(slow)):
            self._tell(Deferred(envelope.id))
            return
        self._pending[envelope.id] = envelope
        if self._running and slow is not None:
            self._try_again(envelope, slow)
        elif self._running:
            self._queue(envelope)

    def _is_judged_here(self, envelope: Envelope) -> bool:
        return self._soon is not None and judges_at_once(self._voter, envelope.proposal)

    def _may_try(self, slow: _Slow) -> bool:
        """Whether a slow proposal may have another thread: not soon, not often, and not one of the last."""
        return slow.tries < TRIES and slow.again <= self._time and len(self._left) < SPARE

    def _queue(self, envelope: Envelope) -> None:
        if self._is_judged_here(envelope):
            assert self._soon is not None, "there it is judged"
            self._soon(envelope, self._judge_here)
        elif self._bench is not None:
            self._bench.work.put(envelope)

    def _judge_here(self, found: Found) -> None:
        """Judge in the event loop."""
        if self._running:
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
            bench.turns += 1
            bench.at = bench.turns, envelope
        try:
            verdict = self._voter.evaluate(proposal, evidence)
            wrong = _wrong(verdict, set(mandatory(proposal)))
        except BaseException as error:  # a plugin may raise anything, SystemExit too
            if bench is None and not isinstance(error, Exception):
                raise  # in the event loop it is Ctrl-C's
            wrong = f"raised {one_line(error)}"
        finally:
            if bench is not None:
                bench.at = None
        if wrong or verdict is None:
            text = f"the voter's plugin {wrong} on {envelope.id[:12]}; no ballot on it. Its author must act"
            return Deferred(envelope.id), "plugin at fault", text
        return Evaluated(envelope.id, verdict.accepts, findings(verdict, evidence)), "", ""

    def post(self, bench: _Bench) -> None:
        """From a thread: have the event loop take what is done."""
        assert self._loop is not None, "started before"
        if bench.done or bench.ended:
            with suppress(RuntimeError):  # the loop has ended: nobody is there to be told
                self._loop.call_soon_threadsafe(self._take, bench)

    def _take(self, bench: _Bench) -> None:
        """Take what is done in a thread, be it one that was left behind."""
        done = [bench.done.popleft() for _ in range(len(bench.done))]
        if not self._running:
            return
        if bench.ended and bench in self._left:
            self._is_back(bench)
        self._hand_over(done)

    def _hand_over(self, done: Sequence[Judged]) -> None:
        """Tell what is done, together."""
        results = []
        for result, trouble, text in done:
            if self._pending.pop(result.proposal, None) is None:
                continue  # it was asked for twice, or another thread was sooner
            if isinstance(result, Deferred) and (slow := self._slow.get(result.proposal)):
                self._slow[result.proposal] = slow._replace(again=self._time + PAUSE * self._seconds)
            if trouble:
                self._teller.trouble(trouble, text)
            elif isinstance(result, Evaluated):
                self._slow.pop(result.proposal, None)
                for what in ("evidence away", "plugin at fault", "evidence broken"):
                    self._teller.over(what, f"judges again after: {what}")
            results.append(result)
        if results:
            self._tell(results[0] if len(results) == 1 else Evaluations(tuple(results)))

    def _look(self) -> None:
        """Let time pass, leave a thread behind that hangs, and try again what is due."""
        now = self.clock()
        self._time += min(now - self._looked, _STOOD_STILL * _LOOK_SECONDS)
        self._looked = now
        bench = self._bench
        if bench is None:
            return
        self._take(bench)  # what was done before it hung
        if (at := bench.at) is not None:
            turn, envelope = at
            seen, since = bench.seen
            if turn != seen:
                bench.seen = turn, self._time
            elif self._time - since >= self._seconds:
                self._leave(bench, envelope, since)
        for proposal, slow in list(self._slow.items()):
            if proposal in self._pending and self._may_try(slow):
                self._try_again(self._pending[proposal], slow)

    def forget(self, proposals: Iterable[str]) -> None:
        """These are decided: they are not tried again, whatever comes of them."""
        for one in proposals:
            self._pending.pop(one, None)
            self._slow.pop(one, None)

    def _try_again(self, envelope: Envelope, slow: _Slow) -> None:
        self._slow[envelope.id] = slow._replace(again=math.inf)  # it is on its way
        self._queue(envelope)

    def _leave(self, bench: _Bench, envelope: Envelope, since: float) -> None:
        """Leave a thread behind, and give what waits for it to another."""
        bench.left = True
        bench.work.put(None)  # where it has come back just now
        self._left[bench] = envelope, since
        before = self._slow.pop(envelope.id, None)
        tries = 1 if before is None else before.tries + 1
        self._slow[envelope.id] = _Slow(tries, self._time + PAUSE * self._seconds)
        while len(self._slow) > REMEMBERED:
            self._slow.popitem(last=False)
        end = len(self._left) >= ABANDONED
        last = "; that was the last thread: this seat judges nothing more until one comes back" if end else ""
        self._teller.count("plugin hangs")
        self._teller.say(
            f"the voter's plugin has not come back from {envelope.id[:12]} within {self._seconds:g} s; no ballot on "
            f"it until it does. Its author must act{last}"
        )
        for proposal, slow in self._slow.items():
            if slow.again == math.inf:  # it was on its way, and is once more when there is a thread to spare
                self._slow[proposal] = slow._replace(again=self._time)
        pending = self._pending.values()
        waiting = [one for one in pending if one.id not in self._slow and not self._is_judged_here(one)]
        self._bench = None
        if not end:
            self._go_on(waiting)
            return
        for one in waiting:  # they are asked for again
            del self._pending[one.id]
            self._tell(Deferred(one.id))

    def _go_on(self, waiting: Iterable[Envelope]) -> None:
        """Have a thread judge, beginning with what waits."""
        self._bench = _Bench(self)
        for envelope in waiting:
            self._queue(envelope)

    def _is_back(self, bench: _Bench) -> None:
        """One that was left behind hangs no longer."""
        envelope, since = self._left.pop(bench)
        again = "; this seat judges again" if self._bench is None else ""
        self._teller.count("plugin came back")
        self._teller.say(
            f"the voter's plugin has come back from {envelope.id[:12]} after {self._time - since:.0f} s; "
            f"{len(self._left)} of its threads hang{again}"
        )
        if self._bench is None:
            self._go_on(())


def _wrong(verdict: object, rules: set[object]) -> str:
    """What is wrong with an answer of a plugin; empty where nothing is."""
    if not isinstance(verdict, Verdict):
        return f"answered a {type(verdict).__name__}"
    judged = {*verdict.held, *verdict.failed}
    if judged != rules:
        odd = ", ".join(sorted(str(rule) for rule in judged ^ rules))
        return f"judged other rules than are mandatory ({odd})"
    return ""

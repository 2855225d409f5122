"""One part of the quorum, driven: a voter, a coordinator or a submitter between a bus, a log and its disk.

The part is pure. Here it is handed one event at a time, where that arrives, and what it asks for is carried out in
order, each kind in a lane of its own: the disk (``keeping``), the log's reads, the log's writes, the bus, the judge. An
answer comes back as one event, or never: where something failed nobody pretends to know, and the part asks again.
"""

from __future__ import annotations

import json
import re
import time
from collections import OrderedDict, deque
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import anyio

from coinswarm.errors import HaltedError, OperatorError, RetryableError
from coinswarm.memory.quorum import messages as m
from coinswarm.memory.quorum import wire
from coinswarm.memory.quorum.docket import MOST_OPEN
from coinswarm.memory.quorum.log import decide, renew, take
from coinswarm.memory.quorum.reader import Halt, LogRead
from coinswarm.memory.quorum.records import START, SealVote
from coinswarm.runtime.swarm.answers import Answers
from coinswarm.runtime.swarm.ears import Ears
from coinswarm.runtime.swarm.ending import first_of, halted
from coinswarm.runtime.swarm.frames import framed, messages_of
from coinswarm.runtime.swarm.hand import Hand
from coinswarm.runtime.swarm.holding import HOLD_SECONDS, LONGEST_SECONDS, Holding
from coinswarm.runtime.swarm.keeping import Keeper
from coinswarm.runtime.swarm.queues import Lane

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from anyio.abc import TaskStatus

    from coinswarm.domain.stored import Message as Carried
    from coinswarm.memory.quorum.docket import Docket
    from coinswarm.memory.quorum.fold import Fold
    from coinswarm.memory.quorum.keys import Scheme
    from coinswarm.memory.quorum.log import Log
    from coinswarm.memory.quorum.records import Envelope, Outcome
    from coinswarm.ports import MessageBus
    from coinswarm.runtime.swarm.disk import Disk
    from coinswarm.runtime.swarm.judging import Judge
    from coinswarm.runtime.swarm.telling import Teller

PROPOSE, VOTE, COMMIT, AUDIT = "mem.propose", "mem.vote", "mem.commit", "mem.audit"
"""Subjects: proposals; votes; heads after a decision; votes under heads."""

SUBJECTS: dict[type, str] = {m.Propose: PROPOSE, m.Vote: VOTE, m.Notice: COMMIT, SealVote: AUDIT}

ENTRIES = 256
"""Entries of the log that are read at once: what one step verifies while everything else waits."""

OUTBOX, OWN = 16_384, 4_096
"""Most messages that wait to be sent; and of our own that are known when they come back."""

TICK_SECONDS = 1.0
LOOK_SECONDS = 0.25
"""How often a voter with open proposals reads the log: many decisions cost it one look then, and no message."""

STOP_SECONDS = 5.0
AWAY_SECONDS = 1.0
"""How long the bus is left alone after it failed."""

AWAY = (RetryableError, OperatorError)
"""A log that cannot be reached, or has no room: it is asked again, whoever must act meanwhile."""


class Part(NamedTuple):
    """What a node drives.

    :param kind: ``voter``, ``coordinator`` or ``submitter``.
    :param state, step: of the pure core.
    :param hears: subjects that it listens to.
    :param at_times: those that a voter listens to while something lies undecided, and a coordinator while it leads.
    """

    kind: str
    name: str
    state: Any
    step: Callable[[Any, Any, int], tuple[Any, tuple[m.Effect, ...]]]
    hears: tuple[str, ...]
    at_times: tuple[str, ...] = ()


class Node:
    """Drives one part.

    :param bus: open.
    :param log: of the shard; called in worker threads, one reading and one writing at a time.
    :param disk: open; None for a part that keeps nothing.
    :param judge: of a voter.
    :param ended: is told how a submitter's proposals ended, and by which entry; 0: by none, it has another key now.
    :param report: is handed what people should keep as evidence.
    :param keep_seal: is handed seals, in a worker thread.
    :param decoder: shared with other parts of this process.
    :param in_force: is handed the log as it was read to its end, at first and whenever another roster is in force; it
        raises where this process may not act in its seat's name.
    :param refuse_fresh: whether a log that has entries already, beside a disk that is empty, is a reason to stop.
    """

    def __init__(  # noqa: PLR0913 - everything that it joins
        self,
        part: Part,
        bus: MessageBus,
        log: Log,
        scheme: Scheme,
        teller: Teller,
        *,
        disk: Disk | None = None,
        judge: Judge | None = None,
        ended: Callable[[Envelope, Outcome, int], None] = lambda _envelope, _outcome, _index: None,
        report: Callable[[m.Report], None] = lambda _report: None,
        keep_seal: Callable[[m.KeepSeal], None] = lambda _seal: None,
        in_force: Callable[[Fold], None] = lambda _fold: None,
        refuse_fresh: bool = False,
        decoder: wire.Decoder | None = None,
        tick_seconds: float = TICK_SECONDS,
    ) -> None:
        self.part, self.state = part, part.state
        self.teller = teller
        self._bus, self._log, self._scheme, self._judge = bus, log, scheme, judge
        self._ended, self._report = ended, report
        self._in_force, self._rosters = in_force, 0
        self._refuse_fresh, self._tick_seconds = refuse_fresh, tick_seconds
        self._events: deque[Any] = deque()
        self._at_work: bool | None = None
        """Whether it is in a step; None: it does not run."""
        self._failure: BaseException | None = None
        self._failed = anyio.Event()
        self._read_hand, self._write_hand = Hand(f"{part.name} reads"), Hand(f"{part.name} decides")
        self._out: Lane[tuple[str, bytes]] = Lane(OUTBOX)
        self._keeper = Keeper(part.name, disk, keep_seal, teller, self.tell)
        self._reading: Lane[m.ReadLog] = Lane(1)
        self._writing: Lane[m.Decide | m.TakeLease | m.RenewLease] = Lane(16)
        self._answers = Answers(teller)
        self._indices: dict[str, int] = {}
        self._ready = False
        self._own: OrderedDict[bytes, None] = OrderedDict()
        self._decoder = decoder or wire.Decoder()
        self._holding = Holding()
        self._ears = Ears(bus, part.at_times, self._hear, time.monotonic())
        self._since: dict[str, float] = {}
        """Open proposals, and since when they are known."""
        self._moved = 0.0
        """When the log last grew."""
        self._perform: dict[type, Callable[[Any], None]] = {
            m.Send: self._send,
            m.Evaluate: self._evaluate,
            m.Keep: self._keeper.keep,
            m.Remember: self._keeper.remember,
            m.KeepSeal: self._keeper.keep,
            m.ReadLog: self._reading.put,
            m.Decide: self._writing.put,
            m.TakeLease: self._writing.put,
            m.RenewLease: self._writing.put,
            m.Ended: self._end,
            m.Report: self._tell_report,
        }

    @property
    def docket(self) -> Docket:
        """What the part knows of the log."""
        docket: Docket = self.state.docket
        return docket

    @property
    def waiting(self) -> int:
        """How many proposals are open with it."""
        return len(self.docket.cases)

    def tell(self, event: Any) -> None:  # noqa: ANN401 - any event of the part's
        """Hand the part an event, such as ``Submit``: it takes it at once, or after what it is at."""
        self._events.append(event)
        if self._at_work is not False:
            return  # it is in a step, or not running
        self._at_work = True
        try:
            while self._events:
                self._step(self._events.popleft())
        except BaseException as error:  # noqa: BLE001 - whoever tells is not at fault: `run` raises it
            self._at_work, self._failure = None, error
            self._failed.set()
        else:
            self._at_work = False

    def hold(self, proposal: str) -> None:
        """Leave a proposal on the disk although it has ended: said when that is heard, until ``let_go``."""
        self._keeper.hold(proposal)

    def let_go(self, proposal: str) -> None:
        """What was held need not be kept any more once all is that was told before."""
        if self._at_work is not None:  # else what was told before is not kept either
            self._keeper.let_go(proposal)

    async def run(self, *, task_status: TaskStatus[None] = anyio.TASK_STATUS_IGNORED) -> None:
        """Drive it until it is cancelled. Started once it listens to the bus.

        :raises HaltedError: when it stopped for good.
        :raises CoinswarmError: for what trying again does not mend.
        """
        listening = []
        try:
            async with anyio.create_task_group() as group:
                hears = [(subject, self._hear) for subject in self.part.hears]
                for subject, heard in (*hears, (status_subject(self.part.name), self._answer_status)):
                    listening.append(await self._bus.subscribe(subject, heard))
                await self._ears.open()
                for lane in (self._publish, self._read, self._write, self._tick, self._look_around, self._keeper.run):
                    group.start_soon(lane)
                if self._judge is not None:
                    group.start_soon(self._judge.run, self.tell)
                task_status.started()
                await self._until_failed()
        except BaseExceptionGroup as errors:
            raise first_of(errors) from errors
        finally:
            self._at_work = None
            with anyio.move_on_after(STOP_SECONDS, shield=True):
                await self._ears.close()
                for subscription in listening:
                    await subscription.unsubscribe()
                await self._keeper.rest()
                for hand in (self._read_hand, self._write_hand):
                    await hand.rest()

    async def _until_failed(self) -> None:
        """Take what came before, then wait for what ends it."""
        self._at_work = False
        self.tell(m.Tick())
        await self._failed.wait()
        assert self._failure is not None, "it failed"
        raise self._failure

    def _step(self, event: Any) -> None:  # noqa: ANN401 - any event of the part's
        """One event, and all that it asks for."""
        if type(event) is LogRead:
            self._before_reading(event)
        self.state, effects = self.part.step(self.state, event, time.monotonic_ns())
        for effect in effects:
            self._perform[type(effect)](effect)
        if type(event) is LogRead:
            self._after_reading(event)

    def _before_reading(self, read: LogRead) -> None:
        """Stop a voter whose disk is empty beside a log that is not; note where a submitter's proposals stand."""
        if self._refuse_fresh and read.head.index:
            name = self.part.name
            message = f"{name} has no disk, but the log has {read.head.index} entries"
            raise HaltedError(
                message,
                remedy="if this seat has voted before, its disk is lost, and it could sign a second ballot: give the "
                "seat a new key. If it is new here, or has a new key, start it once with --new-disk",
            )
        if self._refuse_fresh:  # the log is empty too: from now on this disk is not
            self._keeper.remember(m.Remember(START))
        self._refuse_fresh = False
        if self.part.kind == "submitter":
            self._indices = {entry.envelope.id: entry.index for entry in read.entries}

    def _after_reading(self, read: LogRead) -> None:
        """What is decided now need not be kept any more: the head that the disk remembers lies behind it."""
        if not self._ready and self.docket.reader.ready:
            self._ready = True
            self.tell(m.Tick())  # what waits for that, a lease above all, need not wait for the next one
        fold = self.docket.fold
        index = fold.head.index
        if self._ready and index >= read.head.index and len(fold.rosters) != self._rosters:
            self._rosters = len(fold.rosters)
            self._in_force(fold)
        if index > read.after:
            self._moved = time.monotonic()
        decided = [entry.envelope.id for entry in read.entries if entry.index <= index]
        if self.part.kind != "coordinator":
            self._keeper.decided(decided)
        if self._judge is not None:
            self._judge.forget(decided)

    # ── effects ──

    def _send(self, effect: m.Send) -> None:
        message = effect.message
        data = wire.message_bytes(message)
        self._own[data] = None
        if len(self._own) > OWN:
            self._own.popitem(last=False)
        self._out.put((SUBJECTS[type(message)], data))

    def _end(self, effect: m.Ended) -> None:
        index = self._indices.get(effect.envelope.id, 0)
        self._ended(effect.envelope, effect.outcome, index)
        if not index:  # no entry says so
            self._keeper.decided([effect.envelope.id])

    def _evaluate(self, effect: m.Evaluate) -> None:
        assert self._judge is not None, "a voter has one"
        self._judge.judge(effect.envelope)

    def _tell_report(self, effect: m.Report) -> None:
        """Tell people, keep the evidence; or stop for good."""
        match effect.about:
            case m.Halted(why):
                raise halted(self.part.name, why)
            case m.Double(first, _):
                what = f"voter {first.voter} signed two ballots on {first.proposal[:12]}: neither counts. Find out why"
                self.teller.trouble(f"double {first.voter}", what)
            case m.Reuse(first, second):
                what = f"submitter {first.submitter} used one nonce for {first.id[:12]} and {second.id[:12]}"
                self.teller.trouble(f"reuse {first.submitter}", what)
            case m.Split(proposal):
                what = f"voters disagree about {proposal[:12]}: a lie, or versions or machines that differ"
                self.teller.trouble("split", what)
            case m.Crowd(submitter):
                what = f"submitter {submitter} has {MOST_OPEN} proposals open: no more are taken until some have ended"
                self.teller.trouble(f"crowd {submitter}", what)
        self._report(effect)

    # ── lanes ──

    async def _publish(self) -> None:
        """Send what is to be sent. What cannot be is dropped: everything is asked for again until it is decided."""
        while True:
            frames = list(framed(await self._out.take()))
            for place, frame in enumerate(frames):
                try:
                    await self._bus.publish(frame.subject, frame.data)
                except RetryableError as error:
                    self.teller.count("messages not sent", sum(one.messages for one in frames[place:]))
                    self.teller.trouble("bus away", f"the bus is away ({error}); it is tried again")
                    await anyio.sleep(AWAY_SECONDS)
                    break
            else:
                self.teller.over("bus away", "the bus is back")
            if self._out.dropped:
                self.teller.count("messages not sent", self._out.dropped)
                self._out.dropped = 0

    async def _read(self) -> None:
        """Read the log, the newest question only."""
        while True:
            question = (await self._reading.take())[-1]
            try:
                ask = partial(self._log.read, question.token, question.after, ENTRIES)
                with self._answers.waiting():
                    answer = await self._read_hand.do(ask)
            except AWAY as error:
                self._answers.refused(error)
            except wire.MalformedError as error:  # what stands there is not what was written
                raise halted(self.part.name, f"{Halt.BAD_ENTRY}: {error}") from error
            else:
                self._answers.again()
                again = await self._reading.take() if len(self._reading) else []
                if again and again[-1].after == question.after:
                    # Asked again meanwhile, and from the same place: a log that is slow must not be asked for ever.
                    answer = replace(answer, token=again[-1].token)
                elif again:
                    self._reading.put(again[-1])
                self.tell(answer)

    async def _write(self) -> None:
        """Have the log decide, and keep the lease."""
        name = self.part.name
        while True:
            for effect in await self._writing.take():
                try:
                    match effect:
                        case m.Decide(requests):
                            answers = await self._write_hand.do(partial(decide, self._log, requests, self._scheme))
                            self.tell(m.Answered(answers))
                        case m.TakeLease():
                            self.tell(m.Leased(await self._write_hand.do(partial(take, self._log, name))))
                        case m.RenewLease(epoch):
                            renewed = await self._write_hand.do(partial(renew, self._log, name, epoch))
                            self.tell(m.Leased(renewed))
                except AWAY as error:
                    self._answers.refused(error)
                    self.tell(m.Answered(()) if isinstance(effect, m.Decide) else m.Leased(None))

    async def _tick(self) -> None:
        """Let the part know that time passes."""
        while True:
            await anyio.sleep(self._tick_seconds)
            self.tell(m.Tick())

    # ── the bus ──

    async def _hear(self, carried: Carried) -> None:
        """Messages came: hand them to the part, at once or in a while."""
        now = time.monotonic()
        for data in messages_of(carried.data):
            if data in self._own:
                continue
            if carried.subject == VOTE and not self._decides:
                self._holding.hold(now, data)
            elif not self._take(carried.subject, data):
                break  # nobody honest sends that: what comes after it is not read

    @property
    def _decides(self) -> bool:
        """Whether it leads; everybody else only sees to it that somebody decides."""
        return self.part.kind == "coordinator" and bool(self.state.epoch)

    async def _look_around(self) -> None:
        """Hand over votes that waited if they are still of use; read the log on; listen to what is needed now."""
        while True:
            await anyio.sleep(LOOK_SECONDS)
            now = time.monotonic()
            self._answers.look(now)
            for data in self._holding.due(now, self.docket.fold.decided, self._moved):
                self._take(VOTE, data)
            if self.part.kind == "voter" and self.waiting:
                self.tell(m.Tick())
            try:
                await self._ears.use(
                    now, needed=self._decides if self.part.kind == "coordinator" else self._something_lies(now)
                )
            except RetryableError as error:
                self.teller.trouble("bus away", f"the bus is away ({error}); it is tried again")

    def _something_lies(self, now: float) -> bool:
        """Whether something has been open for so long that it seems to be left lying."""
        self._since = {proposal: self._since.get(proposal, now) for proposal in self.docket.cases}
        patience = LONGEST_SECONDS if now < self._moved + HOLD_SECONDS else HOLD_SECONDS
        return any(since + patience <= now for since in self._since.values())

    def _take(self, subject: str, data: bytes) -> bool:
        """Hand a message to the part; False for what is none."""
        try:
            message = self._decoder.message(data)
        except Exception as error:  # noqa: BLE001 - whatever is wrong with bytes that anybody can send, they are dropped
            what = f"malformed on {subject}"
            self.teller.trouble(what, f"a malformed message on {subject} is dropped ({error}); more are counted")
            return False
        self.tell(message)
        return True

    async def _answer_status(self, carried: Carried) -> None:
        if carried.reply:
            await self._bus.publish(carried.reply, json.dumps(self.status(), sort_keys=True).encode())

    def status(self) -> Mapping[str, object]:
        """How it is doing, for people: nothing of it is signed."""
        docket = self.docket
        return {
            "name": self.part.name,
            "kind": self.part.kind,
            "head": docket.fold.head.index,
            "ready": docket.reader.ready and not self._keeper.stuck,
            "open": self.waiting,
            "epoch": getattr(self.state, "epoch", 0),
            "counts": dict(self.teller.counts),
        }


def status_subject(name: str) -> str:
    """Where a part is asked how it is doing."""
    return f"mem.status.{re.sub('[^A-Za-z0-9_-]', '_', name)}"

"""The simulated world: virtual time, a bus, disks, one database, and everything that can go wrong with them.

One history is a function of its seed. Every part runs the core's ``step``, unchanged; the world carries out effects.
"""

from __future__ import annotations

from collections import Counter
from functools import lru_cache
from heapq import heappop, heappush
from random import Random
from typing import TYPE_CHECKING, Any

from coinswarm.domain.acceptance import AcceptanceRules, Evidence, Rule, Verdict
from coinswarm.errors import AmbiguousError
from coinswarm.memory.quorum import log as logs
from coinswarm.memory.quorum import messages as m
from coinswarm.memory.quorum.findings import findings
from coinswarm.memory.quorum.inmemory import MemoryLog, Rows
from coinswarm.memory.quorum.records import Envelope, Seal, SealVote
from coinswarm.memory.quorum.wire import message_bytes
from coinswarm_testkit.quorum import faults, judging, liars, proposing, spoiling, wire
from coinswarm_testkit.quorum.index import Index
from coinswarm_testkit.quorum.node import CANDIDATES, CLUSTER, SHARD, Node
from coinswarm_testkit.quorum.plan import CHAOS_NS, END_NS, SECOND, TAIL_NS, Plan, Sizes, draw
from coinswarm_testkit.quorum.scheme import cast
from coinswarm_testkit.quorum.watch import Watch

if TYPE_CHECKING:
    from collections.abc import Callable

TICK_NS = SECOND
_MS = 1_000_000
_ON_WIRE = 7
"""In one history of so many, messages are bytes."""

_STEPS = 15
"""How many fault points a transaction of one decision passes, about four episodes."""


class TornError(AmbiguousError):
    """The transaction was cut off."""


@lru_cache(maxsize=256)
def _found(*, accepts: bool, version: int) -> str:
    """What honest voters find: a function of the committed data alone."""
    verdict = Verdict.of({Rule.EVIDENCE: "", Rule.BASE: "", Rule.VALUE: "" if accepts else "it is not allowed"})
    return findings(verdict, Evidence(now_ns=0, version=version, rules=AcceptanceRules()))


def on_wire(seed: int) -> bool:
    """Whether messages are bytes in a history."""
    return seed % _ON_WIRE == 3  # noqa: PLR2004 - of seven, so that it goes with every other that seeds decide


class World:
    """One history.

    :param real: whether signatures are Ed25519.
    :param plan: instead of one that the seed draws.
    """

    def __init__(self, seed: int, sizes: Sizes, *, real: bool = False, plan: Plan | None = None) -> None:
        self.seed, self.sizes = seed, sizes
        self.rng = Random(seed * 16 + sizes.voters)  # noqa: S311 - a simulation must be repeatable
        self.plan = plan if plan is not None else draw(self.rng, sizes)
        self.cast = cast(sizes.voters, sizes.faulty, real=real)
        honest = frozenset(f"v{place}" for place in range(sizes.voters) if place not in self.plan.liars)
        self.watch = Watch(sizes, self.cast, honest)
        self.wire = wire.Wire(self.seed, self.cast, self.plan.liars) if on_wire(seed) else None
        self.now, self.count, self.step_ns = 0, 0, 0
        self.queue: list[tuple[int, int, Callable[..., None], tuple[Any, ...]]] = []
        self.faults: Counter[str] = Counter()
        self.log = MemoryLog(CLUSTER, SHARD, self.cast.roster, self.database_ns, self.fault)
        self.cut = -1
        self.down = False
        self.blocked: set[tuple[str, str]] = set()
        self.seals: list[Seal] = []
        self.heard: list[m.Vote] = []
        self.tail: list[Envelope] = []
        self.carried: list[Envelope] = []
        self.made = 0
        self.backup: Rows | None = None
        self.spoiled = ""
        self.smooth = 0
        rng = self.rng
        voters = [Node("voter", place, self.cast, rng.randrange(1, 10**12)) for place in range(sizes.voters)]
        leaders = [Node("coordinator", place, self.cast, rng.randrange(1, 10**12)) for place in range(CANDIDATES)]
        desk = Node("submitter", 0, self.cast, rng.randrange(1, 10**12))
        self.nodes = [*voters, *leaders, desk]
        self.voters, self.leaders, self.desk = voters, leaders, desk
        self.index = Index(self.cast)
        self.audience = {
            m.Propose: [*voters, *leaders],
            m.Vote: [*voters, *leaders],
            m.Notice: self.nodes,
            SealVote: leaders,
        }
        self.carry: dict[type, Callable[[Node, Any], None]] = {
            m.Send: self.send,
            m.Evaluate: self.evaluate,
            m.Keep: self.keep,
            m.Remember: self.remember,
            m.ReadLog: self.read,
            m.Decide: self.decide,
            m.TakeLease: self.lease,
            m.RenewLease: self.lease,
            m.KeepSeal: lambda _, effect: self.seals.append(effect.seal),
            m.Ended: lambda *_: None,
            m.Report: lambda _, effect: self.faults.update({f"seen {type(effect.about).__name__.lower()}": 1}),
        }

    # ── time ──

    def database_ns(self) -> int:
        """The database's clock, which may have been stepped."""
        return 1_000_000 * SECOND + self.now + self.step_ns

    def later(self, delay: int, what: Callable[..., None], *arguments: Any) -> None:  # noqa: ANN401 - handed on
        """Have something done after a while."""
        self.count += 1
        heappush(self.queue, (self.now + delay, self.count, what, arguments))

    def run(self) -> judging.History:
        """Live through it to the end."""
        rng, plan = self.rng, self.plan
        for node in self.nodes:
            self.later(rng.randrange(TICK_NS), self.tick, node)
        self.later(rng.randrange(TICK_NS), self.project)
        for fault in plan.faults:
            self.later(fault.at_ns, faults.strike, self, fault)
        for _ in range(rng.randint(2, 5)):
            when = rng.randrange(SECOND // 5, CHAOS_NS - 2 * SECOND)
            self.later(when, proposing.propose, self, rng.randint(2, 14) * SECOND)
        if plan.special in {"restore", "edit", "rewrite"}:
            self.later(rng.randrange(2 * SECOND, 4 * SECOND), spoiling.save, self)
            self.later(rng.randrange(6 * SECOND, CHAOS_NS), spoiling.spoil, self)
        self.later(CHAOS_NS, faults.calm, self)
        for _ in range(rng.randint(1, 2)):
            self.later(rng.randrange(TAIL_NS, TAIL_NS + SECOND), proposing.propose_tail, self)
        queue, end, settled = self.queue, END_NS, False
        while queue:
            self.now, _, what, arguments = heappop(queue)
            if self.now > end:
                break
            what(*arguments)
            if not settled and self.now > TAIL_NS + SECOND and self.over():
                settled, end = True, min(END_NS, self.now + 5 * SECOND // 2)
        return judging.judge(self)

    def over(self) -> bool:
        """Whether all proposals of the tail are decided, so that nothing more can come."""
        decisions = self.log.rows.decisions
        return all(envelope.id in decisions for envelope in (*self.tail, *self.carried))

    # ── parts ──

    def tell(self, node: Node, life: int, event: Any) -> None:  # noqa: ANN401 - any event
        """Hand an event to a part, and do what it wants done."""
        if node.life != life or not node.up:
            return
        if node.paused:
            node.backlog.append(event)
            return
        if self.seed % 2 and not node.listens(event, self.now):
            self.faults["not listened to"] += 1
            return
        if type(event) is m.Vote and str(event.ballot.voter) not in self.watch.honest:
            self.watch.overheard(node.name, node.state.docket, event)
        try:
            node.state, effects = node.step(node.state, event, self.now + node.clock_ns)
        except Exception as error:
            if self.wire is None:
                raise
            self.watch.wrong("I10", f"{node.name} was ended by what somebody sent: {error!r}"[:200])
            faults.crash(self, node)
            return
        for effect in effects:
            self.carry[type(effect)](node, effect)

    def tick(self, node: Node) -> None:
        """Tick, and again."""
        self.later(TICK_NS, self.tick, node)
        if not node.paused:
            self.tell(node, node.life, m.Tick())
        if self.plan.forger and node is self.leaders[1] and node.up and self.now < CHAOS_NS:
            for request in liars.unproven(self.rng, self.heard, self.watch.epoch):
                self.faults["forged request"] += 1
                self.later(_MS, self.transact, node, node.life, (request,))

    def delay(self) -> int:
        """How long something takes."""
        return int(self.rng.random() * (self.plan.slow_ns if self.now < CHAOS_NS else 200 * _MS)) + _MS

    # ── the bus ──

    def hear(self, node: Node, life: int, data: bytes) -> None:
        """Bytes arrive: a driver hands over what they say, or drops them."""
        assert self.wire is not None, "else nothing is bytes"
        message = self.wire.heard(data)
        if message is None:
            self.faults["bytes dropped"] += 1
        else:
            self.tell(node, life, message)

    def send(self, node: Node, effect: m.Send) -> None:
        """Publish, or what a liar publishes instead."""
        message = effect.message
        if type(message) is m.Vote:
            if node.place in self.plan.liars and node.kind == "voter":
                manner = self.plan.liars[node.place]
                for said, everybody in liars.lies(self.rng, manner, message, self.cast, node.place, self.heard):
                    self.faults[f"liar: {manner}"] += 1
                    self.publish(node, said, everybody=everybody)
                return
            self.watch.sent(message.ballot)
            self.heard.append(message)
        self.publish(node, message)

    def publish(self, node: Node, message: Any, *, everybody: bool = True) -> None:  # noqa: ANN401 - any message
        """Bring a message to everybody else, as well as the network does; and what is sent beside it."""
        rng, chaos = self.rng, self.now < CHAOS_NS
        arrive: Callable[..., None] = self.tell
        what = message
        if self.wire is not None:
            arrive, what = self.hear, message_bytes(message)
            for manner, data in self.wire.beside(message, chaos=chaos):
                self.faults[manner] += 1
                for other in self.audience[type(message)]:
                    self.later(self.delay(), self.hear, other, other.life, data)
        for other in self.audience[type(message)]:
            if other is node or (not everybody and rng.random() < 0.5):  # noqa: PLR2004 - to about half
                continue
            if chaos:
                if (node.name, other.name) in self.blocked:
                    self.faults["cut off"] += 1
                    continue
                luck = rng.random()
                if luck < self.plan.loss:
                    self.faults["lost"] += 1
                    continue
                if luck > 1 - self.plan.double:
                    self.faults["doubled"] += 1
                    self.later(self.delay(), arrive, other, other.life, what)
            self.later(self.delay(), arrive, other, other.life, what)

    # ── disks ──

    def keep(self, node: Node, effect: m.Keep) -> None:
        """Write, then say so; a crash may come before either."""
        self.later(self.delay() // 4, self.write, node, node.life, effect)

    def write(self, node: Node, life: int, effect: m.Keep) -> None:
        """The disk syncs."""
        if node.life != life:
            self.faults["disk tail lost"] += 1
            return
        if self.wire is not None and not wire.is_readable(effect.message):
            self.watch.wrong("I10", f"{node.name} writes down what it cannot read when it starts again")
        kept = node.disk.keep(effect.message)
        node.disk.remember(effect.seen)
        if self.now < CHAOS_NS and self.rng.random() < self.plan.frail:
            self.faults["died after a write"] += 1
            faults.crash(self, node)
            self.later(min(SECOND, CHAOS_NS - self.now), faults.restart, self, node)
        self.later(_MS, self.tell, node, life, m.Kept(kept))

    def remember(self, node: Node, effect: m.Remember) -> None:
        """Write the head, when there is time."""
        life = node.life
        self.later(self.delay() // 4, lambda: node.disk.remember(effect.seen) if node.life == life else None)

    # ── evidence ──

    def evaluate(self, node: Node, effect: m.Evaluate) -> None:
        """The voter's plugin: a function of committed data; now and then they are not there yet."""
        envelope, life = effect.envelope, node.life
        if self.now < CHAOS_NS and self.rng.random() < 0.1:  # noqa: PLR2004 - one in ten
            self.faults["evidence late"] += 1
            self.later(self.delay(), self.tell, node, life, m.Deferred(envelope.id))
            return
        accepts = proposing.is_good(envelope.proposal)
        found = _found(accepts=accepts, version=envelope.proposal.base_version)
        self.later(self.delay() // 4, self.evaluated, node, life, m.Evaluated(envelope.id, accepts, found))

    def evaluated(self, node: Node, life: int, result: m.Evaluated) -> None:
        """The plugin has answered: a driver hands over all that is there by the time it looks."""
        if node.life == life:
            node.judged.append(result)
            self.later(_MS, self.hand_over, node, life)

    def hand_over(self, node: Node, life: int) -> None:
        """The driver looks."""
        if node.life == life and node.judged:
            results, node.judged = tuple(node.judged), []
            self.tell(node, life, m.Evaluations(results) if len(results) > 1 else results[0])

    # ── the database ──

    def fault(self, step: str) -> None:
        """Cut a transaction off at the step that was drawn for it."""
        if self.cut == 0 or (self.cut > 0 and step == "committed"):
            self.cut = -1
            self.faults[f"torn at {step}"] += 1
            raise TornError(step)
        self.cut -= self.cut > 0

    def draw_cut(self) -> None:
        """Draw whether and where the next transaction is cut off."""
        rng = self.rng
        self.cut = rng.randrange(_STEPS) if self.now < CHAOS_NS and rng.random() < self.plan.torn else -1

    def read(self, node: Node, effect: m.ReadLog) -> None:
        """Ask the log for entries; in chaos, a few at a time."""
        self.later(self.delay() // 4, self.answer, node, node.life, effect)

    def answer(self, node: Node, life: int, effect: m.ReadLog) -> None:
        """The log reads."""
        if self.down or (self.now < CHAOS_NS and self.rng.random() < self.plan.loss):
            return
        found = self.log.read(effect.token, effect.after, 3 if self.seed % 5 == 0 else 1_000)
        if self.wire is not None:
            found = wire.read(found)
        self.later(self.delay() // 4, self.tell, node, life, found)

    def decide(self, node: Node, effect: m.Decide) -> None:
        """Ask the log for decisions, unless the coordinator censors."""
        for request in effect.requests:
            self.watch.asked(node.name, request.proof)
            for ballot in request.proof:
                # Its own ballot may leave a voter in a request first: written down, and then it died before it sent it.
                if ballot.voter == node.name and node.name in self.watch.honest:
                    self.watch.sent(ballot)
        if self.plan.censor and node is self.leaders[0]:
            self.faults["censored"] += len(effect.requests)
            return
        self.later(self.delay() // 4, self.transact, node, node.life, effect.requests)

    def transact(self, node: Node, life: int, requests: tuple[logs.Request, ...]) -> None:
        """One transaction; it happens even if who asked for it has died meanwhile."""
        if self.down:
            self.later(self.delay(), self.tell, node, life, m.Answered(()))
            return
        rows = self.log.rows
        answers: tuple[logs.Answer, ...] = ()
        before = len(rows.entries)
        self.draw_cut()
        try:
            answers = logs.decide(self.log, requests, self.cast.scheme)
        except TornError:
            answers = ()
        self.cut = -1
        for entry in rows.entries[before:]:
            self.watch.appended(entry, node.name)
        self.watch.settled(rows)
        self.later(self.delay() // 4, self.tell, node, life, m.Answered(answers))

    def lease(self, node: Node, effect: m.TakeLease | m.RenewLease) -> None:
        """Ask for the lease."""
        self.later(self.delay() // 4, self.grant, node, node.life, effect)

    def grant(self, node: Node, life: int, effect: m.TakeLease | m.RenewLease) -> None:
        """A transaction about the lease."""
        if self.down:
            return
        before, lease = self.log.rows.lease, None
        self.draw_cut()
        try:
            if isinstance(effect, m.TakeLease):
                lease = logs.take(self.log, node.name)
            else:
                lease = logs.renew(self.log, node.name, effect.epoch)
        except TornError:
            lease = None
        self.cut = -1
        self.watch.leased(before, self.log.rows.lease, node.name, self.database_ns())
        self.later(self.delay() // 4, self.tell, node, life, m.Leased(lease))

    # ── the index ──

    def project(self) -> None:
        """The projector looks at the log, and again."""
        self.later(TICK_NS // 2, self.project)
        if not self.down and self.index.follow(self.log) and self.index.applied is not None:
            self.watch.projected(self.index.applied, self.index.rows)

"""Proposing: a proposal goes in, its outcome comes out; few are under way at once, the others wait their turn.

Episodes that wait at the same time travel together, many in one proposal: what a proposal costs its parts, its bus and
its database it costs whatever it asks for. A proposal that comes alone goes alone, at once; while a few are under way,
what comes waits for one of them to end, and for company.
"""

from __future__ import annotations

import secrets
import time
from collections import Counter, deque
from typing import TYPE_CHECKING, Any, NamedTuple

import anyio

from coinswarm.domain.proposal import MOST_EPISODES, episodes_of
from coinswarm.errors import CoinswarmError, DataError, NotReadyError
from coinswarm.memory.quorum.codec import BODY_LIMIT
from coinswarm.memory.quorum.messages import Submit
from coinswarm.memory.quorum.records import Envelope, Outcome, signed_together
from coinswarm.runtime.swarm import bundling
from coinswarm.runtime.swarm.bundling import Asked
from coinswarm.runtime.swarm.ending import first_of
from coinswarm.runtime.swarm.parts import known, submitter_node

if TYPE_CHECKING:
    from collections.abc import Sequence

    from anyio.abc import TaskStatus

    from coinswarm.domain.proposal import Proposal
    from coinswarm.memory.quorum.fold import Fold
    from coinswarm.memory.quorum.keys import Signer
    from coinswarm.runtime.swarm.disk import Disk
    from coinswarm.runtime.swarm.parts import Place
    from coinswarm.runtime.swarm.telling import Teller

WINDOW = 192
"""Most proposals under way at once, of those that travel alone."""

BUNDLES = 12
"""Most proposals under way at once to remember episodes, one or many: what waits meanwhile travels together."""

EAGER = 3
"""How many of them, of those that were sent lately, may be under way when one more is sent that is not full."""

LATELY_SECONDS = 1.0
"""What is under way for longer waits for something else than its turn, and keeps nobody from his."""

DEADLINE_SECONDS = 30.0
"""How long the quorum may take, by the log's clock, from when a proposal is sent."""

_NONCE_BITS = 62
_BUNDLE = 1 << _NONCE_BITS
"""In the nonce of what was put together here: found on the disk by a later life, it may be taken apart again.

What somebody else proposed as one may not: he asked for all of it or nothing.
"""

_LOOK_SECONDS = 0.05


class Ended(NamedTuple):
    """How a proposal ended.

    :param proposal: its id; of an episode that travelled with others, that of the proposal for all of them.
    :param entry: index of the log's entry about it.
    """

    proposal: str
    outcome: Outcome
    entry: int


class Desk:
    """A submitter with a way in.

    :param disk: open: what was proposed and not decided before is proposed again.
    :param window: most proposals under way that travel alone; :param bundles: and of those for episodes.
    """

    def __init__(  # noqa: PLR0913 - who it is, and where
        self,
        place: Place,
        name: str,
        signer: Signer,
        disk: Disk,
        teller: Teller,
        *,
        window: int = WINDOW,
        bundles: int = BUNDLES,
        **more: Any,  # noqa: ANN401 - of a node
    ) -> None:
        self._place, self._name, self._signer = place, name, known(place, signer)
        self._alone: deque[Asked] = deque()
        self._episodes: deque[Asked] = deque()
        self._room = {False: window, True: bundles}
        """How many more may be under way: of others, and of those for episodes."""
        self._under_way: dict[str, tuple[Asked, ...]] = {}
        self._sent: dict[str, float] = {}
        """When each of those for episodes under way was sent, the oldest first; without those of long ago."""
        self._subjects: Counter[str] = Counter()
        """Episodes under way: what is refused because of itself must not travel with others."""
        self._refused: list[tuple[str, tuple[Asked, ...]]] = []
        """What is to be taken apart: it is held on the disk until its parts are."""
        self._news = anyio.Event()
        self._error: BaseException | None = None
        self.node = submitter_node(place, name, signer.key, disk, teller, ended=self._ended, **more)

    async def run(self, *, task_status: TaskStatus[None] = anyio.TASK_STATUS_IGNORED) -> None:
        """Drive the submitter until cancelled.

        :raises HaltedError: when the log is not to be believed.
        :raises NotReadyError: when the roster in force has another key for this submitter, or no such seat.
        """
        try:
            async with anyio.create_task_group() as group:
                await group.start(self.node.run)
                group.start_soon(self._serve)
                task_status.started()
        except BaseExceptionGroup as errors:
            error = first_of(errors)
            self._error = error if isinstance(error, CoinswarmError) else self._stopped()
            raise error from errors
        finally:
            self._error = self._error or self._stopped()
            waiting = [*self._alone, *self._episodes, *(one for _, those in self._refused for one in those)]
            for one in [*waiting, *(one for those in self._under_way.values() for one in those)]:
                one.done.set()

    async def propose(self, proposal: Proposal, *, seconds: float = DEADLINE_SECONDS) -> Ended:
        """Propose something and wait for its outcome, which always comes while the log can be reached.

        An episode may travel with others that wait; its outcome is its own all the same. Cancelled before its turn, it
        is not proposed; later it may end in any way: it is on the submitter's disk and is sent until it is decided.

        :param seconds: until its deadline, by the log's clock.
        :raises HaltedError: when the log is not to be believed.
        :raises NotReadyError: when the submitter has been stopped; what is under way is proposed again when it starts.
        :raises DataError: it is too long, or cannot be written down: a text in it is no Unicode.
        """
        if self._error is not None:
            raise self._error
        asked = Asked(proposal, int(seconds * 1e9), bundling.may_share(proposal))
        (self._episodes if asked.shares else self._alone).append(asked)
        self._news.set()  # what is proposed before that is noticed is signed together
        try:
            await asked.done.wait()
        finally:
            asked.left = True
        if asked.ended is None:
            raise asked.wrong or self._error or self._stopped()
        return asked.ended

    async def ready(self) -> Fold:
        """The log, once all of it was read that was there; waits while it cannot be reached.

        :raises HaltedError, NotReadyError: as ``propose``.
        """
        while not self.node.docket.reader.ready and self._error is None:  # noqa: ASYNC110 - the core has no events
            await anyio.sleep(_LOOK_SECONDS)
        if self._error is not None:
            raise self._error
        return self.node.docket.fold

    async def _serve(self) -> None:
        """Take apart what was refused, and send what waits, as often as there is news."""
        await self.ready()
        while True:
            self._news = anyio.Event()
            self._take_apart()
            self._send(self._turns())
            if self._episodes and self._sent:
                with anyio.move_on_after(next(iter(self._sent.values())) + LATELY_SECONDS - time.monotonic()):
                    await self._news.wait()
            else:
                await self._news.wait()

    def _turns(self) -> list[tuple[Asked, ...]]:
        """Whose turn it is, as they travel."""
        turns: list[tuple[Asked, ...]] = []
        while self._alone and len(turns) < self._room[False]:
            one = self._alone.popleft()
            turns += [] if one.left else [(one,)]
        bundles: list[tuple[Asked, ...]] = []
        lately = self._sent_lately()
        while self._episodes and len(bundles) < self._room[True]:
            if len(self._episodes) < MOST_EPISODES and lately + len(bundles) >= EAGER:
                break  # one of them ends soon, and all that wait then travel together
            those = self._bundle()
            bundles += [those] if those else []
        return [*turns, *bundles]

    def _sent_lately(self) -> int:
        """How many proposals for episodes are under way that were sent lately."""
        long_ago = time.monotonic() - LATELY_SECONDS
        while self._sent and next(iter(self._sent.values())) <= long_ago:
            self._sent.pop(next(iter(self._sent)))
        return len(self._sent)

    def _bundle(self) -> tuple[Asked, ...]:
        """The next that travel together, at most as many as one proposal takes; none: nobody waits for them."""
        those: list[Asked] = []
        versions = self.node.docket.fold.versions
        while self._episodes and len(those) < MOST_EPISODES:
            one = self._episodes[0]
            subject = one.proposal.subject
            new = not self._subjects[subject] and not versions.get(subject)
            if those and not one.left and not (new and one.life_ns == those[0].life_ns):
                break
            self._episodes.popleft()
            if one.left:
                continue
            those.append(one)
            self._subjects[subject] += 1
            if not new:
                break
        return tuple(those)

    def _send(self, turns: Sequence[tuple[Asked, ...]]) -> None:
        """Sign proposals together, and hand them over."""
        made = [found for those in turns for found in self._made(those)]
        envelopes = signed_together([envelope for envelope, _ in made], self._signer)
        for envelope, (_, those) in zip(envelopes, made, strict=True):
            self._under_way[envelope.id] = those
            self._room[those[0].shares] -= 1
            if those[0].shares:
                self._sent[envelope.id] = time.monotonic()
            self.node.tell(Submit(envelope))

    def _made(self, those: tuple[Asked, ...]) -> list[tuple[Envelope, tuple[Asked, ...]]]:
        """Their proposal, not signed yet. What cannot be written down is its own asker's trouble, and nobody else's."""
        envelope = self._envelope(those)
        try:
            _demand_short(envelope)
        except DataError as error:
            if len(those) > 1:
                return [found for one in those for found in self._made((one,))]
            those[0].wrong = error
            self._over(those[0])
            self._news.set()  # somebody else has its turn
            return []
        return [(envelope, those)]

    def _envelope(self, those: Sequence[Asked]) -> Envelope:
        """One proposal for all of these, not signed yet, with a nonce never used and a deadline by the log's clock."""
        reader = self.node.docket.reader
        now_ns = reader.now_ns(time.monotonic_ns())
        for one in those:
            one.deadline_ns = one.deadline_ns or now_ns + one.life_ns
        return Envelope(
            cluster=self._place.cluster,
            shard=self._place.shard,
            roster=reader.fold.roster.version,
            submitter=self._name,
            nonce=secrets.randbits(_NONCE_BITS) | (_BUNDLE if len(those) > 1 else 0),
            deadline_ns=bundling.deadline_ns(those, now_ns),
            proposal=bundling.together(those),
        )

    def _ended(self, envelope: Envelope, outcome: Outcome, entry: int) -> None:
        """Tell whoever waits; what was refused together has not ended yet."""
        those, left = self._under_way.pop(envelope.id, ()), tuple[Asked, ...]()
        self._sent.pop(envelope.id, None)
        if those:
            self._room[those[0].shares] += 1
        elif envelope.nonce & _BUNDLE:  # of an earlier life
            left = bundling.orphans(envelope.proposal, int(DEADLINE_SECONDS * 1e9))
        elif not entry and episodes_of(envelope.proposal.change):  # signed with an earlier key
            left = (bundling.orphan(envelope.proposal, int(DEADLINE_SECONDS * 1e9)),)
        self._subjects.update([one.proposal.subject for one in left if one.shares])
        those = those or left
        now_ns = self.node.docket.reader.now_ns(time.monotonic_ns())
        again = []
        for one in those:
            if (len(those) > 1 or not entry) and bundling.is_open(one, outcome, now_ns):
                again.append(one)
            else:
                one.ended = Ended(envelope.id, outcome, entry)
                self._over(one)
        if again:
            self.node.hold(envelope.id)
            self._refused.append((envelope.id, tuple(again)))
        self._news.set()

    def _take_apart(self) -> None:
        """Propose again what was refused together. It does not wait for its turn, which it had."""
        refused, self._refused = self._refused, []
        versions = self.node.docket.fold.versions
        parts: list[tuple[Asked, ...]] = []
        for _, those in refused:
            done = [one for one in those if one.left and versions.get(one.proposal.subject)]
            for one in done:  # remembered, by whatever proposal, and nobody waits to hear by which
                self._over(one)
            parts += bundling.apart([one for one in those if one not in done], versions)
        self._send(parts)
        for proposal, _ in refused:
            self.node.let_go(proposal)

    def _over(self, one: Asked) -> None:
        """Nothing more is done about it."""
        if one.shares:
            subject = one.proposal.subject
            more = self._subjects.pop(subject) - 1
            self._subjects.update({subject: more} if more else {})
        one.done.set()

    def _stopped(self) -> NotReadyError:
        return NotReadyError(f"the submitter {self._name} is not running", remedy="propose while its swarm is running")


def _demand_short(envelope: Envelope) -> None:
    """Refuse what nobody would take.

    :raises DataError: for a proposal that is too long, or cannot be written down: a text in it is no Unicode.
    """
    try:
        size = len(envelope.body)
    except ValueError as error:
        message = f"what is proposed cannot be written down ({error})"
        raise DataError(message, remedy="a text in it is no Unicode: correct it") from None
    if size > BODY_LIMIT:
        message = f"a proposal of {size:,} bytes about {envelope.proposal.subject!r}: at most {BODY_LIMIT:,} are taken"
        raise DataError(message, remedy="say it in fewer words, or cite less")

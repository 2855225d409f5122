"""Proposing: a proposal goes in, its outcome comes out; few are under way at once, the others wait their turn."""

from __future__ import annotations

import secrets
import time
from typing import TYPE_CHECKING, Any, NamedTuple

import anyio
import anyio.lowlevel

from coinswarm.errors import CoinswarmError, NotReadyError
from coinswarm.memory.quorum.messages import Submit
from coinswarm.memory.quorum.records import Envelope, signed_together
from coinswarm.runtime.swarm.parts import known, submitter_node

if TYPE_CHECKING:
    from anyio.abc import TaskStatus

    from coinswarm.domain.proposal import Proposal
    from coinswarm.memory.quorum.fold import Fold
    from coinswarm.memory.quorum.keys import Signer
    from coinswarm.memory.quorum.records import Outcome
    from coinswarm.runtime.swarm.disk import Disk
    from coinswarm.runtime.swarm.parts import Place
    from coinswarm.runtime.swarm.telling import Teller

WINDOW = 192
"""Most proposals under way at once."""

DEADLINE_SECONDS = 30.0
"""How long the quorum may take, by the log's clock, from when a proposal is sent."""

_NONCE_BITS = 62
_LOOK_SECONDS = 0.05


class Ended(NamedTuple):
    """How a proposal ended.

    :param proposal: its id.
    :param entry: index of the log's entry about it.
    """

    proposal: str
    outcome: Outcome
    entry: int


class Desk:
    """A submitter with a way in.

    :param disk: open: what was proposed and not decided before is proposed again.
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
        **more: Any,  # noqa: ANN401 - of a node
    ) -> None:
        self._place, self._name, self._signer = place, name, known(place, signer)
        self._waiting: dict[str, tuple[anyio.Event, list[Ended]]] = {}
        self._turn = anyio.Semaphore(window)
        self._unsigned: list[Envelope] = []
        self._error: BaseException | None = None
        self.node = submitter_node(place, name, disk, teller, ended=self._ended, **more)

    async def run(self, *, task_status: TaskStatus[None] = anyio.TASK_STATUS_IGNORED) -> None:
        """Drive the submitter until cancelled.

        :raises HaltedError: when the log is not to be believed.
        """
        try:
            await self.node.run(task_status=task_status)
        except BaseException as error:
            self._error = error if isinstance(error, CoinswarmError) else self._stopped()
            raise
        finally:
            self._error = self._error or self._stopped()
            for event, _ in self._waiting.values():
                event.set()

    async def propose(self, proposal: Proposal, *, seconds: float = DEADLINE_SECONDS) -> Ended:
        """Propose something and wait for its outcome, which always comes while the log can be reached.

        Cancelled, it may end in any way: the proposal is on the submitter's disk and is sent until it is decided.

        :param seconds: until its deadline, by the log's clock.
        :raises HaltedError: when the log is not to be believed.
        :raises NotReadyError: when the submitter has been stopped; what is under way is proposed again when it starts.
        """
        async with self._turn:
            envelope = await self._envelope(proposal, seconds)
            waiting = self._waiting[envelope.id] = (anyio.Event(), [])
            try:
                self._unsigned.append(envelope)
                await anyio.lowlevel.checkpoint()  # what is proposed meanwhile is signed together
                self._submit()
                await waiting[0].wait()
            finally:
                del self._waiting[envelope.id]
        if not waiting[1]:
            raise self._error or self._stopped()
        return waiting[1][0]

    async def ready(self) -> Fold:
        """The log, once all of it was read that was there; waits while it cannot be reached.

        :raises HaltedError, NotReadyError: as ``propose``.
        """
        while not self.node.docket.reader.ready and self._error is None:  # noqa: ASYNC110 - the core has no events
            await anyio.sleep(_LOOK_SECONDS)
        if self._error is not None:
            raise self._error
        return self.node.docket.fold

    async def _envelope(self, proposal: Proposal, seconds: float) -> Envelope:
        """The proposal, not signed yet, with a nonce that was never used and a deadline by the log's clock."""
        await self.ready()
        reader = self.node.docket.reader
        return Envelope(
            cluster=self._place.cluster,
            shard=self._place.shard,
            roster=reader.fold.roster.version,
            submitter=self._name,
            nonce=secrets.randbits(_NONCE_BITS),
            deadline_ns=reader.now_ns(time.monotonic_ns()) + int(seconds * 1e9),
            proposal=proposal,
        )

    def _submit(self) -> None:
        """Sign all that is not signed yet, and hand it over."""
        unsigned, self._unsigned = self._unsigned, []
        for envelope in signed_together(unsigned, self._signer):
            self.node.tell(Submit(envelope))

    def _stopped(self) -> NotReadyError:
        return NotReadyError(f"the submitter {self._name} is not running", remedy="propose while its swarm is running")

    def _ended(self, proposal: str, outcome: Outcome, entry: int) -> None:
        found = self._waiting.get(proposal)
        if found is not None:
            event, outcomes = found
            outcomes.append(Ended(proposal, outcome, entry))
            event.set()

"""The whole quorum in one process: voters, a coordinator and a submitter as tasks, on one log and one local bus.

It decides by the same rules and the same signatures as processes do. What it does not give is independence: one crash
stops all seats, and who can write to the folder can sign for each of them.
"""

from __future__ import annotations

import time
from contextlib import AsyncExitStack, ExitStack
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Self

import anyio

from coinswarm.errors import HaltedError, NotReadyError
from coinswarm.memory.quorum.keys import Ed25519Scheme
from coinswarm.runtime.swarm.desk import DEADLINE_SECONDS, Desk, Ended
from coinswarm.runtime.swarm.disk import Disk
from coinswarm.runtime.swarm.judging import Judge
from coinswarm.runtime.swarm.parts import Place, coordinator_node, voter_node
from coinswarm.runtime.swarm.signatures import Remembering
from coinswarm.runtime.swarm.telling import Teller

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path
    from types import TracebackType

    from anyio.abc import TaskGroup

    from coinswarm.contracts import Voter
    from coinswarm.domain.proposal import Proposal
    from coinswarm.memory.quorum.keys import Signer
    from coinswarm.memory.quorum.log import Log
    from coinswarm.memory.quorum.roster import Roster
    from coinswarm.ports import MessageBus
    from coinswarm.runtime.swarm.judging import Gather
    from coinswarm.runtime.swarm.node import Node

COORDINATOR = "coordinator"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cast:
    """Who takes part.

    :param roster: of version 0.
    :param voters: seat -> its signer and the plugin's object that judges for it.
    :param submitter: name of the seat that proposes; :param signer: its key.
    """

    roster: Roster
    voters: Mapping[str, tuple[Signer, Voter]]
    submitter: str
    signer: Signer


@dataclass(slots=True)
class EmbeddedSwarm:
    """Used inside ``async with``; proposals may be made by any number of tasks at once.

    :param folder: for the parts' disks.
    :param bus: open, of this process.
    :param log: open.
    :param gather: reads evidence, in worker threads.
    :param say: is handed one line at a time of what people should know.
    :ivar halts: part -> why it stopped for good.
    """

    cluster: str
    shard: str
    cast: Cast
    folder: Path
    bus: MessageBus
    log: Log
    gather: Gather
    say: Callable[[str], None] = lambda _line: None
    halts: dict[str, HaltedError] = field(default_factory=dict)
    _desk: Desk | None = None
    _group: TaskGroup | None = None
    _stack: AsyncExitStack = field(default_factory=AsyncExitStack)

    async def __aenter__(self) -> Self:
        """Start all parts.

        :raises NotReadyError: when another process holds the folder.
        :raises DataError: when what lies in it is damaged.
        """
        async with AsyncExitStack() as stack:
            disks = stack.enter_context(ExitStack())
            place = Place(
                cluster=self.cluster,
                shard=self.shard,
                roster=self.cast.roster,
                scheme=Remembering(Ed25519Scheme()),
                bus=self.bus,
                log=self.log,
            )

            def disk(name: str) -> Disk:
                return disks.enter_context(Disk(self.folder / f"{name}.sqlite", name, self.cluster, self.shard))

            group = await stack.enter_async_context(anyio.create_task_group())
            stack.callback(group.cancel_scope.cancel)
            for name, (signer, plugin) in self.cast.voters.items():
                teller = Teller(name, self.say)
                judge = Judge(name, plugin, self.gather, teller, time.monotonic)
                await self._start(group, voter_node(place, name, signer, disk(name), judge, teller))
            teller = Teller(COORDINATOR, self.say)
            await self._start(group, coordinator_node(place, COORDINATOR, disk(COORDINATOR), teller))
            name = self.cast.submitter
            self._desk = Desk(place, name, self.cast.signer, disk(name), Teller(name, self.say))
            await group.start(partial(self._guarded, self._desk.node, self._desk))
            self._group = group
            self._stack = stack.pop_all()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop all parts: what is under way is taken up when they start again."""
        self._desk = None
        await self._stack.__aexit__(kind, error, trace)

    async def propose(self, proposal: Proposal, *, seconds: float = DEADLINE_SECONDS) -> Ended:
        """Propose something, and wait for its outcome (``Desk.propose``).

        :param seconds: until its deadline.
        :raises HaltedError: when the log is not to be believed.
        :raises NotReadyError: outside ``async with``.
        """
        if self._desk is None:
            message = "the swarm is not running"
            raise NotReadyError(message, remedy="use it inside `async with`")
        return await self._desk.propose(proposal, seconds=seconds)

    async def _start(self, group: TaskGroup, node: Node) -> None:
        await group.start(partial(self._guarded, node, node))

    async def _guarded(
        self, node: Node, runner: Node | Desk, *, task_status: anyio.abc.TaskStatus[None] = anyio.TASK_STATUS_IGNORED
    ) -> None:
        """Run a part; one that stops for good does not stop the others, and is told."""
        try:
            await runner.run(task_status=task_status)
        except HaltedError as error:
            self.halts[node.part.name] = error
            self.say(str(error))

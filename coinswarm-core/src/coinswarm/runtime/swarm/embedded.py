"""The whole quorum in one process: voters, a coordinator and a submitter as tasks, on one log and one local bus.

It decides by the same rules and the same signatures as processes do. What it does not give is independence: one crash
stops all seats, and who can write to the folder can sign for each of them.
"""

from __future__ import annotations

import time
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Self

import anyio

from coinswarm.errors import CoinswarmError, HaltedError, NotReadyError
from coinswarm.memory.quorum.keys import Ed25519Scheme
from coinswarm.memory.quorum.wire import Decoder
from coinswarm.runtime.swarm.desk import DEADLINE_SECONDS, Desk, Ended
from coinswarm.runtime.swarm.disk import Disk
from coinswarm.runtime.swarm.judging import Judge
from coinswarm.runtime.swarm.parts import Place, coordinator_node, voter_node
from coinswarm.runtime.swarm.sharing import Shared
from coinswarm.runtime.swarm.signatures import Remembering
from coinswarm.runtime.swarm.telling import Teller

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path
    from types import TracebackType

    from anyio.abc import TaskGroup, TaskStatus

    from coinswarm.contracts import Voter
    from coinswarm.domain.proposal import Proposal
    from coinswarm.memory.quorum.keys import Signer
    from coinswarm.memory.quorum.log import Log
    from coinswarm.memory.quorum.roster import Roster
    from coinswarm.ports import MessageBus
    from coinswarm.runtime.swarm.node import Node
    from coinswarm.runtime.swarm.sharing import Gather

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
    halts: dict[str, CoinswarmError] = field(default_factory=dict)
    _desk: Desk | None = None
    _group: TaskGroup | None = None
    _disks: ExitStack = field(default_factory=ExitStack)

    async def __aenter__(self) -> Self:
        """Start all parts.

        :raises NotReadyError: when another process holds the folder.
        :raises DataError: when what lies in it is damaged.
        """
        place = Place(
            cluster=self.cluster,
            shard=self.shard,
            roster=self.cast.roster,
            scheme=Remembering(Ed25519Scheme()),
            bus=self.bus,
            log=self.log,
        )
        gather = Shared(self.gather)
        with ExitStack() as disks:
            nodes = self._nodes(place, gather, disks)
            self._disks = disks.pop_all()
        group = anyio.create_task_group()
        await group.__aenter__()
        self._group = group
        group.start_soon(gather.run)
        try:
            for node, runner in nodes:
                await group.start(partial(self._guarded, node, runner))
        except BaseException:
            await self._end()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop all parts: what is under way is taken up when they start again."""
        await self._end()

    async def _end(self) -> None:
        """End the tasks, then close the disks. An error of the block is not ours to wrap."""
        group, self._group, self._desk = self._group, None, None
        with self._disks:
            if group is not None:
                group.cancel_scope.cancel()
                await group.__aexit__(None, None, None)

    def _nodes(self, place: Place, gather: Shared, disks: ExitStack) -> list[tuple[Node, Node | Desk]]:
        """Every part with what runs it, on open disks."""

        def disk(name: str) -> Disk:
            return disks.enter_context(Disk(self.folder / f"{name}.sqlite", name, self.cluster, self.shard))

        nodes: list[tuple[Node, Node | Desk]] = []
        decoder = Decoder()
        for name, (signer, plugin) in self.cast.voters.items():
            teller = Teller(name, self.say)
            judge = Judge(name, plugin, gather, teller, time.monotonic, soon=gather.soon)
            node = voter_node(place, name, signer, disk(name), judge, teller, decoder=decoder)
            nodes.append((node, node))
        node = coordinator_node(place, COORDINATOR, disk(COORDINATOR), Teller(COORDINATOR, self.say), decoder=decoder)
        nodes.append((node, node))
        name = self.cast.submitter
        self._desk = Desk(place, name, self.cast.signer, disk(name), Teller(name, self.say), decoder=decoder)
        return [*nodes, (self._desk.node, self._desk)]

    @property
    def desk(self) -> Desk:
        """Where proposals go in.

        :raises NotReadyError: outside ``async with``.
        """
        if self._desk is None:
            message = "the swarm is not running"
            raise NotReadyError(message, remedy="use it inside `async with`")
        return self._desk

    async def propose(self, proposal: Proposal, *, seconds: float = DEADLINE_SECONDS) -> Ended:
        """Propose something, and wait for its outcome (``Desk.propose``).

        :param seconds: until its deadline.
        :raises HaltedError: when the log is not to be believed.
        :raises NotReadyError: outside ``async with``.
        """
        return await self.desk.propose(proposal, seconds=seconds)

    async def _guarded(
        self, node: Node, runner: Node | Desk, *, task_status: TaskStatus[None] = anyio.TASK_STATUS_IGNORED
    ) -> None:
        """Run a part; one that stops for good, or has no seat any more, does not stop the others, and is told."""
        try:
            await runner.run(task_status=task_status)
        except (HaltedError, NotReadyError) as error:
            self.halts[node.part.name] = error
            self.say(str(error))

"""What a part must not forget, on its way to its disk: all that waits goes together, for one fsync.

A proposal, which is sent meanwhile, waits a moment first: most are decided by then, and need no place on the disk.
"""

from __future__ import annotations

import math
import time
from functools import partial
from typing import TYPE_CHECKING

import anyio

from coinswarm.errors import OutputError
from coinswarm.memory.quorum import messages as m
from coinswarm.runtime.swarm.hand import Hand
from coinswarm.runtime.swarm.queues import Lane

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from coinswarm.runtime.swarm.disk import Disk
    from coinswarm.runtime.swarm.telling import Teller

REMEMBER_SECONDS = 0.1
"""How long the highest head may be known and not be on the disk."""

AGAIN_SECONDS = 1.0
"""How long a disk that took nothing is left alone."""

YOUNG_SECONDS = 0.03
"""How long a proposal is under way before it is written down: several times what a quorum takes that is well."""


class Keeper:
    """Writes to a part's disk, and copies seals.

    :param disk: open; None for a part that keeps nothing.
    :param keep_seal: is handed seals, in a worker thread.
    :param tell: is told what lies on the disk.
    """

    def __init__(
        self,
        name: str,
        disk: Disk | None,
        keep_seal: Callable[[m.KeepSeal], None],
        teller: Teller,
        tell: Callable[[m.Kept], None],
    ) -> None:
        self._disk, self._keep_seal, self._teller, self._tell = disk, keep_seal, teller, tell
        self._hand = Hand(f"{name}'s disk")
        self._waiting: Lane[m.Keep | m.Remember | m.KeepSeal] = Lane(1_000_000)
        self._seen: m.Remember | None = None
        self._forgetful = anyio.Event()
        self._decided: list[str] = []
        self._held: set[str] = set()
        self._young: dict[str, tuple[float, m.Keep]] = {}
        """Proposals that are not to be written yet, oldest first, and when they are."""
        self._born = anyio.Event()
        self.stuck = False
        """Whether the disk took nothing when it was last asked."""

    def keep(self, effect: m.Keep | m.KeepSeal) -> None:
        """Have something kept, after all before it: a proposal unless it is decided in a moment."""
        if isinstance(effect, m.Keep) and isinstance(effect.message, m.Propose):
            self._young[effect.message.envelope.id] = time.monotonic() + YOUNG_SECONDS, effect
            self._born.set()
        else:
            self._waiting.put(effect)

    def remember(self, effect: m.Remember) -> None:
        """There is time with the next thing that is kept, or a little later."""
        self._seen = effect
        self._forgetful.set()

    def decided(self, proposals: Iterable[str]) -> None:
        """What was kept about these need not be kept any more once a head behind their decisions is."""
        for one in proposals:
            if one not in self._held and self._young.pop(one, None) is None:
                self._decided.append(one)

    def hold(self, proposal: str) -> None:
        """Leave a proposal where it is although it is decided, until ``let_go``."""
        self._held.add(proposal)

    def let_go(self, proposal: str) -> None:
        """It need not be kept any more once all is that was to be kept before."""
        self._held.discard(proposal)
        self.decided([proposal])
        self._grow_up()

    async def run(self) -> None:
        """Write until cancelled."""
        if self._disk is None:  # nothing is asked to be kept but the head, and seals, which are copied
            while True:
                await self._seals(await self._waiting.take())
        async with anyio.create_task_group() as group:
            group.start_soon(self._remind)
            group.start_soon(self._write_young)
            while True:
                await self._write(self._disk, await self._waiting.take())

    async def rest(self) -> None:
        """At the end: all that was to be kept, and the highest head, so that the next life knows it."""
        self._grow_up()
        if self._disk is not None:
            jobs, done = self._for_disk(await self._waiting.take() if len(self._waiting) else [])
            try:
                if jobs:
                    await self._hand.do(partial(self._disk.write, jobs, done))
            except OutputError as error:
                self._teller.trouble("disk", str(error))
        await self._hand.rest()

    async def _write(self, disk: Disk, batch: Sequence[m.Keep | m.Remember | m.KeepSeal]) -> None:
        """Write a batch; what a full disk does not take is tried again."""
        jobs, done = self._for_disk(batch)
        await self._seals(batch)
        kept = None
        while kept is None:
            try:
                kept = await self._hand.do(partial(disk.write, jobs, done))
            except OutputError as error:
                self.stuck = True
                self._teller.trouble("disk", str(error))
                await anyio.sleep(AGAIN_SECONDS)
        self.stuck = False
        self._teller.over("disk", "the disk takes writes again")
        for message in kept:
            self._tell(m.Kept(message))

    def _for_disk(
        self, batch: Sequence[m.Keep | m.Remember | m.KeepSeal]
    ) -> tuple[list[m.Keep | m.Remember], list[str]]:
        """What a batch has for the disk, with the highest head, and the proposals that are let go of with it."""
        jobs = [job for job in batch if not isinstance(job, m.KeepSeal)]
        # What is decided is let go of together with keeping a head at or behind its decision.
        jobs += [self._seen] if self._seen is not None else []
        done, self._decided, self._seen = self._decided, [], None
        return jobs, done

    async def _seals(self, batch: Sequence[object]) -> None:
        for job in batch:
            if isinstance(job, m.KeepSeal):
                try:
                    await self._hand.do(partial(self._keep_seal, job))
                except OSError as error:
                    self._teller.trouble("seals", f"a seal cannot be copied ({error}); the next one covers it")

    def _grow_up(self, now: float = math.inf) -> None:
        """Have proposals written that are not young any more, by default all."""
        for proposal, (due, effect) in list(self._young.items()):
            if due > now:
                break
            del self._young[proposal]
            self._waiting.put(effect)

    async def _write_young(self) -> None:
        """Have proposals written that are not decided in time."""
        while True:
            await self._born.wait()
            self._born = anyio.Event()
            while self._young:
                await anyio.sleep(YOUNG_SECONDS)
                self._grow_up(time.monotonic())

    async def _remind(self) -> None:
        """Have the head kept within ``REMEMBER_SECONDS`` where nothing else is kept meanwhile."""
        while True:
            await self._forgetful.wait()
            self._forgetful = anyio.Event()
            await anyio.sleep(REMEMBER_SECONDS)
            if self._seen is not None:
                self._waiting.put(self._seen)

"""Evidence for judges: gathered for several proposals at once, and once for all seats of one process."""

from __future__ import annotations

import asyncio
import sys
import threading
from collections import OrderedDict
from functools import partial
from typing import TYPE_CHECKING

import anyio

from coinswarm.errors import RetryableError
from coinswarm.runtime.swarm.hand import Hand
from coinswarm.runtime.swarm.queues import Lane

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from coinswarm.domain.acceptance import Evidence
    from coinswarm.memory.quorum.records import Envelope

    Gather = Callable[[Envelope], Evidence | None]
    """Reads what a proposal cites from committed data; None where it is not there."""

    Found = tuple[Envelope, Evidence | Exception | None]
    """A proposal, and its evidence or what kept that from being read."""

TOGETHER = 64
"""Most proposals whose evidence is gathered together, where those wait."""

STOP_SECONDS = 1.0
"""How long whoever stops waits for the evidence that is being gathered."""


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

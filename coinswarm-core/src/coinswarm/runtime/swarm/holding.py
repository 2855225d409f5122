"""Messages that can wait: what others have voted, for who would use it only if nobody else decides.

Messages may come late (docs/quorum.md), so a driver may hold them back. Of a proposal that is decided meanwhile, votes
are dropped unread: that is all of them, as long as a coordinator is at work.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from coinswarm.memory.quorum.records import Outcome
    from coinswarm.memory.quorum.table import Table

HOLD_SECONDS, LONGEST_SECONDS = 0.5, 2.0
"""How long a vote is held back: a coordinator that is dead is noticed so much later. While the log grows somebody
decides, and has much to do: then up to the longer time, which is what one that leaves out a proposal gains."""

LIMIT = 16_384
"""Most votes that are held; of more, the oldest goes. It is sent again with its proposal."""

_MARK, _HEX = b'"proposal":"', 64


class Holding:
    """Votes as they came, in order."""

    def __init__(self) -> None:
        self._held: deque[tuple[float, bytes]] = deque(maxlen=LIMIT)

    def hold(self, now: float, data: bytes) -> None:
        """Keep one."""
        self._held.append((now, data))

    def due(self, now: float, decided: Table[Outcome], moved: float = 0.0) -> Iterator[bytes]:
        """Those that have waited long enough and are about a proposal that is not decided.

        :param moved: when the log last grew.
        """
        patience = LONGEST_SECONDS if now < moved + HOLD_SECONDS else HOLD_SECONDS
        while self._held and self._held[0][0] + patience <= now:
            _, data = self._held.popleft()
            if _about(data) not in decided:
                yield data


def _about(data: bytes) -> str:
    """The proposal that a vote says it is about: enough to drop it by, and for nothing else."""
    place = data.find(_MARK)
    return data[place + len(_MARK) : place + len(_MARK) + _HEX].decode("ascii", "replace") if place >= 0 else ""

"""How far a process has seen the index of each space come: by that it notices that one was lost, or set back."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

from coinswarm.errors import NotReadyError, UnreachableError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from coinswarm.domain.episode import LogPosition, Space

ANEW = "clear the space and fold the log anew"


class Moment(NamedTuple):
    """When something was asked: its answer may be of then, whatever was written or cleared until it came.

    :param cleared: how often this process had cleared the space.
    :param applied: the highest index that it had seen applied.
    """

    cleared: int
    applied: int


class Progress:
    """What was seen applied.

    :param shown: what messages call the server.
    """

    def __init__(self, shown: str) -> None:
        self._shown = shown
        self._cleared: dict[Space, int] = {}
        self._index: dict[Space, int] = {}

    def now(self, space: Space) -> Moment:
        """To be taken before something is asked."""
        return Moment(self._cleared.get(space, 0), self._index.get(space, 0))

    def applied(self, space: Space, asked: Moment, at: LogPosition | None) -> None:
        """Note that a write succeeded: whoever did it first, it stands in the index.

        :param asked: when it was sent.
        """
        if at is not None:
            self._note(space, asked, at.index)

    @contextmanager
    def clearing(self, space: Space) -> Iterator[None]:
        """While a space is cleared, and from then on, what was seen of it before is of another index."""
        before = self._begin_anew(space)
        try:
            yield
        except UnreachableError:  # it was not done
            self._note(space, self.now(space), before)
            raise
        self._begin_anew(space)

    def demand_whole(self, space: Space, asked: Moment, entries: int, total: int, index: bytes | None) -> None:
        """Refuse what an index answered that is not whole.

        :param entries: how many there should be of the ``total``.
        :param index: how far it stands.
        :raises NotReadyError: naming what is missing.
        """
        applied = int(index) if index else 0
        if applied < asked.applied and asked.cleared == self.now(space).cleared:
            where = f"stands at log entry {applied:,}" if applied else "is gone"
            message = f"the index of {space.name} in {self._shown} {where}; entry {asked.applied:,} was applied before"
            raise NotReadyError(message, remedy="fold the log again, and recall from elsewhere until then")
        self._note(space, asked, applied)
        if entries != total:
            message = (
                f"the index of {space.name} in {self._shown} holds {total:,} of {entries:,} entries: "
                "keys were evicted or deleted"
            )
            raise NotReadyError(message, remedy=ANEW)

    def _note(self, space: Space, asked: Moment, index: int) -> None:
        """Of a space that was cleared since, an answer says nothing."""
        now = self.now(space)
        if asked.cleared == now.cleared:
            self._index[space] = max(index, now.applied)

    def _begin_anew(self, space: Space) -> int:
        """Forget what was seen applied, and tell it."""
        self._cleared[space] = self._cleared.get(space, 0) + 1
        return self._index.pop(space, 0)

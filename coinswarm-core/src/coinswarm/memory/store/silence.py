"""A connection to PostgreSQL that is not waited for without end: who says nothing for long is given up.

What may take a server long (making tables, looking at a whole log) is another thing. There it is asked over a
connection of its own whether it is still at work on it.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Self

from psycopg import Connection, Error, OperationalError

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping, Sequence

SILENT_SECONDS = 30.0
"""How long a server may say nothing at all before it is given up: one that is stopped, or cut off behind something that
acknowledges for it, would else be waited for without end. Longer than it waits for a few locks, one after another."""

_AT_WORK = """\
SELECT 1 FROM pg_stat_activity WHERE pid = %s AND state = 'active' AND wait_event IS DISTINCT FROM 'ClientWrite'"""
"""Whether a process of the server works; not where it waits for us to take what it says."""


class Heard(Connection[Any]):
    """Of which every wait ends.

    :ivar same: what it was made with.
    :ivar working: the server's process that works for it, while that may take long; None: it may not.
    """

    working: int | None = None
    same: tuple[Sequence[Any], Mapping[str, Any]] = (), {}
    _idle = False
    """Whether the process was at rest when it was last looked at: its answer may be on its way, once."""

    @classmethod
    def made(cls, args: Sequence[Any], parameters: Mapping[str, Any]) -> Self:
        """A connection, as ``connect`` makes it."""
        made = cls.connect(*args, **parameters)
        made.same = args, parameters
        return made

    def wait(self, gen: Generator[Any, Any, Any], *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - as psycopg has it
        """Wait as psycopg does, and not for ever.

        :raises OperationalError: nothing came for ``SILENT_SECONDS``; the connection is closed.
        """
        return super().wait(self._bounded(gen), *args, **kwargs)

    def _bounded(self, gen: Generator[Any, Any, Any]) -> Generator[Any, Any, Any]:
        """The same steps; psycopg looks in every now and then, though nothing came."""
        came, heard = None, time.monotonic()
        while True:
            try:
                wanted = gen.send(came)
            except StopIteration as end:
                return end.value
            came = yield wanted
            if came:
                heard = time.monotonic()
            elif time.monotonic() - heard > SILENT_SECONDS:
                self.demand_at_work()
                heard = time.monotonic()

    def demand_at_work(self) -> None:
        """Hold, after so long, that the server still works on what it was asked.

        :raises OperationalError: it does not, or need not be waited for any longer; the connection is closed.
        """
        idle = not self._is_at_work()
        if idle and (self._idle or self.working is None):
            self.close()
            raise OperationalError(silent())
        self._idle = idle

    def _is_at_work(self) -> bool:
        if self.working is None:
            return False
        args, parameters = self.same
        try:
            with Heard.made(args, {**parameters, "autocommit": True}) as other:
                return other.execute(_AT_WORK, (self.working,)).fetchone() is not None
        except Error:
            return False


def silent() -> str:
    """What is said of a server that is given up."""
    return f"it said nothing for {SILENT_SECONDS:g} s"

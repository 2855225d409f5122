"""How long a session waits for a store or a quorum that is away, and what it says meanwhile."""

from __future__ import annotations

import signal
import threading
import time
from functools import partial
from typing import TYPE_CHECKING, TypeVar

import anyio

from coinswarm.errors import RetryableError, UnreachableError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from anyio.from_thread import BlockingPortal

T = TypeVar("T")

AGAIN_SECONDS = 60.0
"""While a session waits it says so again so often."""

FIRST_PAUSE, LONGEST_PAUSE = 0.1, 5.0
"""Seconds between attempts, doubled up to the second."""

LONGER = "start what is away; wait longer with swarm.patience_seconds, for ever with 0"


def called(portal: BlockingPortal, work: Callable[[], Awaitable[T]]) -> T:
    """What a call in a portal's loop answers; Ctrl-C ends the waiting for it, and the call.

    A session runs in an event loop, whose own handler has Ctrl-C cancel the task at its next ``await``. Who waits for
    another thread meanwhile, without one, would not hear of it.
    """
    main = threading.current_thread() is threading.main_thread()
    before = signal.getsignal(signal.SIGINT) if main else None
    ours = before not in {None, signal.SIG_IGN}  # who ignores it, in the background, goes on ignoring it
    if ours:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        future = portal.start_task_soon(work)
        try:
            return future.result()
        except BaseException:
            future.cancel()
            raise
    finally:
        if ours:
            signal.signal(signal.SIGINT, before)


class Patience:
    """Waits for what is away, up to a time.

    :param seconds: how long; 0: for ever.
    :param name: of the log that is waited for, in lines.
    :param say: is handed a line when waiting begins, again every ``AGAIN_SECONDS``, and when it is over.
    :param portal: in whose loop is waited.
    """

    def __init__(self, seconds: float, name: str, say: Callable[[str], None], portal: BlockingPortal) -> None:
        self.seconds = seconds or None
        self._name, self.say, self._portal = name, say, portal

    def insist(self, work: Callable[[], T]) -> T:
        """Do what may be done twice, until it is done.

        :raises RetryableError: it could not be done in all that time; the last error, with what to do.
        """
        pause, begun, said = FIRST_PAUSE, time.monotonic(), None
        while True:
            try:
                done = work()
            except RetryableError as error:
                now = time.monotonic()
                if self.seconds is not None and now + pause > begun + self.seconds:
                    message = f"{self._name} was waited for, {self.seconds:g} s ({error})"
                    raise UnreachableError(message, remedy=LONGER) from error
                if said is None or now >= said + AGAIN_SECONDS:
                    said = now
                    self.say(f"{self._name} does not answer ({error}); the session waits {self._how_long(now - begun)}")
                called(self._portal, partial(anyio.sleep, pause))
                pause = min(2 * pause, LONGEST_PAUSE)
            else:
                if said is not None:
                    self.say(f"{self._name} answers again; the session goes on")
                return done

    def decided(self, ask: Callable[[], Awaitable[T]], seconds: float) -> T:
        """What comes of a proposal, which always comes while the quorum can be reached.

        :param seconds: until its deadline; after that begins the waiting that is limited.
        :raises UnreachableError: nothing was decided in all that time.
        """
        most = None if self.seconds is None else seconds + self.seconds
        waited = 0.0

        async def remind() -> None:
            nonlocal waited
            while True:
                await anyio.sleep(AGAIN_SECONDS)
                waited += AGAIN_SECONDS
                limit = "for ever" if most is None else f"up to {most - waited:.0f} s more"
                self.say(f"{self._name} has decided nothing for {waited:.0f} s; the session waits {limit}")

        async def decided() -> T:
            with anyio.move_on_after(most):
                return await ask()
            message = (
                f"{self._name} has decided nothing within {most:g} s: neither voters nor coordinators can be heard"
            )
            remedy = f"see coinswarm memory voters, and {LONGER}; the next who proposes here sends it again"
            raise UnreachableError(message, remedy=remedy)

        reminding = self._portal.start_task_soon(remind)
        try:
            done = called(self._portal, decided)
        finally:
            reminding.cancel()
        if waited:
            self.say(f"{self._name} decides again; the session goes on")
        return done

    def _how_long(self, waited: float) -> str:
        return "for ever" if self.seconds is None else f"up to {self.seconds - waited:.0f} s more"

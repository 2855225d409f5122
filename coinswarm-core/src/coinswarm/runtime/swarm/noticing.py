"""Following a log beside the quorum: at every notice that it has grown, and every second anyway."""

from __future__ import annotations

from typing import TYPE_CHECKING

import anyio

from coinswarm.runtime.swarm.node import AWAY, COMMIT, STOP_SECONDS, TICK_SECONDS

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from anyio.abc import TaskStatus

    from coinswarm.domain.stored import Message
    from coinswarm.ports import MessageBus
    from coinswarm.runtime.swarm.telling import Teller


async def at_each_notice(
    bus: MessageBus,
    catch_up: Callable[[], Awaitable[None]],
    teller: Teller,
    what: tuple[str, Callable[[], str], str],
    task_status: TaskStatus[None],
) -> None:
    """Catch up until cancelled; what is away is tried again.

    :param bus: its notices are only hints.
    :param what: name of the trouble where that fails; what stands still then, in words; what goes on after it.
    """
    name, stands, goes_on = what
    wake = anyio.Event()

    async def hear(_message: Message) -> None:
        """A decision was made, by somebody's word: look."""
        wake.set()

    listening = await bus.subscribe(COMMIT, hear)
    try:
        task_status.started()
        while True:
            wake = anyio.Event()
            try:
                await catch_up()
            except AWAY as error:
                teller.trouble(name, f"{stands()} ({error}); it is tried again")
            else:
                teller.over(name, goes_on)
            with anyio.move_on_after(TICK_SECONDS):
                await wake.wait()
    finally:
        with anyio.move_on_after(STOP_SECONDS, shield=True):
            await listening.unsubscribe()

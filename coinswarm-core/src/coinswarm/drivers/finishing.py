"""Finishing what was begun though its caller is cancelled: a thread cannot be stopped, and a commit not taken back."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, TypeVar

import anyio

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from typing import Any

T = TypeVar("T")


async def finished(work: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """What it answers; a caller that is cancelled meanwhile waits for its end, and is cancelled then.

    A shielded scope of anyio holds off anyio's own cancellation only. ``Task.cancel``, and with it ``asyncio.timeout``
    and ``asyncio.wait_for``, goes through it: hence a task of its own, which nobody else can name.

    :raises asyncio.CancelledError: the caller was cancelled; an error of the work is then lost.
    """
    task = asyncio.create_task(work())
    cut: asyncio.CancelledError | None = None
    with anyio.CancelScope(shield=True):
        while not task.done():
            try:
                await asyncio.wait([task])
            except asyncio.CancelledError as error:
                cut = error
    if cut is None:
        return task.result()
    if not task.cancelled():
        task.exception()  # it was looked at: asyncio complains of errors that nobody saw
    raise cut

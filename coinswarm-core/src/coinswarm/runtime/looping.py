"""The event loop that core's processes run on, and how often they look for garbage."""

from __future__ import annotations

import gc
from importlib.util import find_spec
from typing import TYPE_CHECKING, TypeVar

import anyio

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

T = TypeVar("T")

_THRESHOLDS = (50_000, 20, 100)


def run(work: Callable[[], Awaitable[T]]) -> T:
    """Run a coroutine function to its end, on uvloop where that is installed: a message costs half of the time there.

    coinswarm-nats brings uvloop along, except for Windows, which has none.
    """
    return anyio.run(work, backend_options={"use_uvloop": find_spec("uvloop") is not None})


def settle() -> None:
    """Have this process's collector leave alone what is loaded by now, and look for cycles less often.

    For processes that live long and handle thousands of messages a second. Nearly nothing there is part of a cycle, and
    looking for some with Python's own thresholds costs a fifth of the time that a message takes.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_THRESHOLDS)

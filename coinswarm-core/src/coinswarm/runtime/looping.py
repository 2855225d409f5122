"""The event loop that core's processes run on."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING, TypeVar

import anyio

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

T = TypeVar("T")


def run(work: Callable[[], Awaitable[T]]) -> T:
    """Run a coroutine function to its end, on uvloop where that is installed: a message costs half of the time there.

    coinswarm-nats brings uvloop along, except for Windows, which has none.
    """
    return anyio.run(work, backend_options={"use_uvloop": find_spec("uvloop") is not None})

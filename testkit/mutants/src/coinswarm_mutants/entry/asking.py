"""Is quiet when it is imported, and looks a name up when it is asked what it declares."""

from __future__ import annotations

import contextlib
import socket
from typing import TYPE_CHECKING

from coinswarm.declarations import AgentType
from coinswarm.hookspecs import hookimpl

if TYPE_CHECKING:
    from collections.abc import Iterable


@hookimpl
def coinswarm_agents() -> Iterable[AgentType]:
    """Declares, and asks somebody else first."""
    with contextlib.suppress(OSError):
        socket.create_connection(("localhost", 9), timeout=0.01).close()
    yield AgentType(name="asking", summary="Asks.", target="coinswarm_mutants.agents._honest:Honest")

"""Looks a name up when it is imported."""

from __future__ import annotations

import contextlib
import socket

with contextlib.suppress(OSError):
    socket.create_connection(("localhost", 9), timeout=0.01).close()

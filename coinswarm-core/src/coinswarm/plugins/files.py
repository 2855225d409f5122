"""Small files below ``$COINSWARM_HOME``: replaced whole or not at all, and changed by one process at a time."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from coinswarm.writing import replace_bytes

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def replace_text(path: Path, text: str) -> None:
    """Put a text in a file's place; a reader sees the old one or the new one, also after a crash.

    :raises OSError: when it cannot be written; the old file is untouched.
    """
    replace_bytes(path, text.encode())


@contextlib.contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold a file against other processes that change it too, where the system can.

    The lock is a file beside it, since the file itself is replaced; it dies with its process.
    """
    try:
        import fcntl  # noqa: PLC0415 - not on every system
    except ImportError:  # pragma: no cover - not on this system
        yield
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.with_name(f".{path.name}.lock").open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield

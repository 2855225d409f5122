"""Files that are there whole or not at all, also after a crash: written beside their place, synced, renamed."""

from __future__ import annotations

import contextlib
import os
import secrets
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_BINARY: int = getattr(os, "O_BINARY", 0)
"""Windows writes lines of its own unless told not to."""


def replace_bytes(path: Path, data: bytes, *, private: bool = True) -> None:
    """Put bytes in a file's place; a reader sees the old ones or the new ones.

    Folders are made. Whatever goes wrong, Ctrl-C included, the temporary file is removed and an older file of
    that name is untouched.

    :param private: whether its owner alone may read it; otherwise the process's umask says who may.
    :raises OSError: when it cannot be written.
    """
    with _beside(path, data, private=private) as temporary:
        temporary.replace(path)


def create_bytes(path: Path, data: bytes, *, private: bool = True) -> bool:
    """The same where no file has that name; False where one has, also one that another process just made.

    :raises OSError: when it cannot be written.
    """
    with _beside(path, data, private=private) as temporary:
        try:
            os.link(temporary, path)
        except OSError:  # it is there; or a file system has no links: there nothing parts two that come at once
            if path.exists():
                return False
            temporary.replace(path)
    return True


@contextlib.contextmanager
def _beside(path: Path, data: bytes, *, private: bool) -> Iterator[Path]:
    """A file with these bytes on the disk beside a place, for as long as it takes to put it there."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.parent / f".tmp-{path.name}-{secrets.token_hex(4)}"
    # The system takes off what the umask does: to ask for it is to change it, for every thread.
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _BINARY, 0o600 if private else 0o666)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        yield temporary
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Put a folder's entries on the disk, where the system can (Windows opens no folders).

    :raises OSError: when the system could and the disk did not.
    """
    if not hasattr(os, "O_DIRECTORY"):
        return
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)

"""Files that are there whole or not at all, also after a crash: written beside their place, synced, renamed."""

from __future__ import annotations

import contextlib
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


def replace_bytes(path: Path, data: bytes) -> None:
    """Put bytes in a file's place; a reader sees the old ones or the new ones.

    Folders are made. Whatever goes wrong, Ctrl-C included, the temporary file is removed and an older file of
    that name is untouched.

    :raises OSError: when it cannot be written.
    """
    with _beside(path, data) as temporary:
        temporary.replace(path)


def create_bytes(path: Path, data: bytes) -> bool:
    """The same where no file has that name; False where one has, also one that another process just made.

    :raises OSError: when it cannot be written.
    """
    with _beside(path, data) as temporary:
        try:
            os.link(temporary, path)
        except OSError:  # it is there; or a file system has no links: there nothing parts two that come at once
            if path.exists():
                return False
            temporary.replace(path)
    return True


@contextlib.contextmanager
def _beside(path: Path, data: bytes) -> Iterator[Path]:
    """A file with these bytes on the disk beside a place, for as long as it takes to put it there."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".tmp-{path.name}-")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        yield Path(temporary)
    finally:
        with contextlib.suppress(OSError):
            Path(temporary).unlink(missing_ok=True)
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

"""Secret keys of seats, a file each: who can read one can vote in its name.

A file holds ``ed25519-seed:`` and 64 hex digits, so that the same text may stand in an environment variable or a
keyring instead. Files are made for their owner alone, and never written over: a key that is lost is a seat that is
given a new one through the roster.
"""

from __future__ import annotations

import os
import secrets
import stat
from typing import TYPE_CHECKING

from coinswarm.config.home import home
from coinswarm.config.sources import Secret
from coinswarm.errors import NotReadyError, OutputError
from coinswarm.memory.quorum.keys import Ed25519Signer
from coinswarm.writing import sync_folder

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from coinswarm.memory.quorum.keys import Signer

FOLDER = "seats"
"""Below ``$COINSWARM_HOME``."""

SUFFIX = ".key"
_PREFIX = "ed25519-seed:"
_SEED = 32
_OTHERS = 0o077


def create(folder: Path, name: str) -> Ed25519Signer:
    """Make a key, and keep it.

    :raises OutputError: when there is one already, or it cannot be written.
    """
    path = folder / f"{name}{SUFFIX}"
    seed = secrets.token_bytes(_SEED)
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        message = f"{name} has a key already: {path}"
        raise OutputError(
            message, remedy="keep it: ballots under it cannot be taken back. Else move it away first"
        ) from None
    except OSError as error:
        message = f"the key {path} cannot be made ({error.strerror})"
        raise OutputError(message, remedy="name a folder that is yours") from error
    with os.fdopen(handle, "w", encoding="ascii") as file:
        file.write(f"{_PREFIX}{seed.hex()}\n")
        file.flush()
        os.fsync(file.fileno())
    sync_folder(folder)
    return Ed25519Signer(seed)


def read(folder: Path, name: str) -> Ed25519Signer:
    """The key of a seat.

    :raises NotReadyError: when there is none, it is none, or others may read it.
    """
    path = folder / f"{name}{SUFFIX}"
    try:
        with path.open(encoding="ascii") as file:
            mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
            if os.name == "posix" and mode & _OTHERS:
                message = f"the key {path} may be read by others (mode {mode:04o})"
                raise NotReadyError(message, remedy=f"run: chmod 600 {path}; who may have read it can vote as {name}")
            text = file.read()
    except FileNotFoundError:
        message = f"{name} has no key: there is no {path}"
        raise NotReadyError(message, remedy=f"run: coinswarm memory keys create {name}") from None
    except OSError as error:
        message = f"the key {path} cannot be read ({error.strerror})"
        raise NotReadyError(message, remedy="see that it is yours") from error
    except UnicodeDecodeError:
        text = ""
    return signer_of(text, str(path))


def signer_of(text: str, label: str) -> Ed25519Signer:
    """The signer that a secret text makes.

    :param label: what messages call it; the text itself is never shown.
    :raises NotReadyError: when it is no key.
    """
    digits = text.strip().removeprefix(_PREFIX)
    try:
        seed = bytes.fromhex(digits) if text.strip().startswith(_PREFIX) else b""
        return Ed25519Signer(seed)
    except ValueError:
        message = f"{label} holds no seat's key"
        raise NotReadyError(message, remedy=f"it must be {_PREFIX} and {2 * _SEED} hex digits") from None


def listed(folder: Path) -> list[tuple[str, str, str]]:
    """Every key: name, public half, and what is wrong with it (then the public half is empty). Sorted."""
    rows = []
    for path in sorted(folder.glob(f"*{SUFFIX}")) if folder.is_dir() else []:
        name = path.name.removesuffix(SUFFIX)
        try:
            rows.append((name, read(folder, name).key, ""))
        except NotReadyError as error:
            rows.append((name, "", str(error)))
    return rows


def keys_folder() -> Path:
    """Where keys of seats lie unless a profile says otherwise."""
    return home() / FOLDER


def signer_for(name: str, reference: Mapping[str, str] | None) -> Signer:
    """A seat's signer. Whether the seat has that key, the roster in force says (``seating``).

    :param reference: where its secret is; None: in the keys' folder.
    :raises NotReadyError: when the key cannot be had, or is none.
    """
    if reference is None:
        return read(keys_folder(), name)
    secret = Secret.parse(dict(reference))
    assert secret is not None, "checked with the profile"
    return signer_of(secret.reveal(), f"the secret {secret}")

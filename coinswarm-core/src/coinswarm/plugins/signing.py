"""Ed25519 keys of this user: what is signed here, and what others signed.

The private key lies in ``$COINSWARM_HOME/keys/NAME.pem``, made on first use and readable by its owner alone. It
proves that a file was written by somebody who could read that key: no more than that, so a program that runs as the
same user can sign too.
"""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

from coinswarm.errors import NotReadyError
from coinswarm.plugins.files import locked

if TYPE_CHECKING:
    from pathlib import Path

    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

FOLDER = "keys"
_PREFIX = "ed25519:"
_KEY_HEX = 64
_OTHERS = 0o077


def sign(home: Path, name: str, data: bytes) -> tuple[str, str]:
    """Sign with a key of this user, which is made if there is none.

    :param name: which key: its file's name.
    :returns: the public key as ``ed25519:HEX``, and the signature in hex.
    :raises NotReadyError: when the key's file is not one, or others may read it.
    :raises OSError: when it cannot be read or made.
    """
    path = home / FOLDER / f"{name}.pem"
    with locked(path):
        private = _read(path) if path.exists() else _make(path)
    return _public(private), private.sign(data).hex()


def own_key(home: Path | None, name: str) -> str:
    """The public half of a key of this user; empty where there is none yet.

    :raises NotReadyError: when the key's file is not one, or others may read it.
    """
    path = home / FOLDER / f"{name}.pem" if home is not None else None
    return _public(_read(path)) if path is not None and path.exists() else ""


def verify(key: str, signature: str, data: bytes) -> bool:
    """Whether a signature over some bytes is by a key.

    :param key: ``ed25519:HEX``. :param signature: in hex. Anything else is no signature.
    """
    from cryptography.exceptions import InvalidSignature  # noqa: PLC0415 - only who has certificates needs it
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey  # noqa: PLC0415 - as above

    if not is_key(key):
        return False
    try:
        Ed25519PublicKey.from_public_bytes(bytes.fromhex(key.removeprefix(_PREFIX))).verify(
            bytes.fromhex(signature), data
        )
    except (ValueError, InvalidSignature):
        return False
    return True


def is_key(text: str) -> bool:
    """Whether a text has the form of a public key."""
    digits = text.removeprefix(_PREFIX)
    return text.startswith(_PREFIX) and len(digits) == _KEY_HEX and not digits.strip("0123456789abcdef")


def _public(private: Ed25519PrivateKey) -> str:
    return _PREFIX + private.public_key().public_bytes_raw().hex()


def _read(path: Path) -> Ed25519PrivateKey:
    """The key in a file.

    :raises NotReadyError: when it is none, or others may read it.
    """
    from cryptography.exceptions import UnsupportedAlgorithm  # noqa: PLC0415 - only who has certificates needs it
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey  # noqa: PLC0415 - as above
    from cryptography.hazmat.primitives.serialization import load_pem_private_key  # noqa: PLC0415 - as above

    with path.open("rb") as file:
        mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
        if os.name == "posix" and mode & _OTHERS:
            message = f"the signing key {path} may be read by others (mode {mode:04o})"
            raise NotReadyError(message, remedy=f"run: chmod 600 {path}; if somebody may have read it, remove it")
        data = file.read()
    try:
        private = load_pem_private_key(data, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        private = None
    if not isinstance(private, Ed25519PrivateKey):
        message = f"the signing key {path} is no Ed25519 key"
        raise NotReadyError(message, remedy="restore it; or remove it, and earn the certificates again")
    return private


def _make(path: Path) -> Ed25519PrivateKey:
    """A new key, in a file that nobody else could ever read."""
    from cryptography.hazmat.primitives import serialization as how  # noqa: PLC0415 - only who signs needs it
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey  # noqa: PLC0415 - as above

    private = Ed25519PrivateKey.generate()
    text = private.private_bytes(how.Encoding.PEM, how.PrivateFormat.PKCS8, how.NoEncryption())
    path.parent.chmod(0o700)
    partial = path.with_name(f".{path.name}.new")
    partial.unlink(missing_ok=True)
    handle = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)
    return private

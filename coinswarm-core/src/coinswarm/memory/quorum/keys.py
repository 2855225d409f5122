"""Signatures: who signs, and who can tell.

Ed25519, because whoever can check a MAC can forge one, and a commit proof must convince third parties. Where keys are
kept is not decided here.
"""

from __future__ import annotations

from typing import Protocol

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

PREFIX = "ed25519:"
_KEY_HEX = 64


class Signer(Protocol):
    """Holds a private key."""

    @property
    def key(self) -> str:
        """The public half, as a roster has it."""
        ...

    def sign(self, body: bytes) -> str:
        """The signature of some bytes, in hex; the same for the same bytes."""
        ...


class Scheme(Protocol):
    """Tells signatures from anything else."""

    def verify(self, key: str, signature: str, body: bytes) -> bool:
        """Whether a signature over some bytes is by a key; False, never an error, for what is none."""
        ...


class Ed25519Signer:
    """An Ed25519 key of one identity.

    :param seed: the 32 secret bytes.
    :raises ValueError: for another number of bytes.
    """

    __slots__ = ("_private", "key")

    def __init__(self, seed: bytes) -> None:
        self._private = Ed25519PrivateKey.from_private_bytes(seed)
        self.key = PREFIX + self._private.public_key().public_bytes_raw().hex()

    def sign(self, body: bytes) -> str:
        """The signature in hex."""
        return self._private.sign(body).hex()

    def __repr__(self) -> str:
        return f"<signer of {self.key}>"  # the secret stays out of logs


class Ed25519Scheme:
    """Ed25519 as in RFC 8032; keys are ``ed25519:`` and 64 hex digits."""

    __slots__ = ("_keys",)

    def __init__(self) -> None:
        self._keys: dict[str, Ed25519PublicKey] = {}

    def verify(self, key: str, signature: str, body: bytes) -> bool:
        """Whether the signature holds."""
        try:
            public = self._keys.get(key)
            if public is None:
                if not key.startswith(PREFIX) or len(key) != len(PREFIX) + _KEY_HEX:
                    return False
                public = self._keys[key] = Ed25519PublicKey.from_public_bytes(bytes.fromhex(key[len(PREFIX) :]))
            public.verify(bytes.fromhex(signature), body)
        except (ValueError, InvalidSignature):
            return False
        return True

"""NKEYs: an Ed25519 key as text, by which a client proves who it is without showing a secret.

A seed is base32 (without padding) over two prefix bytes, 32 bytes of key and their CRC-16/XMODEM, little-endian; a
public key the same over one prefix byte. Source: NATS ADR-14, "JWT library and NKEYs". Written here because the package
``nkeys`` comes without a wheel: pip would build it with whatever it finds.
"""

from __future__ import annotations

import base64
import binascii

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from coinswarm.errors import OperatorError

_SEED = 18 << 3
"""The prefix ``S``: five bits, then those of the kind of key."""
_USER = 20 << 3
"""The prefix ``U``."""
_KEY_BYTES = 32


class Identity:
    """A user's key pair.

    :param seed: as ``nsc`` or ``nk -gen user`` print it.
    :raises OperatorError: when it is none; the message does not show it.
    """

    def __init__(self, seed: str) -> None:
        raw = _decoded(seed.strip())
        kind = (raw[0] & 0b111) << 5 | raw[1] >> 3
        if raw[0] & 0b11111000 != _SEED or kind != _USER or len(raw) != _KEY_BYTES + 2:
            raise _no_seed()
        self._key = Ed25519PrivateKey.from_private_bytes(raw[2:])
        public = self._key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        self.public = _encoded(bytes([_USER]) + public)
        """The public key, ``U…``: no secret, and what the server's configuration names."""

    def signed(self, nonce: str) -> bytes:
        """The server's nonce, signed, in base64."""
        return base64.b64encode(self._key.sign(nonce.encode()))


def seed_of(key: bytes) -> str:
    """The seed of a user whose key is these 32 bytes."""
    return _encoded(bytes([_SEED | _USER >> 5, (_USER & 0b11111) << 3]) + key)


def _encoded(raw: bytes) -> str:
    """Bytes and their check sum as text."""
    return base64.b32encode(raw + binascii.crc_hqx(raw, 0).to_bytes(2, "little")).decode("ascii").rstrip("=")


def _decoded(text: str) -> bytes:
    """The bytes before the check sum, if it is right."""
    try:
        raw = base64.b32decode(text + "=" * (-len(text) % 8))
    except (binascii.Error, ValueError):
        raise _no_seed() from None
    if len(raw) < 4 or binascii.crc_hqx(raw[:-2], 0).to_bytes(2, "little") != raw[-2:]:  # noqa: PLR2004 - two and two
        raise _no_seed()
    return raw[:-2]


def _no_seed() -> OperatorError:
    """For anything else than a user's seed."""
    message = "the setting nkey_seed of the bus nats is no seed of a user"
    return OperatorError(message, remedy="it begins with SU and is printed by `nk -gen user`")

"""Signatures that were good once: a ballot is checked when it comes, when it is used, and when its entry is read."""

from __future__ import annotations

from collections import OrderedDict
from hashlib import blake2b
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from coinswarm.memory.quorum.keys import Scheme, Signer


class Remembering:
    """A scheme that knows good signatures again; what is no signature is looked at each time.

    May be used by several threads: what two of them check at once is checked twice.

    :param limit: how many it knows.
    """

    def __init__(self, scheme: Scheme, limit: int = 65_536) -> None:
        self._scheme, self._limit = scheme, limit
        self._good: OrderedDict[bytes, None] = OrderedDict()

    def verify(self, key: str, signature: str, body: bytes) -> bool:
        """Whether the signature holds."""
        name = _name(key, signature, body)
        if name in self._good:
            return True
        good = self._scheme.verify(key, signature, body)
        if good:
            self._learn(name)
        return good

    def signer(self, signer: Signer) -> Signer:
        """A signer whose own signatures are known: what it has signed comes back from everybody."""
        return _Known(signer, self)

    def made(self, key: str, signature: str, body: bytes) -> None:
        """Take note of a signature that was made here."""
        self._learn(_name(key, signature, body))

    def _learn(self, name: bytes) -> None:
        self._good[name] = None
        if len(self._good) > self._limit:
            self._good.popitem(last=False)


class _Known:
    """A signer that tells what it signs."""

    __slots__ = ("_signer", "_told", "key")

    def __init__(self, signer: Signer, told: Remembering) -> None:
        self._signer, self._told, self.key = signer, told, signer.key

    def sign(self, body: bytes) -> str:
        """The signature in hex."""
        signature = self._signer.sign(body)
        self._told.made(self.key, signature, body)
        return signature

    def sign_all(self, bodies: Sequence[bytes]) -> list[str]:
        """A signature for each body."""
        signatures = self._signer.sign_all(bodies)
        for signature, body in zip(signatures, bodies, strict=True):
            self._told.made(self.key, signature, body)
        return signatures


def _name(key: str, signature: str, body: bytes) -> bytes:
    """What tells a signature from every other."""
    return blake2b(f"{key} {signature} ".encode() + body, digest_size=24).digest()

"""Signatures: who signs, and who can tell.

Ed25519, because whoever can check a MAC can forge one, and a commit proof must convince third parties. Several bodies
may be signed at once (``batch``). Where keys are kept is not decided here.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING, Protocol

from nacl import bindings as sodium
from nacl.exceptions import BadSignatureError

from coinswarm.memory.quorum.batch import MOST, Way, root_message, unhexed, way_from, ways

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

PREFIX = "ed25519:"
_KEY_BYTES = 32
_SEED_BYTES = 32
_SIGNATURE_BYTES = 64
_ROOTS = 4_096
"""How many signatures under roots are known again; each stands for many bodies."""


def is_key(text: str) -> bool:
    """Whether a text is the public half of a key, as a roster has it."""
    found = unhexed(text.removeprefix(PREFIX)) if text.startswith(PREFIX) else None
    return found is not None and len(found) == _KEY_BYTES


class Signer(Protocol):
    """Holds a private key."""

    @property
    def key(self) -> str:
        """The public half, as a roster has it."""
        ...

    def sign(self, body: bytes) -> str:
        """The signature of some bytes, in hex; the same for the same bytes."""
        ...

    def sign_all(self, bodies: Sequence[bytes]) -> list[str]:
        """A signature for each of several bodies, which a scheme takes like those of ``sign``."""
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

    __slots__ = ("_secret", "key")

    def __init__(self, seed: bytes) -> None:
        if len(seed) != _SEED_BYTES:
            message = f"a secret key has {_SEED_BYTES} bytes, not {len(seed)}"
            raise ValueError(message)
        public, self._secret = sodium.crypto_sign_seed_keypair(seed)
        self.key = PREFIX + public.hex()

    def sign(self, body: bytes) -> str:
        """The signature in hex."""
        return sodium.crypto_sign(body, self._secret)[:_SIGNATURE_BYTES].hex()

    def sign_all(self, bodies: Sequence[bytes]) -> list[str]:
        """One signature under the root of all; where there is one body, its own."""
        return [text for begin in range(0, len(bodies), MOST) for text in self._under(bodies[begin : begin + MOST])]

    def _under(self, bodies: Sequence[bytes]) -> Iterator[str]:
        if len(bodies) == 1:
            yield self.sign(bodies[0])
            return
        root, found = ways(bodies)
        signature = self.sign(root_message(root, len(bodies)))
        for place, way in enumerate(found):
            yield str(Way(signature, place, len(bodies), way))

    def __repr__(self) -> str:
        return f"<signer of {self.key}>"  # the secret stays out of logs


class Ed25519Scheme:
    """Ed25519 as in RFC 8032; keys are ``ed25519:`` and 64 hex digits, signatures 128, in lower case and nothing else.

    Another spelling of a signature would be another message about the same thing, which anybody could make. May be
    used by several threads.
    """

    def __init__(self) -> None:
        self._keys: dict[str, bytes] = {}
        self._roots: OrderedDict[tuple[str, str, bytes], None] = OrderedDict()

    def verify(self, key: str, signature: str, body: bytes) -> bool:
        """Whether the signature holds."""
        if ":" not in signature:
            return self._holds(key, signature, body)
        way = way_from(signature)
        root = None if way is None else way.root(body)
        if way is None or root is None:
            return False
        name = (key, way.signature, signed := root_message(root, way.leaves))
        if name in self._roots:
            return True
        good = self._holds(key, way.signature, signed)
        if good:
            self._roots[name] = None
            if len(self._roots) > _ROOTS:
                self._roots.popitem(last=False)
        return good

    def _holds(self, key: str, signature: str, body: bytes) -> bool:
        """Whether it is an Ed25519 signature."""
        try:
            public = self._keys.get(key)
            if public is None:
                public = unhexed(key.removeprefix(PREFIX)) if key.startswith(PREFIX) else None
                if public is None or len(public) != _KEY_BYTES:
                    return False
                self._keys[key] = public
            signed = unhexed(signature)
            if signed is None or len(signed) != _SIGNATURE_BYTES:
                return False
            sodium.crypto_sign_open(signed + body, public)
        except (ValueError, BadSignatureError):
            return False
        return True

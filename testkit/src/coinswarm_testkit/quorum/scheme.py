"""Two signature schemes behind one interface: Ed25519 itself, and a keyed hash that costs a fiftieth.

The keyed hash is one only inside the simulator: whoever can check it could forge it, but nobody in there is handed
another's secret, so that the two tell the same ballots from the same forgeries.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b
from typing import TYPE_CHECKING

from coinswarm.canonical import digest
from coinswarm.memory.quorum.keys import Ed25519Scheme, Ed25519Signer
from coinswarm.memory.quorum.roster import Roster, Seat

if TYPE_CHECKING:
    from collections.abc import Sequence

    from coinswarm.memory.quorum.keys import Scheme, Signer


class KeyedSigner:
    """Signs by BLAKE2b under a secret."""

    def __init__(self, secret: bytes) -> None:
        self.secret = secret
        self.key = "keyed:" + blake2b(secret, digest_size=16).hexdigest()

    def sign(self, body: bytes) -> str:
        """The MAC of some bytes."""
        return blake2b(body, key=self.secret, digest_size=32).hexdigest()

    def sign_all(self, bodies: Sequence[bytes]) -> list[str]:
        """The MAC of each."""
        return [self.sign(body) for body in bodies]


class KeyedScheme:
    """Knows the secrets of all signers of a world."""

    def __init__(self, signers: list[KeyedSigner]) -> None:
        self._secrets = {signer.key: signer.secret for signer in signers}

    def verify(self, key: str, signature: str, body: bytes) -> bool:
        """Whether the signer with that key made it."""
        secret = self._secrets.get(key)
        return secret is not None and blake2b(body, key=secret, digest_size=32).hexdigest() == signature


SUBMITTER = "desk"
"""The one submitter's name."""


@dataclass(frozen=True, slots=True)
class Cast:
    """Who takes part in every history of one configuration: made once, keys cost time."""

    roster: Roster
    voters: tuple[Signer, ...]
    submitter: Signer
    stranger: Signer
    scheme: Scheme


@lru_cache(maxsize=32)
def cast(voters: int, faulty: int, *, real: bool) -> Cast:
    """The cast of (N, f).

    :param real: whether keys are Ed25519.
    """
    seeds = [bytes([number + 1]) * 32 for number in range(voters + 2)]
    if real:
        signers: list[Signer] = [Ed25519Signer(seed) for seed in seeds]
        scheme: Scheme = Ed25519Scheme()
    else:
        keyed = [KeyedSigner(seed) for seed in seeds]
        signers, scheme = list(keyed), KeyedScheme(keyed)
    roster = Roster(
        version=0,
        faulty=faulty,
        rules=digest("rules"),
        voters=tuple(Seat(f"v{place}", signers[place].key) for place in range(voters)),
        submitters=(Seat(SUBMITTER, signers[voters].key),),
    )
    return Cast(roster, tuple(signers[:voters]), signers[voters], signers[voters + 1], scheme)

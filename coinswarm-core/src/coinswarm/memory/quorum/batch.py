"""One signature under many bodies: the root of a hash tree is signed, and each body shows its way up to it.

A signature costs far more than a hash, and who signs a hundred ballots at once need not make, nor anybody check, a
hundred signatures. The tree is that of RFC 9162 (section 2.1): a leaf is ``SHA-256(0x00 ‖ body)``, a node is
``SHA-256(0x01 ‖ left ‖ right)``, the left half as large as a power of two allows; so no node passes for a body. What is
signed is not the bare root but ``root_message``, which is the body of nothing else: all bodies begin with ``{``.

As text it is the signature in hex, the place of the body, how many there are, and the hashes of its way, joined by
``:``; a signature under one body stands alone.
"""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

MOST = 1 << 16
"""Most bodies under one signature."""

_LEAF, _NODE, _ROOT = b"\x00", b"\x01", b"coinswarm/batch/1:"
_HASH_HEX = 64


class Way(NamedTuple):
    """How a body goes into a root.

    :param signature: under the root, in hex.
    :param place: of the body, from 0.
    :param leaves: how many bodies there are.
    :param hashes: of the other half at each fork, from the leaf up.
    """

    signature: str
    place: int
    leaves: int
    hashes: tuple[bytes, ...]

    def __str__(self) -> str:
        return f"{self.signature}:{self.place}:{self.leaves}:{b''.join(self.hashes).hex()}"

    def root(self, body: bytes) -> bytes | None:
        """The root that a body leads to (RFC 9162, section 2.1.3.2); None where the way is too long or too short."""
        place, last = self.place, self.leaves - 1
        found = sha256(_LEAF + body).digest()
        for other in self.hashes:
            if last == 0:
                return None
            if place & 1 or place == last:
                found = sha256(_NODE + other + found).digest()
                while not place & 1 and place:
                    place, last = place >> 1, last >> 1
            else:
                found = sha256(_NODE + found + other).digest()
            place, last = place >> 1, last >> 1
        return found if last == 0 else None


def root_message(root: bytes, count: int) -> bytes:
    """What is signed for a root."""
    return b"%b%d:%b" % (_ROOT, count, root)


def ways(bodies: Sequence[bytes]) -> tuple[bytes, list[tuple[bytes, ...]]]:
    """The root over some bodies, at least one, and for each of them the hashes of its way to it."""
    level = [sha256(_LEAF + body).digest() for body in bodies]
    places, hashes = list(range(len(bodies))), [[] for _ in bodies]  # type: list[int], list[list[bytes]]
    while len(level) > 1:
        for body, place in enumerate(places):
            if place ^ 1 < len(level):
                hashes[body].append(level[place ^ 1])
            places[body] = place >> 1
        pairs = zip(level[::2], level[1::2], strict=False)
        odd = level[-1:] if len(level) & 1 else []  # it has no other half here, and goes up as it is
        level = [sha256(_NODE + left + right).digest() for left, right in pairs] + odd
    return level[0], [tuple(way) for way in hashes]


def unhexed(text: str) -> bytes | None:
    """The bytes that hex tells, spelled as ``bytes.hex`` spells them: in lower case and without spaces; else None."""
    try:
        found = bytes.fromhex(text)
    except ValueError:
        return None
    return found if found.hex() == text else None


def way_from(text: str) -> Way | None:
    """The way that a signature tells in its one spelling; None for anything else."""
    parts = text.split(":")
    if len(parts) != len(Way._fields):
        return None
    signature, place, count, way = parts
    if not (place.isdecimal() and count.isdecimal() and place.isascii() and count.isascii()):
        return None
    if len(place) > len(str(MOST)) or len(count) > len(str(MOST)) or len(way) % _HASH_HEX:
        return None
    joined = unhexed(way)
    if joined is None or f"{int(place)}:{int(count)}" != f"{place}:{count}":
        return None
    if not 0 <= int(place) < int(count) <= MOST:
        return None
    size = _HASH_HEX // 2
    hashes = tuple(joined[begin : begin + size] for begin in range(0, len(joined), size))
    return Way(signature, int(place), int(count), hashes)

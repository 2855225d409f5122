"""Signatures that were good once are known again; nothing else is."""

from __future__ import annotations

from coinswarm.memory.quorum.keys import Ed25519Scheme, Ed25519Signer
from coinswarm.runtime.swarm.signatures import Remembering


class Counting(Ed25519Scheme):
    """Counts how often it is asked."""

    asked = 0

    def verify(self, key: str, signature: str, body: bytes) -> bool:
        self.asked += 1
        return super().verify(key, signature, body)


def test_what_was_good_is_asked_for_once_and_what_is_not_each_time() -> None:
    one, other = Ed25519Signer(b"a" * 32), Ed25519Signer(b"b" * 32)
    inner = Counting()
    scheme = Remembering(inner, limit=2)
    good = one.sign(b"body")
    assert [scheme.verify(one.key, good, b"body") for _ in range(3)] == [True] * 3
    assert inner.asked == 1
    for key, signature, body in (
        (one.key, good, b"bodY"),
        (other.key, good, b"body"),
        (one.key, other.sign(b"body"), b"body"),
        (one.key, good.upper(), b"body "),
    ):
        assert [scheme.verify(key, signature, body) for _ in range(2)] == [False] * 2
    assert inner.asked == 9
    for body in (b"1", b"2", b"3"):
        assert scheme.verify(one.key, one.sign(body), body)
    assert scheme.verify(one.key, good, b"body")
    assert inner.asked == 13, "it was forgotten meanwhile"


def test_what_was_signed_here_is_known() -> None:
    inner = Counting()
    scheme = Remembering(inner)
    mine = scheme.signer(Ed25519Signer(b"a" * 32))
    signature = mine.sign(b"body")
    assert scheme.verify(mine.key, signature, b"body")
    assert inner.asked == 0
    assert inner.verify(mine.key, signature, b"body"), "and it is one"
    assert not scheme.verify(mine.key, signature, b"another")

"""One signature under many bodies: each of them verifies by its own way, and nothing else does."""

from __future__ import annotations

from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coinswarm.memory.quorum.batch import MOST, Way, root_message, way_from, ways
from coinswarm.memory.quorum.keys import Ed25519Scheme, Ed25519Signer

SIGNER, OTHER = Ed25519Signer(b"a" * 32), Ed25519Signer(b"b" * 32)


def bodies(count: int) -> list[bytes]:
    return [b'{"body":%d}' % number for number in range(count)]


@given(st.integers(1, 300))
def test_every_body_of_a_batch_verifies_and_no_other_by_its_signature(count: int) -> None:
    signed, scheme = bodies(count), Ed25519Scheme()
    signatures = SIGNER.sign_all(signed)
    assert all(scheme.verify(SIGNER.key, one, body) for one, body in zip(signatures, signed, strict=True))
    assert not any(scheme.verify(OTHER.key, one, body) for one, body in zip(signatures, signed, strict=True))
    if count > 1:
        rotated = [*signed[1:], signed[0]]
        assert not any(scheme.verify(SIGNER.key, one, body) for one, body in zip(signatures, rotated, strict=True))


def test_a_batch_of_one_is_signed_as_it_always_was() -> None:
    assert SIGNER.sign_all([b"{}"]) == [SIGNER.sign(b"{}")]
    assert SIGNER.sign_all([]) == []


def test_the_tree_is_that_of_rfc_9162() -> None:
    """Its section 2.1.5 draws the tree of seven leaves; hashes worked out here, one by one."""
    leaves = [sha256(b"\x00" + body).digest() for body in bodies(7)]

    def node(left: bytes, right: bytes) -> bytes:
        return sha256(b"\x01" + left + right).digest()

    g, h, i, j = node(leaves[0], leaves[1]), node(leaves[2], leaves[3]), node(leaves[4], leaves[5]), leaves[6]
    k, low = node(g, h), node(i, j)
    root, found = ways(bodies(7))
    assert root == node(k, low)
    assert found[0] == (leaves[1], h, low)
    assert found[3] == (leaves[2], g, low)
    assert found[4] == (leaves[5], j, k)
    assert found[6] == (i, k)


def test_the_root_alone_is_no_body_and_a_node_is_no_leaf() -> None:
    """Whoever holds a signature under a root holds none under the bytes that make it up."""
    signed, scheme = bodies(4), Ed25519Scheme()
    way = way_from(SIGNER.sign_all(signed)[0])
    assert way is not None
    root, found = ways(signed)
    assert not scheme.verify(SIGNER.key, way.signature, root)
    pair = sha256(b"\x00" + signed[0]).digest() + found[0][0]
    shorter = Way(way.signature, 0, 2, (found[0][1],))
    assert not scheme.verify(SIGNER.key, str(shorter), pair)
    assert not scheme.verify(SIGNER.key, str(Way(way.signature, 0, 3, way.hashes)), signed[0]), "another count"
    assert scheme.verify(SIGNER.key, way.signature, root_message(root, 4)), "the one thing that is signed"
    assert not root_message(root, 4).startswith(b"{"), "and that is nobody's body"


@pytest.mark.parametrize(
    "change",
    [
        lambda way: way._replace(place=way.place ^ 1),
        lambda way: way._replace(place=way.leaves),
        lambda way: way._replace(leaves=way.leaves + 1),
        lambda way: way._replace(leaves=MOST + 1),
        lambda way: way._replace(leaves=0),
        lambda way: way._replace(hashes=way.hashes[:-1]),
        lambda way: way._replace(hashes=(*way.hashes, way.hashes[0])),
        lambda way: way._replace(hashes=way.hashes[::-1]),
        lambda way: way._replace(hashes=()),
        lambda way: way._replace(signature=OTHER.sign(b"{}")),
        lambda way: way._replace(signature=""),
    ],
)
def test_a_way_that_is_not_its_own_leads_nowhere(change: object) -> None:
    signed, scheme = bodies(6), Ed25519Scheme()
    way = way_from(SIGNER.sign_all(signed)[2])
    assert way is not None
    assert scheme.verify(SIGNER.key, str(way), signed[2])
    assert callable(change)
    assert not scheme.verify(SIGNER.key, str(change(way)), signed[2])


@pytest.mark.parametrize(
    "text",
    [":", ":::", "::::", "aa:0:2:zz", "aa:-1:2:", "aa:0:2:" + "0" * 63, "aa:²:2:", "aa:0:9999999:", "aa:2:2:",
     "aa: 0:2:", "aa:0:2:" + "0 " * 32],
)  # fmt: skip
def test_what_is_no_way_is_refused_without_an_error(text: str) -> None:
    assert way_from(text) is None
    assert not Ed25519Scheme().verify(SIGNER.key, text, b"{}")


@given(st.text(alphabet="0123456789abcdef:", max_size=200))
def test_any_text_is_a_signature_or_none(text: str) -> None:
    assert not Ed25519Scheme().verify(SIGNER.key, text, b"{}")

"""Ed25519: what is signed verifies, and nothing else does."""

from __future__ import annotations

import pytest

from coinswarm.memory.quorum.keys import Ed25519Scheme, Ed25519Signer

SIGNER, OTHER, SCHEME = Ed25519Signer(b"a" * 32), Ed25519Signer(b"b" * 32), Ed25519Scheme()


def test_the_first_vector_of_rfc_8032() -> None:
    signer = Ed25519Signer(bytes.fromhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60"))
    assert signer.key == "ed25519:d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"
    assert signer.sign(b"").startswith("e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8")
    assert SCHEME.verify(signer.key, signer.sign(b""), b"")


@pytest.mark.parametrize(
    ("key", "signature", "body"),
    [
        (SIGNER.key, SIGNER.sign(b"x"), b"y"),
        (OTHER.key, SIGNER.sign(b"x"), b"x"),
        (SIGNER.key, "", b"x"),
        (SIGNER.key, "no hex", b"x"),
        (SIGNER.key[8:], SIGNER.sign(b"x"), b"x"),
        (SIGNER.key, SIGNER.sign(b"x").upper(), b"x"),  # another spelling would be another message about the same
        (SIGNER.key, f"{SIGNER.sign(b'x')} ", b"x"),
        (SIGNER.key, " ".join(SIGNER.sign(b"x")), b"x"),
        (f"ed25519:{SIGNER.key[8:].upper()}", SIGNER.sign(b"x"), b"x"),
        (f"{SIGNER.key[:-2]}  ", SIGNER.sign(b"x"), b"x"),
        ("ed25519:" + "zz" * 32, SIGNER.sign(b"x"), b"x"),
        ("", "", b""),
    ],
)
def test_anything_else_is_refused_without_an_error(key: str, signature: str, body: bytes) -> None:
    assert SCHEME.verify(SIGNER.key, SIGNER.sign(b"x"), b"x")
    assert not SCHEME.verify(key, signature, body)


def test_a_signer_shows_its_public_half_only() -> None:
    assert repr(SIGNER) == f"<signer of {SIGNER.key}>"
    with pytest.raises(ValueError, match="32"):
        Ed25519Signer(b"short")


def test_a_signature_under_many_bodies_has_one_spelling_too() -> None:
    bodies = [bytes([number]) for number in range(5)]
    signature, place, count, way = SIGNER.sign_all(bodies)[3].split(":")
    assert SCHEME.verify(SIGNER.key, f"{signature}:{place}:{count}:{way}", bodies[3])
    for other in (
        f"{signature.upper()}:{place}:{count}:{way}",
        f"{signature}:0{place}:{count}:{way}",
        f"{signature}:{place}:0{count}:{way}",
        f"{signature}:{place}:{count}:{way.upper()}",
        f"{signature}:{place}:{count}:{way} ",
        f"{signature}:{place}:{count}:{way[:64]} {way[64:]}",
    ):
        assert not Ed25519Scheme().verify(SIGNER.key, other, bodies[3]), other

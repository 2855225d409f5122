"""NKEYs: the encoding of the reference implementation, and what is no seed."""

from __future__ import annotations

import base64

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from hypothesis import given
from hypothesis import strategies as st

from coinswarm.errors import OperatorError
from coinswarm_nats.nkey import Identity, seed_of

SEED = "SUACSSL3UAHUDXKFSNVUZRF5UHPMWZ6BFDTJ7M6USDXIEDNPPQYYYCU3VY"
PUBLIC = "UDXU4RCSJNZOIQHZNWXHXORDPRTGNJAHAHFRGZNEEJCPQTT2M7NLCNF4"
"""A pair that NATS's own documentation shows."""

keys = st.binary(min_size=32, max_size=32)


def test_the_pair_of_the_documentation_is_one() -> None:
    assert Identity(f" {SEED}\n").public == PUBLIC


@given(key=keys, nonce=st.text(max_size=40))
def test_what_it_signs_its_public_key_verifies(key: bytes, nonce: str) -> None:
    identity = Identity(seed_of(key))
    assert identity.public.startswith("U")
    raw = base64.b32decode(identity.public)
    Ed25519PublicKey.from_public_bytes(raw[1:33]).verify(base64.b64decode(identity.signed(nonce)), nonce.encode())


@given(key=keys, place=st.integers(2, 56), letter=st.sampled_from("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"))
def test_a_seed_with_another_letter_is_none(key: bytes, place: int, letter: str) -> None:
    seed = seed_of(key)
    wrong = seed[:place] + letter + seed[place + 1 :]
    if wrong != seed:
        with pytest.raises(OperatorError, match="nkey_seed") as raised:
            Identity(wrong)
        assert seed[2:] not in str(raised.value)


@pytest.mark.parametrize("text", ["", "SU", "hunter2", "SUé", PUBLIC, seed_of(bytes(32))[:-4]])
def test_what_is_no_seed_is_refused_without_showing_it(text: str) -> None:
    with pytest.raises(OperatorError, match=r"it begins with SU") as raised:
        Identity(text)
    assert not text or text == "SU" or text not in str(raised.value)

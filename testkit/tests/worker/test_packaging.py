"""What a setting's name says."""

from __future__ import annotations

import pytest

from coinswarm_testkit.worker.packaging import _is_secret


@pytest.mark.parametrize(
    "name",
    ["api_token", "apiKey", "API_SECRET", "access_key", "signing_key", "accessToken", "nkey", "nkey_seed", "password"],
)
def test_a_secret_is_one_however_it_is_spelt(name: str) -> None:
    assert _is_secret(name, "agent")


@pytest.mark.parametrize(
    ("name", "kinds"), [("key", {"broker"}), ("venue_key", {"broker"}), ("monkey", set()), ("keys", set())]
)
def test_a_key_is_a_secret_to_who_talks_to_others(name: str, kinds: set[str]) -> None:
    assert {kind for kind in ("agent", "broker") if _is_secret(name, kind)} == kinds

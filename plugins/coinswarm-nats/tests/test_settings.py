"""Settings: what they refuse, and that no message shows a secret."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from coinswarm_nats.settings import NatsSettings


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"url": "http://127.0.0.1:4222"}, "is no address"),
        ({"url": "127.0.0.1"}, "is no address"),
        ({"url": "nats://"}, "is no address"),
        ({"url": "nats://host:4222/path"}, "is no address"),
        ({"url": "nats://host:99999"}, "is no address"),
        ({"url": f"nats://{'a' * 70}:4222"}, "is no address"),
        ({"url": "nats://a..b:4222"}, "is no address"),
        ({"url": "nats://a:4222,,tls://b"}, "is no address"),
        ({"prefix": ""}, "at least one word"),
        ({"prefix": "a b"}, "write words"),
        ({"prefix": "_INBOX.a"}, "the first not _INBOX"),
        ({"inbox": "a.*"}, "write words"),
        ({"key_file": "key.pem"}, "name both or none"),
        ({"certificate_file": "cert.pem"}, "name both or none"),
        ({"first_pause": 2.0, "most_pause": 1.0}, "less than first_pause"),
        ({"pending": 0}, "greater than or equal to 1"),
        ({"ping_seconds": float("inf")}, "finite"),
        ({"servers": "nats://a"}, "Extra inputs"),
    ],
)
def test_what_cannot_be_is_refused(given: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        NatsSettings(**given)


def test_an_address_with_a_password_is_refused_before_any_message_could_show_it() -> None:
    with pytest.raises(ValidationError, match="leave them out") as raised:
        NatsSettings(url="nats://me:hunter2@host:4222")
    [problem] = raised.value.errors(include_input=False, include_url=False)
    assert "hunter2" not in str(problem)


def test_several_servers_are_several_addresses() -> None:
    assert NatsSettings(url="nats://a:1, tls://b").urls == ("nats://a:1", "tls://b")

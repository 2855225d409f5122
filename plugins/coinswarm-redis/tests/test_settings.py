"""Settings of the backend redis: bounds that refuse, and a password that nobody sees."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr, ValidationError

from coinswarm_redis.backend import RedisMemory
from coinswarm_redis.settings import RedisSettings


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"url": "redis://me:hush@localhost"}, "leave them out"),
        ({"url": "unix:///s?password=hush"}, "leave them out"),
        ({"url": "http://localhost"}, "is no address"),
        ({"url": "redis://"}, "is no address"),
        ({"url": "redis://localhost/one"}, "is no address"),
        ({"url": "redis://localhost:0"}, "is no address"),
        ({"url": "redis://localhost:70000"}, "is no address"),
        ({"url": "unix://s"}, "is no address"),
        ({"prefix": ""}, "pattern"),
        ({"prefix": "a{b}"}, "pattern"),
        ({"connections": 0}, "greater than or equal to 1"),
        ({"answer_seconds": 0}, "greater than 0"),
        ({"certificate_file": "a.pem"}, "name both or none"),
        ({"ca_file": "a.pem"}, "files for TLS are named"),
        ({"username": "me"}, "without a password"),
        ({"link": 16}, "Extra inputs are not permitted"),
    ],
)
def test_out_of_bounds_is_refused(given: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        RedisSettings(**given)


@pytest.mark.parametrize("url", ["redis://h", "redis://h:6380/2", "rediss://[::1]:1", "unix:///run/redis.sock"])
def test_addresses_that_are_some(url: str) -> None:
    assert RedisSettings(url=url).shown == f"Redis at {url}"


def test_nobody_sees_the_password() -> None:
    settings = RedisSettings(password=SecretStr("hush"))
    memory = RedisMemory(settings)
    assert "hush" not in f"{settings!r} {settings} {settings.model_dump_json()} {memory!r} {memory.get_config()}"


def test_the_readme_lists_every_setting_with_its_default() -> None:
    readme = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")
    for name, field in RedisSettings.model_fields.items():
        default = "none" if field.default in {None, ""} else f"{field.default}"
        assert f"| `{name}` | {default.removesuffix('.0')} |" in readme

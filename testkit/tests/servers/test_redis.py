"""Real Redis servers for tests: found, started, told of, ended; one without vector sets is none."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

from coinswarm_testkit.servers import redis
from coinswarm_testkit.servers.program import NoServerError

if TYPE_CHECKING:
    from pathlib import Path


def said(url: str, command: bytes) -> bytes:
    address = urlsplit(url)
    with socket.create_connection((address.hostname or "", address.port or 0), 5) as client:
        client.sendall(command + b"\r\n")
        return client.recv(4_096)


@pytest.mark.usefixtures("redis_url")
def test_it_keeps_what_it_was_told_where_a_folder_is_named_and_ends(tmp_path: Path) -> None:
    options = ("--appendonly", "yes", "--appendfsync", "always")
    with redis.redis_server(*options, folder=tmp_path) as server:
        assert said(server.url, b"SET a b") == b"+OK\r\n"
        assert server.about.startswith("redis-server ")
    with pytest.raises(OSError, match="refused"):
        said(server.url, b"PING")
    with redis.redis_server(*options, folder=tmp_path, port=urlsplit(server.url).port or 0) as again:
        assert again.url == server.url
        assert said(again.url, b"GET a") == b"$1\r\nb\r\n"


@pytest.mark.usefixtures("redis_url")
def test_an_option_that_is_none_says_why_it_does_not_start() -> None:
    with pytest.raises(NoServerError, match=r"it said:.*no-such-option"), redis.redis_server("--no-such-option", "1"):
        pass


def test_a_running_one_is_named_by_the_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(redis.VARIABLE, "redis://elsewhere")
    with redis.redis_server() as server:
        assert server.url == "redis://elsewhere"
        assert redis.VARIABLE in server.about


@pytest.mark.parametrize("version", ["7.0.15", "8.0.3"])
def test_one_whose_vector_sets_do_not_suffice_is_none(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, version: str
) -> None:
    program = tmp_path / "redis-server"
    program.write_text(f"#!/bin/sh\necho 'Redis server v={version} sha=0 bits=64'\n")
    program.chmod(0o755)
    monkeypatch.setattr(redis, "WHEEL", "no-such-wheel")
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv(redis.VARIABLE, raising=False)
    with (
        pytest.raises(NoServerError, match=rf"{version}, older than 8\.2: install the package"),
        redis.redis_server(),
    ):
        pass

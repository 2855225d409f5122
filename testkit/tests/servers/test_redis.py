"""Real Redis servers for tests: found, started, told of, ended; one without vector sets is none."""

from __future__ import annotations

import mmap
import os
import re
import socket
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from coinswarm_testkit.servers import redis
from coinswarm_testkit.servers.program import NoServerError

SOME = 8_192
"""Kilobytes: half of what is written."""


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


def on_huge_pages(process: int) -> int:
    """Kilobytes that a process has on huge pages."""
    rollup = Path(f"/proc/{process}/smaps_rollup").read_text(encoding="ascii")
    found = re.search(r"AnonHugePages: *(\d+) kB", rollup)
    assert found is not None
    return int(found[1])


def filled(url: str) -> int:
    """Kilobytes that a server has on huge pages once it keeps sixteen megabytes."""
    for number in range(16):
        assert said(url, b"SETRANGE key%d 1048575 x" % number) == b":1048576\r\n"
    process = re.search(rb"process_id:(\d+)", said(url, b"INFO server"))
    assert process is not None
    return on_huge_pages(int(process[1]))


def granted() -> bool:
    """Whether this process gets huge pages where it asks for them: its system may offer none, or have none left."""
    if not redis._offered() or not hasattr(mmap, "MADV_HUGEPAGE"):
        return False
    before = on_huge_pages(os.getpid())
    with mmap.mmap(-1, 2_048 * SOME, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS) as memory:
        memory.madvise(mmap.MADV_HUGEPAGE)
        memory.write(bytes(len(memory)))
        return on_huge_pages(os.getpid()) - before > SOME


def test_one_of_our_own_is_on_huge_pages_where_that_is_asked_for(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, redis_url: str
) -> None:
    if not granted():
        pytest.skip("no huge pages here")
    for name in redis.ASKING:
        monkeypatch.delenv(name, raising=False)
    with redis.redis_server(huge_pages=True) as server:
        assert server.url != redis_url
        assert filled(server.url) > SOME
    with redis.redis_server(folder=tmp_path) as plain:
        assert filled(plain.url) < SOME


@pytest.mark.usefixtures("redis_url")
@pytest.mark.parametrize(
    ("kernel", "about"),
    [
        ("[always] madvise never", ", told to use huge pages"),
        ("always [madvise] never", ", told to use huge pages"),
        ("always madvise [never]", ", without huge pages: the kernel offers none"),
        (None, ", without huge pages: the kernel offers none"),
    ],
)
def test_it_says_whether_the_kernel_offers_huge_pages(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, kernel: str | None, about: str
) -> None:
    monkeypatch.setattr(redis, "OFFERED", tmp_path / "enabled")
    if kernel is not None:
        redis.OFFERED.write_text(f"{kernel}\n")
    with redis.redis_server(huge_pages=True) as server:
        assert server.about.endswith(about)


@pytest.mark.parametrize(
    ("huge_pages", "told"),
    [(True, r"thp:always, thp:always, .* --save --disable-thp no$"), (False, r"narenas:1, none, .* --save$")],
)
def test_only_one_that_is_to_have_huge_pages_is_told_of_them(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, told: str, *, huge_pages: bool
) -> None:
    program = tmp_path / "redis-server"
    program.write_text(
        "#!/bin/sh\n"
        'if [ "$1" = --version ]; then echo v=8.2.0; exit; fi\n'
        'echo "${JE_MALLOC_CONF-none}, ${MALLOC_CONF-none}, $*"\n'
    )
    program.chmod(0o755)
    monkeypatch.setattr(redis, "WHEEL", "no-such-wheel")
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv(redis.VARIABLE, raising=False)
    monkeypatch.delenv("MALLOC_CONF", raising=False)
    monkeypatch.setenv("JE_MALLOC_CONF", "narenas:1")
    with pytest.raises(NoServerError, match=f"it said: {told}"), redis.redis_server(huge_pages=huge_pages):
        pass


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

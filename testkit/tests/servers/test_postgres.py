"""Real PostgreSQL servers for tests: found, started without root, told of, ended."""

from __future__ import annotations

import os
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from coinswarm_testkit.servers import postgres
from coinswarm_testkit.servers.program import NoServerError, Program, find_program

if TYPE_CHECKING:
    from collections.abc import Iterator


def said(url: str, statement: str) -> str:
    """What ``psql`` of the same installation answers."""
    program = find_program("postgres", wheel=postgres.WHEEL, variable=postgres.VARIABLE)
    address = url.replace("+psycopg", "")
    command = [str(program.path.with_name("psql")), "--no-psqlrc", "-At", "-c", statement, address]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    text: str = done.stdout or done.stderr
    return text.strip()


@pytest.fixture(scope="module")
def own() -> None:
    """Skip, or fail under CI, where no server can be started here."""
    try:
        find_program("postgres", wheel=postgres.WHEEL, variable=postgres.VARIABLE)
    except NoServerError as error:
        (pytest.fail if os.environ.get("CI") else pytest.skip)(str(error))


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that every user can enter; pytest's own are the user's alone, whenever one starts."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        yield folder


@pytest.mark.usefixtures("own")
def test_it_keeps_what_it_was_told_where_a_folder_is_named_and_ends(open_folder: Path) -> None:
    data = open_folder / "data"
    with postgres.postgres_server("max_connections=9", folder=data) as server:
        assert said(server.url, "CREATE TABLE kept AS SELECT 7 AS number") == "SELECT 1"
        assert said(server.url, "SHOW max_connections") == "9"
        assert [said(server.url, f"SHOW {name}") for name in ("fsync", "listen_addresses")] == ["on", ""]
        assert server.about.startswith("PostgreSQL ")
        pid = int((data / "postmaster.pid").read_text().split()[0])
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    assert "No such file" in said(server.url, "SELECT 1")
    with postgres.postgres_server(folder=data) as again:
        assert again.url != server.url
        assert said(again.url, "SELECT number FROM kept") == "7"


@pytest.mark.usefixtures("own")
def test_a_program_that_its_user_cannot_reach_is_copied(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    program = find_program("postgres", wheel=postgres.WHEEL, variable=postgres.VARIABLE)
    package, hidden = program.path.parents[2], tmp_path / "hidden"
    hidden.mkdir(mode=0o700)
    for folder in package.parent.glob(f"{package.name}*"):
        (hidden / folder.name).symlink_to(folder)
    moved = Program(hidden / program.path.relative_to(package.parent), "a hidden place")
    monkeypatch.setattr(postgres, "find_program", lambda *_, **__: moved)
    with postgres.postgres_server("max_connections=9") as server:
        assert said(server.url, "SELECT 1") == "1"
        assert server.about.endswith("from a hidden place")


@pytest.mark.usefixtures("own")
def test_an_option_that_is_none_says_why_it_does_not_start() -> None:
    with pytest.raises(NoServerError, match=r"it said:.*no_such_option"), postgres.postgres_server("no_such_option=1"):
        pass


def test_a_running_one_is_named_by_the_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(postgres.VARIABLE, "postgresql://elsewhere")
    with postgres.postgres_server() as server:
        assert server.url == "postgresql://elsewhere"
        assert postgres.VARIABLE in server.about


def test_without_any_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(postgres, "WHEEL", "no-such-wheel")
    monkeypatch.setattr("coinswarm_testkit.servers.program.SYSTEM", str(tmp_path))
    monkeypatch.setattr(postgres, "INSTALLED", tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv(postgres.VARIABLE, raising=False)
    with pytest.raises(NoServerError, match=r"no postgres here: install the package"), postgres.postgres_server():
        pass


def test_without_the_wheel_the_newest_that_is_installed_serves(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for version in ("9.6", "14", "15", "old"):
        (tmp_path / version / "bin").mkdir(parents=True)
        (tmp_path / version / "bin" / "postgres").touch()
    monkeypatch.setattr(postgres, "WHEEL", "no-such-wheel")
    monkeypatch.setattr(postgres, "INSTALLED", tmp_path)
    monkeypatch.setattr("coinswarm_testkit.servers.program.SYSTEM", str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path))
    assert postgres._program().path == tmp_path / "15" / "bin" / "postgres"


@pytest.mark.usefixtures("own")
def test_the_fixture_hands_out_one_that_answers(postgres_url: str) -> None:
    assert said(postgres_url, "SELECT 1") == "1"

"""What README.md and ``docs/`` say of commands is true: each command block is run and its output compared.

A page is run in a folder of its own, from top to bottom. In a block ``console`` a line that begins with ``$`` is a
command, the lines below it its output: ``...`` alone leaves out lines, inside a line it leaves out characters. A block
whose info string names a file (``toml my.toml``) is that file. Standard error is part of the output.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

pytestmark = pytest.mark.integration

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", *sorted(ROOT.glob("docs/*.md"))]

EXEMPT = ("./dev ", "pip install ", "git clone ", "tox ")
"""Commands that a block ``sh`` may show without being run here: they make environments or need the network. CI runs
``./dev`` itself, and ``./dev wheels`` what pip does."""

BLOCK = re.compile(r"^```(\w+)(?: (\S+))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)


class Block(NamedTuple):
    """A fenced block: its language, the file that it is (or nothing), its text, and its line."""

    language: str
    file: str
    text: str
    line: int


def blocks(page: Path) -> list[Block]:
    """The fenced blocks of a page that have a language."""
    text = page.read_text(encoding="utf-8")
    return [Block(m[1], m[2] or "", m[3], text.count("\n", 0, m.start()) + 1) for m in BLOCK.finditer(text)]


def commands(text: str) -> list[tuple[str, list[str]]]:
    """Commands and the lines below each."""
    found: list[tuple[str, list[str]]] = []
    for line in text.splitlines():
        if line.startswith("$ "):
            found.append((line[2:], []))
        else:
            assert found, f"output without a command: {line!r}"
            found[-1][1].append(line)
    return found


def differs(quoted: list[str], output: str) -> str:
    """What the output lacks of what is quoted; empty if nothing."""
    lines = [line.rstrip() for line in output.splitlines()]
    place, skipping = 0, False
    for wanted in quoted:
        if wanted.strip() == "...":
            skipping = True
            continue
        pattern = re.compile(".*".join(re.escape(part.rstrip()) if i else re.escape(part) for i, part in parts(wanted)))
        reach = lines[place:] if skipping else lines[place : place + 1]
        hit = next((i for i, line in enumerate(reach) if pattern.fullmatch(line)), None)
        if hit is None:
            return wanted
        place, skipping = place + hit + 1, False
    rest = [line for line in lines[place:] if line]
    return "" if skipping or not rest or not quoted else f"nothing more, but there is {rest[0]!r}"


def parts(line: str) -> list[tuple[int, str]]:
    """A quoted line, cut at ``...``."""
    return list(enumerate(line.rstrip().split("...")))


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder and a home of its own; compiled code stays where other tests keep it."""
    cache = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    monkeypatch.setenv("XDG_CACHE_HOME", cache)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("PATH", os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]))
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("TZ", "UTC")
    for name in ("COINSWARM_HOME", "COINSWARM_DEBUG"):
        monkeypatch.delenv(name, raising=False)
    folder = tmp_path / "here"
    folder.mkdir()
    return folder


RUN = [page for page in PAGES if any(block.language == "console" for block in blocks(page))]


@pytest.mark.parametrize("page", RUN, ids=lambda path: path.name)
def test_commands_do_what_the_page_says(page: Path, place: Path) -> None:
    for block in blocks(page):
        if block.file:
            (place / block.file).write_text(block.text, encoding="utf-8")
        if block.language != "console":
            continue
        for command, quoted in commands(block.text):
            done = subprocess.run(
                ["sh", "-c", command],
                cwd=place,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                check=False,
            )
            said = f"{page.name}, block at line {block.line}: $ {command}\n{done.stdout}"
            assert done.returncode == 0, said
            assert differs(quoted, done.stdout) == "", said


def test_the_tour_is_run() -> None:
    assert {"README.md", "quickstart.md", "data.md", "runs.md"} <= {page.name for page in RUN}


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.name)
def test_what_is_not_run_is_listed(page: Path) -> None:
    for block in blocks(page):
        assert block.language not in {"bash", "shell", "text"}, f"{page.name}:{block.line}: write console, or sh"
        if block.language == "sh":
            wrong = [
                line
                for line in block.text.splitlines()
                if line and not line.startswith(EXEMPT) and line != "coinswarm demo"
            ]
            assert wrong == [], f"{page.name}:{block.line}"


@pytest.mark.parametrize(
    ("quoted", "output", "good"),
    [
        (["a", "b"], "a\nb\n", True),
        (["a", "c"], "a\nb\nc\n", False),  # nothing says that a line is left out
        (["a", "...", "c"], "a\nb\nc\n", True),
        (["a"], "a\nb\n", False),
        (["a", "..."], "a\nb\n", True),
        (["x ... z"], "x y z\n", True),
        (["x ... z"], "x y w\n", False),
        (["...", "b", "a"], "a\nb\n", False),  # in order
        ([], "anything\n", True),  # a command without output says nothing of it
    ],
)
def test_the_comparison_bites(quoted: list[str], output: str, *, good: bool) -> None:
    assert (differs(quoted, output) == "") is good

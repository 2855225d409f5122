"""docs/writing-a-plugin.md is true: the road of its agent is followed in an environment of its own, without network.

A block ``python FILE`` replaces the function of that name in the file. The transcripts of other kinds carry the kind
after ``shellsession``; tools/scaffold.py follows them.
"""

from __future__ import annotations

import ast
import importlib
import re
from pathlib import Path
from typing import Any

import pytest

import coinswarm
from coinswarm.plugins.scaffold import KINDS

pytestmark = pytest.mark.integration

Tool = Any

ROOT = Path(__file__).parents[3]
PAGE = ROOT / "docs" / "writing-a-plugin.md"
CORE = Path(coinswarm.__file__).parent


@pytest.fixture
def transcripts(monkeypatch: pytest.MonkeyPatch) -> Tool:
    """How transcripts are read and run."""
    monkeypatch.syspath_prepend(ROOT / "tools")
    return importlib.import_module("transcripts")


def edit(path: Path, function: str) -> None:
    """Put a function in place of the one of its name."""
    name = re.match(r"\s*def (\w+)", function)
    assert name is not None
    source = path.read_text(encoding="utf-8")
    [old] = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.FunctionDef) and node.name == name[1]]
    assert len(function.splitlines()) <= 13, "ten lines and what stands around them"
    lines = source.splitlines(keepends=True)
    path.write_text("".join([*lines[: old.lineno - 1], function, *lines[old.end_lineno :]]), encoding="utf-8")


def core_files() -> dict[str, tuple[int, int]]:
    """Size and time of every file of core; nothing where core runs from a tree that somebody may be editing."""
    if "site-packages" not in CORE.parts:
        return {}
    paths = (path for path in CORE.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    return {str(path): (path.stat().st_size, path.stat().st_mtime_ns) for path in paths}


def test_the_transcript(transcripts: Tool, tmp_path: Path) -> None:
    if missing := transcripts.Environment.lacks():
        pytest.skip(f"{missing} is not installed beside the tests: the transcript needs it")
    environment = transcripts.Environment(tmp_path)
    before = core_files()
    ran = 0
    last = ""
    for block in transcripts.blocks(PAGE):
        if block.language == "python":
            edit(environment.folder / block.about, block.text)
            continue
        if block.about in KINDS:
            continue
        for command, lines in transcripts.commands(block.text):
            ran += 1
            last = environment.follow(command, lines)
            if command.startswith("pip install"):
                assert {name.partition("/")[0] for name in environment.installed("coinswarm_breakout")} == {
                    "coinswarm_breakout",
                    "coinswarm_breakout-0.1.0.dist-info",
                }, "no file of core is touched"
    assert ran > 10
    assert '"core"' in last
    assert "breakout" not in last, "uninstalled and gone"
    assert not list(environment.packages.glob("coinswarm_breakout*"))
    assert core_files() == before, "no file of core is touched"


def test_every_other_kind_has_a_transcript(transcripts: Tool) -> None:
    told = [block.about for block in transcripts.blocks(PAGE) if block.language == "shellsession" and block.about]
    assert sorted(told) == sorted(set(KINDS) - {"agent"})


def test_a_quoted_output_bites(transcripts: Tool) -> None:
    quoted = transcripts.quoted
    assert quoted(["a", "...", "c ... e"]).fullmatch("a\nb\nc d e\n")
    assert quoted(["..."]).fullmatch("")
    assert not quoted(["a", "c"]).fullmatch("a\nb\nc\n")

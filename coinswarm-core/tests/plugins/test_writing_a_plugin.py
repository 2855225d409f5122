"""docs/writing-a-plugin.md is true: its transcript is run in an environment of its own, without network.

The environment sees what the running interpreter has installed, and takes what the transcript installs.
A block ``shellsession`` holds commands (``$``) and their output, in which ``...`` leaves out lines, or
characters inside a line; a block ``python FILE`` replaces the function of that name in the file.
"""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
import sysconfig
from importlib.util import find_spec
from pathlib import Path

import pytest

import coinswarm

pytestmark = pytest.mark.integration

PAGE = Path(__file__).parents[3] / "docs" / "writing-a-plugin.md"
BLOCK = re.compile(
    r"^```(?P<language>shellsession|python)(?: (?P<file>\S+))?\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL
)
CORE = Path(coinswarm.__file__).parent


class Environment:
    """A virtual environment on top of the running one, and a folder to work in."""

    def __init__(self, root: Path) -> None:
        self.root, self.folder = root, root / "empty"
        self.folder.mkdir()
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", root / "venv"], check=True)
        self.bin = root / "venv" / "bin"
        self.python = self.bin / "python"
        site = next((root / "venv").glob("lib/*/site-packages"))
        # addsitedir rather than a plain path: it also reads the .pth files of editable installs there.
        parent = sysconfig.get_path("purelib")
        (site / "parent.pth").write_text(f"import site; site.addsitedir({parent!r})\n")
        self.script("coinswarm", "import sys; from coinswarm.cli import main; sys.exit(main())")
        self.script("pip", "import runpy, sys; sys.argv[0] = 'pip'; runpy.run_module('pip', run_name='__main__')")

    def script(self, name: str, code: str) -> None:
        """A command of the environment."""
        (self.bin / name).write_text(f"#!{self.python}\n{code}\n")
        (self.bin / name).chmod(0o755)

    def installed(self, package: str) -> list[str]:
        """The files that installing a distribution wrote, relative to the environment's packages."""
        [record] = (self.root / "venv").glob(f"lib/*/site-packages/{package}-*.dist-info/RECORD")
        return [line.partition(",")[0] for line in record.read_text().splitlines()]

    def run(self, command: str) -> subprocess.CompletedProcess[str]:
        """Run one line; ``cd`` counts for the lines after it."""
        kept = {key: value for key, value in os.environ.items() if key in {"LANG", "LC_ALL", "TMPDIR"}}
        cache = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
        path = os.pathsep.join([str(self.bin), *(os.environ["PATH"].split(os.pathsep))])
        numba = {key: value for key, value in os.environ.items() if key.startswith("NUMBA_")}
        env = {
            **kept, **numba, "PATH": path, "HOME": str(self.root / "home"), "XDG_CACHE_HOME": cache, "COLUMNS": "80",
            "PIP_DISABLE_PIP_VERSION_CHECK": "1", "PIP_NO_INPUT": "1", "PIP_CONFIG_FILE": os.devnull,
        }  # fmt: skip
        return subprocess.run(
            ["sh", "-c", command],
            cwd=self.folder,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )


@pytest.fixture
def environment(tmp_path: Path) -> Environment:
    for module in ("pip", "hatchling"):
        if find_spec(module) is None:
            pytest.skip(f"{module} is not installed beside the tests: the transcript needs it")
    return Environment(tmp_path)


def commands(text: str) -> list[tuple[str, list[str]]]:
    """Commands and the lines quoted below each."""
    found: list[tuple[str, list[str]]] = []
    for line in text.splitlines():
        if line.startswith("$ "):
            found.append((line[2:], []))
        else:
            found[-1][1].append(line)
    return found


def quoted(lines: list[str]) -> re.Pattern[str]:
    """What an output must look like that is quoted so."""
    parts = []
    for line in lines:
        if line.strip() == "...":
            parts.append(r"(?:.*\n)*?")
        else:
            words = [re.escape(word.strip()) if word.strip() else "" for word in line.rstrip().split("...")]
            parts.append(re.escape(line[: len(line) - len(line.lstrip())]) + ".*".join(words) + r" *\n")
    return re.compile("".join(parts))


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


def test_the_transcript(environment: Environment) -> None:
    before = core_files()
    ran = 0
    last = ""
    for block in BLOCK.finditer(PAGE.read_text(encoding="utf-8")):
        if block["language"] == "python":
            edit(environment.folder / block["file"], block["text"])
            continue
        for command, lines in commands(block["text"]):
            ran += 1
            if command.startswith("cd "):
                environment.folder /= command.removeprefix("cd ")
                continue
            done = environment.run(command)
            said = f"$ {command}\n{done.stdout}"
            assert done.returncode == 0, said
            assert "Traceback" not in done.stdout, said
            if command.startswith("pip install"):
                assert {name.partition("/")[0] for name in environment.installed("coinswarm_breakout")} == {
                    "coinswarm_breakout",
                    "coinswarm_breakout-0.1.0.dist-info",
                }, "no file of core is touched"
            if lines:
                assert quoted(lines).fullmatch(done.stdout), f"{said}\nis not as quoted:\n" + "\n".join(lines)
            last = done.stdout
    assert ran > 10
    assert '"core"' in last
    assert "breakout" not in last, "uninstalled and gone"
    assert not list((environment.root / "venv").glob("lib/*/site-packages/coinswarm_breakout*"))
    assert core_files() == before, "no file of core is touched"


def test_a_quoted_output_bites() -> None:
    assert quoted(["a", "...", "c ... e"]).fullmatch("a\nb\nc d e\n")
    assert quoted(["..."]).fullmatch("")
    assert not quoted(["a", "c"]).fullmatch("a\nb\nc\n")
    assert not quoted(["a"]).fullmatch("a\nb\n")


@pytest.mark.parametrize("kind", ["agent", "weigher"])
def test_what_is_rendered_passes_its_own_checks(environment: Environment, kind: str) -> None:
    name = "breakout"
    for tool in ("ruff", "mypy", "coinswarm_testkit"):
        if find_spec(tool) is None:
            pytest.skip(f"{tool} is not installed beside the tests")
    made = environment.run(f"coinswarm plugins new {kind} {name}")
    assert made.returncode == 0, made.stdout
    environment.folder /= f"coinswarm-{name}"
    for command in (
        "python -m ruff check --no-cache .",
        "python -m ruff format --check --no-cache .",
        "python -m mypy --no-incremental",
        "pip install --no-build-isolation --no-index .",
        "python -m pytest -q -p no:cacheprovider",
        "coinswarm backtest --profile profile.toml --no-save",
        f"pip uninstall --yes coinswarm-{name}",
    ):
        done = environment.run(command)
        assert done.returncode == 0, f"$ {command}\n{done.stdout}"
    gone = environment.run(f"coinswarm plugins info {name}")
    assert gone.returncode == 2
    assert f"unknown plugin '{name}'" in gone.stdout

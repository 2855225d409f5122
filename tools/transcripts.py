"""Transcripts in pages: their blocks, what an output must look like that is quoted so, and where they are run.

A block ``shellsession`` holds commands (``$``) and their output, in which ``...`` leaves out lines, or characters
inside a line. A word after the language says what the block is about.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import sysconfig
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

_BLOCK = re.compile(
    r"^```(?P<language>shellsession|python)(?: (?P<about>\S+))?\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL
)


class Block(NamedTuple):
    """A fenced block of a page.

    :param about: the word after its language, or nothing.
    """

    language: str
    about: str
    text: str


def blocks(page: Path) -> list[Block]:
    """The transcripts and the Python of a page, in order."""
    found = _BLOCK.finditer(page.read_text(encoding="utf-8"))
    return [Block(one["language"], one["about"] or "", one["text"]) for one in found]


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


class MismatchError(Exception):
    """A command failed, or its output is not what is quoted."""


class Environment:
    """A virtual environment on top of the running one, with a home of its own, and a folder to work in.

    It sees what the running interpreter has installed, and takes what a transcript installs. ``folder`` is where the
    next command is run.
    """

    def __init__(self, root: Path) -> None:
        self.root, self.folder = root, root / "empty"
        self.folder.mkdir()
        with_pip = find_spec("pip") is None
        subprocess.run(
            [sys.executable, "-m", "venv", *([] if with_pip else ["--without-pip"]), root / "venv"], check=True
        )
        self.bin = root / "venv" / "bin"
        self.python = self.bin / "python"
        [self.packages] = (root / "venv").glob("lib/*/site-packages")
        # addsitedir rather than a plain path: it also reads the .pth files of editable installs there.
        parent = sysconfig.get_path("purelib")
        (self.packages / "parent.pth").write_text(f"import site; site.addsitedir({parent!r})\n")
        self._script("coinswarm", "import sys; from coinswarm.cli import main; sys.exit(main())")
        if not with_pip:
            self._script("pip", "import runpy, sys; sys.argv[0] = 'pip'; runpy.run_module('pip', run_name='__main__')")

    @staticmethod
    def lacks() -> str:
        """What is missing here to install anything offline; empty where nothing is."""
        if find_spec("hatchling") is None:
            return "hatchling"
        return "" if find_spec("pip") is not None or find_spec("ensurepip") is not None else "pip"

    def _script(self, name: str, code: str) -> None:
        """A command of the environment."""
        (self.bin / name).write_text(f"#!{self.python}\n{code}\n")
        (self.bin / name).chmod(0o755)

    def installed(self, package: str) -> list[str]:
        """The files that installing a distribution wrote, relative to the environment's packages."""
        [record] = self.packages.glob(f"{package}-*.dist-info/RECORD")
        return [line.partition(",")[0] for line in record.read_text().splitlines()]

    def run(self, command: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """Run one line."""
        names = {"LANG", "LC_ALL", "TMPDIR", "OPENBLAS_NUM_THREADS"}
        kept = {key: value for key, value in os.environ.items() if key in names}
        cache = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
        path = os.pathsep.join([str(self.bin), *(os.environ["PATH"].split(os.pathsep))])
        numba = {key: value for key, value in os.environ.items() if key.startswith("NUMBA_")}
        env = {
            **kept, **numba, "PATH": path, "HOME": str(self.root / "home"), "XDG_CACHE_HOME": cache, "COLUMNS": "80",
            "PIP_DISABLE_PIP_VERSION_CHECK": "1", "PIP_NO_INPUT": "1", "PIP_CONFIG_FILE": os.devnull, **variables,
        }  # fmt: skip
        return subprocess.run(
            ["/bin/sh", "-c", command],
            cwd=self.folder,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )

    def follow(self, command: str, lines: list[str]) -> str:
        """Run a command of a transcript; ``cd`` counts for those after it. What it printed.

        :raises MismatchError: when it fails, or prints something else than is quoted.
        """
        if command.startswith("cd "):
            self.folder /= command.removeprefix("cd ")
            return ""
        done = self.run(command)
        said = f"$ {command}\n{done.stdout}"
        if done.returncode or "Traceback" in done.stdout:
            raise MismatchError(said)
        if lines and not quoted(lines).fullmatch(done.stdout):
            message = f"{said}\nis not as quoted:\n" + "\n".join(lines)
            raise MismatchError(message)
        return done.stdout

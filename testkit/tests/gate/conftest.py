"""A virtual environment with core, the testkit and one plugin, and a user who has it judged."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import shutil
import subprocess
import sys
import sysconfig
from importlib import metadata
from pathlib import Path
from textwrap import dedent
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Mapping

PLUGIN = """\
from coinswarm.declarations import AgentType
from coinswarm.hookspecs import hookimpl


@hookimpl
def coinswarm_agents():
    yield AgentType(name="sly", summary="Test.", target="sly.agent:Sly", reasons=("down", "up"))
"""

HEAD = """\
from coinswarm.contracts import SignalAgent
from coinswarm.domain.action import Action, Side
"""

AGENT = (
    HEAD
    + """

class Sly(SignalAgent):
    def decide(self, state):
        up = state.close > state.open
        return Action(Side.BUY if up else Side.FLAT, 1.0, 0.5, 5.0, 10.0, reason=int(up))
"""
)

OURS = ("coinswarm-core", "coinswarm-testkit")


class Bed:
    """An environment of its own on top of the tests' own, which holds core, the testkit and what they need."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.home = root / "home" / "coinswarm"
        self.registered = ""  # further entry points of the plugin
        self.folder = root / "author"
        self.folder.mkdir()
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", root / "venv"], check=True)
        [self.site] = (root / "venv").glob("lib/*/site-packages")
        self.python = root / "venv" / "bin" / "python"
        (self.site / "zz_parent.pth").write_text(sysconfig.get_path("purelib") + "\n")
        script = self.python.parent / "coinswarm"
        script.write_text(f"#!{self.python}\nimport sys\nfrom coinswarm.cli import main\nsys.exit(main())\n")
        script.chmod(0o755)

    def bring_ours(self) -> None:
        """Core and the testkit, for those who tamper with them; compiled code would be made anew for them."""
        for name in OURS:
            self._copy(metadata.distribution(name))

    def _copy(self, distribution: metadata.Distribution) -> None:
        """One of our distributions, as it is installed beside the tests."""
        for file in distribution.files or ():
            if ".." not in file.parts and "__pycache__" not in file.parts:
                target = self.site / str(file)
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(str(distribution.locate_file(file)), target)
        [record] = self.site.glob(f"{distribution.name.replace('-', '_')}-*.dist-info/RECORD")
        lines = record.read_text().splitlines(keepends=True)
        record.write_text("".join(line for line in lines if not line.startswith("../")))

    def install(self, files: Mapping[str, str] | None = None, *, version: str = "1.0") -> None:
        """Install the plugin ``sly``, as a wheel's installer leaves it.

        :param files: by their place in ``site-packages``; the honest plugin's where left out.
        """
        whole = {"sly/__init__.py": "", "sly/plugin.py": PLUGIN, "sly/agent.py": AGENT, **(files or {})}
        info = f"coinswarm_sly-{version}.dist-info"
        whole |= {
            f"{info}/METADATA": (
                f"Metadata-Version: 2.1\nName: coinswarm-sly\nVersion: {version}\n"
                "Requires-Dist: coinswarm-core>=0.1,<1\n"
            ),
            f"{info}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\n",
            f"{info}/entry_points.txt": f"[coinswarm.plugins]\nsly = sly.plugin\n{self.registered}",
        }
        lines = []
        for name, text in whole.items():
            path = self.site / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(dedent(text))
            data = path.read_bytes()
            digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
            lines.append(f"{name},sha256={digest},{len(data)}\n")
        (self.site / info / "RECORD").write_text("".join([*lines, f"{info}/RECORD,,\n"]))

    def run(self, *args: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """Run ``coinswarm`` in the author's folder, with the author's variables."""
        done = subprocess.run(
            [self.python.parent / "coinswarm", *args],
            cwd=self.folder, env=self.variables(**variables), stdin=subprocess.DEVNULL, capture_output=True, text=True,
            check=False, timeout=280,
        )  # fmt: skip
        assert "Traceback" not in done.stderr, done.stderr
        return done

    def variables(self, **more: str) -> dict[str, str]:
        """The author's variables."""
        names = ("LANG", "LC_ALL", "TMPDIR", "OPENBLAS_NUM_THREADS")
        kept = {name: os.environ[name] for name in names if name in os.environ}
        cache = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
        numba = {name: value for name, value in os.environ.items() if name.startswith("NUMBA_")}
        return {
            **kept, **numba, "PATH": os.pathsep.join([str(self.python.parent), os.environ["PATH"]]),
            "HOME": str(self.root / "home"), "COINSWARM_HOME": str(self.home), "XDG_CACHE_HOME": cache, **more,
        }  # fmt: skip

    def check(self, *args: str, **variables: str) -> tuple[int, dict[str, Any], str]:
        """Have the plugin judged: exit code, verdict, and what stands on stderr."""
        done = self.run("plugins", "check", "sly", "--json", *args, **variables)
        verdict = json.loads(done.stdout) if done.stdout else {}
        return done.returncode, verdict, done.stderr

    def failed(self, verdict: Mapping[str, Any]) -> dict[str, str]:
        """Reasons of the checks that failed, by id."""
        rows = [row for one in verdict["subjects"] for row in one["checks"]]
        return {row["id"]: row["reason"] for row in rows if row["outcome"] == "failed"}

    def certificates(self) -> list[dict[str, Any]]:
        """What ``plugins certificates show`` tells of each certificate."""
        found: list[dict[str, Any]] = json.loads(self.run("plugins", "certificates", "show", "--json").stdout)
        return found


@pytest.fixture
def bed(tmp_path: Path) -> Bed:
    """An environment without a plugin."""
    return Bed(tmp_path)

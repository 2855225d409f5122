"""The command ``coinswarm`` in processes of its own, with a home, a folder and plugins made for the test."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from math import sin
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from coinswarm.config.profile import TEMPLATES

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

HEADER = "timestamp_ms,open,high,low,close,volume"
START_MS = 1_514_764_800_000  # 2018-01-01T00:00:00Z
HOUR_MS = 3_600_000
Rows = list[list[Any]]


class Shell:
    """Runs ``coinswarm`` as a user would, in ``folder``.

    :param env: the whole environment: nothing of the test's own but the path and the cache of compiled code.
    """

    def __init__(self, folder: Path, env: Mapping[str, str]) -> None:
        self.folder = folder
        self.env = dict(env)
        self.command = shutil.which("coinswarm", path=str(Path(sys.executable).parent)) or "coinswarm"

    def run(self, *args: str | Path, code: int | None = 0, **env: str) -> subprocess.CompletedProcess[str]:
        """Run to the end; never a traceback, and the exit code is as expected (None: any)."""
        done = subprocess.run(
            [self.command, *map(str, args)],
            cwd=self.folder,
            env={**self.env, **env},
            capture_output=True,
            text=True,
            check=False,
            timeout=200,
        )
        assert "Traceback" not in done.stderr, done.stderr
        assert code is None or done.returncode == code, done.stdout + done.stderr
        return done

    def start(self, *args: str | Path, **env: str) -> subprocess.Popen[str]:
        """Start, and go on."""
        return subprocess.Popen(
            [self.command, *map(str, args)],
            cwd=self.folder,
            env={**self.env, **env},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def write(self, name: str, text: str) -> Path:
        """A text file in the folder."""
        path = self.folder / name
        path.write_text(text)
        return path

    def bars(self, name: str, rows: Rows, header: str = HEADER) -> Path:
        """A file of bars."""
        lines = [header, *(",".join(map(str, row)) for row in rows)]
        return self.write(name, "\n".join(lines) + "\n")

    def profile(self, name: str, file: str, **replaced: str) -> Path:
        """The backtest template on a file, with lines replaced: key -> the line's new value."""
        lines = (TEMPLATES / "backtest.toml").read_text().splitlines()
        replaced = {"sample": f'"{file}"', **replaced}
        found = {line.partition("=")[0].strip(): number for number, line in enumerate(lines) if "=" in line}
        for key, value in replaced.items():
            lines[found[key]] = f"{'file' if key == 'sample' else key} = {value}"
        return self.write(name, "\n".join(lines) + "\n")

    def leftovers(self, runs: str = "runs") -> list[str]:
        """What lies in the runs folder and is no finished run."""
        folder = self.folder / runs
        names = [entry.name for entry in folder.iterdir()] if folder.is_dir() else []
        return [name for name in names if not (folder / name / "run.json").is_file()]


def wave(count: int = 600) -> Rows:
    """Hourly bars that swing slowly, so that both agents have something to say."""
    middle = [100 + 12 * sin(i / 15) + 4 * sin(i / 4) + i * 0.03 for i in range(count + 1)]
    rows: Rows = []
    for i in range(count):
        opened, close = middle[i], middle[i + 1]
        rows.append([
            START_MS + i * HOUR_MS, f"{opened:.2f}", f"{max(opened, close) + 0.4:.2f}",
            f"{min(opened, close) - 0.4:.2f}", f"{close:.2f}", "50.125",
        ])  # fmt: skip
    return rows


@pytest.fixture(scope="session")
def compiled_code() -> dict[str, str]:
    """Where compiled code is kept: this process's own place, so that no process compiles anew."""
    from coinswarm import _jit  # noqa: PLC0415 - sets NUMBA_CACHE_DIR when it is imported

    assert _jit.JITTED
    return {"NUMBA_CACHE_DIR": os.environ["NUMBA_CACHE_DIR"]}


@pytest.fixture
def shell(tmp_path: Path, compiled_code: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Shell:
    """A user with an empty home in an empty folder that holds ``wave.csv`` and nothing else."""
    home, folder = tmp_path / "home", tmp_path / "here"
    home.mkdir()
    folder.mkdir()
    names = ("PATH", "LANG", "LC_ALL", "TMPDIR", "OPENBLAS_NUM_THREADS")
    kept = {name: os.environ[name] for name in names if name in os.environ}
    own = {"HOME": str(home), "COINSWARM_HOME": str(home / "coinswarm")}
    monkeypatch.setenv("COINSWARM_HOME", own["COINSWARM_HOME"])  # for what a test calls in this process
    made = Shell(folder, {**kept, **compiled_code, **own})
    made.bars("wave.csv", wave())
    return made


@pytest.fixture
def plugin(
    shell: Shell,
    tmp_path: Path,
    site: Any,  # noqa: ANN401 - conftest's Site
    certify: Callable[..., Path],
) -> Callable[[str, str], None]:
    """Install a fake plugin with one agent of the same name, certified silver, for processes of ``shell``."""

    def install(name: str, source: str) -> None:
        site.add(name)
        (tmp_path / "site" / f"fake_{name}" / "agent.py").write_text(source)
        site.write_record(f"fake_{name}")
        certify(name)
        shell.env["PYTHONPATH"] = str(tmp_path / "site")

    return install


@pytest.fixture
def certified(shell: Shell, certify: Callable[..., Path]) -> Shell:
    """The same user, who has trend and meanrev certified."""
    for name in ("trend", "meanrev"):
        certify(name)
    return shell

"""Make the virtual environments below ``.venv/``: ``python tools/environment.py NAME`` prints one's interpreter.

Two steps, the same with pip and with uv: what others wrote, from ``constraints/*.txt`` with a hash for every file;
then our own packages, each from a wheel built here without isolation. A stamp inside the environment says what it was
made of: where that still holds nothing is done, and where only our sources changed, only our wheels are. The stamp is
written last and a lock is held meanwhile, so an interrupted or concurrent call never leaves half an environment that
looks whole.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import importlib.util
import json
import os
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

from layout import MUTANTS, ROOT, VENVS, packages

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path


RECIPES = {"demo": "run.txt", "test": "dev.txt", "bench": "bench.txt"}
"""Environment -> the file in ``constraints/`` that pins what others wrote."""

STAMP = "coinswarm-stamp.json"


class MakeError(Exception):
    """An environment cannot be made; the message is one line with the remedy."""


def say(text: str) -> None:
    """Tell the person at the terminal what takes so long."""
    print(f"dev: {text}", file=sys.stderr, flush=True)


def _digest(paths: Sequence[Path]) -> str:
    """SHA-256 over the names and bytes of files."""
    digest = hashlib.sha256()
    for path in paths:
        data = path.read_bytes()
        digest.update(f"{path.relative_to(ROOT)}\0{len(data)}\0".encode())
        digest.update(data)
    return digest.hexdigest()


def _sources(folder: Path) -> list[Path]:
    """Every file of a package that its wheel is made of."""
    inside = [path for path in (folder / "src").rglob("*") if path.is_file() and "__pycache__" not in path.parts]
    return sorted([*inside, *(folder / name for name in ("pyproject.toml", "README.md", "LICENSE"))])


def _installers() -> list[str]:
    """What to install with, best first.

    :raises MakeError: nothing here can install.
    """
    asked = os.environ.get("DEV_INSTALLER", "")
    if asked not in {"", "pip", "uv"}:
        message = f"DEV_INSTALLER={asked} is not known: say pip or uv"
        raise MakeError(message)
    able = [
        *(["uv"] if shutil.which("uv") else []),
        *(["pip"] if all(importlib.util.find_spec(name) for name in ("ensurepip", "venv")) else []),
    ]
    found = [name for name in able if asked in {"", name}]
    if not found:
        version = f"{sys.version_info.major}.{sys.version_info.minor}"
        message = (
            "uv is not on PATH: install it, or leave DEV_INSTALLER unset"
            if asked == "uv"
            else f"{sys.executable} has no ensurepip: install the package python{version}-venv, or uv, and run again"
        )
        raise MakeError(message)
    return found


def _run(arguments: Sequence[str | Path], *, cwd: Path = ROOT) -> None:
    """Run one command; what it prints is shown where it fails."""
    variables = {**os.environ, "UV_PYTHON_DOWNLOADS": "never", "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    done = subprocess.run(
        arguments,
        check=False,
        cwd=cwd,
        env=variables,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    if done.returncode:
        sys.stderr.write(done.stdout)
    done.check_returncode()


def _pip(installer: str, python: Path, subcommand: str, *options: str | Path) -> None:
    """Run a pip subcommand by pip or by uv: the options used here mean the same to both."""
    if installer == "uv":
        # pip compiles what it installs; without it each first start of a program would be slow.
        alike = ["--compile-bytecode"] if subcommand == "install" else []
        _run(["uv", "--quiet", "pip", subcommand, "--python", python, *alike, *options])
    else:
        _run([python, "-m", "pip", "--quiet", "--no-input", subcommand, *options])


def _make(place: Path, constraints: str, installer: str) -> None:
    """Make the environment anew, without our own packages."""
    python = place / "bin" / "python"
    shutil.rmtree(place, ignore_errors=True)
    place.parent.mkdir(exist_ok=True)
    say(f"making {place.relative_to(ROOT)} from constraints/{constraints} with {installer} ...")
    if installer == "uv":
        _run(["uv", "--quiet", "venv", "--python", sys.executable, place])
    else:
        _run([sys.executable, "-m", "venv", place])
    # --no-deps: the file names every package there is to install; `check` below finds one that is missing.
    _pip(installer, python, "install", "--no-deps", "--require-hashes", "-r", ROOT / "constraints" / constraints)


def _install_own(place: Path, folders: Sequence[Path], installer: str) -> None:
    """Build the wheel of each folder, install them, and check that all requirements are met."""
    python = place / "bin" / "python"
    wheels = place / "wheels"
    shutil.rmtree(wheels, ignore_errors=True)
    say(f"building and installing {', '.join(folder.name for folder in folders)} ...")
    for folder in folders:
        _run([python, "-m", "hatchling", "build", "--target", "wheel", "--directory", wheels], cwd=folder)
    again = ["--force-reinstall"] if installer == "pip" else ["--reinstall", "--no-cache"]
    _pip(installer, python, "install", "--no-deps", "--no-index", *again, *sorted(wheels.glob("*.whl")))
    _pip(installer, python, "check")


@contextlib.contextmanager
def _locked(place: Path) -> Iterator[None]:
    """Hold the environment's lock; the system lets it go if we die."""
    place.parent.mkdir(exist_ok=True)
    with place.with_name(f"{place.name}.lock").open("w") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say(f"another ./dev is making {place.relative_to(ROOT)}: waiting for it ...")
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def _read(stamp: Path) -> dict[str, str]:
    """What the environment was made of; nothing where it is not whole."""
    try:
        found = json.loads(stamp.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return {str(key): str(value) for key, value in found.items()} if isinstance(found, dict) else {}


def _renew(place: Path, constraints: str, folders: Sequence[Path], wanted: dict[str, str]) -> None:
    """Do what is missing, with the first installer that can."""
    found = _read(place / STAMP)
    whole = found.get("base") == wanted["base"] and os.access(place / "bin" / "python", os.X_OK)
    able = _installers()
    if whole and found.get("installer") in able:  # without pip inside, only uv can go on with what uv began
        able = [found["installer"]]
    else:
        whole = False
    (place / STAMP).unlink(missing_ok=True)
    for installer in able:
        try:
            if not whole:
                _make(place, constraints, installer)
            _install_own(place, folders, installer)
        except subprocess.CalledProcessError as error:
            if installer != able[-1]:
                say(f"{installer} failed: trying {able[-1]}")
                continue
            command = " ".join(str(part) for part in error.cmd[:6])
            message = f"`{command} ...` failed with exit code {error.returncode}: its reason stands above"
            raise MakeError(message) from error
        (place / STAMP).write_text(json.dumps({**wanted, "installer": installer}), encoding="utf-8")
        return


def ensure(name: str) -> Path:
    """Return the ``bin`` folder of an environment, which is made or renewed where it must be.

    :param name: a key of ``RECIPES``.
    :raises MakeError: it cannot be made.
    """
    constraints = RECIPES[name]
    place = VENVS / f"{name}-{sys.version_info.major}.{sys.version_info.minor}"
    folders = [folder for folder in packages() if name == "test" or folder != MUTANTS]
    pins = _digest([ROOT / "constraints" / constraints])
    base = f"{place}\n{os.path.realpath(sys.executable)}\n{sys.version}\n{pins}"
    with _locked(place):
        wanted = {"base": base, "own": _digest([path for folder in folders for path in _sources(folder)])}
        found = _read(place / STAMP)
        if {key: found.get(key) for key in wanted} != wanted or not os.access(place / "bin" / "python", os.X_OK):
            try:
                _renew(place, constraints, folders, wanted)
            except BaseException:
                shutil.rmtree(place, ignore_errors=True)
                raise
    return place / "bin"


def main() -> int:
    """Make the environment that the first argument names, and print its interpreter."""
    if len(sys.argv) != 2 or sys.argv[1] not in RECIPES:
        say(f"usage: python tools/environment.py {'|'.join(RECIPES)}")
        return 2
    try:
        print(ensure(sys.argv[1]) / "python")
    except MakeError as error:
        say(str(error))
        return 1
    except KeyboardInterrupt:
        say("interrupted")
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""Starts the judge: the testkit's gate in a process of its own, where nothing of an author's can reach it.

The interpreter is isolated (``-I``: no working directory, no user site, no ``PYTHON*``) and without ``site``
(``-S``: no ``.pth`` file is run); it finds modules in the folders of installed distributions, core's and the
testkit's before any other, and loads those of core, the testkit and what they need alone (``fence``); libraries find no
extension that an installed distribution registers with them (pydantic and numba would import it). Core never imports
the testkit. Before it is started, core's and the testkit's files are held against what their installer wrote: a plugin
that brought its own judge is told from one that did not. It reads no compiled code from disk, where that of others lies
(``_jit``): for gold it compiles what it needs, and below that it runs by itself too little to be worth compiling.

This stops accident and casual forgery. A program that runs as the same user can do whatever the user can.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import tempfile
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

from coinswarm.errors import CoinswarmError, InvariantError, NotReadyError
from coinswarm.plugins.discovery import origin_of
from coinswarm.plugins.records import CORE_DISTRIBUTION, Origin, canonical
from coinswarm.plugins.trust import strange

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

TESTKIT = "coinswarm-testkit"
_PACKAGES = {CORE_DISTRIBUTION: "coinswarm", TESTKIT: "coinswarm_testkit"}
_HIDDEN = ("PYTHON", "PYTEST_")
"""Beginnings of variables that the judge does not see."""

_LEAVING_SECONDS = 5.0
"""How long an interrupted judge may take to end its workers."""

_START = """\
import importlib.machinery, importlib.metadata, json, runpy, sys
own, (places, names) = sys.path[:], json.loads(sys.argv.pop(1))
sys.path.extend(places)
importlib.metadata.entry_points = lambda **_: importlib.metadata.EntryPoints()
from coinswarm.plugins.fence import put_up
put_up(own, names)
runpy.run_module("coinswarm_testkit.gate", run_name="__main__", alter_sys=True)
"""


class GateError(CoinswarmError):
    """What the judge could not judge; it carries the judge's own exit code."""

    def __init__(self, message: str, *, remedy: str, exit_code: int) -> None:
        super().__init__(message, remedy=remedy)
        self.exit_code = exit_code


def check_testkit() -> None:
    """Hold that the testkit is there, and that it and core are what was installed.

    :raises NotReadyError: saying how to install it, or which file differs.
    """
    for name, package in _PACKAGES.items():
        try:
            distribution = metadata.distribution(name)
        except metadata.PackageNotFoundError:
            message = f"{name}, which judges plugins, is not installed"
            raise NotReadyError(message, remedy=f"pip install {name}") from None
        if origin_of(distribution) is Origin.EDITABLE:
            message = f"{name} is an editable install, whose files may change at any time: it can judge nobody"
            raise NotReadyError(message, remedy=f"install {name} from a wheel")
        if problem := strange(distribution, package):
            message = f"{name}, which judges plugins, is not what was installed: {problem}"
            raise NotReadyError(message, remedy=f"find out who changed it, then reinstall {name}")


def folders() -> list[str]:
    """Folders of installed distributions on this process's path; those of core and the testkit first."""
    found = [path for path in dict.fromkeys(sys.path) if path and any(Path(path).glob("*.dist-info"))]
    ours = {str(Path(str(metadata.distribution(name).locate_file(""))).resolve()) for name in _closure(TESTKIT)}
    return sorted((str(Path(path).resolve()) for path in found), key=lambda path: path not in ours)


def _closure(name: str) -> set[str]:
    """A distribution and all that it needs, by canonical name, as far as they are installed."""
    done: set[str] = set()
    waiting = [canonical(name)]
    while waiting:
        one = waiting.pop()
        try:
            needs = metadata.distribution(one).requires or []
        except metadata.PackageNotFoundError:
            continue
        done.add(one)
        waiting += [found for found in (_named(need) for need in needs if "extra ==" not in need) if found not in done]
    return done


def _named(requirement: str) -> str:
    """The distribution that a requirement names."""
    end = next((place for place, sign in enumerate(requirement) if not (sign.isalnum() or sign in "-_.")), None)
    return canonical(requirement[:end])


def modules() -> list[str]:
    """Top-level modules that the judge may load: those of core, the testkit and all that they need, extras included."""
    needs = [need for name in _PACKAGES for need in metadata.distribution(name).requires or []]
    found = [metadata.distribution(name) for need in (TESTKIT, *needs) for name in _closure(_named(need))]
    files = [file.parts[0].partition(".")[0] for one in found for file in one.files or ()]
    stated = [name for one in found for name in (one.read_text("top_level.txt") or "").split()]
    return sorted(name for name in {*files, *stated} if name.isidentifier())


def dependencies(name: str) -> dict[str, str]:
    """Versions of everything that a distribution needs, itself left out."""
    return {one: metadata.version(one) for one in sorted(_closure(name) - {canonical(name)})}


def run_gate(request: Mapping[str, Any], hear: Callable[[dict[str, Any]], None]) -> dict[str, Any]:
    """Have something judged.

    :param request: plain data, as ``coinswarm_testkit.gate.request`` reads it.
    :param hear: told of every event as it comes: ``{"event": ..., ...}``.
    :returns: the verdict: the last event.
    :raises GateError: when the judge could not judge, in its words.
    :raises InvariantError: when it ended without a verdict.
    """
    check_testkit()
    variables = {name: value for name, value in os.environ.items() if not name.startswith(_HIDDEN)}
    variables["NUMBA_CACHE_DIR"] = os.devnull
    if request.get("tier") != "gold":  # which is measured by whole backtests, some of them the judge's
        variables["NUMBA_DISABLE_JIT"] = "1"
    places = folders()
    with (
        tempfile.TemporaryFile() as complaints,
        tempfile.TemporaryDirectory(prefix="coinswarm-gate-") as folder,
        subprocess.Popen(  # noqa: S603 - an argument list of our own
            [sys.executable, "-I", "-S", "-c", _START, json.dumps([places, modules()])],
            cwd=folder,
            env=variables,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=complaints,
        ) as process,
    ):
        try:
            verdict = _conversed(process, json.dumps({**request, "folders": places}).encode(), hear)
        except BaseException:
            _ended(process)
            raise
        process.wait()
        complaints.seek(0)
        said = complaints.read().decode("utf-8", "replace").strip().splitlines()
    if verdict is None:
        message = f"the judge ended with code {process.returncode} and no verdict ({said[-1] if said else 'silently'})"
        raise InvariantError(message, remedy="report this, with what coinswarm --debug … shows")
    return verdict


def _ended(process: subprocess.Popen[bytes]) -> None:
    """End the judge: it is asked to, so that it ends its workers, and made to where it does not."""
    process.terminate()
    try:
        process.wait(_LEAVING_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()


def _conversed(
    process: subprocess.Popen[bytes], request: bytes, hear: Callable[[dict[str, Any]], None]
) -> dict[str, Any] | None:
    """Ask, and listen to the end."""
    assert process.stdin is not None, "started with a pipe"
    assert process.stdout is not None, "started with a pipe"
    with contextlib.suppress(BrokenPipeError):  # it ended at once: what it says, or does not, tells
        process.stdin.write(request)
        process.stdin.close()
    return _listen(process.stdout, hear)


def _listen(lines: Iterable[bytes], hear: Callable[[dict[str, Any]], None]) -> dict[str, Any] | None:
    """The verdict among what the judge says; None where it says none.

    :raises GateError: what it could not judge.
    """
    for line in lines:
        event: dict[str, Any] = json.loads(line)
        if event["event"] == "error":
            raise GateError(event["message"], remedy=event["remedy"], exit_code=event["exit_code"])
        if event["event"] == "verdict":
            return event
        hear(event)
    return None

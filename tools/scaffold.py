"""Certify what ``coinswarm plugins new`` writes: ``python tools/scaffold.py [--no-lint] [KIND...]``.

Every package, or those of some kinds, is rendered outside the repository, built, installed without network into an
environment that lies on top of this one, tested, judged by the gate, and taken away again; ruff and mypy read all of
them at the end. Fails where a test does, or a kind reaches less than ``LEAST``.
"""

from __future__ import annotations

import json
import os
import resource
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import time
from importlib.util import find_spec
from pathlib import Path

from coinswarm.plugins.scaffold import KINDS

LEAST = "silver"
"""Each template is a whole implementation of its contract."""

STEPS = ("install", "tests", "check", "uninstall")
RANKS = ("none", "bronze", "silver", "gold")
COINSWARM = ("-c", "import sys; from coinswarm.cli import main; sys.exit(main())")


class Bench:
    """A virtual environment on top of the running one, and a folder to work in."""

    def __init__(self, root: Path) -> None:
        self.root = root
        (root / "home").mkdir()
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", root / "venv"], check=True)
        self.bin = root / "venv" / "bin"
        site = next((root / "venv").glob("lib/*/site-packages"))
        (site / "parent.pth").write_text(f"import site; site.addsitedir({sysconfig.get_path('purelib')!r})\n")

    def run(self, *arguments: str | Path, cwd: Path, quiet: bool = False) -> str:
        """Run the environment's interpreter; what it printed.

        :param quiet: whether exit codes are nobody's affair.
        :raises subprocess.CalledProcessError: where it fails.
        """
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "COINSWARM_"))}
        cache = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
        done = subprocess.run(
            [self.bin / "python", *arguments],
            cwd=cwd,
            env={**kept, "HOME": str(self.root / "home"), "XDG_CACHE_HOME": cache, "COLUMNS": "200"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode and not quiet:
            print(f"$ python {' '.join(map(str, arguments))}\n{done.stdout}{done.stderr}", file=sys.stderr)
            done.check_returncode()
        return done.stdout

    def installer(self, command: str, *options: str | Path) -> None:
        """Install or uninstall, by pip where this environment has it, else by uv."""
        if find_spec("pip") is not None:
            own = ["--yes"] if command == "uninstall" else ["--no-deps", "--no-index"]
            self.run("-m", "pip", "--quiet", command, *own, *options, cwd=self.root)
            return
        uv = shutil.which("uv")
        if uv is None:
            message = "neither pip nor uv is there to install with"
            raise SystemExit(message)
        own = [] if command == "uninstall" else ["--no-deps", "--no-index", "--no-cache"]
        where: list[str | Path] = ["--python", self.bin / "python"]
        subprocess.run([uv, "--quiet", "pip", command, *where, *own, *options], check=True)


def certified(bench: Bench, kind: str) -> tuple[str, dict[str, float], list[str]]:
    """The tier that a kind's package reaches as rendered, the seconds of each step, and what went wrong."""
    name, wrong = f"new-{kind}", []
    folder = bench.root / f"coinswarm-{name}"
    seconds: dict[str, float] = {}
    begin = time.perf_counter()

    def done(step: str) -> None:
        nonlocal begin
        seconds[step] = time.perf_counter() - begin
        begin = time.perf_counter()

    bench.run(*COINSWARM, "plugins", "new", kind, name, cwd=bench.root)
    bench.run("-m", "hatchling", "build", "--target", "wheel", "--directory", bench.root / "wheels", cwd=folder)
    [wheel] = (bench.root / "wheels").glob(f"coinswarm_new_{kind}-*.whl")
    bench.installer("install", wheel)
    done("install")
    try:
        bench.run("-m", "pytest", "-q", "-p", "no:cacheprovider", cwd=folder)
    except subprocess.CalledProcessError:
        wrong.append("its tests fail")
    done("tests")
    told = bench.run(*COINSWARM, "plugins", "check", name, "--json", cwd=bench.root, quiet=True)
    [verdict] = json.loads(told)["subjects"]
    tier = verdict["tier"] or "none"
    if RANKS.index(tier) < RANKS.index(LEAST):
        wrong += [f"{row['id']} {row['outcome']}: {row['reason']}" for row in verdict["checks"] if row["reason"]]
    if not verdict["certificate"]:
        wrong.append("there is no certificate")
    done("check")
    bench.installer("uninstall", folder.name)
    done("uninstall")
    return tier, seconds, wrong


def main() -> int:
    """Certify the kinds that are named, or all; 0 when each reached what it must."""
    lint = "--no-lint" not in sys.argv
    kinds = [word for word in sys.argv[1:] if word != "--no-lint"] or list(KINDS)
    for kind in kinds:
        if kind not in KINDS:
            print(f"{kind} is no kind: say {', '.join(KINDS)}", file=sys.stderr)
            return 2
    faults: list[str] = []
    with tempfile.TemporaryDirectory(prefix="coinswarm-scaffold-") as place:
        bench = Bench(Path(place))
        print("".join(f"{word.upper():<12}" for word in ("kind", "tier", *STEPS, "seconds", "cpu")), flush=True)
        begin, used = time.perf_counter(), _cpu()
        for kind in kinds:
            before = _cpu()
            tier, seconds, wrong = certified(bench, kind)
            numbers = [*(seconds[step] for step in STEPS), sum(seconds.values()), _cpu() - before]
            cells = [kind, tier, *(f"{number:.1f}" for number in numbers)]
            print("".join(f"{cell:<12}" for cell in cells), flush=True)
            faults += [f"{kind}: {reason}" for reason in wrong]
        print(f"{len(kinds)} kinds in {time.perf_counter() - begin:.0f} s, of CPU {_cpu() - used:.0f} s")
        faults += _read(bench, kinds) if lint else []
    for fault in faults:
        print(fault, file=sys.stderr)
    return 1 if faults else 0


def _read(bench: Bench, kinds: list[str]) -> list[str]:
    """What ruff and strict mypy find in all packages at once."""
    sources = [bench.root / f"coinswarm-new-{kind}" for kind in kinds]
    os.environ["MYPYPATH"] = os.pathsep.join(str(source / "src") for source in sources)
    commands: tuple[tuple[str | Path, ...], ...] = (
        ("ruff", "check", "--no-cache", *sources),
        ("ruff", "format", "--check", "--no-cache", *sources),
        ("mypy", "--strict", *(word for kind in kinds for word in ("-p", f"coinswarm_new_{kind}"))),
    )
    faults = []
    for command in commands:
        try:
            bench.run("-m", *command, cwd=bench.root)
        except subprocess.CalledProcessError:
            faults.append(f"{command[0]} finds faults")
    return faults


def _cpu() -> float:
    """Seconds of CPU that our children have used."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    sys.exit(main())

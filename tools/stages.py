"""Run one EDD stage with the interpreter of the shared environment: ``python tools/stages.py NAME [PYTEST OPTION...]``.

One pytest for each package, or a part of one, always from its installed wheel. A package may have no test in a stage
(pytest's exit code 5); a stage without any test has failed. With pytest options of one's own, which choose some tests,
coverage is not judged.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from layout import RESULTS, ROOT, STAGES, packages

if TYPE_CHECKING:
    from collections.abc import Iterable

MARKED = ("static", "soundness", "integration", "backtest")
"""Stages whose tests carry a marker of that name; a test with none belongs to `unit`."""

UNMARKED = " and ".join(f"not {name}" for name in MARKED)

COVERED = {"coinswarm-core": ("coinswarm", 90), "testkit": ("coinswarm_testkit", 90)}
"""Folder -> the package there, and the least branch coverage, in percent, that the tests of that folder reach. What
others reach in passing is not measured: it would cost a test as much again as to run."""

UNMEASURED = ("testkit/mutants/tests/test_sound.py",)
"""Tests of such a folder that would show nothing new: a check that a mutant fails has been gone through by then."""

MEASURED = "COINSWARM_MEASURED"
"""The variable that tells coverage which package (``pyproject.toml``)."""

NO_TEST = 5

PARTS = (
    "testkit/mutants/tests",
    "testkit/mutants/tests/test_sound.py",
    "testkit/tests/gate/test_hostile.py",
    "tests/docs",
    "coinswarm-core/tests/memory",
    "coinswarm-core/tests/cli",
    "coinswarm-core/tests/backtest/test_paper_replay.py",
)
"""Tests that run as a pytest of their own beside the rest of their package, begun first: they take longest. Then comes
what has the most files: what begins last must be short for all to end together."""


def shares(chosen: list[str]) -> dict[str, tuple[list[Path], list[Path]]]:
    """What each pytest runs: its name -> paths, and the paths below these that another one runs.

    :param chosen: paths of tests to run instead of all.
    """
    parts = [ROOT / part for part in PARTS]
    found: dict[str, tuple[list[Path], list[Path]]] = {}
    for folder in [*packages(), ROOT]:
        tests, name = folder / "tests", "repository" if folder == ROOT else folder.name
        if chosen:
            paths = [ROOT / path for path in chosen if (ROOT / path).resolve().is_relative_to(tests)]
            found |= {name: (paths, [])} if paths else {}
        elif any(tests.glob("**/test_*.py")):
            own = [part for part in parts if part != tests and part.is_relative_to(tests)]
            found |= {f"{name}-{part.stem}": ([part], []) for part in own} | {name: ([tests], own)}
    places = {part: place - len(parts) for place, part in enumerate(parts)}

    def order(share: tuple[str, tuple[list[Path], list[Path]]]) -> tuple[int, int]:
        first = share[1][0][0]
        return places.get(first, 0), -len([*first.glob("**/test_*.py")])

    return dict(sorted(found.items(), key=order))


def told(arguments: Iterable[str | Path], variables: dict[str, str]) -> str:
    """How a module of this interpreter is run, for whoever would repeat it."""
    return " ".join(["$", *(f"{key}={value}" for key, value in variables.items()), "python -m", *map(str, arguments)])


def run(*arguments: str | Path, **variables: str) -> int:
    """Run a module of this interpreter from the repository's root, and show how."""
    print(told(arguments, variables), flush=True)
    command = [sys.executable, "-m", *arguments]
    return subprocess.run(command, cwd=ROOT, env={**os.environ, **variables}, check=False).returncode


def run_beside(*arguments: str | Path, **variables: str) -> int:
    """The same beside others: what it prints is shown as it ends, in one piece."""
    done = subprocess.run(
        [sys.executable, "-m", *arguments],
        cwd=ROOT,
        env={**os.environ, **variables},
        check=False,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    print(f"{told(arguments, variables)}\n{done.stdout}", flush=True)
    return done.returncode


def from_wheels() -> str:
    """Say which of our packages would not be tested from an installed wheel; empty if all are."""
    prefix = Path(sys.prefix).resolve()
    for folder in packages():
        name = next((folder / "src").glob("*/__init__.py")).parent.name
        spec = importlib.util.find_spec(name)
        if spec is None or spec.origin is None or prefix not in Path(spec.origin).resolve().parents:
            return f"{name} is not installed from its wheel here: run ./dev, which makes the environment"
    return ""


def measured(tests: Path) -> str:
    """The package whose coverage is measured where these run; empty: none's."""
    if tests in {ROOT / path for path in UNMEASURED}:
        return ""
    return next((name for folder, (name, _) in COVERED.items() if tests.is_relative_to(ROOT / folder)), "")


def executed(stage: str) -> int:
    """How many tests the results of a stage hold that were not skipped."""
    suites = [suite for path in RESULTS.glob(f"{stage}-*.xml") for suite in ET.parse(path).getroot().iter("testsuite")]  # noqa: S314
    return sum(int(suite.get("tests", 0)) - int(suite.get("skipped", 0)) for suite in suites)


def pytest(stage: str, options: list[str]) -> bool:
    """Run the stage's tests of each package and of the repository; whether none failed.

    :param options: for pytest; paths of tests among them are run instead of all.
    """
    chosen = [option for option in options if "tests" in Path(option.split("::")[0]).parts]
    options = [option for option in options if option not in chosen]
    marker = stage if stage in MARKED else UNMARKED
    commands: dict[str, list[str]] = {}
    variables: dict[str, dict[str, str]] = {}
    for name, (paths, others) in shares(chosen).items():
        package = measured(paths[0]) if stage == "unit" else ""
        commands[name] = [
            *(["coverage", "run", "-m"] if package else []),
            "pytest",
            *map(str, paths),
            *(f"--ignore={path}" for path in others),
            "-m",
            marker,
            f"--junit-xml={RESULTS / stage}-{name}.xml",
            *options,
        ]
        variables[name] = {MEASURED: package} if package else {}
    core = ROOT / "coinswarm-core"
    plain = jitted_tests(core)
    if stage == "unit" and plain and not chosen and not options:
        # Coverage cannot see into compiled code: the same tests once more, interpreted.
        again = ["coverage", "run", "-m", "pytest", "-m", f"{UNMARKED} and not compiled", *map(str, plain)]
        commands["interpreted"] = again
        variables["interpreted"] = {MEASURED: measured(core), "NUMBA_DISABLE_JIT": "1"}
    if len(commands) == 1 or options:  # somebody is looking, perhaps with a debugger
        codes = {name: run(*command, **variables[name]) for name, command in commands.items()}
    else:
        # A sixth of the time of unit tests is waiting for servers and clocks. Elsewhere there is little of that, and in
        # `soundness` one suite takes as long as all others together: it must have a core for itself.
        codes = side_by_side(commands, variables, (os.cpu_count() or 1) + (stage == "unit"))
    for name, code in codes.items():
        if code == NO_TEST:
            print(f"{name}: no test in stage {stage}", flush=True)
    return not set(codes.values()) - {0, NO_TEST}


def side_by_side(commands: dict[str, list[str]], variables: dict[str, dict[str, str]], lanes: int) -> dict[str, int]:
    """Run modules of this interpreter, each with its variables, so many at once."""
    with ThreadPoolExecutor(lanes) as pool:
        codes = pool.map(lambda name: run_beside(*commands[name], **variables[name]), commands)
        return dict(zip(commands, codes, strict=True))


def jitted_tests(core: Path) -> list[Path]:
    """The unit tests of the files that numba compiles."""
    from coinswarm._jit import JITTED  # noqa: PLC0415 - imports numba

    stems = [core / "tests" / Path(name).parent / f"test_{Path(name).stem}.py" for name in JITTED]
    return [path for path in stems if path.exists()]


def unit(options: list[str]) -> bool:
    """Run the unit and contract tests, then judge branch coverage by package."""
    data = RESULTS / "coverage"
    data.mkdir(parents=True)
    os.environ["COVERAGE_FILE"] = str(data / "unit")
    good = pytest("unit", options)
    if options:
        return good
    good = run("coverage", "combine", "--quiet") == 0 and good
    for folder, (_, least) in COVERED.items():
        good = run("coverage", "report", f"--include={folder}/*", f"--fail-under={least}") == 0 and good
    return good


def static(options: list[str]) -> bool:
    """Read the repository: style, types, and what the tests marked `static` hold."""
    if options:
        return pytest("static", options)
    with ThreadPoolExecutor(1) as beside:  # types are read by one process at a time, since each goes on from the last
        typed = beside.submit(are_typed)
        good = pytest("static", [])
        return typed.result() and good


def are_typed() -> bool:
    """Whether ruff and mypy find nothing."""
    sources = [folder / "src" for folder in packages()]
    suites = [folder / "tests" for folder in [*packages(), ROOT] if any(folder.glob("tests/**/*.py"))]
    checks = [
        run_beside("ruff", "check"),
        run_beside("ruff", "format", "--check"),
        run_beside("mypy", *sources),
        run_beside("mypy", "tools", "conftest.py"),
        run_beside("mypy", "benchmarks", MYPYPATH="benchmarks"),
        # A tests folder is a root of imports by itself: two of them may hold modules of the same name.
        *(run_beside("mypy", tests, MYPYPATH=str(tests)) for tests in suites),
    ]
    return not any(checks)


def main() -> int:
    """Run the stage that the first argument names; 0 only if it ran tests and all went well."""
    stage, options = sys.argv[1], sys.argv[2:]
    if stage not in STAGES:
        print(f"{stage} is no stage: say one of {', '.join(STAGES)}", file=sys.stderr)
        return 2
    if problem := from_wheels():
        print(problem, file=sys.stderr)
        return 2
    for path in RESULTS.glob(f"{stage}-*.xml"):
        path.unlink()
    if stage == "unit":
        shutil.rmtree(RESULTS / "coverage", ignore_errors=True)
    # Where numpy is imported, a thread for each core waits for work, and is busy at that for a while: tests start
    # hundreds of processes that have none for it.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    good = {"unit": unit, "static": static}.get(stage, lambda given: pytest(stage, given))(options)
    if good and not executed(stage):
        print(f"stage {stage} ran no test: that is a failure", file=sys.stderr)
        return 1
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())

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
from xml.etree import ElementTree as ET

from layout import RESULTS, ROOT, STAGES, packages

MARKED = ("static", "soundness", "integration", "backtest")
"""Stages whose tests carry a marker of that name; a test with none belongs to `unit`."""

UNMARKED = " and ".join(f"not {name}" for name in MARKED)

COVERED = {"coinswarm-core": 90, "testkit": 90}
"""Package folder -> least branch coverage, in percent."""

NO_TEST = 5

INTERPRETED = "interpreted"
"""The name of the run whose jitted functions are plain Python."""

PARTS = (
    "testkit/mutants/tests",
    "testkit/tests/gate/test_hostile.py",
    "tests/docs",
    "coinswarm-core/tests/cli",
    "coinswarm-core/tests/backtest/test_paper_replay.py",
)
"""Tests that run as a pytest of their own beside the rest of their package, begun first: they take longest. Then comes
what has the most files: what begins last must be short for both cores to end together."""


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


def run(*arguments: str | Path, **variables: str) -> int:
    """Run a module of this interpreter from the repository's root, and show how."""
    print(f"$ {' '.join(f'{key}={value}' for key, value in variables.items())} python -m", *arguments, flush=True)
    command = [sys.executable, "-m", *arguments]
    return subprocess.run(command, cwd=ROOT, env={**os.environ, **variables}, check=False).returncode


def from_wheels() -> str:
    """Say which of our packages would not be tested from an installed wheel; empty if all are."""
    prefix = Path(sys.prefix).resolve()
    for folder in packages():
        name = next((folder / "src").glob("*/__init__.py")).parent.name
        spec = importlib.util.find_spec(name)
        if spec is None or spec.origin is None or prefix not in Path(spec.origin).resolve().parents:
            return f"{name} is not installed from its wheel here: run ./dev, which makes the environment"
    return ""


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
    commands = {
        name: [
            *(["coverage", "run", "-m"] if stage == "unit" else []),
            "pytest",
            *map(str, paths),
            *(f"--ignore={path}" for path in others),
            "-m",
            marker,
            f"--junit-xml={RESULTS / stage}-{name}.xml",
            *options,
        ]
        for name, (paths, others) in shares(chosen).items()
    }
    plain = jitted_tests(ROOT / "coinswarm-core")
    if stage == "unit" and plain and not chosen and not options:
        # Coverage cannot see into compiled code: the same tests once more, interpreted.
        again = ["coverage", "run", "-m", "pytest", "-m", f"{UNMARKED} and not compiled", *map(str, plain)]
        commands[INTERPRETED] = again
    if len(commands) == 1 or options:  # somebody is looking, perhaps with a debugger
        codes = {name: run(*command) for name, command in commands.items()}
    else:
        codes = side_by_side(commands)
    for name, code in codes.items():
        if code == NO_TEST:
            print(f"{name}: no test in stage {stage}", flush=True)
    return not set(codes.values()) - {0, NO_TEST}


def side_by_side(commands: dict[str, list[str]]) -> dict[str, int]:
    """Run modules of this interpreter, as many at once as there are cores; what each prints is shown as it ends."""

    def one(name: str) -> int:
        command = [sys.executable, "-m", *commands[name]]
        done = subprocess.run(
            command,
            cwd=ROOT,
            env={**os.environ, **({"NUMBA_DISABLE_JIT": "1"} if name == INTERPRETED else {})},
            check=False,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        print(f"$ python -m {' '.join(commands[name])}\n{done.stdout}", flush=True)
        return done.returncode

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return dict(zip(commands, pool.map(one, commands), strict=True))


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
    for folder, least in COVERED.items():
        good = run("coverage", "report", f"--include={folder}/*", f"--fail-under={least}") == 0 and good
    return good


def static(options: list[str]) -> bool:
    """Read the repository: style, types, and what the tests marked `static` hold."""
    if options:
        return pytest("static", options)
    sources = [folder / "src" for folder in packages()]
    suites = [folder / "tests" for folder in [*packages(), ROOT] if any(folder.glob("tests/**/*.py"))]
    checks = [
        run("ruff", "check"),
        run("ruff", "format", "--check"),
        run("mypy", *sources),
        run("mypy", "tools", "conftest.py"),
        run("mypy", "benchmarks", MYPYPATH="benchmarks"),
        # A tests folder is a root of imports by itself: two of them may hold modules of the same name.
        *(run("mypy", tests, MYPYPATH=str(tests)) for tests in suites),
    ]
    return pytest("static", []) and not any(checks)


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
    good = {"unit": unit, "static": static}.get(stage, lambda given: pytest(stage, given))(options)
    if good and not executed(stage):
        print(f"stage {stage} ran no test: that is a failure", file=sys.stderr)
        return 1
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())

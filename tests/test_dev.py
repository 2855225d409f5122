"""``./dev`` and ``tools/``: which Python is taken, when an environment is made anew, and what a stage calls success."""

from __future__ import annotations

import importlib
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Sequence

ROOT = Path(__file__).resolve().parents[1]


def tool(name: str, monkeypatch: pytest.MonkeyPatch) -> Any:  # noqa: ANN401 - a module, whose parts are replaced below
    """Import a script of ``tools/``."""
    monkeypatch.syspath_prepend(ROOT / "tools")
    return importlib.import_module(name)


class Fake:
    """Stands in for pip, uv and hatchling: writes down what was run, and makes the files that are looked for.

    :param fails: a word; a command that holds it fails.
    """

    def __init__(self, place: Path) -> None:
        self.place = place
        self.ran: list[str] = []
        self.fails = "no such word"

    def __call__(self, arguments: Sequence[str | Path], **_: object) -> None:
        words = [Path(part).name if isinstance(part, Path) else part for part in arguments]
        line = " ".join(words)
        self.ran.append(line)
        if self.fails in line:
            raise subprocess.CalledProcessError(7, words)
        if "venv" in words:
            (self.place / "bin").mkdir(parents=True)
            (self.place / "bin" / "python").symlink_to(sys.executable)

    def take(self) -> list[str]:
        """What was run since the last call."""
        ran, self.ran = self.ran, []
        return ran


@pytest.fixture
def made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Any, Fake]:
    """``tools/environment.py`` over a repository of one package, with a stand-in for every command."""
    environment = tool("environment", monkeypatch)
    package = tmp_path / "coinswarm-core"
    (package / "src" / "coinswarm").mkdir(parents=True)
    for name in ("pyproject.toml", "README.md", "LICENSE", "src/coinswarm/__init__.py"):
        (package / name).write_text("one", encoding="utf-8")
    (tmp_path / "constraints").mkdir()
    (tmp_path / "constraints" / "run.txt").write_text("one", encoding="utf-8")
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    fake = Fake(tmp_path / ".venv" / f"demo-{version}")
    monkeypatch.setattr(environment, "ROOT", tmp_path)
    monkeypatch.setattr(environment, "VENVS", tmp_path / ".venv")
    monkeypatch.setattr(environment, "packages", lambda: [package])
    monkeypatch.setattr(environment, "_run", fake)
    monkeypatch.setattr(environment, "_installers", lambda: ["uv", "pip"])
    return environment, fake


def test_an_environment_is_made_once(made: tuple[Any, Fake]) -> None:
    environment, fake = made
    assert environment.ensure("demo") == fake.place / "bin"
    first = fake.take()
    assert first[0].startswith("uv --quiet venv")
    assert "--require-hashes -r run.txt" in first[1]
    assert any("hatchling build" in line for line in first)
    assert "--no-index" in first[-2]
    assert " check" in first[-1]
    environment.ensure("demo")
    assert fake.take() == []


def test_changed_sources_renew_our_wheels_only(made: tuple[Any, Fake], tmp_path: Path) -> None:
    environment, fake = made
    environment.ensure("demo")
    fake.take()
    (tmp_path / "coinswarm-core" / "src" / "coinswarm" / "__init__.py").write_text("two", encoding="utf-8")
    environment.ensure("demo")
    again = fake.take()
    assert again
    assert not any("venv" in line or "run.txt" in line for line in again)


def test_changed_pins_make_all_anew(made: tuple[Any, Fake], tmp_path: Path) -> None:
    environment, fake = made
    environment.ensure("demo")
    fake.take()
    (tmp_path / "constraints" / "run.txt").write_text("two", encoding="utf-8")
    environment.ensure("demo")
    assert "venv" in fake.take()[0]


def test_pip_goes_on_where_uv_fails(made: tuple[Any, Fake]) -> None:
    environment, fake = made
    fake.fails = "uv --quiet pip"
    environment.ensure("demo")
    assert any("-m venv" in line for line in fake.take())


def test_a_failure_leaves_nothing_behind(made: tuple[Any, Fake]) -> None:
    environment, fake = made
    fake.fails = "pip"
    with pytest.raises(environment.MakeError, match="failed with exit code 7"):
        environment.ensure("demo")
    assert not fake.place.exists()


def test_an_interruption_leaves_nothing_behind(made: tuple[Any, Fake], monkeypatch: pytest.MonkeyPatch) -> None:
    environment, fake = made

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(environment, "_install_own", interrupted)
    with pytest.raises(KeyboardInterrupt):
        environment.ensure("demo")
    assert not fake.place.exists()


def test_without_any_installer_one_line_names_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    environment = tool("environment", monkeypatch)
    monkeypatch.setattr(environment.shutil, "which", lambda _: None)
    monkeypatch.setattr(environment.importlib.util, "find_spec", lambda _: None)
    monkeypatch.delenv("DEV_INSTALLER", raising=False)
    with pytest.raises(environment.MakeError, match=r"install the package python3\.\d+-venv, or uv") as caught:
        environment._installers()
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("codes", "tests", "good"),
    [
        ([0, 0], 3, True),
        ([0, 5], 3, True),  # one package has no test in this stage
        ([5, 5], 0, False),  # none has: nothing was shown
        ([0, 1], 3, False),
        ([0, 2], 3, False),
    ],
)
def test_a_stage_without_a_test_has_failed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, codes: list[int], tests: int, *, good: bool
) -> None:
    stages = tool("stages", monkeypatch)
    for name in ("one", "two"):
        (tmp_path / name / "tests").mkdir(parents=True)
        (tmp_path / name / "tests" / "test_it.py").touch()
    monkeypatch.setattr(stages, "ROOT", tmp_path / "none")
    monkeypatch.setattr(stages, "RESULTS", tmp_path)
    monkeypatch.setattr(stages, "packages", lambda: [tmp_path / "one", tmp_path / "two"])
    monkeypatch.setattr(
        stages, "side_by_side", lambda commands, _variables, _lanes: dict(zip(commands, codes, strict=True))
    )
    monkeypatch.setattr(stages, "from_wheels", lambda: "")
    monkeypatch.setattr(stages, "executed", lambda _: tests)
    monkeypatch.setattr(sys, "argv", ["stages.py", "soundness"])
    assert (stages.main() == 0) is good


def test_every_test_runs_once_in_a_stage_and_what_takes_longest_begins_first(monkeypatch: pytest.MonkeyPatch) -> None:
    stages = tool("stages", monkeypatch)
    found = list(stages.shares([]).values())
    assert [paths for paths, _ in found[: len(stages.PARTS)]] == [[ROOT / part] for part in stages.PARTS]
    for test in (path for folder in [*stages.packages(), ROOT] for path in (folder / "tests").glob("**/test_*.py")):
        inside = [
            paths
            for paths, others in found
            if any(test.is_relative_to(path) for path in paths)
            and not any(test.is_relative_to(path) for path in others)
        ]
        assert len(inside) == 1, test


def test_packages_run_side_by_side_and_each_shows_what_it_said(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    stages = tool("stages", monkeypatch)
    monkeypatch.setattr(stages, "ROOT", tmp_path)
    for name, code in (("good", 0), ("bad", 3)):
        (tmp_path / f"{name}.py").write_text(f"print('this is {name}')\nraise SystemExit({code})\n")
    commands, variables = {"one": ["good"], "two": ["bad"]}, {"one": {"SAID": "yes"}, "two": {}}
    assert stages.side_by_side(commands, variables, 2) == {"one": 0, "two": 3}
    said = capsys.readouterr().out
    assert "$ SAID=yes python -m good\nthis is good\n" in said
    assert "$ python -m bad\nthis is bad\n" in said


@pytest.mark.parametrize(
    ("tests", "package"),
    [
        ("coinswarm-core/tests/cli", "coinswarm"),
        ("testkit/tests", "coinswarm_testkit"),
        ("testkit/mutants/tests", "coinswarm_testkit"),
        ("testkit/mutants/tests/test_sound.py", ""),
        ("plugins/coinswarm-trend/tests", ""),
        ("tests", ""),
    ],
)
def test_coverage_is_measured_by_the_tests_of_the_same_folder(
    monkeypatch: pytest.MonkeyPatch, tests: str, package: str
) -> None:
    stages = tool("stages", monkeypatch)
    ran: list[tuple[list[str], dict[str, str]]] = []

    def run(*command: str, **variables: str) -> int:
        ran.append(([*command], variables))
        return 0

    monkeypatch.setattr(stages, "run", run)
    monkeypatch.setattr(stages, "shares", lambda _: {"these": ([ROOT / tests], [])})
    assert stages.pytest("unit", ["-x"])
    [(command, variables)] = ran
    assert (command[0], variables) == (("coverage", {stages.MEASURED: package}) if package else ("pytest", {}))


@pytest.mark.parametrize(("typed", "tested"), [(True, True), (True, False), (False, True)])
def test_the_repository_is_good_where_both_its_types_and_its_tests_are(
    monkeypatch: pytest.MonkeyPatch, *, typed: bool, tested: bool
) -> None:
    stages = tool("stages", monkeypatch)
    monkeypatch.setattr(stages, "run_beside", lambda module, *_, **__: int(module == "mypy" and not typed))
    monkeypatch.setattr(stages, "pytest", lambda _stage, _options: tested)
    assert stages.static([]) is (typed and tested)


class TestShell:
    """The script itself, in a PATH that we lay out."""

    @staticmethod
    def dev(tmp_path: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """Run a copy of ``./dev`` whose ``tools/dev.py`` says which Python runs it."""
        (tmp_path / "tools").mkdir()
        (tmp_path / "tools" / "dev.py").write_text("import sys; print(sys.argv[1:])", encoding="utf-8")
        shutil.copy(ROOT / "dev", tmp_path / "dev")
        places = tmp_path / "bin"
        places.mkdir(exist_ok=True)
        for name in ("sh", "cat", "dirname"):
            (places / name).symlink_to(str(shutil.which(name)))
        environment = {"PATH": str(places), "HOME": str(tmp_path), **variables}
        command = [str(tmp_path / "dev"), *arguments]
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)

    @staticmethod
    def program(tmp_path: Path, name: str, text: str) -> None:
        """Put a script on that PATH."""
        path = tmp_path / "bin" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"#!/bin/sh\n{text}\n", encoding="utf-8")
        path.chmod(0o755)

    def test_without_an_argument_it_says_what_there_is(self, tmp_path: Path) -> None:
        done = self.dev(tmp_path)
        assert done.returncode == 0
        assert "./dev demo" in done.stdout

    def test_a_shim_that_fails_is_passed_over(self, tmp_path: Path) -> None:
        self.program(tmp_path, "python3.13", "echo 'no such version' >&2; exit 127")
        self.program(tmp_path, "python3.12", "exit 1")
        self.program(tmp_path, "python3", f'exec "{sys.executable}" "$@"')
        done = self.dev(tmp_path, "demo", "--seed", "a b")
        assert done.stderr == ""
        assert done.stdout.strip() == "['demo', '--seed', 'a b']"

    def test_a_python_with_ensurepip_is_preferred(self, tmp_path: Path) -> None:
        bare = f'case "$*" in *ensurepip*) exit 1;; *dev.py*) echo bare;; *) exec "{sys.executable}" "$@";; esac'
        self.program(tmp_path, "python3.13", bare)
        self.program(tmp_path, "python3.12", f'exec "{sys.executable}" "$@"')
        assert self.dev(tmp_path, "demo").stdout.strip() == "['demo']"

    @pytest.mark.parametrize("variables", [{}, {"PYTHON": "python9"}])
    def test_without_a_python_it_says_so_in_one_line(self, tmp_path: Path, variables: dict[str, str]) -> None:
        done = self.dev(tmp_path, "demo", **variables)
        assert done.returncode == 2
        assert done.stdout == ""
        assert len(done.stderr.splitlines()) == 1
        assert "3.11" in done.stderr

    def test_it_is_plain_posix_shell(self) -> None:
        assert os.access(ROOT / "dev", os.X_OK)
        assert os.access(ROOT / ".ci" / "run", os.X_OK)
        assert (ROOT / "dev").read_text(encoding="utf-8").startswith("#!/bin/sh\n")
        assert subprocess.run(["sh", "-n", str(ROOT / "dev")], check=False).returncode == 0

"""What ``coinswarm plugins new`` writes, and what it refuses. What is rendered is judged by tools/scaffold.py."""

from __future__ import annotations

import ast
import json
import tomllib
from typing import TYPE_CHECKING, Any

import pytest

from coinswarm.errors import CoinswarmError, OperatorError, OutputError, UnknownNameError
from coinswarm.plugins import catalogue, scaffold
from coinswarm.plugins.compat import admits
from coinswarm.plugins.discovery import discover
from coinswarm.plugins.drivers import GROUPS, survey_drivers
from coinswarm.plugins.records import OURS
from coinswarm.plugins.scaffold import KINDS, LONGEST, render

if TYPE_CHECKING:
    from pathlib import Path

Site = Any


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", ["a", "mean-3", "agent", "settings", "x" * LONGEST])
def test_every_file_is_whole(kind: str, name: str) -> None:
    files = render(kind, name)
    assert render(kind, name) == files
    assert {".gitignore", "LICENSE", "README.md", "pyproject.toml", "tests/test_contract.py"} <= set(files)
    assert f'contract_tests("{name}", kind="{kind}")' in files["tests/test_contract.py"]
    for place, text in files.items():
        assert "$" not in text, place
        assert not text or text.endswith("\n"), place
        if not place.endswith(".md"):
            assert max((len(line) for line in text.splitlines()), default=0) <= 120, place
        if place.endswith(".py"):
            ast.parse(text)
        if place.endswith(".toml"):
            tomllib.loads(text)
        if place.endswith(".json"):
            json.loads(text)
    project = tomllib.loads(files["pyproject.toml"])["project"]
    target = f"coinswarm_{name.replace('-', '_')}.plugin"
    [(group, points)] = project["entry-points"].items()
    assert group == (GROUPS[kind].name if kind in GROUPS else "coinswarm.plugins")
    assert points == {name: f"{target}:{KINDS[kind].module}" if kind in GROUPS else target}
    core = next(record.version for record in discover() if record.name == "core")
    [wanted] = [line for line in project["dependencies"] if line.startswith("coinswarm-core")]
    assert admits(wanted.removeprefix("coinswarm-core"), core)


@pytest.mark.parametrize(
    ("kind", "name", "error", "said"),
    [
        ("agnet", "x", UnknownNameError, "unknown kind 'agnet': did you mean 'agent'?"),
        ("agent", "My_Agent", OperatorError, "'My_Agent' is not lower-case .*: did you mean 'my-agent'?"),
        ("agent", "break out", OperatorError, "did you mean 'break-out'?"),
        ("agent", "3ma", OperatorError, "did you mean 'ma'?"),
        ("agent", "", OperatorError, "write a name such as 'breakout'"),
        ("agent", "../x", OperatorError, "did you mean 'x'?"),
        ("agent", "x" * 31, OperatorError, "has 31 letters, more than 30: choose a shorter one"),
        ("agent", "core", OperatorError, "taken: coinswarm itself uses it: choose another one"),
        ("weigher", "weigher", OperatorError, "taken: coinswarm itself uses it"),
        ("voter", "rule", OperatorError, "taken: coinswarm itself uses it"),
        ("bus", "message", OperatorError, "taken: coinswarm itself uses it"),
        ("bus", "local", OperatorError, r"taken: driver 'local' \(coinswarm-core .*\) is installed"),
        ("weigher", "weighted", OperatorError, r"taken: plugin 'core' .* declares the weigher 'weighted'"),
        ("agent", "alpha", OperatorError, r"taken: plugin 'alpha' \(fake-alpha 1.0\) is installed"),
        ("agent", "beta", OperatorError, "taken: the distribution 'coinswarm-beta' is installed"),
        ("agent", "gamma", OperatorError, "taken: a package 'coinswarm_gamma' can be imported already"),
    ],
)
def test_what_cannot_be_is_refused_in_one_line_and_nothing_is_written(
    site: Site, tmp_path: Path, kind: str, name: str, error: type[CoinswarmError], said: str
) -> None:
    site.add("alpha")
    site.add("other", distribution="coinswarm-beta")
    (site.folder / "coinswarm_gamma").mkdir()
    (site.folder / "coinswarm_gamma" / "__init__.py").touch()
    known = [*discover(), *catalogue.load([]).plugins.values(), *(one.record for one in survey_drivers("bus"))]
    with pytest.raises(error, match=said) as caught:
        scaffold.scaffold(kind, name, tmp_path / "out", known)
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("name", OURS)
def test_the_name_of_one_of_ours_is_taken_where_it_is_not_installed(name: str, tmp_path: Path) -> None:
    with pytest.raises(OperatorError, match=f"taken: coinswarm-{name} is one of coinswarm's own"):
        scaffold.scaffold("agent", name, tmp_path, [])


def test_a_folder_that_is_there_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "coinswarm-mine").mkdir()
    with pytest.raises(OutputError, match="coinswarm-mine is there already: choose another name"):
        scaffold.scaffold("agent", "mine", tmp_path, [])
    assert not [*(tmp_path / "coinswarm-mine").iterdir()]


def test_a_write_that_fails_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "out").mkdir()
    monkeypatch.setattr(scaffold, "render", lambda _kind, _name: {"good": "x", "good/bad": "y"})
    with pytest.raises(OSError, match="good"):
        scaffold.scaffold("agent", "mine", tmp_path / "out", [])
    assert not [*(tmp_path / "out").iterdir()]

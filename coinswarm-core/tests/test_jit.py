"""Where compiled code is kept, and that every jitted file counts (``_jit``)."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pytest

import coinswarm
from coinswarm import _jit

if TYPE_CHECKING:
    I1 = np.ndarray[tuple[int], np.dtype[np.int64]]
    I2 = np.ndarray[tuple[int, int], np.dtype[np.int64]]
    Short = np.ndarray[tuple[int], np.dtype[np.int32]]

SOURCE = Path(coinswarm.__file__).parent


def uses_jit(path: Path) -> bool:
    """Whether a file decorates a function with ``jit``."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return any(
        isinstance(name, ast.Name) and name.id == "jit"
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef)
        for name in node.decorator_list
    )


def test_the_list_names_exactly_the_files_that_use_jit() -> None:
    found = {path.relative_to(SOURCE).as_posix() for path in SOURCE.rglob("*.py") if uses_jit(path)}
    assert set(_jit.JITTED) == found
    assert len(_jit.JITTED) == len(set(_jit.JITTED))


def compiled_in(path: Path) -> set[str]:
    """Files of ours that bring what the jitted functions of a file name: a function, a number, a type."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    brought = {
        alias.asname or alias.name: f"{node.module}.{alias.name}"
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and str(node.module).startswith("coinswarm.")
        for alias in node.names
    }
    named = {
        name.id
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef) and node.decorator_list
        for name in ast.walk(node)
        if isinstance(name, ast.Name)
    }
    modules = [brought[name].split(".")[1:] for name in named - {"jit"} if name in brought]
    places = [SOURCE.joinpath(*one).with_suffix(".py") for one in modules]
    return {
        (place if place.exists() else place.parent.with_suffix(".py")).relative_to(SOURCE).as_posix()
        for place in places
    }


def test_what_is_compiled_in_counts_as_well() -> None:
    found = set[str]().union(*(compiled_in(SOURCE / name) for name in _jit.JITTED))
    assert set(_jit.CONSTANTS) == found - set(_jit.JITTED)


COUNTS = (*_jit.JITTED, *_jit.CONSTANTS)


def copies(root: Path) -> dict[str, Path]:
    """The files that count, under another root."""
    for name in COUNTS:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes((SOURCE / name).read_bytes())
    return {name: root / name for name in COUNTS}


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Path]:
    """``_jit`` as if the package lay in another folder."""
    monkeypatch.setattr(_jit, "__file__", str(tmp_path / "_jit.py"))
    return copies(tmp_path)


def test_the_digest_is_that_of_the_sources_wherever_they_lie(elsewhere: dict[str, Path]) -> None:
    here = _jit._sources_digest()
    assert elsewhere
    assert len(here) == 16
    assert here == _jit._sources_digest()


@pytest.mark.parametrize("name", COUNTS)
def test_a_change_in_any_of_them_changes_the_digest(elsewhere: dict[str, Path], name: str) -> None:
    before = _jit._sources_digest()
    path = elsewhere[name]
    source = path.read_bytes()
    path.write_bytes(source + b"#")
    changed = _jit._sources_digest()
    path.unlink()
    assert len({before, changed, _jit._sources_digest()}) == 3, "its absence counts as well"
    path.write_bytes(source)
    assert _jit._sources_digest() == before


def test_another_python_has_another_digest(monkeypatch: pytest.MonkeyPatch) -> None:
    before = _jit._sources_digest()
    monkeypatch.setattr(sys, "version", "another")
    assert _jit._sources_digest() != before


def test_the_folder_lies_under_xdg_cache_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    folder = _jit.cache_folder()
    assert folder == tmp_path / "cache" / "coinswarm" / "numba" / _jit._sources_digest()
    assert folder.is_dir()
    assert list(folder.iterdir()) == [], "the probe is gone"


def test_else_under_the_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert _jit.cache_folder().parent == tmp_path / ".cache" / "coinswarm" / "numba"
    monkeypatch.setenv("XDG_CACHE_HOME", "")
    assert _jit.cache_folder().parent == tmp_path / ".cache" / "coinswarm" / "numba", "empty counts as unset"


def unwritable(tmp_path: Path) -> Path:
    """A place in which nobody, root included, can make a folder."""
    (tmp_path / "occupied").touch()
    return tmp_path / "occupied"


def test_where_no_folder_can_be_made_a_temporary_one_serves_with_a_warning(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(unwritable(tmp_path)))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        folder = _jit.cache_folder()
    assert folder.is_dir()
    assert folder.parent == tmp_path
    (warning,) = caught
    assert warning.category is RuntimeWarning
    assert "each process compiles anew: set XDG_CACHE_HOME to a folder that can be written" in str(warning.message)


def test_without_a_home_a_temporary_one_serves(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def homeless() -> Path:
        message = "Could not determine home directory."
        raise RuntimeError(message)

    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setattr(Path, "home", homeless)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with pytest.warns(RuntimeWarning, match="compiled code cannot be kept"):
        assert _jit.cache_folder().parent == tmp_path


@pytest.mark.parametrize("given", [True, False])
def test_a_folder_that_numba_was_given_is_respected(tmp_path: Path, *, given: bool) -> None:
    """In a process of its own: the choice is made when ``_jit`` is imported, and warns at most once."""
    code = (
        "import os, warnings\n"
        "with warnings.catch_warnings(record=True) as caught:\n"
        "    warnings.simplefilter('always')\n"
        "    import coinswarm._jit, coinswarm.indicators\n"
        "print(len([w for w in caught if w.category is RuntimeWarning]), os.environ['NUMBA_CACHE_DIR'])\n"
    )
    env = {"PATH": "", "HOME": str(tmp_path), "XDG_CACHE_HOME": str(unwritable(tmp_path)), "TMPDIR": str(tmp_path)}
    if given:
        env["NUMBA_CACHE_DIR"] = str(tmp_path / "mine")
    done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=True)
    count, folder = done.stdout.split()
    assert count == ("0" if given else "1")
    assert folder == str(tmp_path / "mine") if given else Path(folder).parent == tmp_path


@pytest.mark.compiled
def test_on_the_null_device_nothing_is_read_and_nothing_kept(tmp_path: Path) -> None:
    """The judge of plugins runs like this: what lies on disk are pickles, which somebody else could have written."""
    code = (
        "import sys\n"
        "seen = []\n"
        "sys.addaudithook(lambda event, args: seen.append(str(args[0])) if event in ('open', 'os.mkdir') else None)\n"
        "import numpy, coinswarm.indicators\n"
        "coinswarm.indicators.sma(numpy.arange(9.0), 3)\n"
        "print([name for name in seen if 'numba' in name and '.nb' in name or name.startswith('/dev/null')])\n"
    )
    env = {"PATH": "", "HOME": str(tmp_path), "NUMBA_CACHE_DIR": os.devnull}
    done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
    assert list(tmp_path.iterdir()) == []


def add_one(value: int) -> int:
    """Something to compile."""
    return value + 1


@pytest.mark.compiled
def test_jit_compiles_and_keeps_the_plain_function() -> None:
    compiled = _jit.jit(add_one)
    assert compiled(2) == 3
    assert compiled.py_func is add_one  # type: ignore[attr-defined]
    assert compiled.targetoptions["error_model"] == "numpy"  # type: ignore[attr-defined]


class Mixed(NamedTuple):
    """Arrays of several kinds."""

    table: I2
    counts: Short


class Alike(NamedTuple):
    """Arrays of one kind: numba has a type of its own for these."""

    a: I1
    b: I1


def of_mixed(given: Mixed, row: int) -> int:
    """A row's first field, by its count."""
    return int(given.table[row, 0] * given.counts[row])


def of_alike(given: Alike) -> None:
    """Copies a to b."""
    for i in range(len(given.a)):
        given.b[i] = given.a[i]


@pytest.mark.compiled
def test_typed_jit_compiles_the_annotations_at_once_and_nothing_else() -> None:
    typed = _jit.typed_jit(Mixed, Alike)
    mixed, alike = typed(of_mixed), typed(of_alike)
    dispatchers: list[Any] = [mixed, alike]
    assert [len(one.signatures) for one in dispatchers] == [1, 1]
    given = Mixed(np.array([[3, 0], [5, 0]]), np.array([2, 4], np.int32))
    assert mixed(given, 1) == 20
    both = Alike(np.arange(3), np.zeros(3, np.int64))
    alike(both)
    assert both.b.tolist() == [0, 1, 2]
    with pytest.raises(TypeError, match="No matching definition"):
        mixed(Mixed(np.zeros((2, 2)), np.array([2, 4], np.int32)), 1)  # type: ignore[arg-type]
    assert [len(one.signatures) for one in dispatchers] == [1, 1]


def test_typed_jit_knows_only_what_it_is_told() -> None:
    with pytest.raises(KeyError, match="Alike"):
        _jit.typed_jit(Mixed)(of_alike)

"""Which way imports point: the rules of the house, read off the syntax trees of every package."""

from __future__ import annotations

import ast
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.static

ROOT = Path(__file__).resolve().parents[1]
CORE = ROOT / "coinswarm-core" / "src"
PLUGINS = sorted((ROOT / "plugins").glob("*/src"))
PUBLIC = {"hookspecs", "declarations", "contracts", "ports", "domain", "errors", "indicators"}

LAYERS = (
    {"runtime"},
    {"backtest"},
    {"engine"},
    {"committee", "planning"},
    {"execution"},
    {"simulator"},
    {"risk"},
    {"memory"},
    {"feeds"},
    {"evidence"},
    {"domain"},
)
"""Inner packages from top to bottom: each may import those further down, and its own."""


@dataclass(frozen=True)
class Import:
    """One imported module, as written."""

    module: str
    """Dotted name; for ``from a.b import c`` it is ``a.b.c``, since ``c`` may be a module."""
    typing_only: bool
    inside_function: bool
    where: str

    @property
    def top(self) -> str:
        """The distribution's import name."""
        return self.module.split(".", maxsplit=1)[0]

    @property
    def room(self) -> str:
        """The first part below ``coinswarm``, empty for other packages."""
        return [*self.module.split("."), ""][1] if self.top == "coinswarm" else ""


def read(path: Path, source: Path) -> list[Import]:
    """Return every import of a file, relative ones resolved."""
    package = path.relative_to(source).parent.parts
    found: list[Import] = []

    def visit(node: ast.AST, *, typing_only: bool, inside: bool) -> None:
        where = f"{path.relative_to(ROOT)}:{getattr(node, 'lineno', 0)}"
        if isinstance(node, ast.Import):
            found.extend(Import(name.name, typing_only, inside, where) for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = ".".join(package[: len(package) + 1 - node.level]) if node.level else ""
            start = ".".join(part for part in (base, node.module or "") if part)
            found.extend(Import(f"{start}.{name.name}", typing_only, inside, where) for name in node.names)
        elif isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            for guarded in node.body:
                visit(guarded, typing_only=True, inside=inside)
            for other in node.orelse:
                visit(other, typing_only=typing_only, inside=inside)
        else:
            inside = inside or isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
            for child in ast.iter_child_nodes(node):
                visit(child, typing_only=typing_only, inside=inside)

    visit(ast.parse(path.read_text(encoding="utf-8")), typing_only=False, inside=False)
    return found


def files(source: Path, under: str = "") -> Iterator[tuple[str, list[Import]]]:
    """Yield each file's path below its package, and its imports."""
    for package in sorted(path for path in source.iterdir() if path.is_dir() and path.suffix != ".egg-info"):
        for path in sorted((package / under).rglob("*.py") if under else package.rglob("*.py")):
            yield path.relative_to(package).as_posix(), read(path, source)


def rooms(name: str) -> str:
    """The first part of a file's path: its package, or its own name at the top."""
    return name.split("/", maxsplit=1)[0].removesuffix(".py")


def test_domain_imports_itself_the_standard_library_and_numpy_for_columns() -> None:
    wrong = [
        found.where
        for name, imports in files(CORE, "domain")
        for found in imports
        if found.top not in sys.stdlib_module_names
        and found.room != "domain"
        and not (found.top == "numpy" and (found.typing_only or name in {"domain/market.py", "domain/action.py"}))
    ]
    assert wrong == []


@pytest.mark.parametrize("name", ["declarations.py", "hookspecs.py"])
def test_what_a_plugin_declares_with_loads_no_domain(name: str) -> None:
    allowed = sys.stdlib_module_names | {"pluggy"}
    wrong = [
        found.where
        for found in read(CORE / "coinswarm" / name, CORE)
        if not found.typing_only and found.top not in allowed and found.room not in {"declarations", "errors"}
    ]
    assert wrong == []


def test_inner_packages_import_downwards_only() -> None:
    height = {room: -level for level, layer in enumerate(LAYERS) for room in layer}
    wrong = [
        f"{found.where}: {found.module}"
        for name, imports in files(CORE)
        for found in imports
        if (own := rooms(name)) in height
        and found.room != own
        and (
            found.room == "cli"
            or (found.room in {"drivers", "plugins"} and name != "runtime/assembly.py")
            or (found.room in height and height[found.room] >= height[own])
        )
    ]
    assert wrong == []


def test_assembly_alone_joins_plugins_and_drivers_with_the_rest() -> None:
    wrong = [
        f"{found.where}: {found.module}"
        for name, imports in files(CORE)
        for found in imports
        if found.room in {"plugins", "drivers"}
        and rooms(name) != found.room
        and name != "runtime/assembly.py"
        and not (rooms(name) == "cli" and (found.inside_function or found.typing_only) and found.room == "plugins")
    ]
    assert wrong == []


def test_the_command_line_loads_click_only() -> None:
    allowed = sys.stdlib_module_names | {"click"}
    wrong = [
        f"{found.where}: {found.module}"
        for _, imports in files(CORE, "cli")
        for found in imports
        if not found.typing_only
        and not found.inside_function
        and found.top not in allowed
        and found.room not in {"cli", "errors", "__version__"}
    ]
    assert wrong == []


@pytest.mark.parametrize(
    ("library", "homes"),
    [
        ("click", {"cli"}),
        ("numba", {"_jit.py"}),
        ("pluggy", {"hookspecs.py", "plugins/manager.py"}),
        ("stevedore", {"plugins/loading.py"}),
    ],
)
def test_a_library_has_one_home(library: str, homes: set[str]) -> None:
    wrong = [
        found.where
        for name, imports in files(CORE)
        for found in imports
        if found.top == library and not homes & {name, rooms(name)}
    ]
    assert wrong == []


def test_jitted_code_stands_where_the_cache_key_looks() -> None:
    from coinswarm._jit import JITTED  # noqa: PLC0415 - imports numba: only this test pays

    users = {name for name, imports in files(CORE) for found in imports if found.module == "coinswarm._jit.jit"}
    assert users == set(JITTED)


def test_core_knows_no_plugin_and_no_testkit() -> None:
    others = {path.name for source in PLUGINS for path in source.iterdir()} | {"coinswarm_testkit"}
    assert [found.where for _, imports in files(CORE) for found in imports if found.top in others] == []


@pytest.mark.parametrize("source", PLUGINS, ids=lambda path: path.parent.name)
def test_a_plugin_imports_the_public_modules_only(source: Path) -> None:
    own = next(source.iterdir()).name
    wrong = [
        f"{found.where}: {found.module}"
        for _, imports in files(source)
        for found in imports
        if found.top.startswith("coinswarm") and found.top != own and found.room not in {*PUBLIC, "hookimpl"}
    ]
    assert wrong == []


def test_the_risk_gate_alone_approves() -> None:
    makers = {
        path.relative_to(CORE / "coinswarm").as_posix()
        for path in (CORE / "coinswarm").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and ast.unparse(node.func).split("[")[0].split(".")[-1] == "RiskApproved"
    }
    assert makers <= {"risk/gate.py"}

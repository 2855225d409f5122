"""Which way imports point (docs/architecture.md), held by reading the sources; nothing is imported.

Packages that are planned and not there yet are no failure; a package that no rule knows is one.
"""

from __future__ import annotations

import ast
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.static

REPOSITORY = Path(__file__).parents[2]
SPEC = find_spec("coinswarm")
assert SPEC is not None
assert SPEC.origin is not None
CORE = Path(SPEC.origin).parent

LAYERS = (
    ("runtime",),
    ("backtest",),
    ("engine",),
    ("committee", "planning"),
    ("execution",),
    ("simulator",),
    ("risk",),
    ("memory",),
    ("feeds",),
    ("evidence",),
    ("domain",),
)
"""Inner packages, top to bottom."""

DEPTH = {name: depth for depth, layer in enumerate(LAYERS) for name in layer}
OUTER = {"cli", "config", "drivers", "plugins"}
DATA = {"data"}
"""Packages that hold files only."""

ASSEMBLY = {
    "runtime.assembly",
    "runtime.admission",
    "runtime.making",
    "runtime.swarm.assembly",
    "runtime.swarm.opening",
}
PUBLIC = {"hookspecs", "declarations", "contracts", "ports", "delivery", "domain", "errors", "indicators"}
"""What a plugin may import of core."""

BASE = {
    "__init__": {"hookspecs"},
    "_jit": set[str](),
    "canonical": {"errors", "domain"},
    "clock": set[str](),
    "contracts": {"domain"},
    "declarations": set[str](),
    "delivery": {"domain", "errors", "ports"},
    "errors": set[str](),
    "hookspecs": set[str](),
    "indicators": {"_jit", "domain"},
    "ports": {"domain"},
    "writing": set[str](),
}
"""Single modules of core, and what each may import of core at run time."""

THIRD_PARTY = {
    "alembic": {"memory.store"},
    "anyio": {"delivery", "runtime", "feeds", "drivers", "execution", "memory", "planning"},
    "click": {"cli"},
    "cryptography": {"plugins.signing"},
    "nacl": {"memory.quorum.keys"},
    "numba": {"_jit"},
    "pluggy": {"hookspecs", "plugins.manager"},
    "prometheus_client": {"runtime.metrics"},
    "psycopg": {"memory.store.pipeline", "memory.store.silence"},
    "pydantic": {"config", "drivers.settings"},
    "pydantic_core": {"config"},
    "sqlalchemy": {"memory.store"},
    "stevedore": {"plugins.loading"},
}
"""Distribution -> the modules or packages that may import it. numpy has a rule of its own."""

LATE = {"pandas", "pyarrow", "keyring", "usearch"}
"""Imported inside the function that needs them, never at the top of a module."""

NUMPY_IN_DOMAIN = {"domain.action", "domain.market"}
WITHOUT_NUMPY = {"cli", "config", "plugins", "_jit", "clock", "contracts", "declarations", "errors", "hookspecs"}


class Import(NamedTuple):
    """One import statement's target, as seen in the source."""

    module: str
    """Dotted name from the importing package's root, such as ``risk.gate``."""
    target: str
    """Dotted name of what is imported, with the imported name where it may be a module."""
    typing_only: bool
    inside: bool
    """Inside a function."""
    line: int

    @property
    def top(self) -> str:
        return self.target.partition(".")[0]

    @property
    def ours(self) -> str:
        """What it imports of core, as ``risk.gate``; empty for anything else."""
        return self.target.removeprefix("coinswarm").lstrip(".") if self.top == "coinswarm" else ""

    def __str__(self) -> str:
        return f"{self.module}:{self.line} imports {self.target}"


def imports_of(root: Path) -> list[Import]:
    """Every import below a package's folder."""
    return [found for path in sorted(root.rglob("*.py")) for found in _imports(path, _name(path, root), root.name)]


def _name(path: Path, root: Path) -> str:
    parts = path.relative_to(root).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" and len(parts) > 1 else parts)


def _imports(path: Path, module: str, package: str) -> Iterator[Import]:
    def walk(node: ast.AST, *, typing_only: bool = False, inside: bool = False) -> Iterator[Import]:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.Import):
                yield from (Import(module, alias.name, typing_only, inside, child.lineno) for alias in child.names)
            elif isinstance(child, ast.ImportFrom):
                base = child.module or ""
                if child.level:
                    above = [package, *module.split(".")]
                    keep = len(above) - child.level + (path.name == "__init__.py" and module != "__init__")
                    base = ".".join([*above[:keep], *([base] if base else [])])
                yield from (
                    Import(module, f"{base}.{alias.name}", typing_only, inside, child.lineno) for alias in child.names
                )
            elif isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test):
                for part in child.body:
                    yield from walk(ast.Module([part], []), typing_only=True, inside=inside)
                for part in child.orelse:
                    yield from walk(ast.Module([part], []), typing_only=typing_only, inside=inside)
            else:
                function = isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda))
                yield from walk(child, typing_only=typing_only, inside=inside or function)

    yield from walk(ast.parse(path.read_text(encoding="utf-8")))


IMPORTS = imports_of(CORE)


def within(module: str, places: set[str]) -> bool:
    """Whether a module is, or lies in, one of some places."""
    return any(module == place or module.startswith(f"{place}.") for place in places)


def package_of(module: str) -> str:
    return module.partition(".")[0]


def test_the_walker_sees_every_kind_of_import(tmp_path: Path) -> None:
    root = tmp_path / "coinswarm"
    (root / "risk").mkdir(parents=True)
    (root / "risk" / "gate.py").write_text(
        "import a.b\nfrom coinswarm.feeds import x\nfrom . import limits\nfrom ..feeds import y\n"
        "if TYPE_CHECKING:\n    import c\nelse:\n    import d\n"
        "def f():\n    import e\n    try:\n        from g import h\n    except ImportError: pass\n"
    )
    found = {(item.target, item.typing_only, item.inside) for item in imports_of(root)}
    assert found == {
        ("a.b", False, False),
        ("coinswarm.feeds.x", False, False),
        ("coinswarm.risk.limits", False, False),
        ("coinswarm.feeds.y", False, False),
        ("c", True, False),
        ("d", False, False),
        ("e", False, True),
        ("g.h", False, True),
    }
    (root / "risk" / "__init__.py").write_text("from . import gate\n")
    assert "coinswarm.risk.gate" in {item.target for item in imports_of(root)}


def test_every_package_and_module_of_core_has_its_place() -> None:
    entries = [path for path in CORE.iterdir() if path.name not in {"__pycache__", "py.typed"}]
    known = set(DEPTH) | OUTER | DATA | set(BASE) | {"__main__"}
    assert {path.stem for path in entries} <= known
    assert len(IMPORTS) > 100


def test_domain_imports_nothing_of_coinswarm_and_numpy_in_two_modules() -> None:
    wrong = [
        item
        for item in IMPORTS
        if package_of(item.module) == "domain"
        and not (
            (item.ours and package_of(item.ours) == "domain")
            or item.top in sys.stdlib_module_names
            or (item.top == "numpy" and item.module in NUMPY_IN_DOMAIN)
        )
    ]
    assert not wrong


def test_declarations_and_hookspecs_cost_milliseconds() -> None:
    allowed = {"domain", "declarations"}
    wrong = [
        item
        for item in IMPORTS
        if item.module in {"declarations", "hookspecs"}
        and not (
            item.top in sys.stdlib_module_names
            or (item.typing_only and item.ours and package_of(item.ours) in allowed)
            or (item.module == "hookspecs" and item.top == "pluggy")
        )
    ]
    assert not wrong


def test_single_modules_import_only_what_lies_below_them() -> None:
    wrong = [
        item
        for item in IMPORTS
        if item.module in BASE and item.ours and not item.typing_only and package_of(item.ours) not in BASE[item.module]
    ]
    assert not wrong


def test_inner_packages_import_downwards_only() -> None:
    wrong = []
    for item in IMPORTS:
        here, there = package_of(item.module), package_of(item.ours)
        if here not in DEPTH or not item.ours or here == there:
            continue
        if there in OUTER:
            if not (item.module in ASSEMBLY and there != "cli") and not (here == "runtime" and there == "config"):
                wrong.append(item)
        elif there in DEPTH and DEPTH[there] <= DEPTH[here]:
            wrong.append(item)
    assert not wrong, (
        "inner packages import downwards; runtime reads profiles, and its assembly alone joins plugins and drivers"
    )


def test_outer_packages_keep_to_themselves() -> None:
    """The CLI calls the rest inside functions; plugins, config and drivers know no engine."""
    rules = {"committee.rules", "execution.style", "memory.recall.rules", "risk.limits", "simulator.costs"}
    files = {"clock", "writing"}
    allowed = {
        "config": {"config", "domain", "errors", "clock", *rules},
        "plugins": {"plugins", "declarations", "hookspecs", "errors", "ports", "writing"},
        "drivers": {"drivers", "_jit", "contracts", "declarations", "delivery", "domain", "errors", "ports", *files},
    }
    wrong = []
    for item in IMPORTS:
        here = package_of(item.module)
        if not item.ours or item.typing_only:
            continue
        if here == "cli":
            if not item.inside and not within(item.ours, {"cli", "errors", "__version__"}):
                wrong.append(item)
        elif here in allowed and not within(item.ours, allowed[here]):
            wrong.append(item)
    assert not wrong


def test_third_party_packages_appear_where_they_belong() -> None:
    wrong = []
    for item in IMPORTS:
        if item.top in sys.stdlib_module_names or item.top in {"coinswarm", "__future__"}:
            continue
        if item.top == "numpy":
            if within(item.module, WITHOUT_NUMPY) and not item.typing_only:
                wrong.append(item)
        elif item.top in LATE:
            if not item.inside and not item.typing_only:
                wrong.append(item)
        elif item.top not in THIRD_PARTY or not within(item.module, THIRD_PARTY[item.top]):
            wrong.append(item)
    assert not wrong, "core knows no other distribution, and each of these in its own place"


def test_core_imports_no_plugin_and_no_testkit() -> None:
    assert not [item for item in IMPORTS if item.top.startswith("coinswarm_")]


PLUGINS = sorted(path for path in REPOSITORY.glob("plugins/*/src/*") if (path / "__init__.py").exists())


@pytest.mark.parametrize("root", PLUGINS, ids=lambda path: path.name)
def test_a_plugin_imports_the_public_modules_and_no_other_plugin(root: Path) -> None:
    found = imports_of(root)
    assert found
    wrong = [
        item
        for item in found
        if (item.top == "coinswarm" and package_of(item.ours) not in PUBLIC | {"hookimpl"})
        or (item.top.startswith("coinswarm_") and item.top != root.name)
    ]
    assert not wrong


def sources(*roots: Path) -> list[tuple[str, ast.Module]]:
    """Names and syntax trees of every module below some packages."""
    return [
        (_name(path, root), ast.parse(path.read_text(encoding="utf-8")))
        for root in roots
        for path in sorted(root.rglob("*.py"))
    ]


CLOCKS = {
    ("time", "time"), ("time", "time_ns"), ("time", "localtime"), ("time", "gmtime"), ("time", "ctime"),
    ("time", "clock_gettime"), ("time", "clock_gettime_ns"), ("time", "strftime"),
    ("datetime", "now"), ("datetime", "utcnow"), ("datetime", "today"), ("date", "today"),
}  # fmt: skip
"""Readers of the wall clock, as (owner, name). Monotonic timers are none."""


def clock_readers(tree: ast.Module) -> list[int]:
    """Lines that read the wall clock."""
    names = {owner: {name for holder, name in CLOCKS if holder == owner} for owner, _ in CLOCKS}
    lines = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            owner = node.value.attr if isinstance(node.value, ast.Attribute) else getattr(node.value, "id", "")
            if node.attr in names.get(owner, ()):
                lines.append(node.lineno)
        elif isinstance(node, ast.ImportFrom) and node.module == "time":
            lines.extend(node.lineno for alias in node.names if alias.name in names["time"])
    return lines


def test_the_wall_clock_has_one_reader() -> None:
    assert clock_readers(ast.parse("import time, datetime as d\ntime.time()\nd.datetime.now()\nx.date.today()")) == [
        2,
        3,
        4,
    ]
    assert clock_readers(ast.parse("from time import time_ns, monotonic")) == [1]
    assert not clock_readers(ast.parse("import time\ntime.monotonic(); time.perf_counter(); bar.time; x.now()"))
    readers = {name for name, tree in sources(CORE, *PLUGINS) if clock_readers(tree)}
    assert readers == {"clock"}


def constructors(tree: ast.Module, name: str) -> list[int]:
    """Lines that call a class, subscripted or not."""
    lines = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            callee = node.func.value if isinstance(node.func, ast.Subscript) else node.func
            if getattr(callee, "id", getattr(callee, "attr", "")) == name:
                lines.append(node.lineno)
    return lines


def test_only_the_gate_approves() -> None:
    probe = "RiskApproved(a)\norder.RiskApproved[Order](b)\nx: RiskApproved[Order]"
    assert constructors(ast.parse(probe), "RiskApproved") == [1, 2]
    makers = {name for name, tree in sources(CORE, *PLUGINS) if constructors(tree, "RiskApproved")}
    assert makers <= {"risk.gate"}


def test_pluggy_never_discovers() -> None:
    users = [
        name
        for name, tree in sources(CORE, *PLUGINS)
        for node in ast.walk(tree)
        if getattr(node, "attr", getattr(node, "id", "")) == "load_setuptools_entrypoints"
    ]
    assert not users


def test_jitted_code_lies_in_the_files_that_the_cache_knows() -> None:
    """An edited file that the cache's digest does not cover would leave stale machine code (see _jit)."""
    tree = ast.parse((CORE / "_jit.py").read_text(encoding="utf-8"))
    [listed] = [
        ast.literal_eval(node.value)
        for node in tree.body
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "JITTED"
    ]
    typed = "simulator.kernel.typed"
    doors = {"_jit.jit", "_jit.typed_jit", f"{typed}.jit"}
    users = {item.module.replace(".", "/") + ".py" for item in IMPORTS if item.ours in doors and item.module != typed}
    assert users <= set(listed)
    assert {name for name in listed if (CORE / name).exists()} <= users

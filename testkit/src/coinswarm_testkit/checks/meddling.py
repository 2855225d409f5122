"""What a module's source says that none of a plugin's has a reason to say: a tripwire, and no more than that.

Read, not run. A plugin that hides what it does from a reader is not found here; its bytes are in its certificate.
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_PARTS = ("worker", "gate", "suite", "checks", "remote", "link", "starting", "forkserver")
JUDGE = tuple(f"coinswarm_testkit.{part}" for part in _PARTS)
"""The judge's parts; what a plugin's tests use of the testkit is not among them."""

_CORE = "coinswarm"


def meddling(source: bytes) -> Iterator[tuple[int, str]]:
    """Lines of a source, and what is wrong with each; nothing where it is no Python."""
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return
    remarks = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    cores = _from_core(tree)
    for node in ast.walk(tree):
        for said in _named(node) if id(node) not in remarks else ():
            if _is_judges(said):
                yield _line(node), f"names {said}, which is the judge's"
        for target in _changed(node):
            if _root(target) in cores:
                yield _line(node), f"changes {ast.unparse(target)}, which is core's"


def _named(node: ast.AST) -> Iterator[str]:
    """Modules that a node names: by importing them, or in a text."""
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
        yield from (f"{node.module}.{alias.name}" for alias in node.names)
    elif isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value


def _is_judges(name: str) -> bool:
    """Whether a name is one of the judge's parts, or of something in it."""
    return any(name == part or name.startswith((f"{part}.", f"{part}:")) for part in JUDGE)


def _from_core(tree: ast.AST) -> set[str]:
    """Names that a module's imports bind to something of core's, and that nothing else in it binds."""
    bound: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            bound.update(alias.asname or _CORE for alias in node.names if alias.name.partition(".")[0] == _CORE)
        elif isinstance(node, ast.ImportFrom) and not node.level and (node.module or "").partition(".")[0] == _CORE:
            bound.update(alias.asname or alias.name for alias in node.names)
    others = {node.arg for node in ast.walk(tree) if isinstance(node, ast.arg)}
    others |= {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    return bound - others


def _changed(node: ast.AST) -> Iterator[ast.expr]:
    """Attributes that a node sets or deletes, as it writes them."""
    if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store | ast.Del):
        yield node
    elif (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id in {"setattr", "delattr"}
        and node.args
    ):
        yield node.args[0]


def _root(target: ast.expr) -> str:
    """The name that a chain of attributes begins with; empty where it begins otherwise."""
    while isinstance(target, ast.Attribute):
        target = target.value
    return target.id if isinstance(target, ast.Name) else ""


def _line(node: ast.AST) -> int:
    return int(getattr(node, "lineno", 0))

"""What importing a plugin does beside declaring: time, heavy packages, prints. Warnings, not refusals.

A plugin is imported to read what it declares, also when nothing of it is then seated. So its module
should cost milliseconds, and leave to its targets what they need.
"""

from __future__ import annotations

import contextlib
import io
import sys
import time
from dataclasses import dataclass, field
from types import FunctionType, ModuleType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

BUDGET_SECONDS = 0.05
"""CPU time that importing and asking a plugin may take."""

HEAVY = frozenset({
    "ccxt", "jax", "llvmlite", "matplotlib", "numba", "numpy", "pandas", "polars", "pyarrow", "pydantic", "pymongo",
    "redis", "scipy", "sentence_transformers", "sklearn", "sqlalchemy", "tensorflow", "torch", "transformers",
})  # fmt: skip
"""Packages that take long to import, and that a target may import instead."""

_QUOTED = 60
"""How much of what a plugin printed is quoted."""


@dataclass(slots=True)
class Watched:
    """What was seen while a plugin was imported and asked.

    :param seconds: CPU time of this thread.
    :param heavy: heavy packages that its modules brought in or hold on to.
    :param printed: what it wrote to standard output, which is kept from there: it may be JSON.
    """

    seconds: float = 0.0
    heavy: set[str] = field(default_factory=set)
    printed: str = ""

    def warnings(self) -> tuple[str, ...]:
        """One line for each thing that its author should mend."""
        found = []
        if self.seconds > BUDGET_SECONDS:
            found.append(
                f"slow import: {self.seconds * 1000:.0f} ms of CPU to import and ask it, more than "
                f"{BUDGET_SECONDS * 1000:.0f}: move work into its targets"
            )
        if self.heavy:
            found.append(
                f"heavy import: its declarations import {', '.join(sorted(self.heavy))}: leave that to targets"
            )
        if self.printed:
            text = " ".join(self.printed.split())
            quoted = text if len(text) <= _QUOTED else f"{text[:_QUOTED]}..."
            found.append(f"prints when imported or asked, {quoted!r}: its author must not")
        return tuple(found)


@contextlib.contextmanager
def watching(target: str) -> Iterator[Watched]:
    """Watch a plugin being imported and asked.

    :param target: what its entry point names; modules of the same top-level package count as its own.
    """
    seen = Watched()
    before = set(sys.modules)
    out = io.StringIO()
    begin = time.thread_time()
    try:
        with contextlib.redirect_stdout(out):
            yield seen
    finally:
        seen.seconds = time.thread_time() - begin
        seen.printed = out.getvalue()
        fresh = set(sys.modules) - before
        seen.heavy = (_tops(fresh) | _held(target.partition(":")[0].partition(".")[0], fresh)) & HEAVY


def _tops(names: set[str]) -> set[str]:
    """Top-level packages of some modules."""
    return {name.partition(".")[0] for name in names}


def _held(package: str, fresh: set[str]) -> set[str]:
    """Top-level packages whose things the plugin's fresh modules hold.

    ``sys.modules`` alone would blame only the first of two plugins that import the same package.
    """
    owners: set[str] = set()
    for name in fresh:
        module = sys.modules.get(name)
        if name.partition(".")[0] != package or not isinstance(module, ModuleType):
            continue
        for value in vars(module).values():
            if isinstance(value, ModuleType):
                owners.add(value.__name__)
            elif isinstance(value, (type, FunctionType)):
                owners.add(str(value.__module__))
    return _tops(owners)

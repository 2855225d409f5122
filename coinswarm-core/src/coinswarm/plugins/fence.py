"""Keeps the judge's process to modules of Python's own, and of the distributions that it is told to trust.

Libraries try imports that fail where nobody has installed them: numba asks for yaml and scipy, anyio for sniffio. A
plugin that brought a module of such a name would be imported into the judge. So modules of others are found, since
their files are read and compared, and loaded by nobody.
"""

from __future__ import annotations

import sys
from importlib.abc import Loader
from importlib.machinery import PathFinder
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from importlib.machinery import ModuleSpec
    from types import ModuleType


class _Fence(PathFinder):
    """Python's own finder, whose top-level modules from elsewhere refuse to be loaded."""

    own: Sequence[str] = ()
    names: Collection[str] = ()

    @classmethod
    def find_spec(
        cls, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """The spec of a module."""
        if path is not None or fullname in cls.names:
            return super().find_spec(fullname, path, target)
        spec = super().find_spec(fullname, cls.own, target)
        if spec is None and (spec := super().find_spec(fullname, None, target)) is not None:
            spec.loader = _Refusing()
        return spec


class _Refusing(Loader):
    """Loads nothing."""

    def create_module(self, spec: ModuleSpec) -> NoReturn:
        """Refuse."""
        message = f"{spec.name} is no module of core's, of the testkit's, or of what they need"
        raise ModuleNotFoundError(message, name=spec.name)

    def exec_module(self, module: ModuleType) -> None:
        """Never asked: nothing was created."""


def put_up(own: Sequence[str], names: Collection[str]) -> None:
    """Have this process load top-level modules from its own folders, and from others those of some names alone.

    :param own: folders of Python's own modules.
    """
    _Fence.own, _Fence.names = tuple(own), frozenset(names)
    sys.meta_path[sys.meta_path.index(PathFinder)] = _Fence

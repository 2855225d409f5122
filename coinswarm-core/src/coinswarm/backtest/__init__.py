"""Runs on disk, their summaries, comparisons and reports; and what ``from coinswarm import backtest`` gives.

The notebook's function and this package have one name, and importing a package sets its name on its parent:
which of the two a user got would depend on what was imported before. So the package itself can be called.
"""

import sys
from importlib import import_module
from inspect import signature
from types import ModuleType
from typing import Any


class _Callable(ModuleType):
    """A module that is called as ``coinswarm.runtime.notebook.backtest`` is."""

    def __call__(self, *args: Any, **kwargs: Any) -> object:  # noqa: ANN401 - whatever the function takes
        """Run the notebook's function."""
        return import_module("coinswarm.runtime.notebook").backtest(*args, **kwargs)

    @property
    def __signature__(self) -> object:
        """The function's own, for completion and help."""
        return signature(import_module("coinswarm.runtime.notebook").backtest)


sys.modules[__name__].__class__ = _Callable

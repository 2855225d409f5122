"""The evidence-driven testkit that every Coinswarm plugin faces."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from coinswarm_testkit.adopt import contract_tests

__all__ = ["contract_tests"]
__version__ = "0.1.0"


def __getattr__(name: str) -> Any:  # noqa: ANN401 - whatever is asked for
    """Public names are loaded on first use: pytest imports this package in every session."""
    if name == "contract_tests":
        return import_module("coinswarm_testkit.adopt").contract_tests
    message = f"module {__name__!r} has no attribute {name!r}"
    raise AttributeError(message)

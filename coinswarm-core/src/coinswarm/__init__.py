"""Coinswarm: a trading swarm in which every part is a plugin.

The public names are loaded on first use, so that ``import coinswarm`` (and a
plugin's declarations module) costs milliseconds.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from coinswarm.hookspecs import hookimpl as hookimpl

__version__ = "0.1.0"


def __getattr__(name: str) -> object:
    """Load a public name when it is first asked for (PEP 562)."""
    if name == "hookimpl":
        from coinswarm.hookspecs import hookimpl

        return hookimpl
    message = f"module 'coinswarm' has no attribute {name!r}"
    raise AttributeError(message)

"""Coinswarm: a trading swarm in which every part is a plugin.

The public names are loaded on first use, so that ``import coinswarm`` (and a
plugin's declarations module) costs milliseconds.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from coinswarm.hookspecs import hookimpl as hookimpl
    from coinswarm.runtime.notebook import Market as Market
    from coinswarm.runtime.notebook import Result as Result
    from coinswarm.runtime.notebook import backtest as backtest
    from coinswarm.runtime.notebook import load_market as load_market

__version__ = "0.1.0"

PUBLIC = {
    "hookimpl": "coinswarm.hookspecs",
    "load_market": "coinswarm.runtime.notebook",
    "Market": "coinswarm.runtime.notebook",
    "Result": "coinswarm.runtime.notebook",
}
"""Public name -> where it lives. ``backtest`` is the package of that name, which can be called."""


def __getattr__(name: str) -> object:
    """Load a public name when it is first asked for (PEP 562)."""
    if name in PUBLIC:
        from importlib import import_module

        return getattr(import_module(PUBLIC[name]), name)
    message = f"module 'coinswarm' has no attribute {name!r}"
    raise AttributeError(message)

"""Plugins that each break one demand of the testkit, and their repaired twins."""

from __future__ import annotations

__version__ = "0.1.0"

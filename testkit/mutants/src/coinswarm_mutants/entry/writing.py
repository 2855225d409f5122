"""Leaves a file behind when it is imported."""

from __future__ import annotations

from pathlib import Path

Path("left-behind.txt").write_text("I was here", encoding="utf-8")

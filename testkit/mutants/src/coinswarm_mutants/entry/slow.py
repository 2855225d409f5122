"""Works when it is imported."""

from __future__ import annotations

TOTAL = sum(range(10_000_000))

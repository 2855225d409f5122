"""Uses core's rule."""

from __future__ import annotations

from coinswarm.domain import action


class Kept:
    """Its own: may be set."""


Kept.rule = staticmethod(action.checked)  # type: ignore[attr-defined]

"""Decides by the hour of the host's time zone."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import numpy as np

from coinswarm_mutants.agents._honest import Honest

if TYPE_CHECKING:
    from datetime import tzinfo

    from coinswarm.domain.market import Bars
    from coinswarm_mutants.agents._honest import Floats

FAILS = {"A10"}


class Mutant(Honest):
    """Trades at other hours where it is certified than where it is used."""

    zone: tzinfo | None = None
    """None: the host's."""

    def confidence(self, bars: Bars) -> Floats | float:
        """Less at night."""
        moments = (datetime.fromtimestamp(second, self.zone) for second in (bars.open_ns // 1_000_000_000).tolist())
        return np.array([0.9 if 8 <= moment.hour < 16 else 0.5 for moment in moments])


class Twin(Mutant):
    """Says whose hours it keeps."""

    zone = UTC

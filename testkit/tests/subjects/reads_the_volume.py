"""An agent whose memory tells something: it recalls by the volume, which names the state of some markets."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from coinswarm_testkit.reference.recalling import RecallingAgent

if TYPE_CHECKING:
    from coinswarm.domain.market import MarketState
    from coinswarm_testkit.reference.recalling import Vector


class ReadsTheVolume(RecallingAgent):
    """Recalls by the volume."""

    def embed(self, state: MarketState) -> Vector | None:
        return np.array([np.log(max(state.volume, 1e-9)) - 4.0, 1.0], np.float32)

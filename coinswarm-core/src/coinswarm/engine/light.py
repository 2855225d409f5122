"""What a seat said, in the light of what the run recalled: from its own record, without an index."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from coinswarm.domain.action import MAX_BP
from coinswarm.memory.recall.rules import FULL_BP

if TYPE_CHECKING:
    from coinswarm.domain.action import ActionColumns
    from coinswarm.domain.market import Bars
    from coinswarm.memory.recall.record import RecallRecord


def in_light_of(record: RecallRecord | None, columns: ActionColumns, bars: Bars, k: int, seat: int) -> ActionColumns:
    """What a seat said, its confidences as memory left them: no index is asked, the run's own record tells.

    :param record: of the run; None: it had no memory.
    """
    held = record.multipliers(k, seat) if record else {}
    if not held:
        return columns
    rows = np.searchsorted(bars.open_ns, np.array(list(held), np.int64) - bars.length_ns)
    lengths = np.diff(np.concatenate([[0], rows, [len(bars)]]))
    factor = np.repeat(np.array([FULL_BP, *held.values()], np.int64), lengths)
    given = columns.confidence_bp
    changed = np.minimum(np.rint(given * factor / FULL_BP), MAX_BP).astype(given.dtype)
    return replace(columns, confidence_bp=np.where(given > 0, changed, given))

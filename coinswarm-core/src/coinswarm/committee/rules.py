"""The committee's settings, as integers."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class CommitteeRules:
    """How actions become an intent.

    :param participation_bp: weight that must take part; below it the previous intent stands and may
        only shrink. When nobody takes part it stands, whatever this is.
    :param enter_bp: exposure at which a side is entered.
    :param exit_bp: exposure below which it is left; at most ``enter_bp`` (hysteresis).
    :param rebalance_bp: change of exposure that resizes a position; 0 never does.
    """

    participation_bp: int = 5_000
    enter_bp: int = 2_000
    exit_bp: int = 1_000
    rebalance_bp: int = 0

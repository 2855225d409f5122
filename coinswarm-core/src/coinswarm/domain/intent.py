"""What the committee makes of its members' actions: exposure, then intent (S3, S4)."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence


class ActionRow(NamedTuple):
    """The stances of all seated agents at one bar, HOLD already resolved, in seat order.

    :param direction: per agent -1, 0 or 1.
    :param confidence_bp: per agent 0 to 10,000.
    :param present: per agent, whether it takes part (False: it abstains).
    """

    direction: Sequence[int]
    confidence_bp: Sequence[int]
    present: Sequence[bool]


class Exposure(NamedTuple):
    """What a weigher answers.

    :param exposure_bp: -10,000 (fully short) to 10,000 (fully long).
    :param participation_bp: weight of those who took part, 0 to 10,000.
    """

    exposure_bp: int
    participation_bp: int


class Intent(NamedTuple):
    """The committee's target for one instrument after participation and hysteresis.

    :param exposure_bp: signed; 0 means flat.
    :param size_bp: wished share of equity, the weighted mean over the agreeing agents.
    :param stop_ticks, take_ticks: bracket distances, weighted mean over the agreeing agents; 0 none.
    :param agree: bit k is set when the agent in seat k agrees with the side.
    """

    exposure_bp: int
    size_bp: int
    stop_ticks: int
    take_ticks: int
    agree: int


FLAT_INTENT = Intent(0, 0, 0, 0, 0)

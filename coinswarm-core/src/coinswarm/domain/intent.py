"""What the committee makes of its members' actions: exposure, then intent; what risk leaves of it (S3, S4, S18)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from coinswarm.domain.valid import FULL_BP, line, whole

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


@dataclass(frozen=True, slots=True)
class Assessment:
    """What a risk agent leaves of an intent: at most so much, on the same side. *Provisional.*

    The answers of several agents to one intent combine by taking, of each number, the one nearest to zero;
    so their order does not matter, and none sees what another left.

    :param exposure_bp: signed as the intent's; 0 refuses it (the target is flat).
    :param size_bp: share of equity.
    :param reason: one line for people where anything was taken away.
    :raises ValueError: for a number that is not whole or out of range.
    """

    exposure_bp: int
    size_bp: int
    reason: str = ""

    def __post_init__(self) -> None:
        whole("exposure_bp of the assessment", self.exposure_bp, -FULL_BP, FULL_BP)
        whole("size_bp of the assessment", self.size_bp, 0, FULL_BP)
        line("reason of the assessment", self.reason)

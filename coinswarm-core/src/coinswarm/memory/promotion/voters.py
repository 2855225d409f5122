"""The two voters that core brings: one set of rules, two makers of numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from coinswarm.domain.proposal import AddEpisode
from coinswarm.memory.promotion.decimals import Decimals
from coinswarm.memory.promotion.integers import Integers
from coinswarm.memory.promotion.judging import RuleVoter

if TYPE_CHECKING:
    from coinswarm.contracts import Voter
    from coinswarm.domain.proposal import Proposal


class DecimalVoter(RuleVoter):
    """Running sums, in decimals of 90 digits."""

    def __init__(self) -> None:
        super().__init__(Decimals())


class IntegerVoter(RuleVoter):
    """Central moments of sorted values, in whole numbers."""

    def __init__(self) -> None:
        super().__init__(Integers())


def judges_at_once(voter: Voter, proposal: Proposal) -> bool:
    """Whether a voter is known to judge a proposal within a fraction of a millisecond, whatever its evidence.

    Only one of core's own, and only an episode, which takes no statistics: whoever else judges may hang.
    """
    return type(voter) in {DecimalVoter, IntegerVoter} and isinstance(proposal.change, AddEpisode)

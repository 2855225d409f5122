"""Episodes that travel together: which may, for how long, and what is made of those that were refused together.

A proposal to remember several episodes is accepted as a whole or not at all. Who asked for one of them is owed what
would have become of it alone. So what is refused together is proposed again in parts, until each is accepted or
has an outcome of its own.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import anyio

from coinswarm.domain.proposal import AddEpisode, episodes_of, several, single
from coinswarm.memory.quorum.records import Outcome

if TYPE_CHECKING:
    from collections.abc import Sequence

    from coinswarm.domain.proposal import Proposal
    from coinswarm.memory.quorum.table import Table
    from coinswarm.runtime.swarm.desk import Ended

PARTS = 8
"""Into how many parts those are cut that were refused together.

One bad episode among 64 costs 16 proposals more, of which it is in the last, and two rounds; if all are bad, 72. Cut in
halves it would be 12 and 126, but six rounds, each of which the good ones beside it wait for; one by one always 64.
"""

LONGEST_NS = 10_000_000_000
"""How long those that travel together may take at most: one whose evidence is missing keeps all from being decided."""

LEAST_NS = 1_000_000_000
"""How long there is at least for what is proposed again when its time is up."""


@dataclass(slots=True, eq=False)
class Asked:
    """What somebody asked to be proposed.

    :param life_ns: until its deadline, from when it is first sent.
    :param shares: whether it may travel with others.
    :ivar deadline_ns: by the log's clock; 0: it was not sent yet.
    :ivar wrong: why it cannot be proposed.
    :ivar left: whether nobody waits for it any more.
    """

    proposal: Proposal
    life_ns: int
    shares: bool = False
    deadline_ns: int = 0
    ended: Ended | None = None
    wrong: Exception | None = None
    left: bool = False
    done: anyio.Event = field(default_factory=anyio.Event)


def may_share(proposal: Proposal) -> bool:
    """Whether a proposal asks for nothing that is lost when its episode travels with others."""
    change = proposal.change
    return isinstance(change, AddEpisode) and proposal == single(change)


def together(asked: Sequence[Asked]) -> Proposal:
    """The one proposal for all of these; of one it is its own."""
    if len(asked) == 1:
        return asked[0].proposal
    return several(tuple([added for one in asked for added in episodes_of(one.proposal.change)]))


def deadline_ns(asked: Sequence[Asked], now_ns: int) -> int:
    """Until when these may take: alone until its own deadline; together half as long, so that there is time to part.

    :param now_ns: of the log's clock.
    """
    first = asked[0]
    left = max(first.deadline_ns - now_ns, min(LEAST_NS, first.life_ns))
    return now_ns + (left if len(asked) == 1 else min(left // 2, LONGEST_NS))


def is_open(one: Asked, outcome: Outcome, now_ns: int) -> bool:
    """Whether an episode that travelled with others has no outcome of its own yet, with this outcome of all of them.

    :param now_ns: of the log's clock: past its own deadline it expires with the others.
    """
    return outcome is not Outcome.ACCEPT and not (outcome is Outcome.EXPIRED and 0 < one.deadline_ns <= now_ns)


def apart(asked: Sequence[Asked], versions: Table[int]) -> list[tuple[Asked, ...]]:
    """How those are proposed again that were refused together: in fewer each, so that this comes to an end.

    :param versions: in force: an episode that has one is remembered already, which explains why they were refused.
    """
    known = [one for one in asked if versions.get(one.proposal.subject)]
    rest = [one for one in asked if not versions.get(one.proposal.subject)]
    size = len(rest) if known else -(-len(rest) // PARTS)
    return [*((one,) for one in known), *(tuple(rest[at : at + size]) for at in range(0, len(rest), size or 1))]


def orphans(proposal: Proposal, life_ns: int) -> tuple[Asked, ...]:
    """What was asked for in an earlier life, of those that travelled together: nobody waits for them now."""
    return tuple([
        Asked(single(change), life_ns, shares=True, left=True) for change in episodes_of(proposal.change)
    ])  # fmt: skip


def orphan(proposal: Proposal, life_ns: int) -> Asked:
    """What was asked for in an earlier life, as it was: nobody waits for it now."""
    return Asked(proposal, life_ns, shares=may_share(proposal), left=True)

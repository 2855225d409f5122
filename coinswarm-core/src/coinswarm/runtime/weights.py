"""Weights of a committee that a quorum decided: what a session's seats weigh in place of what its profile says.

They are read once, before a session begins. The run keeps the numbers, so that it can be had again without the log.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from coinswarm.domain.proposal import ProposalKind, SeatAgent
from coinswarm.errors import ProfileError
from coinswarm.memory.promotion.weights import weighing
from coinswarm.memory.quorum.records import START, Head, Outcome
from coinswarm.runtime.fork import verified

if TYPE_CHECKING:
    from coinswarm.config.profile import Profile
    from coinswarm.memory.promotion.weights import Weighing
    from coinswarm.memory.store.opening import Store

DUE = (
    "the weights in force have fallen as far as their proposal said: take them back with coinswarm weights rollback, "
    "or propose others"
)


@dataclass(frozen=True, slots=True)
class Weighed:
    """Where the weights of a run come from.

    :param head: the last entry that was read.
    :param since: the entry that brought them into force; None: nothing was decided, and the profile's hold.
    :param due: whether they were to be taken back when the session began.
    """

    cluster: str
    shard: str
    head: Head
    since: int | None
    due: bool = False

    def told(self) -> dict[str, Any]:
        """As ``run.json`` has it."""
        place = {"cluster": self.cluster, "shard": self.shard, "index": self.head.index, "digest": self.head.hash}
        return {**place, "since": self.since}

    def words(self) -> str:
        """The same in words."""
        log = f"the log {self.cluster}/{self.shard}"
        if self.since is None:
            return f"{log} has decided no weights up to entry {self.head.index:,}: the profile's hold"
        words = f"weights are those that {log} has in force since entry {self.since:,}, read up to {self.head.index:,}"
        return f"{words}; {DUE}" if self.due else words


def with_weights(profile: Profile, label: str) -> tuple[Profile, Weighed | None]:
    """A profile whose seats weigh what was decided, and that names no log for it any more.

    :param label: what messages call the profile.
    :returns: the profile itself, and None, where it names no log.
    :raises ProfileError: when weight was given to an agent that it does not seat, or that the quorum suspended.
    :raises OperatorError: the store cannot be read, its log holds a bad entry, or does not reach the position.
    """
    section = profile.committee
    if section.store is None:
        return profile, None
    from coinswarm.memory.store.opening import opened  # noqa: PLC0415 - SQLAlchemy, for who has a log
    from coinswarm.runtime.fallen import fall_of  # noqa: PLC0415 - as above

    with opened(section.address(), section.cluster, section.shard) as store:
        head, found, suspended = _in_force(store, section.position)
        due = section.position is None and bool(fall_of(store).due)
        weighed = Weighed(store.log.cluster, store.log.shard, head, None if found is None else found.entry, due)
    weights = {one.seat: one.weight_bp for one in profile.agents} if found is None else found.weights
    seats = {one.seat for one in profile.agents}
    if missing := sorted(weights.keys() - seats):
        log = f"the log {weighed.cluster}/{weighed.shard}"
        message = f"{log} gives weight to {', '.join(missing)}, and {label} does not seat it"
        raise ProfileError(message, remedy="add it to [[agents]] with weight_bp = 0, or read an earlier position")
    if held := sorted(agent for agent in suspended if weights.get(agent)):
        message = f"the quorum suspended {', '.join(held)}, and {label} would give it weight"
        raise ProfileError(message, remedy="propose weights without it (coinswarm weights propose), or admit it again")
    agents = [one.model_copy(update={"weight_bp": weights.get(one.seat, 0)}) for one in profile.agents]
    committee = section.model_copy(update={"store": None, "cluster": "", "shard": "", "position": None})
    return profile.model_copy(update={"agents": agents, "committee": committee}), weighed


def _in_force(store: Store, position: int | None) -> tuple[Head, Weighing | None, set[str]]:
    """The weights in force at a position of a log, every entry up to there verified; and who is suspended there."""
    head, found, suspended = START, None, set[str]()
    for fold, entry in verified(store, position, "committee.position"):
        head, found = fold.head, weighing(entry) or found
        change = entry.envelope.proposal.change
        if entry.outcome is Outcome.ACCEPT and isinstance(change, SeatAgent):
            if entry.envelope.proposal.kind is ProposalKind.SUSPEND_AGENT:
                suspended.add(change.agent)
            else:
                suspended.discard(change.agent)
    return head, found, suspended

"""Who may act in a seat's name: its key is held to the roster in force. And what the next roster is.

Version 0 is in the operator's file, every later one in the log alone, and believed as far as that is verified. So a
process asks when it has read the log, and again whenever a change of the roster comes into force.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal

from coinswarm.domain.proposal import ROSTER_KEY, Configure, Proposal, ProposalKind
from coinswarm.errors import NotReadyError, OperatorError, nearest
from coinswarm.memory.quorum.keys import is_key
from coinswarm.memory.quorum.roster import ROSTER_SUBJECT, Seat, succeed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from coinswarm.memory.quorum.fold import Fold
    from coinswarm.memory.quorum.roster import Roster

    Part = Literal["voter", "submitter"]


def demand_seat(fold: Fold, name: str, key: str, part: Part) -> None:
    """Hold a process to the roster in force: it acts in its seat's name with that seat's key, or not at all.

    :param fold: of the whole log.
    :param key: the public half of what it would sign with.
    :raises NotReadyError: the seat has another key, or is none.
    """
    rosters = [_keys(roster, part) for roster in fold.rosters]
    now, version = rosters[-1], fold.roster.version
    if now.get(name) == key:
        return
    known = [place for place, keys in enumerate(rosters) if name in keys]
    had = [place for place in known if rosters[place][name] == key]
    coming = (
        f"if it is to be seated with {key}, that is not in force yet: propose it (coinswarm memory roster), and start "
        "it again once it is accepted (docs/swarm.md)"
    )
    if name in now and had:
        message = (
            f"the key of {name} was replaced by version {had[-1] + 1} of the roster: it is {key} here, and the roster "
            f"in force has {now[name]}"
        )
        remedy = "bring the new key, and start it again; nothing counts that is signed with the old one"
    elif name in now:
        message = f"the key of {name} is {key}, but the roster in force (version {version}) has {now[name]}"
        remedy = f"bring the key that belongs to the seat; {coming}"
    elif known:
        message = f"{name} has no seat any more: version {known[-1] + 1} of the roster removed that {part}"
        remedy = f"take it out of [swarm] of the profile, and leave its process stopped; {coming}"
    else:
        message = f"the roster in force (version {version}) has no {part} {name!r}"
        remedy = f"{nearest(name, now)}; {coming}"
    raise NotReadyError(message, remedy=remedy)


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What the next roster is to have otherwise.

    :param voters, submitters: seat -> public key: added, or given another.
    :param removed: seats, of whichever part.
    :param faulty: how many voters may lie; None: as many as now.
    """

    voters: Mapping[str, str] = field(default_factory=dict)
    submitters: Mapping[str, str] = field(default_factory=dict)
    removed: tuple[str, ...] = ()
    faulty: int | None = None

    def __bool__(self) -> bool:
        """Whether it changes anything."""
        return bool(self.voters or self.submitters or self.removed) or self.faulty is not None


def next_roster(roster: Roster, change: Change) -> dict[str, object]:
    """The proposal for the roster after this one, as a file tells it.

    :raises OperatorError: a seat is not there to be removed, a key is none, or that roster is not allowed.
    """
    known = {**roster.voter_keys, **roster.submitter_keys}
    for name in change.removed:
        if name not in known:
            message = f"the roster in force (version {roster.version}) has no seat {name!r} to be removed"
            raise OperatorError(message, remedy=nearest(name, known))
        if name in change.voters or name in change.submitters:
            message = f"{name} is to be removed and to be seated"
            raise OperatorError(message, remedy="say one of the two; its key is replaced without removing it")
    for name, key in {**change.voters, **change.submitters}.items():
        if not is_key(key):
            message = f"{key!r}, given for {name}, is no public key"
            raise OperatorError(message, remedy=f"coinswarm memory keys show {name} prints it, where its secret is")
    try:
        new = replace(
            roster,
            version=roster.version + 1,
            faulty=roster.faulty if change.faulty is None else change.faulty,
            voters=_seats(roster.voter_keys, change.voters, change.removed),
            submitters=_seats(roster.submitter_keys, change.submitters, change.removed),
        )
        asked = Configure(ROSTER_KEY, new.text())
        kind, subject, base = ProposalKind.CONFIGURE, ROSTER_SUBJECT, roster.version
        succeed(roster, Proposal(kind=kind, subject=subject, base_version=base, change=asked))
    except ValueError as error:
        message = f"no roster can follow version {roster.version} that way ({error})"
        raise OperatorError(message, remedy="change one voter at a time, and --faulty with it where it must") from None
    told = {"key": asked.key, "value": asked.value}
    return {"kind": kind.value, "subject": subject, "base_version": base, "change": told}


def _seats(now: Mapping[str, str], given: Mapping[str, str], removed: tuple[str, ...]) -> tuple[Seat, ...]:
    """Seats in the order in which they were seated first."""
    return tuple(Seat(name, key) for name, key in {**now, **given}.items() if name not in removed)


def _keys(roster: Roster, part: Part) -> Mapping[str, str]:
    return roster.voter_keys if part == "voter" else roster.submitter_keys

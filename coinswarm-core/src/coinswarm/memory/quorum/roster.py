"""Who votes, with which key, under which rules: the configuration of a quorum, changed only through its own log."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property

from coinswarm.canonical import canonical_json
from coinswarm.domain.proposal import ROSTER_KEY, Configure, Proposal, ProposalKind
from coinswarm.domain.valid import digest, line, name, unique, whole
from coinswarm.memory.quorum.sizes import check_sizes, quorum

ROSTER_SUBJECT = "quorum/roster"
"""What a proposal to change the roster is about; the subject's version is the roster's."""


@dataclass(frozen=True, slots=True)
class Seat:
    """A voter or a submitter, and its public key."""

    name: str
    key: str

    def __post_init__(self) -> None:
        name("seat", self.name)
        line(f"key of {self.name}", self.key, empty=False)


@dataclass(frozen=True, kw_only=True)  # no slots: what follows from the fields is worked out once
class Roster:
    """One configuration.

    :param version: 0 for the one that a cluster starts with; each change adds one.
    :param faulty: f, how many voters may do anything at all.
    :param rules: digest of the acceptance rules in force.
    :param voters: N seats.
    :param submitters: who may propose.
    :raises ValueError: for sizes that cannot work (``sizes.check_sizes``), a name or a key seated twice.
    """

    version: int
    faulty: int
    rules: str
    voters: tuple[Seat, ...]
    submitters: tuple[Seat, ...]

    def __post_init__(self) -> None:
        whole("version of the roster", self.version)
        digest("rules of the roster", self.rules)
        check_sizes(len(self.voters), self.faulty)
        unique("voters", tuple(seat.name for seat in self.voters))
        unique("submitters", tuple(seat.name for seat in self.submitters))
        # One key in two seats would be one voter with two ballots.
        unique("keys of voters", tuple(seat.key for seat in self.voters))

    @cached_property
    def quorum(self) -> int:
        """q: how many matching ballots decide."""
        return quorum(len(self.voters), self.faulty)

    @cached_property
    def voter_keys(self) -> dict[str, str]:
        """Voter -> public key."""
        return {seat.name: seat.key for seat in self.voters}

    @cached_property
    def submitter_keys(self) -> dict[str, str]:
        """Submitter -> public key."""
        return {seat.name: seat.key for seat in self.submitters}

    def text(self) -> str:
        """One line of canonical JSON, as a proposal carries it."""
        return canonical_json({
            "version": self.version,
            "faulty": self.faulty,
            "rules": self.rules,
            "voters": [[seat.name, seat.key] for seat in self.voters],
            "submitters": [[seat.name, seat.key] for seat in self.submitters],
        }).decode()  # fmt: skip


def roster_from(text: str) -> Roster:
    """The roster that a text tells.

    :raises ValueError: when it tells none, or one that is not allowed.
    """
    try:
        told = json.loads(text)
        roster = Roster(
            version=told["version"],
            faulty=told["faulty"],
            rules=told["rules"],
            voters=tuple(Seat(*seat) for seat in told["voters"]),
            submitters=tuple(Seat(*seat) for seat in told["submitters"]),
        )
    except RecursionError:
        message = "a roster must be JSON of version, faulty, rules, voters and submitters: it is nested too deeply"
        raise ValueError(message) from None
    except (KeyError, TypeError) as error:
        message = f"a roster must be JSON of version, faulty, rules, voters and submitters: {error}"
        raise ValueError(message) from None
    if roster.text() != text:
        message = f"a roster must be in its canonical form: {roster.text()}"
        raise ValueError(message)
    return roster


def has_kept_its_seat(submitter: str, old: Roster, now: Roster) -> bool:
    """Whether a submitter of one roster has the same key in another."""
    return now.submitter_keys.get(submitter) == old.submitter_keys.get(submitter)


def succeed(old: Roster, proposal: Proposal) -> Roster:
    """The roster after a change that a proposal asks for.

    One voter at most is added, removed or given another key at a time, so that one forged or careless change cannot
    hand the log to voters whom nobody has seen at work.

    :raises ValueError: when the change is not allowed.
    """
    change = proposal.change
    if proposal.kind is not ProposalKind.CONFIGURE or not isinstance(change, Configure) or change.key != ROSTER_KEY:
        message = f"{ROSTER_SUBJECT} is changed by a proposal of kind configure and key {ROSTER_KEY} only"
        raise ValueError(message)
    new = roster_from(change.value)
    if new.version != old.version + 1:
        message = f"the roster after version {old.version} has the version {new.version}"
        raise ValueError(message)
    was, now = old.voter_keys, new.voter_keys
    moved = {voter for voter in was.keys() | now.keys() if was.get(voter) != now.get(voter)}
    if len(moved) > 1:
        message = f"the roster changes the voters {', '.join(sorted(moved))} at once: one at a time"
        raise ValueError(message)
    return new


def reconfigures(proposal: Proposal) -> bool:
    """Whether a proposal is about the roster, well made or not."""
    change = proposal.change
    return proposal.subject == ROSTER_SUBJECT or (isinstance(change, Configure) and change.key == ROSTER_KEY)

"""Decisions of the quorum as the command line tells them: rows for tables, and words for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from coinswarm.domain.episode import Episode
    from coinswarm.domain.proposal import Proposal
    from coinswarm.memory.quorum.records import Ballot, Entry

SHORT = 12
"""Digits of an id that people are shown."""

LONGEST = 80
"""Characters of a value that people are shown."""

COLUMNS = ("entry", "time", "outcome", "kind", "subject", "submitter", "proposal")

WITHOUT_BALLOTS = {
    "conflict": "what it starts from was no longer in force, so that it could never be accepted.",
    "expired": "its deadline passed.",
}
"""Why an outcome needs no ballots."""


def row(entry: Entry, *, short: bool) -> dict[str, object]:
    """An entry in a table.

    :param short: cut what is long, for people.
    """
    from coinswarm.clock import iso

    envelope = entry.envelope
    return {
        "entry": entry.index,
        "time": iso(entry.at_ns),
        "outcome": entry.outcome.value,
        "kind": envelope.proposal.kind.value,
        "subject": _subject(envelope.proposal) if short else envelope.proposal.subject,
        "submitter": envelope.submitter,
        "proposal": envelope.id[:SHORT] if short else envelope.id,
    }


def is_about(proposal: Proposal, subject: str) -> bool:
    """Whether a proposal changes something whose name begins so: of several episodes, any."""
    return any(one.startswith(subject) for one in (proposal.subject, *proposal.subjects))


def _subject(proposal: Proposal) -> str:
    """What a proposal is about; of several episodes, how many they are."""
    kind, _, name = proposal.subject.partition("/")
    several = len(proposal.subjects)
    return proposal.subject if several == 1 else f"{kind}/{name[:SHORT]} ({several})"


def told(entry: Entry) -> dict[str, object]:
    """The head of what ``show`` prints."""
    from coinswarm.clock import iso

    envelope = entry.envelope
    return {
        "proposal": envelope.id,
        "outcome": f"{entry.outcome.value}, as entry {entry.index} at {iso(entry.at_ns)}",
        "kind": envelope.proposal.kind.value,
        "subject": f"{envelope.proposal.subject}, from version {envelope.proposal.base_version}",
        "submitted": f"by {envelope.submitter}, number {envelope.nonce}, to roster {envelope.roster}",
        "deadline": iso(envelope.deadline_ns),
    }


def asked(proposal: Proposal) -> str:
    """What a proposal asks for, in words."""
    from coinswarm.domain.proposal import AddEpisode, AddEpisodes, Configure, MovePattern, SeatAgent, SetWeights

    change = proposal.change
    if isinstance(change, AddEpisode):
        return f"remember that {_happened(change.episode)}"
    if isinstance(change, AddEpisodes):
        return f"remember {len(change.episodes)} episodes, all of them or none"
    if isinstance(change, MovePattern):
        return f"make {change.pattern} a pattern of stage {change.stage} ({change.hypothesis})"
    if isinstance(change, SetWeights):
        shares = ", ".join(f"{weight.agent} {weight.weight_bp / 100:g} %" for weight in change.weights)
        return f"weigh {shares}; taken back at a drawdown of {change.rollback_drawdown_bp / 100:g} %"
    if isinstance(change, SeatAgent):
        return f"{proposal.kind.value.partition('_')[0]} {change.agent}: {change.reason}"
    assert isinstance(change, Configure), "there are no others"
    return f"set {change.key} to {change.value[:LONGEST]}{' …' if len(change.value) > LONGEST else ''}"


def each(proposal: Proposal) -> list[str]:
    """The episodes of several, a line each; none of another proposal."""
    from coinswarm.domain.proposal import AddEpisodes

    change = proposal.change
    several = change.episodes if isinstance(change, AddEpisodes) else ()
    return [f"{one.episode.id[:SHORT]}: {_happened(one.episode)}" for one in several]


def _happened(one: Episode) -> str:
    side = "long" if one.side > 0 else "short"
    return f"{one.agent} went {side} in {one.instrument} and made {one.result_ppm / 1e4:+.2f} %"


def ballot_row(ballot: Ballot, entry: Entry) -> dict[str, object]:
    """A ballot, with what its voter found in words."""
    from coinswarm.memory.quorum.findings import failures

    failed = failures(entry.envelope.proposal, ballot.findings)
    if failed is None:
        words = f"what it found cannot be told from its digest {ballot.findings[:SHORT]}"
    elif failed:
        words = f"{', '.join(failed)} failed, the other rules held"
    else:
        words = "every rule held"
    return {
        "voter": ballot.voter,
        "verdict": "ACCEPT" if ballot.accepts else "REJECT",
        "seen": ballot.seen.index,
        "findings": ballot.findings,
        "failed": None if failed is None else [rule.value for rule in failed],
        "words": words,
    }


def plain(text: str) -> str:
    """A text that somebody has proposed, for a terminal: what does not print, and might move its cursor, is spelled."""
    return "".join(one if one.isprintable() else repr(one)[1:-1] for one in text)

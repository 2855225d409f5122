"""What a person may leave out of a proposal because the store knows it: digests of what is cited, and the like."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from coinswarm.domain.proposal import ProposalKind, episodes_of, several
from coinswarm.errors import DataError, nearest, one_line
from coinswarm.memory.evidence import places
from coinswarm.memory.evidence.places import CERTIFICATES, return_links, trade_links
from coinswarm.memory.quorum.codec import MalformedError, proposal_from
from coinswarm.memory.store.engine import translated
from coinswarm.memory.store.history import HEAD, History

if TYPE_CHECKING:
    from collections.abc import Mapping

    from coinswarm.domain.episode import Episode
    from coinswarm.memory.store.opening import Store
    from coinswarm.memory.store.reading import FactsRead

REGISTERS = ProposalKind.UPDATE_PATTERN.value
PATTERNS = {REGISTERS, ProposalKind.PROMOTE_PATTERN.value, ProposalKind.DEPRECATE_PATTERN.value}
SEATS = {ProposalKind.ADMIT_AGENT.value, ProposalKind.SUSPEND_AGENT.value}
KINDS = ", ".join(f"{kind}/…" for kind in ("trade", "trades", "returns", "trials", "certificates"))


def is_whole(told: Mapping[str, Any]) -> bool:
    """Whether nothing is left out that the store knows."""
    change = told.get("change")
    missing = isinstance(change, dict) and _missing(str(told.get("kind")), change)
    return not missing and not any(isinstance(one, str) for one in _listed(told.get("evidence")))


def completed(store: Store, told: Mapping[str, Any]) -> dict[str, Any]:
    """The same proposal with what the store knows.

    :param told: as JSON gives it; a place in ``evidence`` may stand alone, as text: it is cited as it stands now.
    :raises DataError: nothing is there to be cited.
    """
    whole = dict(told)
    with store.facts.reader() as facts:
        whole["evidence"] = [
            {"place": one, "digest": _digest(facts, one)} if isinstance(one, str) else one
            for one in _listed(told.get("evidence"))
        ]
        given = told.get("change")
        change: dict[str, Any] = given if isinstance(given, dict) else {}
        missing = _missing(str(told.get("kind")), change) if change else ""
        if missing == "certificate":
            agent = str(change.get("agent"))
            whole["change"] = {**change, missing: _digest(facts, f"{CERTIFICATES}/{agent}")}
    if missing == "registered_ns":
        registers = told.get("kind") == REGISTERS
        whole["change"] = {**change, missing: 0 if registers else _registered(store, str(change.get("pattern")))}
    return whole


def subject_of(told: Mapping[str, Any]) -> str:
    """What a proposal must be about, that does not say so.

    :param told: whole but for that, and for ``base_version``.
    :raises MalformedError: it is no proposal.
    """
    content, change = {"base_version": 0, **told, "subject": "unknown"}, told.get("change")
    if told.get("kind") != ProposalKind.ADD_EPISODES or not isinstance(change, dict):
        return proposal_from(content).proper_subject
    # Several episodes under another subject are no proposal: they are read one by one.
    one_by_one = [{**content, "kind": "add_episode", "change": one} for one in _listed(change.get("episodes"))]
    added = [one for single in one_by_one for one in episodes_of(proposal_from(single).change)]
    try:
        return several(tuple(added)).subject
    except ValueError as error:
        raise MalformedError(one_line(error)) from None


def _missing(kind: str, change: Mapping[str, Any]) -> str:
    """The field of a change that is left out, and known; empty where none is."""
    field = "registered_ns" if kind in PATTERNS else "certificate" if kind in SEATS else ""
    return field if field and field not in change else ""


def _listed(evidence: object) -> list[Any]:
    return evidence if isinstance(evidence, list) else []


def _digest(facts: FactsRead, place: str) -> str:
    """The digest of all that lies at a place now.

    :raises DataError: nothing does.
    """
    kind, whose = places.split(place)
    if kind in {places.TRADE, places.TRADES}:
        trades: tuple[Episode, ...] = facts.trades(place)
        if trades:
            return [*trade_links(place, trades)][-1]
    elif kind in {places.RETURNS, places.TRIALS}:
        first, values = facts.returns(place)
        if values:
            return [*return_links(place, first, values)][-1]
    elif kind == CERTIFICATES:
        known = facts.certificates()
        if whose in known:
            return known[whose][0]
        message = f"the store holds no certificate of {whose!r}"
        raise DataError(message, remedy=f"{nearest(whose, known)}; coinswarm weights measure writes them")
    else:
        message = f"{place!r} is no place of evidence"
        raise DataError(message, remedy=f"write {KINDS}")
    message = f"nothing lies at {place} in the store"
    raise DataError(message, remedy="it is written by sessions and by coinswarm weights measure")


def _registered(store: Store, pattern: str) -> int:
    """When a pattern was registered last, by the log's clock.

    :raises DataError: it never was.
    """
    with translated(store.place), store.lines.reading() as line:
        found = History(line, store.log.number, HEAD).decided(ProposalKind.UPDATE_PATTERN, about=pattern)
    if not found:
        message = f"the pattern {pattern!r} was never registered"
        raise DataError(message, remedy="propose it by update_pattern first")
    return found[-1].at_ns

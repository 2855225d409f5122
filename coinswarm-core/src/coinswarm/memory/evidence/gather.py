"""All the evidence on a proposal, read from committed tables at one position of the log; or none at all.

Whatever a proposal cites is held to the digest that it cites it by. Where anything is missing, is another, or leaves
out what could be cited well before, there is no evidence: a voter says nothing rather than judge by a part.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

from coinswarm.clock import DAY_NS, HOUR_NS
from coinswarm.domain.acceptance import (
    NEEDED_TIER,
    TIERS,
    AcceptanceRules,
    Certificate,
    DailyReturns,
    Evidence,
    Exhibit,
    TrialReturns,
)
from coinswarm.domain.episode import Space
from coinswarm.domain.limits import configured
from coinswarm.domain.proposal import (
    AddEpisode,
    AddEpisodes,
    Configure,
    MovePattern,
    Proposal,
    ProposalKind,
    Reference,
    SetWeights,
    Stage,
    episodes_of,
)
from coinswarm.memory.evidence.places import (
    CERTIFICATES,
    RETURNS,
    TRADE,
    TRADES,
    TRIALS,
    return_links,
    split,
    trade_links,
    upto,
)
from coinswarm.memory.quorum.ruling import version_of
from coinswarm.memory.store.engine import translated
from coinswarm.memory.store.history import HEAD, History
from coinswarm.memory.store.reading import PrimedFacts

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from coinswarm.domain.proposal import Change
    from coinswarm.memory.quorum.records import Envelope
    from coinswarm.memory.store.history import Decided, Standing
    from coinswarm.memory.store.opening import Store
    from coinswarm.memory.store.reading import FactsRead

    Cited = Exhibit | DailyReturns | TrialReturns | Certificate

_MOVES = (ProposalKind.UPDATE_PATTERN, ProposalKind.PROMOTE_PATTERN, ProposalKind.DEPRECATE_PATTERN)
_SEATS = (ProposalKind.ADMIT_AGENT, ProposalKind.SUSPEND_AGENT)

SLACK_NS = HOUR_NS
"""What became known, or was written, within the last hour may be missing from a record that is cited: proposals take
their time."""


class Gatherer:
    """Gathers evidence from a store; may be called from several threads at once.

    :param mode: of the swarm: ``backtest``, ``paper`` or ``live``.
    :param minimum_bp: the venue's least order, in basis points of equity, rounded up; 0: it has none.
    """

    def __init__(self, store: Store, *, mode: str = "paper", minimum_bp: int = 0) -> None:
        self._store, self._mode, self._minimum_bp = store, mode, minimum_bp

    def __call__(self, envelope: Envelope) -> Evidence | None:
        """The evidence on a proposal as the log stands now; None where a part of it is not there.

        :raises RetryableError: the store does not answer.
        """
        return self.many([envelope])[0]

    def many(self, envelopes: Sequence[Envelope]) -> list[Evidence | None]:
        """The evidence on several proposals as the log stands now, read from the store at once.

        :returns: for each what ``__call__`` would have answered.
        :raises RetryableError: the store does not answer.
        """
        return self._at(envelopes, HEAD, None)

    def at(self, envelope: Envelope, position: int, now_ns: int) -> Evidence | None:
        """The evidence as it was at a position of the log.

        :param now_ns: the log's clock then.
        """
        return self._at([envelope], position, now_ns)[0]

    def _at(self, envelopes: Sequence[Envelope], position: int, now_ns: int | None) -> list[Evidence | None]:
        store, log = self._store, self._store.log
        added = [each for one in envelopes for each in episodes_of(one.proposal.change)]
        places = [split(reference.place) for one in envelopes for reference in one.proposal.references]
        trades = {whose for kind, whose in places if kind == TRADE}
        digests = [change.vector_digest for change in added]
        with translated(store.place), store.lines.reading() as line:
            history = History(line, log.number, position)
            facts = PrimedFacts(line, log.cluster, log.number, trades=trades, digests=digests)
            subjects = [subject for one in envelopes for subject in one.proposal.subjects]
            ids = [*(change.episode.id for change in added), *trades]
            stood, *known = line.ask(history.asked(subjects, ids, clock=log.clock is None), *facts.questions)
            facts.learn(*known)
            standing = history.standing(stood)
            if now_ns is None:
                now_ns = max(standing.now_ns, log.clock() if log.clock else 0)
            spaces = tuple(Space(log.cluster, *one) for one in standing.spaces)
            basis = _Basis(now_ns, standing, _rules(standing.settings), spaces, frozenset(ids))
            return [self._evidence(one, basis, history, facts) for one in envelopes]

    def _evidence(self, envelope: Envelope, basis: _Basis, history: History, facts: FactsRead) -> Evidence | None:
        proposal, change = envelope.proposal, envelope.proposal.change
        cited = _cited(proposal, facts, basis.now_ns)
        if cited is None:
            return None
        more = self._about(change, cited, basis, history, facts)
        if more is None:
            return None
        return Evidence(
            now_ns=basis.now_ns,
            version=version_of(proposal, basis.versions),
            rules=basis.rules,
            minimum_bp=self._minimum_bp,
            mode=self._mode,
            submitter=envelope.submitter,
            exhibits=tuple([one for one in cited if isinstance(one, Exhibit)]),
            returns=tuple([one for one in cited if isinstance(one, DailyReturns)]),
            trials=tuple([one for one in cited if isinstance(one, TrialReturns)]),
            certificates=tuple([one for one in cited if isinstance(one, Certificate)]),
            **more,
        )

    def _about(
        self, change: Change, cited: Sequence[Cited], basis: _Basis, history: History, facts: FactsRead
    ) -> dict[str, Any] | None:
        """What is known of that which a proposal would change; None where a part of it is not there."""
        if isinstance(change, AddEpisode | AddEpisodes):
            added = episodes_of(change)
            found = facts.vectors([each.vector_digest for each in added])
            vectors = tuple([found[each.vector_digest] for each in added if each.vector_digest in found])
            if len(vectors) < len(added):
                return None
            return {
                **({"vector": vectors[0]} if isinstance(change, AddEpisode) else {"vectors": vectors}),
                "spaces": basis.spaces,
                "remembered": basis.remembered({each.episode.id for each in added} | _ids(cited), history),
            }
        if isinstance(change, MovePattern):
            return {"remembered": basis.remembered(_ids(cited), history), **_pattern(history, change.pattern)}
        needed = TIERS.index(NEEDED_TIER[self._mode])
        valid = {agent for agent, (_, tier) in facts.certificates().items() if TIERS.index(tier) >= needed}
        return {"seated": _seated(history), "certified": tuple(sorted(valid)), **_weights(history)}


class _Basis(NamedTuple):
    """What all proposals of a batch are judged by.

    :param ids: of the episodes of which ``standing`` says whether they are remembered.
    """

    now_ns: int
    standing: Standing
    rules: AcceptanceRules
    spaces: tuple[Space, ...]
    ids: frozenset[str]

    def versions(self, subjects: Iterable[str]) -> list[int]:
        """Of those subjects that have one."""
        known = self.standing.versions
        return [known[subject] for subject in subjects if subject in known]

    def remembered(self, ids: set[str], history: History) -> tuple[str, ...]:
        """Which of some episodes had been accepted, in order."""
        if not ids <= self.ids:
            return history.remembered(ids)
        return tuple(sorted(ids & self.standing.remembered))


def _cited(proposal: Proposal, facts: FactsRead, now_ns: int) -> list[Cited] | None:
    """What a proposal cites, each to the extent of its digest; None where anything is not there, or is another."""
    references = proposal.references
    if len({reference.place for reference in references}) < len(references):
        return None  # its trade is cited twice, and not alike
    found = [_exhibit(reference, facts, now_ns) for reference in references]
    known = [one for one in found if one is not None]
    return known if len(known) == len(found) else None


def _exhibit(reference: Reference, facts: FactsRead, now_ns: int) -> Cited | None:
    """What lies at a place, to the extent of its digest."""
    kind, whose = split(reference.place)
    if kind in {TRADE, TRADES}:
        rows = facts.record(reference.place)
        episodes = tuple([one.episode for one in rows])
        count = upto(trade_links(reference.place, episodes), reference.digest)
        if count is None or any(one.since_ns < now_ns - SLACK_NS for one in rows[count:]):
            return None
        return Exhibit(source=reference, episodes=episodes[:count])
    if kind in {RETURNS, TRIALS}:
        first, values = facts.returns(reference.place)
        count = upto(return_links(reference.place, first, values), reference.digest)
        if count is None or (count < len(values) and (first + count + 1) * DAY_NS < now_ns - SLACK_NS):
            return None
        common: dict[str, Any] = {"source": reference, "first_day": first, "returns_ppm": values[:count]}
        if kind == RETURNS:
            return DailyReturns(agent=whose, **common)
        return TrialReturns(variant=whose.rpartition("/")[2], **common)
    digest, tier = facts.certificates().get(whose, ("", "")) if kind == CERTIFICATES else ("", "")
    return Certificate(agent=whose, source=reference, tier=tier) if digest == reference.digest else None


def _ids(cited: Sequence[Cited]) -> set[str]:
    """The episodes that are cited."""
    return {episode.id for exhibit in cited if isinstance(exhibit, Exhibit) for episode in exhibit.episodes}


@lru_cache(maxsize=16)
def _rules(settings: tuple[Proposal, ...]) -> AcceptanceRules:
    """The rules in force: the defaults, with every setting that was accepted, in order."""
    rules = AcceptanceRules()
    for one in settings:
        change = one.change
        assert isinstance(change, Configure), "a setting is one"
        try:
            rules = configured(rules, change.key, change.value)
        except ValueError:  # q voters let through what the rules do not take: it has no effect
            continue
    return rules


def _seated(history: History) -> tuple[str, ...]:
    """The agents in the committee."""
    seated: set[str] = set()
    for one in history.decided(*_SEATS):
        agent = one.proposal.change.agent  # type: ignore[union-attr] # of these kinds
        if one.proposal.kind is ProposalKind.ADMIT_AGENT:
            seated.add(agent)
        else:
            seated.discard(agent)
    return tuple(sorted(seated))


def _weights(history: History) -> dict[str, Any]:
    """The weights in force and those before."""
    found = history.newest(ProposalKind.SET_WEIGHTS, 2)
    changes = [one.proposal.change for one in found]
    if not found or not isinstance(changes[0], SetWeights):
        return {}
    before = changes[1] if len(changes) > 1 else None
    return {
        "weights": changes[0].weights,
        "weights_changed_ns": found[0].at_ns,
        "rollback_drawdown_bp": changes[0].rollback_drawdown_bp,
        "previous": before.weights if isinstance(before, SetWeights) else (),
    }


def _pattern(history: History, pattern: str) -> dict[str, Any]:
    """How a pattern stands, and where its test stands among all."""
    moves = [one for one in history.decided(*_MOVES) if isinstance(one.proposal.change, MovePattern)]
    own = [one for one in moves if _change(one).pattern == pattern]
    if not own:
        return {}
    registered = next((one for one in reversed(own) if one.proposal.kind is ProposalKind.UPDATE_PATTERN), None)
    stage: dict[str, Any] = {"stage": _change(own[-1]).stage.value}
    if registered is None:
        return stage
    return {
        **stage,
        "registered_ns": registered.at_ns,
        "variants": _change(registered).variants,
        **_test(pattern, moves, registered.position),
    }


def _test(pattern: str, moves: list[Decided], registered: int) -> dict[str, Any]:
    """Where the test of a pattern stands among all: each begins when its pattern comes into the shadow (LORD++).

    :param registered: position at which the pattern was registered; what it was before does not count.
    """
    begun = [one for one in moves if _change(one).stage is Stage.SHADOW]
    own = [one for one in begun if _change(one).pattern == pattern and one.position > registered]
    if not own:
        return {}
    begin = own[-1].position

    def number(position: int) -> int:
        return sum(one.position <= position for one in begun)

    discovered = [
        one.position
        for one in moves
        if one.position < begin
        and one.proposal.kind is ProposalKind.PROMOTE_PATTERN
        and _change(one).stage is Stage.PROBATION
    ]
    return {
        "number": number(begin),
        "tested_ns": own[-1].at_ns,
        "discoveries": tuple(number(position) for position in discovered),
    }


def _change(one: Decided) -> MovePattern:
    change = one.proposal.change
    assert isinstance(change, MovePattern), "of these kinds"
    return change

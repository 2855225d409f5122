"""What a quorum is asked to decide, and what of it: kinds of proposals and the change each asks for.

Whole numbers, names and digests only, so that ``content()`` has one
canonical form. Who submitted a proposal, its nonce, its deadline and its signature belong to the envelope in
which it travels, not to what it asks.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from typing import TYPE_CHECKING

from coinswarm.domain.valid import FULL_BP, digest, line, member, name, unique, whole

if TYPE_CHECKING:
    from coinswarm.domain.episode import Episode


class ProposalKind(StrEnum):
    """What a proposal is about; the words are part of its canonical form."""

    ADD_EPISODE = "add_episode"
    ADD_EPISODES = "add_episodes"
    UPDATE_PATTERN = "update_pattern"
    PROMOTE_PATTERN = "promote_pattern"
    DEPRECATE_PATTERN = "deprecate_pattern"
    SET_WEIGHTS = "set_weights"
    ADMIT_AGENT = "admit_agent"
    SUSPEND_AGENT = "suspend_agent"
    CONFIGURE = "configure"


class Stage(StrEnum):
    """How far a pattern has come."""

    CANDIDATE = "candidate"
    """Registered before it is evaluated."""
    SHADOW = "shadow"
    """Watched, without capital."""
    PROBATION = "probation"
    """With a sliver of capital."""
    ENABLED = "enabled"
    DEPRECATED = "deprecated"


@dataclass(frozen=True, slots=True)
class Reference:
    """Where evidence is, and what it was when it was cited; voters work it out anew from there.

    :param place: of committed data, as in ``returns/trend`` or ``trades/pattern-7``.
    :param digest: of its canonical form.
    """

    place: str
    digest: str

    def __post_init__(self) -> None:
        name("place of the reference", self.place)
        digest(f"digest of {self.place}", self.digest)


@dataclass(frozen=True, slots=True)
class Weight:
    """An agent's weight in the committee, in basis points: 0 to 10,000."""

    agent: str
    weight_bp: int

    def __post_init__(self) -> None:
        name("agent of the weight", self.agent)
        whole(f"weight_bp of {self.agent}", self.weight_bp, None)


@dataclass(frozen=True, slots=True, kw_only=True)
class AddEpisode:
    """Remember this.

    :param space: name of the space that the vector belongs to.
    :param dimension: width of the vector.
    :param vector_digest: of the vector's bytes, little-endian float32.
    :param trade: where the closed trade is committed.
    """

    space: str
    dimension: int
    episode: Episode
    vector_digest: str
    trade: Reference

    def __post_init__(self) -> None:
        name("space of the episode", self.space)
        whole("dimension of the episode's vector", self.dimension, 1)
        digest("vector_digest of the episode", self.vector_digest)


MOST_EPISODES = 64
"""How many episodes one proposal may ask to remember."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AddEpisodes:
    """Remember all of these, or none.

    Its trades are its evidence: a proposal need not cite them once more.

    :param episodes: none of which was ever remembered, each once; one to ``MOST_EPISODES``.
    """

    episodes: tuple[AddEpisode, ...]

    def __post_init__(self) -> None:
        whole("number of episodes in the proposal", len(self.episodes), 1, MOST_EPISODES)
        unique("episodes", tuple([each.episode.id for each in self.episodes]))


@dataclass(frozen=True, slots=True, kw_only=True)
class MovePattern:
    """Move a pattern to a stage, or register it.

    :param pattern: its name.
    :param stage: where to.
    :param hypothesis: what is claimed, in a line; stated when it is registered, before it is evaluated.
    :param variants: how many variants were tried before this one was chosen, itself included; 0: not known.
    :param registered_ns: when it was registered, nanoseconds since the epoch by the log's clock; 0 in the proposal that
        registers it, because only the log can tell.
    :param capital_bp: of equity, that it may use in its new stage; 0 where that is without capital.
    """

    pattern: str
    stage: Stage
    hypothesis: str
    variants: int
    registered_ns: int
    capital_bp: int = 0

    def __post_init__(self) -> None:
        name("pattern", self.pattern)
        member(f"stage of {self.pattern}", self.stage, Stage)
        line(f"hypothesis of {self.pattern}", self.hypothesis, empty=False)
        whole(f"variants of {self.pattern}", self.variants)
        whole(f"registered_ns of {self.pattern}", self.registered_ns)
        whole(f"capital_bp of {self.pattern}", self.capital_bp, 0, FULL_BP)


@dataclass(frozen=True, slots=True, kw_only=True)
class SetWeights:
    """Weigh the committee so. Whether weights are fair, bounded and add up is for voters to say, not for the type.

    :param weights: one per agent.
    :param rollback_drawdown_bp: this fall of equity since they came into force brings the previous weights back.
    """

    weights: tuple[Weight, ...]
    rollback_drawdown_bp: int

    def __post_init__(self) -> None:
        unique("weights", tuple(weight.agent for weight in self.weights))
        whole("rollback_drawdown_bp", self.rollback_drawdown_bp, 0, FULL_BP)


@dataclass(frozen=True, slots=True, kw_only=True)
class SeatAgent:
    """Admit an agent to the committee, or suspend it.

    :param agent: as the seat is named.
    :param certificate: digest of the certificate it is admitted by; of the one it had when it is suspended.
    :param reason: one line for people.
    """

    agent: str
    certificate: str
    reason: str

    def __post_init__(self) -> None:
        name("agent", self.agent)
        digest(f"certificate of {self.agent}", self.certificate)
        line(f"reason for {self.agent}", self.reason, empty=False)


@dataclass(frozen=True, slots=True)
class Configure:
    """Set a rule of the quorum or the swarm.

    :param key: name of the rule, as in ``acceptance.max-weight-bp``.
    :param value: whole numbers and names, as text.
    """

    key: str
    value: str

    def __post_init__(self) -> None:
        name("key", self.key)
        line(f"value of {self.key}", self.value)


ROSTER_KEY = "quorum.roster"
"""The setting that says who votes; core itself judges it, one step at a time."""

Change = AddEpisode | AddEpisodes | MovePattern | SetWeights | SeatAgent | Configure

CHANGES: dict[ProposalKind, type[Change]] = {
    ProposalKind.ADD_EPISODE: AddEpisode,
    ProposalKind.ADD_EPISODES: AddEpisodes,
    ProposalKind.UPDATE_PATTERN: MovePattern,
    ProposalKind.PROMOTE_PATTERN: MovePattern,
    ProposalKind.DEPRECATE_PATTERN: MovePattern,
    ProposalKind.SET_WEIGHTS: SetWeights,
    ProposalKind.ADMIT_AGENT: SeatAgent,
    ProposalKind.SUSPEND_AGENT: SeatAgent,
    ProposalKind.CONFIGURE: Configure,
}
"""What each kind of proposal asks for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A number that the proposer states, for people to compare; a voter believes none of them.

    :param what: what it is of, as in ``sharpe-annual``.
    :param value_ppm: in millionths.
    """

    what: str
    value_ppm: int

    def __post_init__(self) -> None:
        name("claim", self.what)
        whole(f"value_ppm of the claim {self.what}", self.value_ppm, None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """What is to be changed, on what evidence.

    :param kind: of the change.
    :param subject: what is changed: only one proposal about it can be accepted at one version.
    :param base_version: version of the subject that the change starts from.
    :param change: of the type that ``CHANGES`` has for the kind.
    :param evidence: what it rests on, each place once.
    :param claims: numbers for people.
    :raises ValueError: for a change of another type, evidence cited twice, or several episodes from a version but 0.
    """

    kind: ProposalKind
    subject: str
    base_version: int
    change: Change
    evidence: tuple[Reference, ...] = ()
    claims: tuple[Claim, ...] = ()

    def __post_init__(self) -> None:
        name("subject of the proposal", self.subject)
        whole("base_version of the proposal", self.base_version)
        kind = self.kind
        member("kind of the proposal", kind, ProposalKind)
        wanted = CHANGES[kind]
        if not isinstance(self.change, wanted):
            message = (
                f"a proposal of kind {self.kind} asks for a {type(self.change).__name__}, "
                f"but must ask for a {wanted.__name__}"
            )
            raise ValueError(message)  # noqa: TRY004 - one error for a value that is not valid
        if kind is ProposalKind.ADD_EPISODES and self.base_version:
            message = f"base_version of the proposal is {self.base_version}, but several episodes start from version 0"
            raise ValueError(message)
        if len(self.evidence) > 1 or self.claims:
            unique("evidence", tuple([reference.place for reference in self.evidence]))
            unique("claims", tuple([claim.what for claim in self.claims]))

    def content(self) -> dict[str, object]:
        """The whole of it as plain values, for ``canonical.digest``: equal proposals have equal content."""
        plain = _plain(self)
        assert isinstance(plain, dict)  # a dataclass is one
        return plain

    @property
    def seed(self) -> int:
        """What chance begins from when voters resample: the same for all of them, and nobody's choice.

        It is what the log says of the subject. A word of a hypothesis, or a basis point of capital, would be another
        throw of the dice for whoever proposes.
        """
        plain = [self.kind.value, self.subject, self.base_version]
        return int(sha256(json.dumps(plain, separators=(",", ":")).encode()).hexdigest(), 16)

    @property
    def proper_subject(self) -> str:
        """What a proposal with this change must be about, so that no two of its kind pass one another by."""
        change = self.change
        if isinstance(change, AddEpisode):
            return _subject(change)
        if isinstance(change, AddEpisodes):
            return _subject_of_several(change.episodes)
        if isinstance(change, MovePattern):
            return f"pattern/{change.pattern}"
        if isinstance(change, SeatAgent):
            return f"agent/{change.agent}"
        return change.key.replace(".", "/") if isinstance(change, Configure) else "weights"

    @property
    def subjects(self) -> tuple[str, ...]:
        """All that it changes, each of which has a version of its own: only ``subject``, or every episode of several.

        Several episodes start from version 0, each of them; together they have no version but the largest of these.
        """
        change = self.change
        if isinstance(change, AddEpisodes):
            return tuple([_subject(each) for each in change.episodes])
        return (self.subject,)

    @property
    def references(self) -> tuple[Reference, ...]:
        """All that it rests on: what it cites, and the trades of its episodes."""
        more = [each.trade for each in episodes_of(self.change)]
        return tuple(dict.fromkeys([*self.evidence, *more])) if more else self.evidence


def single(added: AddEpisode) -> Proposal:
    """The proposal to remember an episode that never was, on the evidence of its trade."""
    return Proposal(
        kind=ProposalKind.ADD_EPISODE, subject=_subject(added), base_version=0, change=added, evidence=(added.trade,)
    )


def several(episodes: tuple[AddEpisode, ...]) -> Proposal:
    """The proposal to remember several episodes, or none of them.

    :param episodes: one to ``MOST_EPISODES``, each once.
    :raises ValueError: for more, or one that is in it twice.
    """
    change = AddEpisodes(episodes=episodes)
    subject = _subject_of_several(episodes)
    return Proposal(kind=ProposalKind.ADD_EPISODES, subject=subject, base_version=0, change=change)


def episodes_of(change: Change) -> tuple[AddEpisode, ...]:
    """The episodes that a change asks to remember, in its order; none for a change of another kind."""
    if isinstance(change, AddEpisode):
        return (change,)
    return change.episodes if isinstance(change, AddEpisodes) else ()


def _subject(change: AddEpisode) -> str:
    return f"episode/{change.episode.id}"


def _subject_of_several(episodes: tuple[AddEpisode, ...]) -> str:
    ids = ",".join([each.episode.id for each in episodes])
    return f"episodes/{sha256(ids.encode()).hexdigest()}"


def _plain(value: object) -> object:
    """Frozen dataclasses as mappings by field name, tuples as lists."""
    kind = type(value)
    if kind in _PLAIN:
        return value
    names = getattr(kind, "__dataclass_fields__", None)
    if names is not None:
        return {name: _plain(getattr(value, name)) for name in names}
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    return str(value) if isinstance(value, StrEnum) else value


_PLAIN = frozenset({str, int, bool})

"""By which rules a voter judges, on what, and what it says.

A voter does no I/O: core reads the evidence from committed data, holds every exhibit to the digest that the
proposal cites, and hands over all of it or does not ask.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from coinswarm.domain.proposal import MovePattern, ProposalKind, Stage
from coinswarm.domain.valid import FULL_BP, line, name, unique, whole

if TYPE_CHECKING:
    from coinswarm.domain.episode import Episode, Space
    from coinswarm.domain.proposal import Proposal, Reference, Weight


class Rule(StrEnum):
    """What can be wrong with a proposal. Ballots name these words, so that voters of different make can agree."""

    EVIDENCE = "evidence"
    """It cites evidence where its kind rests on any, and everything it cites is there."""
    BASE = "base"
    """It is about what it changes, and starts from the version that is in force."""
    KNOWN = "known"
    """The outcome was known when it was proposed."""
    TRADE = "trade"
    """The trade exists, once, and is what it is said to be."""
    VECTOR = "vector"
    """The vector is the one proposed, finite, not all zero, and of the width of a space that is known."""
    DUPLICATE = "duplicate"
    """It is not remembered already."""
    REGISTERED = "registered"
    """It was registered, when and as it says, and the number of variants tried is known."""
    UNSEEN = "unseen"
    """It is registered before it is evaluated: it cites nothing, and counts every variant registered before."""
    STAGES = "stages"
    """It takes one stage after the other."""
    CAPITAL = "capital"
    """It gets no more capital than its stage allows, and no less than the venue trades."""
    TRADES = "trades"
    """There are enough closed trades, and none overlaps another."""
    SPAN = "span"
    """The record is as long as its Sharpe ratio needs to be believed (MinTRL), given the variants tried (MinBTL)."""
    SHARPE = "sharpe"
    """The net Sharpe ratio is high enough."""
    PSR = "psr"
    """The probability that the true Sharpe ratio exceeds zero is high enough."""
    OVERFIT = "overfit"
    """The best variant of one half of the days is seldom among the worse in the other half (PBO)."""
    DISCOVERY = "discovery"
    """On trades since it came into the shadow, it passes the level that its place there leaves it (LORD++)."""
    DEFLATED = "deflated"
    """The deflated Sharpe ratio is high enough."""
    DRAWDOWN = "drawdown"
    """A year like its record seldom brings a drawdown that is too deep."""
    DECAYED = "decayed"
    """What is demoted has no capital, or does worse than was demanded of it."""
    SUM = "sum"
    """Weights are at least 0 and sum to 10,000."""
    CAP = "cap"
    """No agent weighs more than the cap."""
    CHANGE = "change"
    """Weights move no more than the bound, summed over agents; or they are taken back."""
    COOL_DOWN = "cool-down"
    """The last change is long enough ago; or it is taken back."""
    CERTIFIED = "certified"
    """Every agent that weighs anything, or is admitted, holds a certificate that is valid for the mode."""
    BETTER = "better"
    """On folds of the days that are cited, the new weights earn more than those in force, net of what moving costs."""
    ROLLBACK = "rollback"
    """It says at which loss it is taken back, and that is within bounds."""
    SEAT = "seat"
    """Who is admitted has no seat, and who is suspended has one."""
    KEY = "key"
    """What is configured exists."""
    VALUE = "value"
    """What it is set to lies within the limits that no proposal can move."""
    OPERATOR = "operator"
    """It was submitted by whoever may ask for it."""


_ORDER = {rule: place for place, rule in enumerate(Rule)}

TIERS = ("bronze", "silver", "gold")
"""Of certificates, the least first."""

NEEDED_TIER = {"backtest": "bronze", "paper": "silver", "live": "gold"}
"""Mode of a swarm -> the least certificate that seats an agent in it."""

OPERATOR = "operator"
"""The submitter that a roster names so may ask for what nobody else may."""

GENERAL = (Rule.EVIDENCE, Rule.BASE)
"""Of every proposal."""

_PATTERN = (Rule.REGISTERED, Rule.STAGES, Rule.CAPITAL)

_PROMOTED = {
    Stage.SHADOW: (*_PATTERN, Rule.TRADES, Rule.SPAN, Rule.SHARPE, Rule.PSR, Rule.OVERFIT),
    Stage.PROBATION: (*_PATTERN, Rule.TRADES, Rule.DISCOVERY),
    Stage.ENABLED: (*_PATTERN, Rule.TRADES, Rule.DEFLATED, Rule.DRAWDOWN),
}

_BY_KIND = {
    ProposalKind.ADD_EPISODE: (Rule.KNOWN, Rule.TRADE, Rule.VECTOR, Rule.DUPLICATE),
    ProposalKind.ADD_EPISODES: (Rule.KNOWN, Rule.TRADE, Rule.VECTOR, Rule.DUPLICATE),
    ProposalKind.UPDATE_PATTERN: (Rule.REGISTERED, Rule.UNSEEN, Rule.STAGES, Rule.CAPITAL),
    ProposalKind.PROMOTE_PATTERN: _PATTERN,
    ProposalKind.DEPRECATE_PATTERN: (*_PATTERN, Rule.TRADES, Rule.DECAYED),
    ProposalKind.SET_WEIGHTS: (
        Rule.SUM, Rule.CAP, Rule.CHANGE, Rule.COOL_DOWN, Rule.CERTIFIED, Rule.BETTER, Rule.ROLLBACK,
    ),
    ProposalKind.ADMIT_AGENT: (Rule.CERTIFIED, Rule.SEAT, Rule.OPERATOR),
    ProposalKind.SUSPEND_AGENT: (Rule.SEAT,),
    ProposalKind.CONFIGURE: (Rule.KEY, Rule.VALUE, Rule.OPERATOR),
}  # fmt: skip


def mandatory(proposal: Proposal) -> tuple[Rule, ...]:
    """The rules that every seat judges a proposal by, whatever its make, in the order of ``Rule``."""
    rules = _BY_KIND[proposal.kind]
    if proposal.kind is ProposalKind.PROMOTE_PATTERN and isinstance(proposal.change, MovePattern):
        rules = _PROMOTED.get(proposal.change.stage, rules)
    return (*GENERAL, *rules)


CITING = frozenset(
    {
        ProposalKind.ADD_EPISODE,
        ProposalKind.PROMOTE_PATTERN,
        ProposalKind.SET_WEIGHTS,
        ProposalKind.ADMIT_AGENT,
    }
)
"""Kinds of proposals that cite something; the first weights have nothing to cite yet."""


_MILLION = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class AcceptanceRules:
    """The numbers that voters hold proposals to: committed, and the same for all seats.

    :param max_weight_bp: no agent weighs more.
    :param max_change_bp: sum over agents of how far each weight moves.
    :param cool_down_ns: between two changes of weights.
    :param max_rollback_bp: the largest drawdown at which weights may be taken back.
    :param min_trades: closed, non-overlapping.
    :param min_sharpe_ppm: annualised (365 days), net, in millionths.
    :param min_psr_ppm: PSR(0), in millionths; the confidence of MinTRL too.
    :param min_days: of returns behind a change of weights.
    :param max_pbo_ppm: probability of backtest overfitting.
    :param pbo_blocks: the days are cut into so many blocks, half of which select: even.
    :param fdr_ppm: share of false discoveries among patterns that get capital, in expectation.
    :param min_live_trades: of a pattern with capital: closed, non-overlapping, decided since it came into the shadow.
    :param max_probation_bp: of equity, for a pattern on probation, unless the venue's least order is more.
    :param min_dsr_ppm: deflated Sharpe ratio.
    :param max_drawdown_ppm: of equity within twelve months.
    :param max_drawdown_chance_ppm: share of resampled years that may bring a deeper one.
    :param target_volatility_ppm: annualised; the record is scaled to it before drawdowns are measured.
    :param block_days, resamples: of that bootstrap.
    :param cusum_ppm: how far a record may fall behind the demanded Sharpe ratio, as a log-likelihood ratio.
    :param folds: into which the days behind a change of weights are cut.
    :param purge_days: left out at the beginning of each fold.
    :param cost_bp: of what is moved by a change of weights, paid on the first day of each fold.
    :param max_worse_ppm: annualised Sharpe ratio by which new weights may be worse, at 95 % confidence.
    """

    max_weight_bp: int = 5_000
    max_change_bp: int = 2_000
    cool_down_ns: int = 86_400_000_000_000
    max_rollback_bp: int = 1_000
    min_trades: int = 100
    min_sharpe_ppm: int = 1_500_000
    min_psr_ppm: int = 950_000
    min_days: int = 30
    max_pbo_ppm: int = 200_000
    pbo_blocks: int = 10
    fdr_ppm: int = 50_000
    min_live_trades: int = 30
    max_probation_bp: int = 100
    min_dsr_ppm: int = 950_000
    max_drawdown_ppm: int = 100_000
    max_drawdown_chance_ppm: int = 50_000
    target_volatility_ppm: int = 60_000
    block_days: int = 20
    resamples: int = 1_000
    cusum_ppm: int = 2_500_000
    folds: int = 5
    purge_days: int = 1
    cost_bp: int = 10
    max_worse_ppm: int = 500_000

    def __post_init__(self) -> None:
        whole("max_weight_bp", self.max_weight_bp, 1, FULL_BP)
        whole("max_change_bp", self.max_change_bp, 0, 2 * FULL_BP)
        whole("cool_down_ns", self.cool_down_ns)
        whole("max_rollback_bp", self.max_rollback_bp, 1, FULL_BP)
        whole("min_trades", self.min_trades, 2)
        whole("min_sharpe_ppm", self.min_sharpe_ppm)
        whole("min_psr_ppm", self.min_psr_ppm, 500_000, 999_999)
        whole("min_days", self.min_days, 2)
        whole("max_pbo_ppm", self.max_pbo_ppm, 0, _MILLION)
        whole("pbo_blocks", self.pbo_blocks, 2, 16)
        if self.pbo_blocks % 2:
            message = f"pbo_blocks is {self.pbo_blocks}, but must be even: half of the blocks select"
            raise ValueError(message)
        whole("fdr_ppm", self.fdr_ppm, 1, _MILLION - 1)
        whole("min_live_trades", self.min_live_trades, 2)
        whole("max_probation_bp", self.max_probation_bp, 1, FULL_BP)
        whole("min_dsr_ppm", self.min_dsr_ppm, 500_000, 999_999)
        whole("max_drawdown_ppm", self.max_drawdown_ppm, 1, _MILLION)
        whole("max_drawdown_chance_ppm", self.max_drawdown_chance_ppm, 0, _MILLION)
        whole("target_volatility_ppm", self.target_volatility_ppm, 1, _MILLION)
        whole("block_days", self.block_days, 1, 365)
        whole("resamples", self.resamples, 20, 10_000)
        whole("cusum_ppm", self.cusum_ppm, 1)
        whole("folds", self.folds, 2, 20)
        whole("purge_days", self.purge_days)
        whole("cost_bp", self.cost_bp)
        whole("max_worse_ppm", self.max_worse_ppm)


@dataclass(frozen=True, slots=True, kw_only=True)
class DailyReturns:
    """What one agent's ideas earned, day by day, net of costs, idle days included.

    :param agent: as the seat is named.
    :param source: where it is committed.
    :param first_day: days since 1970-01-01, UTC.
    :param returns_ppm: of equity at full weight, one per day, in millionths, more than -1,000,000.
    """

    agent: str
    source: Reference
    first_day: int
    returns_ppm: tuple[int, ...]

    def __post_init__(self) -> None:
        name("agent of the returns", self.agent)
        whole(f"first_day of {self.agent}", self.first_day)
        for value in self.returns_ppm:
            whole(f"a daily return of {self.agent}", value, -999_999)


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialReturns:
    """What one of the variants of a pattern earned, day by day, net of costs, idle days included.

    Every variant that was tried is there, the chosen one among them.

    :param variant: its name, among the variants of the pattern.
    :param source: where it is committed: ``trials/<pattern>/<variant>``.
    :param first_day: days since 1970-01-01, UTC.
    :param returns_ppm: of equity, one per day, in millionths, more than -1,000,000.
    """

    variant: str
    source: Reference
    first_day: int
    returns_ppm: tuple[int, ...]

    def __post_init__(self) -> None:
        name("variant", self.variant)
        whole(f"first_day of {self.variant}", self.first_day)
        for value in self.returns_ppm:
            whole(f"a daily return of {self.variant}", value, -999_999)


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificate:
    """A certificate as it is committed: whose, and how far it goes.

    :param agent: as the seat is named.
    :param source: where it is committed, ``certificates/<agent>``; its digest is the certificate's.
    :param tier: bronze, silver or gold.
    """

    agent: str
    source: Reference
    tier: str

    def __post_init__(self) -> None:
        name("agent of the certificate", self.agent)
        if self.tier not in TIERS:
            message = f"tier of the certificate of {self.agent} is {self.tier!r}, but must be one of {', '.join(TIERS)}"
            raise ValueError(message)


@dataclass(frozen=True, slots=True, kw_only=True)
class Exhibit:
    """Closed trades that a proposal cites, as committed.

    :param source: where they are; its digest was held against what was read. A pattern's whole record, since it was
        first evaluated, lies in ``trades/<pattern>``.
    :param episodes: the trades, in any order.
    """

    source: Reference
    episodes: tuple[Episode, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """All that a voter may know beside the proposal; the order of tuples means nothing.

    :param now_ns: the log's clock when the evidence was read; a voter has no other.
    :param version: of the subject, in force; where the proposal has several, the largest of theirs.
    :param rules: in force.
    :param exhibits: closed trades cited.
    :param returns: daily returns cited, one per agent.
    :param weights: in force.
    :param weights_changed_ns: since when.
    :param certified: agents that hold a valid certificate.
    :param remembered: ids among those proposed or cited here that are remembered already.
    :param spaces: of the swarm.
    :param vector: of the episode that is proposed: float32, little-endian.
    :param vectors: of the episodes that are proposed, where a proposal is to remember several.
    :param stage: of the pattern, in force; empty when it is not registered.
    :param registered_ns, variants: as committed when the pattern was registered, by the log's clock; 0 when it was not.
    :param number: which it was of all patterns that came into the shadow, when it last did since it was registered;
        from 1, 0 where it did not.
    :param tested_ns: when that was, by the log's clock: on what was decided since, it is tested.
    :param discoveries: for each acceptance to probation before that: how many had come into the shadow by then.
    :param trials: returns of the variants cited.
    :param minimum_bp: the venue's least order, in basis points of equity, rounded up; 0: it has none.
    :param previous: weights before those in force; empty for the first.
    :param rollback_drawdown_bp: at which the weights in force are taken back; 0: never.
    :param certificates: committed, and not revoked; one per agent.
    :param seated: agents in the committee.
    :param mode: of the swarm: ``backtest``, ``paper`` or ``live``.
    :param submitter: who submitted the proposal, as the roster names its seat.
    """

    now_ns: int
    version: int
    rules: AcceptanceRules
    exhibits: tuple[Exhibit, ...] = ()
    returns: tuple[DailyReturns, ...] = ()
    weights: tuple[Weight, ...] = ()
    weights_changed_ns: int = 0
    certified: tuple[str, ...] = ()
    remembered: tuple[str, ...] = ()
    spaces: tuple[Space, ...] = ()
    vector: bytes = b""
    vectors: tuple[bytes, ...] = ()
    stage: str = ""
    registered_ns: int = 0
    variants: int = 0
    number: int = 0
    tested_ns: int = 0
    discoveries: tuple[int, ...] = ()
    trials: tuple[TrialReturns, ...] = ()
    minimum_bp: int = 0
    previous: tuple[Weight, ...] = ()
    rollback_drawdown_bp: int = 0
    certificates: tuple[Certificate, ...] = ()
    seated: tuple[str, ...] = ()
    mode: str = "paper"
    submitter: str = ""

    def __post_init__(self) -> None:
        whole("now_ns of the evidence", self.now_ns)
        whole("version of the evidence", self.version)
        unique("exhibits", tuple([row.source.place for row in self.exhibits]))
        unique("certified", self.certified)
        unique("seated", self.seated)
        if self.returns or self.weights or self.trials or self.previous or self.certificates:  # not of an episode
            unique("returns", tuple([row.agent for row in self.returns]))
            unique("weights", tuple([weight.agent for weight in self.weights]))
            unique("trials", tuple([row.variant for row in self.trials]))
            unique("previous weights", tuple([weight.agent for weight in self.previous]))
            unique("certificates", tuple([row.agent for row in self.certificates]))
        for number in self.discoveries:
            whole("a discovery", number, 1)
        whole("number of the evidence", self.number)
        whole("tested_ns of the evidence", self.tested_ns)
        whole("minimum_bp of the evidence", self.minimum_bp)
        whole("rollback_drawdown_bp of the evidence", self.rollback_drawdown_bp)
        if self.mode not in NEEDED_TIER:
            message = f"mode of the evidence is {self.mode!r}, but must be one of {', '.join(NEEDED_TIER)}"
            raise ValueError(message)

    @property
    def sources(self) -> frozenset[Reference]:
        """Where everything that is here was read."""
        found = [row.source for row in self.exhibits]
        for rows in (self.returns, self.trials, self.certificates):
            found += [row.source for row in rows]
        return frozenset(found)


@dataclass(frozen=True, slots=True)
class Verdict:
    """How one seat judges a proposal: which rules hold and which do not.

    The ballot signs ``held`` and ``failed``; remarks are for people and never signed.

    :param held, failed: in the order of ``Rule``, none in both; together all mandatory rules of the kind.
    :param remarks: one line each; at least one for a rejection.
    :raises ValueError: for rules out of order, twice, or none at all; for a rejection without a remark.
    """

    held: tuple[Rule, ...]
    failed: tuple[Rule, ...] = ()
    remarks: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for what, rules in (("held", self.held), ("failed", self.failed)):
            places = [_ORDER[rule] if rule in _ORDER else _ORDER[Rule(rule)] for rule in rules]
            if places != sorted(set(places)):
                message = f"rules {what} are {', '.join(rules)}: each once, in the order of Rule"
                raise ValueError(message)
        both = set(self.held) & set(self.failed)
        if both or not (self.held or self.failed):
            message = f"a verdict in which {', '.join(sorted(both)) or 'nothing'} both held and failed says nothing"
            raise ValueError(message)
        for remark in self.remarks:
            line("a remark", remark, empty=False)
        if self.failed and not self.remarks:
            message = f"{', '.join(self.failed)} failed without a word why: give a remark"
            raise ValueError(message)

    @property
    def accepts(self) -> bool:
        """Whether the ballot says ACCEPT."""
        return not self.failed

    @classmethod
    def of(cls, judged: dict[Rule, str]) -> Verdict:
        """The verdict from what each rule came to.

        :param judged: rule -> why it failed, or empty where it held.
        """
        rules = [rule for rule in _ORDER if rule in judged]
        if not any(judged.values()):
            return cls(tuple(rules))
        return cls(
            tuple(rule for rule in rules if not judged[rule]),
            tuple(rule for rule in rules if judged[rule]),
            tuple(f"{rule}: {judged[rule]}" for rule in rules if judged[rule]),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    """What a planner is shown: everything about the committee that is known, nothing later.

    :param now_ns: when.
    :param version: of the weights in force.
    :param weights: in force.
    :param weights_changed_ns: since when.
    :param certified: agents that hold a valid certificate.
    :param returns: daily returns of agents, each ending before today.
    :param rules: that a proposal will be held to.
    :param regime: of the market, or empty.
    """

    now_ns: int
    version: int
    weights: tuple[Weight, ...]
    weights_changed_ns: int
    certified: tuple[str, ...]
    returns: tuple[DailyReturns, ...]
    rules: AcceptanceRules
    regime: str = ""

    def __post_init__(self) -> None:
        whole("now_ns of the outlook", self.now_ns)
        whole("version of the outlook", self.version)
        unique("weights", tuple(weight.agent for weight in self.weights))
        unique("certified", self.certified)
        unique("returns", tuple(row.agent for row in self.returns))
        if self.regime:
            name("regime of the outlook", self.regime)

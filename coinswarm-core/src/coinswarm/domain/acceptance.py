"""By which rules a voter judges, on what, and what it says. *Provisional* until a quorum votes.

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
    """It cites evidence, and everything it cites is there."""
    BASE = "base"
    """It starts from the version that is in force."""
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
    STAGES = "stages"
    """It takes one stage after the other."""
    TRADES = "trades"
    """There are enough closed trades, and none overlaps another."""
    SPAN = "span"
    """The record is at least as long as its Sharpe ratio needs to be believed (MinTRL)."""
    SHARPE = "sharpe"
    """The net Sharpe ratio is high enough."""
    PSR = "psr"
    """The probability that the true Sharpe ratio exceeds zero is high enough."""
    SUM = "sum"
    """Weights are at least 0 and sum to 10,000."""
    CAP = "cap"
    """No agent weighs more than the cap."""
    CHANGE = "change"
    """Weights move no more than the bound, summed over agents."""
    COOL_DOWN = "cool-down"
    """The last change is long enough ago."""
    CERTIFIED = "certified"
    """Every agent that weighs anything holds a valid certificate."""
    BETTER = "better"
    """On the evidence, the new weights would have done better than those in force."""
    ROLLBACK = "rollback"
    """It says at which loss it is taken back, and that is within bounds."""
    JUDGED = "judged"
    """The voter knows how to judge proposals of this kind."""


GENERAL = (Rule.EVIDENCE, Rule.BASE)
"""Of every proposal."""

_EPISODE = (Rule.KNOWN, Rule.TRADE, Rule.VECTOR, Rule.DUPLICATE)
_SHADOW = (Rule.REGISTERED, Rule.STAGES, Rule.TRADES, Rule.SPAN, Rule.SHARPE, Rule.PSR)
_WEIGHTS = (Rule.SUM, Rule.CAP, Rule.CHANGE, Rule.COOL_DOWN, Rule.CERTIFIED, Rule.BETTER, Rule.ROLLBACK)


def mandatory(proposal: Proposal) -> tuple[Rule, ...]:
    """The rules that every seat judges a proposal by, whatever its make, in the order of ``Rule``.

    Settled are episodes, patterns on their way into the shadow, and weights. Of any other proposal a voter says
    that ``Rule.JUDGED`` failed.
    """
    if proposal.kind is ProposalKind.ADD_EPISODE:
        return (*GENERAL, *_EPISODE)
    if proposal.kind is ProposalKind.SET_WEIGHTS:
        return (*GENERAL, *_WEIGHTS)
    change = proposal.change
    if (
        proposal.kind is ProposalKind.PROMOTE_PATTERN
        and isinstance(change, MovePattern)
        and change.stage == Stage.SHADOW
    ):
        return (*GENERAL, *_SHADOW)
    return (*GENERAL, Rule.JUDGED)


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
    """

    max_weight_bp: int = 5_000
    max_change_bp: int = 2_000
    cool_down_ns: int = 86_400_000_000_000
    max_rollback_bp: int = 1_000
    min_trades: int = 100
    min_sharpe_ppm: int = 1_500_000
    min_psr_ppm: int = 950_000
    min_days: int = 30

    def __post_init__(self) -> None:
        whole("max_weight_bp", self.max_weight_bp, 1, FULL_BP)
        whole("max_change_bp", self.max_change_bp, 0, 2 * FULL_BP)
        whole("cool_down_ns", self.cool_down_ns)
        whole("max_rollback_bp", self.max_rollback_bp, 1, FULL_BP)
        whole("min_trades", self.min_trades, 2)
        whole("min_sharpe_ppm", self.min_sharpe_ppm)
        whole("min_psr_ppm", self.min_psr_ppm, 500_000, 999_999)
        whole("min_days", self.min_days, 2)


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
class Exhibit:
    """Closed trades that a proposal cites, as committed.

    :param source: where they are; its digest was held against what was read.
    :param episodes: the trades, in any order.
    """

    source: Reference
    episodes: tuple[Episode, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """All that a voter may know beside the proposal; the order of tuples means nothing.

    :param now_ns: the log's clock when the evidence was read; a voter has no other.
    :param version: of the subject, in force.
    :param rules: in force.
    :param exhibits: closed trades cited.
    :param returns: daily returns cited, one per agent.
    :param weights: in force.
    :param weights_changed_ns: since when.
    :param certified: agents that hold a valid certificate.
    :param remembered: ids among those proposed or cited here that are remembered already.
    :param spaces: of the swarm.
    :param vector: of the episode that is proposed: float32, little-endian.
    :param stage: of the pattern, in force; empty when it is not registered.
    :param registered_ns, variants: as committed when the pattern was registered; 0 when it was not.
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
    stage: str = ""
    registered_ns: int = 0
    variants: int = 0

    def __post_init__(self) -> None:
        whole("now_ns of the evidence", self.now_ns)
        whole("version of the evidence", self.version)
        unique("returns", tuple(row.agent for row in self.returns))
        unique("exhibits", tuple(row.source.place for row in self.exhibits))
        unique("weights", tuple(weight.agent for weight in self.weights))
        unique("certified", self.certified)

    @property
    def sources(self) -> frozenset[Reference]:
        """Where everything that is here was read."""
        return frozenset([*(row.source for row in self.returns), *(row.source for row in self.exhibits)])


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
        order = list(Rule)
        for what, rules in (("held", self.held), ("failed", self.failed)):
            places = [order.index(Rule(rule)) for rule in rules]
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
        rules = [rule for rule in Rule if rule in judged]
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

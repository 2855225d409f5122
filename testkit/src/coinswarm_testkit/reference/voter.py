"""Voter: works out every number of a proposal again from the evidence, with ``math.fsum`` and whole numbers."""

from __future__ import annotations

import math
import struct
from hashlib import sha256
from itertools import pairwise
from statistics import NormalDist
from typing import TYPE_CHECKING

from coinswarm.contracts import Voter
from coinswarm.domain.acceptance import Rule, Verdict, mandatory
from coinswarm.domain.proposal import AddEpisode, MovePattern, SetWeights, Stage

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from coinswarm.domain.acceptance import Evidence
    from coinswarm.domain.episode import Episode
    from coinswarm.domain.proposal import Proposal, Weight

DAY_NS = 86_400 * 10**9
YEAR_DAYS = 365
PPM = 1_000_000
FULL_BP = 10_000
ORDER = (Stage.CANDIDATE, Stage.SHADOW, Stage.PROBATION, Stage.ENABLED)


class Recomputes(Voter):
    """Judges episodes, patterns that are to be watched, and weights; rejects what it cannot judge."""

    def evaluate(self, proposal: Proposal, evidence: Evidence) -> Verdict:
        """Every mandatory rule of the proposal, each by itself."""
        return Verdict.of({rule: RULES[rule](proposal, evidence) for rule in mandatory(proposal)})


def _evidence(proposal: Proposal, evidence: Evidence) -> str:
    if not proposal.evidence:
        return "it cites none"
    missing = [source.place for source in proposal.evidence if source not in evidence.sources]
    return f"{', '.join(sorted(missing))} is not there, or is another" if missing else ""


def _base(proposal: Proposal, evidence: Evidence) -> str:
    if proposal.base_version == evidence.version:
        return ""
    return f"it starts from version {proposal.base_version}, in force is {evidence.version}"


def _judged(proposal: Proposal, evidence: Evidence) -> str:  # noqa: ARG001 - a rule's form
    return f"nothing settles how to judge a {proposal.kind}"


def _episode(rule: Callable[[AddEpisode, Evidence], str]) -> Callable[[Proposal, Evidence], str]:
    def judged(proposal: Proposal, evidence: Evidence) -> str:
        assert isinstance(proposal.change, AddEpisode)  # ``mandatory`` asks for no other
        return rule(proposal.change, evidence)

    return judged


def _pattern(rule: Callable[[MovePattern, Sequence[Episode], Evidence], str]) -> Callable[[Proposal, Evidence], str]:
    def judged(proposal: Proposal, evidence: Evidence) -> str:
        assert isinstance(proposal.change, MovePattern)  # ``mandatory`` asks for no other
        trades = [one for row in evidence.exhibits if row.source in proposal.evidence for one in row.episodes]
        return rule(proposal.change, sorted(trades, key=lambda one: (one.decided_ns, one.id)), evidence)

    return judged


def _weights(rule: Callable[[SetWeights, Evidence], str]) -> Callable[[Proposal, Evidence], str]:
    def judged(proposal: Proposal, evidence: Evidence) -> str:
        assert isinstance(proposal.change, SetWeights)  # ``mandatory`` asks for no other
        return rule(proposal.change, evidence)

    return judged


def _known(change: AddEpisode, evidence: Evidence) -> str:
    late = change.episode.known_ns > evidence.now_ns
    return f"its outcome is known at {change.episode.known_ns}, now is {evidence.now_ns}" if late else ""


def _trade(change: AddEpisode, evidence: Evidence) -> str:
    found = [one for row in evidence.exhibits if row.source == change.trade for one in row.episodes]
    same = [one for one in found if one.id == change.episode.id]
    if len(same) != 1:
        return f"{change.trade.place} holds {len(same)} trades of that id"
    return "" if same[0] == change.episode else f"it differs from the trade in {change.trade.place}"


def _vector(change: AddEpisode, evidence: Evidence) -> str:
    if not any((space.name, space.dimension) == (change.space, change.dimension) for space in evidence.spaces):
        return f"no space {change.space} has vectors of {change.dimension}"
    if len(evidence.vector) != 4 * change.dimension or sha256(evidence.vector).hexdigest() != change.vector_digest:
        return "the vector is not the one that is proposed"
    numbers = struct.unpack(f"<{change.dimension}f", evidence.vector)
    return "" if all(map(math.isfinite, numbers)) and any(numbers) else "the vector is all zero or not finite"


def _duplicate(change: AddEpisode, evidence: Evidence) -> str:
    return "it is remembered already" if change.episode.id in evidence.remembered else ""


def _registered(change: MovePattern, trades: Sequence[Episode], evidence: Evidence) -> str:  # noqa: ARG001 - a rule's form
    if not 0 < evidence.registered_ns <= evidence.now_ns:
        return "it was never registered"
    if change.registered_ns != evidence.registered_ns:
        return f"it was registered at {evidence.registered_ns}, not at {change.registered_ns}"
    if evidence.variants < 1:
        return "nobody knows how many variants were tried"
    if change.variants != evidence.variants:
        return f"{evidence.variants} variants were registered, not {change.variants}"
    return ""


def _stages(change: MovePattern, trades: Sequence[Episode], evidence: Evidence) -> str:  # noqa: ARG001 - a rule's form
    if any((now, then) == (evidence.stage, change.stage) for now, then in pairwise(ORDER)):
        return ""
    return f"from {evidence.stage or 'nothing'} to {change.stage} is no step"


def _trades(change: MovePattern, trades: Sequence[Episode], evidence: Evidence) -> str:  # noqa: ARG001 - a rule's form
    if len({one.id for one in trades}) != len(trades):
        return "a trade is counted twice"
    if any(one.known_ns > evidence.now_ns for one in trades):
        return "a trade is not closed"
    if any(after.decided_ns < before.known_ns for before, after in pairwise(trades)):
        return "trades overlap"
    if len(trades) < evidence.rules.min_trades:
        return f"{len(trades)} trades are fewer than {evidence.rules.min_trades}"
    return ""


def _sharpe(change: MovePattern, trades: Sequence[Episode], evidence: Evidence) -> str:  # noqa: ARG001 - a rule's form
    found = moments(daily(trades))
    if found is None:
        return "its daily returns have no Sharpe ratio"
    annual = found[0] * math.sqrt(YEAR_DAYS)
    if annual * PPM >= evidence.rules.min_sharpe_ppm:
        return ""
    return f"{annual:.3f} a year is below {evidence.rules.min_sharpe_ppm / PPM:.3f}"


def _psr(change: MovePattern, trades: Sequence[Episode], evidence: Evidence) -> str:  # noqa: ARG001 - a rule's form
    found = moments(daily(trades))
    if found is None:
        return "its daily returns have no Sharpe ratio"
    sharpe, spread, count = found
    probability = NormalDist().cdf(sharpe * math.sqrt((count - 1) / spread))
    if probability * PPM >= evidence.rules.min_psr_ppm:
        return ""
    return f"{probability:.4f} is below {evidence.rules.min_psr_ppm / PPM:.4f}"


def _span(change: MovePattern, trades: Sequence[Episode], evidence: Evidence) -> str:  # noqa: ARG001 - a rule's form
    found = moments(daily(trades))
    if found is None or found[0] <= 0:
        return "no record is long enough for a Sharpe ratio that is not above zero"
    sharpe, spread, count = found
    needed = 1 + spread * (NormalDist().inv_cdf(evidence.rules.min_psr_ppm / PPM) / sharpe) ** 2
    return "" if count >= needed else f"{count} days are fewer than {needed:.1f}"


def daily(trades: Sequence[Episode]) -> list[int]:
    """Sum of results by the UTC day on which each was known, from the first decision on, idle days included."""
    if not trades:
        return []
    first = min(one.decided_ns for one in trades) // DAY_NS
    days = [0] * (max(one.known_ns for one in trades) // DAY_NS - first + 1)
    for one in trades:
        days[one.known_ns // DAY_NS - first] += one.result_ppm
    return days


def moments(returns: Sequence[int]) -> tuple[float, float, int] | None:
    """Sharpe ratio per day, variance of its estimate times (n - 1), and days; None where there is no such number.

    D. H. Bailey and M. López de Prado, "The Sharpe Ratio Efficient Frontier", Journal of Risk 15 (2012): the
    variance is ``1 - skew SR + (kurtosis - 1) ÷ 4 SR²`` with raw kurtosis.
    """
    count = len(returns)
    if count < 2:  # noqa: PLR2004 - a deviation needs two
        return None
    mean = math.fsum(returns) / count
    second, third, fourth = (math.fsum((value - mean) ** power for value in returns) / count for power in (2, 3, 4))
    if second <= 0.0:
        return None
    sharpe = mean / math.sqrt(second * count / (count - 1))
    spread = 1.0 - third / second**1.5 * sharpe + (fourth / second**2 - 1.0) / 4.0 * sharpe**2
    return (sharpe, spread, count) if spread > 0.0 else None


def _sum(change: SetWeights, evidence: Evidence) -> str:  # noqa: ARG001 - a rule's form
    total = sum(weight.weight_bp for weight in change.weights)
    if total != FULL_BP:
        return f"weights sum to {total:,}"
    return "a weight is below 0" if any(weight.weight_bp < 0 for weight in change.weights) else ""


def _cap(change: SetWeights, evidence: Evidence) -> str:
    over = sorted(weight.agent for weight in change.weights if weight.weight_bp > evidence.rules.max_weight_bp)
    return f"{', '.join(over)} above {evidence.rules.max_weight_bp:,} bp" if over else ""


def _change(change: SetWeights, evidence: Evidence) -> str:
    old, new = _by_agent(evidence.weights), _by_agent(change.weights)
    moved = sum(abs(new.get(agent, 0) - old.get(agent, 0)) for agent in {*old, *new})
    return f"{moved:,} bp are moved" if moved > evidence.rules.max_change_bp else ""


def _cool_down(change: SetWeights, evidence: Evidence) -> str:  # noqa: ARG001 - a rule's form
    since = evidence.now_ns - evidence.weights_changed_ns
    return f"the last change was {since} ns ago" if since < evidence.rules.cool_down_ns else ""


def _certified(change: SetWeights, evidence: Evidence) -> str:
    bare = sorted(w.agent for w in change.weights if w.weight_bp and w.agent not in evidence.certified)
    return f"{', '.join(bare)} without a certificate" if bare else ""


def _rollback(change: SetWeights, evidence: Evidence) -> str:
    good = 0 < change.rollback_drawdown_bp <= evidence.rules.max_rollback_bp
    return "" if good else f"it is taken back at {change.rollback_drawdown_bp:,} bp"


def _better(proposal: Proposal, evidence: Evidence) -> str:
    assert isinstance(proposal.change, SetWeights)  # ``mandatory`` asks for no other
    old, new = _by_agent(evidence.weights), _by_agent(proposal.change.weights)
    rows = {row.agent: row for row in evidence.returns if row.source in proposal.evidence}
    agents = sorted(agent for agent in {*old, *new} if old.get(agent) or new.get(agent))
    bare = [agent for agent in agents if agent not in rows]
    if bare:
        return f"no returns of {', '.join(bare)} are cited"
    first = max(rows[agent].first_day for agent in agents)
    last = min(rows[agent].first_day + len(rows[agent].returns_ppm) for agent in agents)
    if last - first < evidence.rules.min_days:
        return f"{max(last - first, 0)} common days are fewer than {evidence.rules.min_days}"
    found = [
        moments(
            [
                sum(side.get(agent, 0) * rows[agent].returns_ppm[day - rows[agent].first_day] for agent in agents)
                for day in range(first, last)
            ]
        )
        for side in (old, new)
    ]
    if found[0] is None or found[1] is None:
        return "daily returns have no Sharpe ratio"
    return "" if found[1][0] >= found[0][0] else f"a daily Sharpe of {found[1][0]:.4f} against {found[0][0]:.4f}"


def _by_agent(weights: Sequence[Weight]) -> dict[str, int]:
    return {weight.agent: weight.weight_bp for weight in weights}


RULES: dict[Rule, Callable[[Proposal, Evidence], str]] = {
    Rule.EVIDENCE: _evidence,
    Rule.BASE: _base,
    Rule.JUDGED: _judged,
    Rule.KNOWN: _episode(_known),
    Rule.TRADE: _episode(_trade),
    Rule.VECTOR: _episode(_vector),
    Rule.DUPLICATE: _episode(_duplicate),
    Rule.REGISTERED: _pattern(_registered),
    Rule.STAGES: _pattern(_stages),
    Rule.TRADES: _pattern(_trades),
    Rule.SPAN: _pattern(_span),
    Rule.SHARPE: _pattern(_sharpe),
    Rule.PSR: _pattern(_psr),
    Rule.SUM: _weights(_sum),
    Rule.CAP: _weights(_cap),
    Rule.CHANGE: _weights(_change),
    Rule.COOL_DOWN: _weights(_cool_down),
    Rule.CERTIFIED: _weights(_certified),
    Rule.BETTER: _better,
    Rule.ROLLBACK: _weights(_rollback),
}
"""Why a rule fails, or an empty text where it holds."""

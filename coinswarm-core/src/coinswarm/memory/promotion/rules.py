"""The rules that names and whole numbers settle: why each fails, or an empty text where it holds.

What statistics settle is in ``numbers``; both are put together in ``judging``.
"""

from __future__ import annotations

import math
import struct
from hashlib import sha256
from itertools import pairwise
from typing import TYPE_CHECKING

from coinswarm.domain.acceptance import CITING, NEEDED_TIER, OPERATOR, TIERS
from coinswarm.domain.limits import MOST_SPLITS, MOST_TRIAL_DAYS, MOST_VARIANTS, configured, field_of, key_of, splits
from coinswarm.domain.proposal import ROSTER_KEY, ProposalKind, Stage
from coinswarm.memory.promotion.numbers import MIN_DAYS
from coinswarm.memory.promotion.paths import together

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from coinswarm.domain.acceptance import Evidence, TrialReturns
    from coinswarm.domain.episode import Episode
    from coinswarm.domain.proposal import (
        AddEpisode,
        AddEpisodes,
        Configure,
        MovePattern,
        Proposal,
        Reference,
        SeatAgent,
        SetWeights,
        Weight,
    )

FULL_BP = 10_000
FIRST_LOOK_DAYS = 180
"""A pattern's test is looked at after so many days in the shadow, twice as many, and so on. No setting: one that is
changed in the middle of a test would make another look of the same days."""
LEAST_SHARED_DAYS = FIRST_LOOK_DAYS
"""Days that all variants of a pattern have: with fewer, who shows them would choose how far their ratios spread."""

STEPS = (Stage.CANDIDATE, Stage.SHADOW, Stage.PROBATION, Stage.ENABLED)
WITH_CAPITAL = (Stage.PROBATION, Stage.ENABLED)

_HOUR_NS = 3_600 * 10**9
_NAMED = 4
"""Of several episodes that fail, so many are named."""


# ── every proposal ──


def evidence(proposal: Proposal, seen: Evidence) -> str:
    """What is cited is there."""
    if not proposal.evidence:
        needed = proposal.kind in CITING and not (proposal.kind is ProposalKind.SET_WEIGHTS and is_first(seen))
        return "it cites nothing" if needed else ""
    there = seen.sources
    missing = sorted([source.place for source in proposal.evidence if source not in there])
    return f"{', '.join(missing)} is not there, or is another" if missing else ""


def base(proposal: Proposal, seen: Evidence) -> str:
    """It starts from what is in force of what it changes."""
    if proposal.subject != proposal.proper_subject:
        return f"it is about {proposal.subject}, but changes {proposal.proper_subject}"
    if proposal.base_version == seen.version:
        return ""
    return f"it starts from version {proposal.base_version}, in force is {seen.version}"


# ── episodes ──


def known(change: AddEpisode, seen: Evidence) -> str:
    """Its outcome is known."""
    late = change.episode.known_ns > seen.now_ns
    return f"its outcome is known at {change.episode.known_ns}, now is {seen.now_ns}" if late else ""


def shown(seen: Evidence) -> dict[Reference, tuple[Episode, ...]]:
    """The trades at each place."""
    return {row.source: row.episodes for row in seen.exhibits}


def trade(change: AddEpisode, there: Mapping[Reference, Sequence[Episode]]) -> str:
    """The trade is there once, and the same.

    :param there: the trades at each place.
    """
    same = [one for one in there.get(change.trade, ()) if one.id == change.episode.id]
    if len(same) != 1:
        return f"{change.trade.place} holds {len(same)} trades of that id"
    return "" if same[0] == change.episode else f"it differs from the trade in {change.trade.place}"


def vector(change: AddEpisode, data: bytes, seen: Evidence) -> str:
    """float32, little-endian, of a space that is known."""
    if not any((space.name, space.dimension) == (change.space, change.dimension) for space in seen.spaces):
        return f"no space {change.space} has vectors of {change.dimension}"
    if len(data) != 4 * change.dimension or sha256(data).hexdigest() != change.vector_digest:
        return "the vector is not the one that is proposed"
    numbers = struct.unpack(f"<{change.dimension}f", data)
    # Of 4,096 numbers below 1e39 the sum, in doubles, is finite if each of them is, and only then.
    return "" if math.isfinite(sum(numbers)) and any(numbers) else "the vector is all zero or not finite"


def duplicate(change: AddEpisode, seen: Evidence) -> str:
    """It is new."""
    return "it is remembered already" if change.episode.id in seen.remembered else ""


def all_of(change: AddEpisodes, rule: Callable[[AddEpisode], str]) -> str:
    """A rule that each of several episodes is held to: which it fails for, and why."""
    wrong = [f"episode {each.episode.id}: {why}" for each in change.episodes if (why := rule(each))]
    more = f"; and {len(wrong) - _NAMED} more" if len(wrong) > _NAMED else ""
    return "; ".join(wrong[:_NAMED]) + more


# ── patterns ──


def registered(kind: ProposalKind, change: MovePattern, seen: Evidence) -> str:
    """When, and with how many variants; the log alone says when."""
    if not 1 <= change.variants <= MOST_VARIANTS:
        return f"{change.variants:,} variants were tried: nobody knows how many, or more than {MOST_VARIANTS:,}"
    if kind is ProposalKind.UPDATE_PATTERN:
        return "only the log says when it is registered" if change.registered_ns else ""
    if not 0 < seen.registered_ns <= seen.now_ns:
        return "it was never registered"
    if change.registered_ns != seen.registered_ns:
        return f"it was registered at {seen.registered_ns}, not at {change.registered_ns}"
    if change.variants != seen.variants:
        return f"{seen.variants} variants were registered, not {change.variants}"
    return ""


def unseen(proposal: Proposal, change: MovePattern, seen: Evidence) -> str:
    """Registered before it is evaluated: nothing to show yet, and what was registered before is one variant more."""
    if proposal.evidence:
        return "it is evaluated already: a registration cites nothing"
    if change.variants <= seen.variants:
        return f"{seen.variants} variants were registered before it, and it counts {change.variants}"
    return ""


def stages(kind: ProposalKind, change: MovePattern, seen: Evidence) -> str:
    """One up by a promotion, down by a demotion, to the beginning by a registration."""
    now, then = seen.stage, change.stage
    if kind is ProposalKind.UPDATE_PATTERN:
        return "" if then is Stage.CANDIDATE else f"what is registered is a candidate, not {then}"
    if kind is ProposalKind.PROMOTE_PATTERN:
        allowed = (now, then) in {(str(one), other) for one, other in pairwise(STEPS)}
    else:
        allowed = now in STEPS and (then is Stage.DEPRECATED or then in STEPS[: STEPS.index(Stage(now))])
    return "" if allowed else f"from {now or 'nothing'} to {then} is no step of a {kind}"


def capital(change: MovePattern, seen: Evidence) -> str:
    """A share of equity, by stage."""
    given, rules = change.capital_bp, seen.rules
    if change.stage not in WITH_CAPITAL:
        return f"{change.stage} is without capital, and it asks for {given} bp" if given else ""
    most = rules.max_weight_bp
    if change.stage is Stage.PROBATION:
        most = max(rules.max_probation_bp, seen.minimum_bp)
    least = max(1, seen.minimum_bp)
    return "" if least <= given <= most else f"{given} bp are not within {least} and {most} bp of {change.stage}"


def trades(kind: ProposalKind, change: MovePattern, cited: Sequence[Episode], seen: Evidence) -> str:
    """Closed, each once; for a promotion also one after the other, enough of them, and of the time that counts.

    Who loses by trades that overlap loses, too: they are no reason to keep its capital.

    :param cited: in order of decision.
    """
    if len({one.id for one in cited}) != len(cited):
        return "a trade is counted twice"
    if any(one.known_ns > seen.now_ns for one in cited):
        return "a trade is not closed"
    if kind is not ProposalKind.PROMOTE_PATTERN:
        return ""
    if any(after.decided_ns < before.known_ns for before, after in pairwise(cited)):
        return "trades overlap"
    if change.stage is Stage.SHADOW:
        few = len(cited) < seen.rules.min_trades
        return f"{len(cited)} trades are fewer than {seen.rules.min_trades}" if few else ""
    count = len(live(cited, seen))
    few = count < seen.rules.min_live_trades
    return f"{count} trades since it came into the shadow are fewer than {seen.rules.min_live_trades}" if few else ""


def spread(days: Sequence[int]) -> str:
    """Results on enough days: on a few, luck looks like skill, however many idle ones lie between."""
    moved = sum(1 for day in days if day)
    if moved >= MIN_DAYS:
        return ""
    return f"there are results on {moved} of {len(days):,} days, on fewer than {MIN_DAYS}"


def live(cited: Sequence[Episode], seen: Evidence) -> list[Episode]:
    """The trades that were decided since it came into the shadow: what brought it there has no say in its test."""
    return [one for one in cited if seen.tested_ns and one.decided_ns >= seen.tested_ns]


def looked(days: Sequence[int]) -> tuple[Sequence[int], int]:
    """The days that the newest look at a test is about, and which look that is, from 0; no days before the first.

    Looks are at ``FIRST_LOOK_DAYS``, at twice as many, and so on, whatever is proposed meanwhile: who waits for a day
    on which a record happens to shine is shown the days of the last look.
    """
    look, size = -1, 0
    while FIRST_LOOK_DAYS << (look + 1) <= len(days):
        look += 1
        size = FIRST_LOOK_DAYS << look
    return days[:size], max(look, 0)


def trials(change: MovePattern, rows: Sequence[TrialReturns]) -> str:
    """All that were registered are there, and are its own; a pattern of one variant needs none."""
    others = sorted(row.source.place for row in rows if not row.source.place.startswith(f"trials/{change.pattern}/"))
    if others:
        return f"{', '.join(others)} is no trial of {change.pattern}"
    if len(rows) == change.variants or (change.variants == 1 and not rows):
        return ""
    return f"{len(rows)} of {change.variants} variants are cited"


def shared(rows: Sequence[TrialReturns]) -> str:
    """Variants are compared on the days that all of them have: on a few, or on none, no luck shows."""
    days = min((len(one) for one in together(rows)), default=0)
    if len(rows) < 2 or days >= LEAST_SHARED_DAYS:  # noqa: PLR2004 - one is compared with nothing
        return ""
    return f"the variants have {days:,} days in common, fewer than {LEAST_SHARED_DAYS}"


def bounded(rows: Sequence[TrialReturns], blocks: int = 0) -> str:
    """Not more of them than can be worked out in a second or so, by a maker that is in no hurry.

    :param blocks: into which days are cut; 0 where they are not.
    """
    days = max((len(one) for one in together(rows)), default=0)
    if len(rows) * days > MOST_TRIAL_DAYS:
        return f"{len(rows):,} variants of {days:,} days are more than {MOST_TRIAL_DAYS:,} days in all: show fewer days"
    if blocks and len(rows) * splits(blocks) > MOST_SPLITS:
        what = f"{len(rows):,} variants in {splits(blocks):,} splits are more than {MOST_SPLITS:,} to look at"
        return f"{what}: fewer than {blocks} in {key_of('pbo_blocks')} make fewer"
    return ""


# ── weights ──


def by_agent(weights: Sequence[Weight]) -> dict[str, int]:
    """Agent -> basis points, those of weight nothing left out."""
    return {weight.agent: weight.weight_bp for weight in weights if weight.weight_bp}


def moved(change: SetWeights, seen: Evidence) -> int:
    """Basis points that are moved, summed over agents."""
    old, new = by_agent(seen.weights), by_agent(change.weights)
    return sum(abs(new.get(agent, 0) - old.get(agent, 0)) for agent in {*old, *new})


def is_first(seen: Evidence) -> bool:
    """Whether no weights are in force yet, and the operator sets the first: those of the profile."""
    return not seen.weights and not seen.version and seen.submitter == OPERATOR


def weights_sum(change: SetWeights) -> str:
    """At least 0, and 10,000 in all."""
    total = sum(weight.weight_bp for weight in change.weights)
    if total != FULL_BP:
        return f"weights sum to {total:,}"
    return "a weight is below 0" if any(weight.weight_bp < 0 for weight in change.weights) else ""


def cap(change: SetWeights, seen: Evidence) -> str:
    """Nobody above it."""
    over = sorted(weight.agent for weight in change.weights if weight.weight_bp > seen.rules.max_weight_bp)
    return f"{', '.join(over)} above {seen.rules.max_weight_bp:,} bp" if over else ""


def distance(change: SetWeights, seen: Evidence) -> str:
    """Not too much at once."""
    far = moved(change, seen)
    return f"{far:,} bp are moved, {seen.rules.max_change_bp:,} may be" if far > seen.rules.max_change_bp else ""


def cool_down(seen: Evidence) -> str:
    """Not too soon."""
    since = seen.now_ns - seen.weights_changed_ns
    hours, least = since // _HOUR_NS, seen.rules.cool_down_ns / _HOUR_NS
    return f"the last change was {hours} hours ago, less than {least:g}" if since < seen.rules.cool_down_ns else ""


def weights_certified(change: SetWeights, seen: Evidence) -> str:
    """Nobody weighs anything without a certificate."""
    bare = sorted(agent for agent in by_agent(change.weights) if agent not in seen.certified)
    return f"{', '.join(bare)} without a certificate" if bare else ""


def rollback(change: SetWeights, seen: Evidence) -> str:
    """At some loss, and not at any."""
    good = 0 < change.rollback_drawdown_bp <= seen.rules.max_rollback_bp
    return "" if good else f"it is taken back at {change.rollback_drawdown_bp:,} bp"


# ── seats and settings ──


def seat_certified(proposal: Proposal, change: SeatAgent, seen: Evidence) -> str:
    """The certificate it names is cited, its own, and good enough."""
    found = [row for row in seen.certificates if row.agent == change.agent and row.source in proposal.evidence]
    if not any(row.source.digest == change.certificate for row in found):
        return f"that certificate of {change.agent} is not cited, or not there"
    needed = TIERS.index(NEEDED_TIER[seen.mode])
    if any(TIERS.index(row.tier) >= needed for row in found):
        return ""
    return f"{seen.mode} takes {TIERS[needed]}, and it is {found[0].tier}"


def seat(kind: ProposalKind, change: SeatAgent, seen: Evidence) -> str:
    """Free, or taken."""
    taken = change.agent in seen.seated
    if kind is ProposalKind.ADMIT_AGENT:
        return f"{change.agent} has a seat already" if taken else ""
    return "" if taken else f"{change.agent} has no seat"


def key(change: Configure) -> str:
    """A setting that there is."""
    return "" if change.key == ROSTER_KEY or field_of(change.key) else f"nothing is named {change.key}"


def value(change: Configure, seen: Evidence) -> str:
    """Within the limits; who votes is for core to judge."""
    if change.key == ROSTER_KEY:
        return ""
    try:
        configured(seen.rules, change.key, change.value)
    except ValueError as error:
        return str(error)
    return ""


def operator(seen: Evidence) -> str:
    """By the operator."""
    if seen.submitter == OPERATOR:
        return ""
    return f"it was submitted by {seen.submitter or 'nobody known'}, and only the {OPERATOR} may ask for it"

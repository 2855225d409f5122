"""Proposals with the evidence they rest on: sound ones, and unsafe ones that each break a stated rule."""

from __future__ import annotations

from dataclasses import dataclass, replace
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import numpy as np

from coinswarm.domain.acceptance import AcceptanceRules, DailyReturns, Evidence, Exhibit, Rule
from coinswarm.domain.episode import Episode, Space
from coinswarm.domain.proposal import (
    AddEpisode,
    Change,
    Claim,
    Configure,
    MovePattern,
    Proposal,
    ProposalKind,
    Reference,
    SeatAgent,
    SetWeights,
    Stage,
    Weight,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

DAY_NS = 86_400 * 10**9
HOUR_NS = 3_600 * 10**9
FIRST_DAY = 19_000
RULES = AcceptanceRules(max_weight_bp=4_000, max_change_bp=1_000)
STATE = Space("main", "trend/state.1", 8)


@dataclass(frozen=True)
class Case:
    """What a voter is asked, and what must come of it.

    :param name: what is wrong with it, or what it shows.
    :param fails: the rules that fail: these and no others; none for a sound one.
    """

    name: str
    proposal: Proposal
    evidence: Evidence
    fails: frozenset[Rule] = frozenset()

    def but(self, name: str, *fails: Rule, **fields: Any) -> Case:  # noqa: ANN401 - fields of three values
        """The same with other fields of the change, of the proposal, or of the evidence, whichever has them."""
        change, proposal, evidence = self.proposal.change, self.proposal, self.evidence
        own = {key: value for key, value in fields.items() if key in type(change).__slots__ and key != "evidence"}
        told = {key: value for key, value in fields.items() if key in {"base_version", "cites", "claims"}}
        if "cites" in told:
            told["evidence"] = told.pop("cites")
        seen = {key.removeprefix("known_"): value for key, value in fields.items() if key.startswith("known_")}
        assert len(own) + len(told) + len(seen) == len(fields), f"{sorted(fields)}: nobody has all of these"
        proposal = replace(proposal, change=replace(change, **own), **told)
        return Case(name, proposal, replace(evidence, **seen), frozenset(fails))


def _digest(text: str) -> str:
    return sha256(text.encode()).hexdigest()


def standardised(rng: np.random.Generator, count: int) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Draws of mean 0 and standard deviation (n - 1) of 1, exactly but for rounding."""
    drawn = rng.standard_normal(count)
    scaled: np.ndarray[tuple[int], np.dtype[np.float64]] = (drawn - drawn.mean()) / drawn.std(ddof=1)
    return scaled


def returns(rng: np.random.Generator, agent: str, mean: float, *, days: int = 200) -> DailyReturns:
    """Daily returns of that mean and a deviation of 3,000, in millionths."""
    rows = np.rint(mean + 3_000 * standardised(rng, days)).astype(int).tolist()
    source = Reference(f"returns/{agent}", _digest(f"{agent} {rows}"))
    return DailyReturns(agent=agent, source=source, first_day=FIRST_DAY, returns_ppm=tuple(rows))


def three(trend: int, meanrev: int, pairs: int) -> tuple[Weight, ...]:
    """Weights of the three agents."""
    return Weight("trend", trend), Weight("meanrev", meanrev), Weight("pairs", pairs)


def weighing(rng: np.random.Generator) -> Case:
    """A sound change of weights: a little from the one that loses to the one that earns."""
    rows = (returns(rng, "trend", -500), returns(rng, "meanrev", 1_500), returns(rng, "pairs", 500))
    now_ns = (FIRST_DAY + 200) * DAY_NS + HOUR_NS
    change = SetWeights(weights=three(3_500, 3_500, 3_000), rollback_drawdown_bp=300)
    proposal = Proposal(
        kind=ProposalKind.SET_WEIGHTS,
        subject="weights",
        base_version=7,
        change=change,
        evidence=tuple(row.source for row in rows),
    )
    evidence = Evidence(
        now_ns=now_ns,
        version=7,
        rules=RULES,
        returns=rows,
        weights=three(4_000, 3_000, 3_000),
        weights_changed_ns=now_ns - 3 * DAY_NS,
        certified=("trend", "meanrev", "pairs"),
    )
    return Case("weights that would have earned more", proposal, evidence)


def trades(rng: np.random.Generator, count: int, sharpe: float) -> tuple[Episode, ...]:
    """A trade a day, closed within the hour, of that annual Sharpe ratio."""
    results = np.rint(10_000 * (standardised(rng, count) + sharpe / 365**0.5)).astype(int).tolist()
    return tuple(
        Episode(
            id=_digest(f"{number} {result}"),
            agent="trend",
            instrument="BTC/USD",
            side=1 if number % 2 else -1,
            decided_ns=(FIRST_DAY + number) * DAY_NS + HOUR_NS,
            known_ns=(FIRST_DAY + number) * DAY_NS + 2 * HOUR_NS,
            result_ppm=result,
        )
        for number, result in enumerate(results)
    )


def exhibit(name: str, episodes: Iterable[Episode]) -> Exhibit:
    """Trades as they are committed."""
    rows = tuple(episodes)
    return Exhibit(source=Reference(f"trades/{name}", _digest(f"{name} {rows}")), episodes=rows)


def pattern(closed: tuple[Episode, ...], name: str = "a pattern that earns") -> Case:
    """A pattern on its way into the shadow, on these trades."""
    shown = exhibit("dip", closed)
    proposal = Proposal(
        kind=ProposalKind.PROMOTE_PATTERN,
        subject="pattern/dip",
        base_version=2,
        change=MovePattern(
            pattern="dip",
            stage=Stage.SHADOW,
            hypothesis="Dips are bought.",
            variants=4,
            registered_ns=FIRST_DAY * DAY_NS,
        ),
        evidence=(shown.source,),
    )
    evidence = Evidence(
        now_ns=max(one.known_ns for one in closed) + HOUR_NS,
        version=2,
        rules=RULES,
        exhibits=(shown,),
        stage=Stage.CANDIDATE,
        registered_ns=FIRST_DAY * DAY_NS,
        variants=4,
    )
    return Case(name, proposal, evidence)


def remembering(rng: np.random.Generator) -> Case:
    """A closed trade that is to be remembered."""
    closed = trades(rng, 3, 2.0)
    shown = exhibit("fills", closed)
    vector = rng.standard_normal(STATE.dimension).astype("<f4").tobytes()
    proposal = Proposal(
        kind=ProposalKind.ADD_EPISODE,
        subject=f"episode/{closed[1].id}",
        base_version=0,
        change=AddEpisode(
            space=STATE.name,
            dimension=STATE.dimension,
            episode=closed[1],
            vector_digest=sha256(vector).hexdigest(),
            trade=shown.source,
        ),
        evidence=(shown.source,),
    )
    evidence = Evidence(
        now_ns=closed[2].known_ns, version=0, rules=RULES, exhibits=(shown,), spaces=(STATE,), vector=vector
    )
    return Case("a closed trade", proposal, evidence)


def sound(seed: int) -> list[Case]:
    """What a voter must accept, some of it exactly at a bound."""
    rng = np.random.default_rng([seed, 30])
    base, episode = weighing(rng), remembering(rng)
    now = base.evidence.now_ns
    assert isinstance(episode.proposal.change, AddEpisode)  # made so above
    known = episode.proposal.change.episode.known_ns
    return [
        base,
        base.but("the cool-down just over", known_weights_changed_ns=now - RULES.cool_down_ns),
        base.but("taken back at the largest loss allowed", rollback_drawdown_bp=RULES.max_rollback_bp),
        base.but(
            "one at the cap", weights=three(3_500, 2_500, 4_000),
            known_weights=three(4_000, 2_500, 3_500),
        ),
        base.but("an agent of weight nothing needs no certificate", weights=(*base_weights(base), Weight("idle", 0))),
        pattern(trades(rng, 400, 3.0)),
        pattern(trades(rng, 100, 6.0), "exactly as many trades as are needed"),
        episode,
        episode.but("known just now", known_now_ns=known),
    ]  # fmt: skip


def base_weights(case: Case) -> tuple[Weight, ...]:
    """What a case proposes."""
    assert isinstance(case.proposal.change, SetWeights)  # of a case about weights
    return case.proposal.change.weights


def unsafe(seed: int) -> list[Case]:
    """What a voter must reject, and by which rules."""
    rng = np.random.default_rng([seed, 31])
    return [*_unsafe_weights(rng), *_unsafe_patterns(rng), *_unsafe_episodes(rng), *_unsettled(rng)]


def _unsafe_weights(rng: np.random.Generator) -> list[Case]:
    base = weighing(rng)
    now, cites = base.evidence.now_ns, base.proposal.evidence
    other = Reference("returns/hearsay", _digest("hearsay"))
    forged = (Reference(cites[0].place, _digest("forged")), *cites[1:])
    short = returns(rng, "short", -500)
    young = tuple(replace(row, returns_ppm=row.returns_ppm[: RULES.min_days - 1]) for row in base.evidence.returns)
    return [
        base.but("a basis point too few", Rule.SUM, weights=three(3_500, 3_499, 3_000)),
        base.but("a basis point too many", Rule.SUM, weights=three(3_501, 3_500, 3_000)) ,
        base.but(
            "a weight below nothing", Rule.SUM,
            weights=(*three(3_600, 3_401, 3_000), Weight("short", -1)),
            known_returns=(*base.evidence.returns, short), known_certified=(*base.evidence.certified, "short"),
            cites=(*cites, short.source),
        ),
        base.but("a basis point above the cap", Rule.CAP, weights=three(3_000, 4_001, 2_999),
                 known_weights=three(3_500, 3_501, 2_999)),
        base.but("moved two basis points too far", Rule.CHANGE, weights=three(3_499, 3_501, 3_000)),
        base.but(
            "a nanosecond within the cool-down", Rule.COOL_DOWN,
            known_weights_changed_ns=now - RULES.cool_down_ns + 1,
        ),
        base.but("without a certificate", Rule.CERTIFIED, known_certified=("trend", "pairs")),
        base.but("from the one that earns to the one that loses", Rule.BETTER, weights=three(4_000, 3_000, 3_000),
                 known_weights=three(3_500, 3_500, 3_000)),
        base.but("a record that is too short", Rule.BETTER, known_returns=young),
        base.but("never taken back", Rule.ROLLBACK, rollback_drawdown_bp=0),
        base.but("taken back when it is too late", Rule.ROLLBACK, rollback_drawdown_bp=RULES.max_rollback_bp + 1),
        base.but("from a version that is gone", Rule.BASE, base_version=6),
        base.but("no evidence at all", Rule.EVIDENCE, Rule.BETTER, cites=()),
        base.but("evidence that is not there", Rule.EVIDENCE, cites=(*cites, other)),
        base.but("evidence of another digest", Rule.EVIDENCE, Rule.BETTER, cites=forged),
        base.but("one agent's record left out", Rule.BETTER, cites=cites[1:]),
        base.but(
            "everything to one, at once", Rule.CAP, Rule.CHANGE, Rule.COOL_DOWN, Rule.ROLLBACK,
            weights=(Weight("meanrev", 10_000),), rollback_drawdown_bp=10_000, known_weights_changed_ns=now,
        ),
    ]  # fmt: skip


def _unsafe_patterns(rng: np.random.Generator) -> list[Case]:
    good = trades(rng, 400, 3.0)
    base = pattern(good)
    late = max(one.known_ns for one in good)
    overlapping = (*good[:200], replace(good[200], known_ns=good[201].decided_ns + 1), *good[201:])
    again = exhibit("dip-again", good[:50])
    return [
        pattern(trades(rng, 99, 6.0)).but("a trade too few", Rule.TRADES),
        pattern(trades(rng, 1_600, 1.2)).but("a Sharpe ratio that is too low, believed or not", Rule.SHARPE),
        pattern(trades(rng, 110, 2.0)).but("a record too short to be believed", Rule.SPAN, Rule.PSR),
        pattern(trades(rng, 400, -1.0)).but("a pattern that loses", Rule.SPAN, Rule.SHARPE, Rule.PSR),
        pattern(overlapping).but("a trade opened before another closed", Rule.TRADES),
        base.but("a trade that is not closed", Rule.TRADES, known_now_ns=late - 1),
        base.but(
            "trades counted twice", Rule.TRADES, known_exhibits=(*base.evidence.exhibits, again),
            cites=(*base.proposal.evidence, again.source),
        ),
        base.but("never registered", Rule.REGISTERED, known_registered_ns=0),
        base.but("registered later than it says", Rule.REGISTERED, known_registered_ns=FIRST_DAY * DAY_NS + 1),
        base.but("fewer variants told than registered", Rule.REGISTERED, variants=1),
        base.but("variants that nobody counted", Rule.REGISTERED, variants=0, known_variants=0),
        base.but("into the shadow from nowhere", Rule.STAGES, known_stage=""),
        base.but("back into the shadow by a promotion", Rule.STAGES, known_stage=Stage.ENABLED),
        base.but("from a version that is gone", Rule.BASE, base_version=1),
        base.but("no evidence at all", Rule.EVIDENCE, Rule.TRADES, Rule.SPAN, Rule.SHARPE, Rule.PSR, cites=()),
        base.but("with capital, by rules that are not settled", Rule.JUDGED, stage=Stage.ENABLED),
    ]  # fmt: skip


def _unsafe_episodes(rng: np.random.Generator) -> list[Case]:
    base = remembering(rng)
    change = base.proposal.change
    assert isinstance(change, AddEpisode)  # made so above
    one, [shown] = change.episode, base.evidence.exhibits
    lost = Reference("trades/lost", _digest("lost"))
    twice = exhibit("fills-twice", (*shown.episodes, one))
    vectors = {
        "a vector that is not finite": np.array([np.nan] * STATE.dimension, "<f4").tobytes(),
        "a vector without direction": np.zeros(STATE.dimension, "<f4").tobytes(),
        "a vector that is too short": base.evidence.vector[:-4],
    }
    return [
        base.but("an outcome that is not known yet", Rule.KNOWN, known_now_ns=one.known_ns - 1),
        base.but("a result that the trade did not have", Rule.TRADE, episode=replace(one, result_ppm=50_000)),
        base.but("known earlier than the trade was", Rule.TRADE, episode=replace(one, known_ns=one.known_ns - 1)),
        base.but("a trade that never was", Rule.TRADE, episode=replace(one, id=_digest("invented"))),
        base.but(
            "a trade that stands there twice", Rule.TRADE,
            trade=twice.source, known_exhibits=(twice,), cites=(twice.source,),
        ),
        base.but("remembered already", Rule.DUPLICATE, known_remembered=(_digest("another"), one.id)),
        base.but("another vector than proposed", Rule.VECTOR, vector_digest=_digest("another")),
        base.but("a space that nobody knows", Rule.VECTOR, space="trend/state.9"),
        base.but("a width that the space has not", Rule.VECTOR, known_spaces=(replace(STATE, dimension=16),)),
        *(
            base.but(name, Rule.VECTOR, known_vector=data, vector_digest=sha256(data).hexdigest())
            for name, data in vectors.items()
        ),
        base.but("from a version that is gone", Rule.BASE, base_version=5),
        base.but("evidence that is not there", Rule.EVIDENCE, cites=(shown.source, lost)),
    ]  # fmt: skip


def _unsettled(rng: np.random.Generator) -> list[Case]:
    base = weighing(rng)
    seat = SeatAgent(agent="newcomer", certificate=_digest("certificate"), reason="It earned gold.")
    changes: dict[ProposalKind, Change] = {
        ProposalKind.ADMIT_AGENT: seat,
        ProposalKind.SUSPEND_AGENT: seat,
        ProposalKind.CONFIGURE: Configure("acceptance.max-weight-bp", "10000"),
    }
    return [
        Case(f"{kind}, whose rules are not settled", replace(base.proposal, kind=kind, change=change), base.evidence,
             frozenset({Rule.JUDGED}))
        for kind, change in changes.items()
    ]  # fmt: skip


def flattered(case: Case) -> Case:
    """The same proposal, with claims that are too good."""
    claims = tuple(
        Claim(what=what, value_ppm=value)
        for what, value in (("sharpe-annual", 9_000_000), ("psr", 999_999), ("trades", 5_000 * 10**6), ("drawdown", 1))
    )
    return replace(case, proposal=replace(case.proposal, claims=claims))


def shuffled(rng: np.random.Generator, case: Case) -> Case:
    """The same with every tuple in another order."""

    def mixed(values: tuple[Any, ...]) -> tuple[Any, ...]:
        return tuple(values[place] for place in rng.permutation(len(values)).tolist())

    change = case.proposal.change
    if isinstance(change, SetWeights):
        change = replace(change, weights=mixed(change.weights))
    seen = case.evidence
    exhibits = mixed(tuple(replace(row, episodes=mixed(row.episodes)) for row in seen.exhibits))
    return replace(
        case,
        proposal=replace(case.proposal, change=change, evidence=mixed(case.proposal.evidence)),
        evidence=replace(
            seen,
            exhibits=exhibits,
            returns=mixed(seen.returns),
            weights=mixed(seen.weights),
            certified=mixed(seen.certified),
            remembered=mixed(seen.remembered),
            spaces=mixed(seen.spaces),
        ),
    )

"""Patterns on their way up and down: sound steps, some at a bound, and unsafe ones that each break a stated rule."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from coinswarm.domain.acceptance import Evidence, Rule, TrialReturns
from coinswarm.domain.proposal import MovePattern, Proposal, ProposalKind, Reference, Stage
from coinswarm_testkit.cases.case import (
    BEGIN_NS,
    DAY_NS,
    FIRST_DAY,
    HOUR_NS,
    RULES,
    Case,
    bent,
    closed,
    digest,
    exhibit,
    trades,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from coinswarm.domain.episode import Episode

BEFORE = {Stage.SHADOW: Stage.CANDIDATE, Stage.PROBATION: Stage.SHADOW, Stage.ENABLED: Stage.PROBATION}
CAPITAL = {Stage.PROBATION: 100, Stage.ENABLED: 1_000}


def variants(rng: np.random.Generator, means: Sequence[float], *, pattern: str = "dip") -> tuple[TrialReturns, ...]:
    """Daily returns of variants, of these means and a deviation of 5,000, in millionths."""
    rows = [tuple(bent(rng, 400, mean, 5_000)) for mean in means]
    return tuple(
        TrialReturns(
            variant=f"v{number}",
            source=Reference(f"trials/{pattern}/v{number}", digest(f"{number} {row}")),
            first_day=FIRST_DAY,
            returns_ppm=row,
        )
        for number, row in enumerate(rows, 1)
    )


def pattern(
    rng: np.random.Generator, shown: tuple[Episode, ...], stage: Stage, name: str = "a pattern that earns"
) -> Case:
    """A pattern on its way to a stage, on these trades; it was the best of four variants by far."""
    record, trials = exhibit("dip", shown), variants(rng, (1_250, 250, 200, 300))
    proposal = Proposal(
        kind=ProposalKind.PROMOTE_PATTERN,
        subject="pattern/dip",
        base_version=2,
        change=MovePattern(
            pattern="dip",
            stage=stage,
            hypothesis="Dips are bought.",
            variants=4,
            registered_ns=BEGIN_NS,
            capital_bp=CAPITAL.get(stage, 0),
        ),
        evidence=(record.source, *(row.source for row in trials)),
    )
    evidence = Evidence(
        now_ns=max(one.known_ns for one in shown) + HOUR_NS,
        version=2,
        rules=RULES,
        exhibits=(record,),
        stage=BEFORE[stage],
        registered_ns=BEGIN_NS,
        variants=4,
        number=3,
        tested_ns=BEGIN_NS,
        discoveries=(1,),
        trials=trials,
    )
    return Case(name, proposal, evidence)


def leaning(rng: np.random.Generator, sharpe: float, side: int) -> tuple[Episode, ...]:
    """400 trades of that Sharpe ratio a day, whose largest results are all gains, or all losses."""
    drawn = rng.standard_exponential(400)
    noise = side * (drawn - drawn.mean()) / drawn.std(ddof=1)
    results: list[int] = np.rint(10_000 * (noise + sharpe)).astype(int).tolist()
    return closed(results)


def registering(rng: np.random.Generator) -> Case:
    """A pattern that is registered, before anything of it is known."""
    base = pattern(rng, trades(rng, 100, 3.0), Stage.SHADOW)
    asked = base.proposal.change
    assert isinstance(asked, MovePattern)  # made so above
    change = replace(asked, stage=Stage.CANDIDATE, registered_ns=0)
    proposal = replace(base.proposal, kind=ProposalKind.UPDATE_PATTERN, base_version=0, change=change, evidence=())
    return Case("a pattern that is registered", proposal, Evidence(now_ns=BEGIN_NS, version=0, rules=RULES))


def demoting(base: Case, name: str) -> Case:
    """The same pattern on its way out, from the stage that it was to reach."""
    change = base.proposal.change
    assert isinstance(change, MovePattern)  # of a case of this file
    proposal = replace(
        base.proposal,
        kind=ProposalKind.DEPRECATE_PATTERN,
        change=replace(change, stage=Stage.DEPRECATED, capital_bp=0),
    )
    return Case(name, proposal, replace(base.evidence, stage=change.stage))


def sound(rng: np.random.Generator) -> list[Case]:
    """What a voter must accept."""
    shadow = pattern(rng, trades(rng, 400, 3.0), Stage.SHADOW)
    probation = pattern(rng, trades(rng, 400, 4.0), Stage.PROBATION, "a pattern that goes on earning")
    enabled = pattern(rng, trades(rng, 400, 5.0), Stage.ENABLED, "a pattern that earned with capital")
    loser = demoting(pattern(rng, trades(rng, 200, -6.0), Stage.ENABLED), "a pattern that loses is deprecated")
    registered = registering(rng)
    fell = closed([*bent(rng, 300, 1_500, 10_000), -990_000])
    crossed = trades(rng, 200, -6.0)
    crossed = (*crossed[:100], replace(crossed[100], known_ns=crossed[101].decided_ns + 1), *crossed[101:])
    return [
        registered,
        registered.but(
            "registered anew, with one variant more", variants=5, base_version=2,
            known_version=2, known_variants=4, known_registered_ns=BEGIN_NS - 1, known_stage=Stage.ENABLED,
        ),
        shadow,
        pattern(rng, trades(rng, 100, 6.0), Stage.SHADOW, "exactly as many trades as are needed"),
        pattern(rng, leaning(rng, 0.0815, 1), Stage.SHADOW, "believed because its surprises are gains"),
        shadow.but(
            "the only variant needs no trials", variants=1, known_variants=1,
            cites=shadow.proposal.evidence[:1], known_trials=(),
        ),
        probation,
        pattern(rng, closed([*bent(rng, 360, 2_500, 10_000), *bent(rng, 40, -9_000, 10_000)]), Stage.PROBATION,
                "found on the days of its look, whatever came since"),
        pattern(rng, closed(_lucky(360, 20)), Stage.PROBATION, "gains on as many days as are needed, and no loss"),
        probation.but("capital of the venue's least order", capital_bp=250, known_minimum_bp=250),
        enabled,
        enabled.but("capital at the cap", capital_bp=RULES.max_weight_bp),
        loser,
        loser.but("a pattern that loses goes back on probation", stage=Stage.PROBATION, capital_bp=100),
        loser.but(
            "a candidate is given up", cites=(), known_stage=Stage.CANDIDATE, known_exhibits=(), known_trials=(),
        ),
        demoting(pattern(rng, fell, Stage.ENABLED), "a pattern that loses all it has in a day is deprecated"),
        demoting(pattern(rng, crossed, Stage.ENABLED), "a pattern that loses by trades that overlap is deprecated"),
    ]  # fmt: skip


def unsafe(rng: np.random.Generator) -> list[Case]:
    """What a voter must reject, and by which rules."""
    return [
        *_unregistered(rng),
        *_out_of_the_shadow(rng),
        *_overfit(rng),
        *_undiscovered(rng),
        *_risky(rng),
        *_undecayed(rng),
    ]


def _unregistered(rng: np.random.Generator) -> list[Case]:
    base = registering(rng)
    seen = pattern(rng, trades(rng, 100, 3.0), Stage.SHADOW)
    again = {"known_variants": 4, "known_registered_ns": BEGIN_NS - 1, "known_stage": Stage.SHADOW}
    return [
        base.but("registered with what it has shown", Rule.UNSEEN, cites=seen.proposal.evidence,
                 known_exhibits=seen.evidence.exhibits, known_trials=seen.evidence.trials),
        base.but("registered anew without a variant more", Rule.UNSEEN, **again),
        base.but("registered earlier than the log says", Rule.REGISTERED, registered_ns=BEGIN_NS - 1),
        base.but("registered without a count of variants", Rule.REGISTERED, Rule.UNSEEN, variants=0),
        base.but("registered as watched already", Rule.STAGES, stage=Stage.SHADOW),
        base.but("registered with capital", Rule.CAPITAL, capital_bp=1),
        base.but("registered under another name", Rule.BASE, subject="pattern/rally"),
    ]  # fmt: skip


def _out_of_the_shadow(rng: np.random.Generator) -> list[Case]:
    """Patterns that must not be watched."""
    good = trades(rng, 400, 3.0)
    base = pattern(rng, good, Stage.SHADOW)
    late = max(one.known_ns for one in good)
    overlapping = (*good[:200], replace(good[200], known_ns=good[201].decided_ns + 1), *good[201:])
    again = exhibit("dip-again", good[:50])
    foreign = exhibit("rally", good)
    trials = base.proposal.evidence[1:]

    def other(shown: tuple[Episode, ...]) -> Case:
        return pattern(rng, shown, Stage.SHADOW)

    return [
        other(trades(rng, 99, 6.0)).but("a trade too few", Rule.TRADES),
        other(closed(_lucky(400, 19))).but("luck on nineteen days", Rule.TRADES),
        other(trades(rng, 1_600, 1.2)).but("a Sharpe ratio that is too low, believed or not", Rule.SHARPE),
        other(trades(rng, 110, 2.0)).but("a record too short to be believed", Rule.SPAN, Rule.PSR),
        other(trades(rng, 400, 2.0)).but(
            "a record too short for the best of a thousand", Rule.SPAN, Rule.OVERFIT, variants=1_000,
            known_variants=1_000,
        ),
        other(leaning(rng, 0.0855, -1)).but("not believed because its surprises are losses", Rule.SPAN, Rule.PSR),
        other(trades(rng, 400, -1.0)).but("a pattern that loses", Rule.SPAN, Rule.SHARPE, Rule.PSR),
        other(overlapping).but("a trade opened before another closed", Rule.TRADES),
        base.but("a trade that is not closed", Rule.TRADES, known_now_ns=late - 1),
        base.but(
            "trades counted twice", Rule.TRADES, known_exhibits=(*base.evidence.exhibits, again),
            cites=(*base.proposal.evidence, again.source),
        ),
        base.but("the trades of another pattern", Rule.TRADES, known_exhibits=(foreign,),
                 cites=(foreign.source, *trials)),
        base.but("never registered", Rule.REGISTERED, known_registered_ns=0),
        base.but("registered later than it says", Rule.REGISTERED, known_registered_ns=BEGIN_NS + 1),
        base.but("fewer variants told than registered", Rule.REGISTERED, Rule.OVERFIT, variants=1),
        base.but("variants that nobody counted", Rule.REGISTERED, Rule.OVERFIT, variants=0, known_variants=0),
        base.but("into the shadow from nowhere", Rule.STAGES, known_stage=""),
        base.but("back into the shadow by a promotion", Rule.STAGES, known_stage=Stage.ENABLED),
        base.but("capital in the shadow", Rule.CAPITAL, capital_bp=1),
        base.but("from a version that is gone", Rule.BASE, base_version=1),
        base.but("no trades at all", Rule.TRADES, Rule.SPAN, Rule.SHARPE, Rule.PSR, cites=trials),
        base.but("no evidence at all", Rule.EVIDENCE, Rule.TRADES, Rule.SPAN, Rule.SHARPE, Rule.PSR, Rule.OVERFIT,
                 cites=()),
        base.but("promoted to what is no stage of a promotion", Rule.STAGES, stage=Stage.DEPRECATED),
    ]  # fmt: skip


def _overfit(rng: np.random.Generator) -> list[Case]:
    """The best of variants that differ by luck alone: who is best in one half is worst in the other."""
    base = pattern(rng, trades(rng, 400, 3.0), Stage.SHADOW)
    cites, luck = base.proposal.evidence, variants(rng, (0, 0, 0, 0))
    foreign = variants(rng, (1_250, 250, 200, 300), pattern="rally")
    many = tuple(
        replace(row, variant=f"v{number}", source=Reference(f"trials/dip/v{number}", row.source.digest))
        for number, row in enumerate((base.evidence.trials[0], *base.evidence.trials[1:] * 26)[:78], 1)
    )
    return [
        base.but("more variants than can be worked out in so many splits", Rule.OVERFIT, variants=78,
                 known_variants=78, known_trials=many, known_rules=replace(RULES, pbo_blocks=16),
                 cites=(cites[0], *(row.source for row in many))),
        base.but("the luckiest of four", Rule.OVERFIT, known_trials=luck,
                 cites=(cites[0], *(row.source for row in luck))),
        base.but("a variant left out", Rule.OVERFIT, cites=cites[:-1]),
        base.but("variants that have too few days in common", Rule.OVERFIT, known_trials=_apart(base, 221)),
        base.but("variants of another pattern", Rule.OVERFIT, known_trials=foreign,
                 cites=(cites[0], *(row.source for row in foreign))),
    ]  # fmt: skip


def _undiscovered(rng: np.random.Generator) -> list[Case]:
    """Patterns that must not be put on probation."""
    base = pattern(rng, trades(rng, 400, 4.0), Stage.PROBATION)
    sure = pattern(rng, trades(rng, 100, 20.0), Stage.PROBATION)
    weak = pattern(rng, trades(rng, 400, 1.0), Stage.PROBATION)
    late = pattern(rng, closed([*bent(rng, 360, 100, 10_000), *bent(rng, 355, 8_000, 10_000)]), Stage.PROBATION)
    young = pattern(rng, trades(rng, 179, 20.0), Stage.PROBATION)
    rare = pattern(rng, trades(rng, 400, 20.0)[:232:8], Stage.PROBATION)
    bunched = pattern(rng, closed([*_lucky(360, 19), *bent(rng, 40, 2_500, 10_000)]), Stage.PROBATION)
    seen = base.evidence.now_ns
    return [
        weak.but("what may be luck", Rule.DISCOVERY),
        late.but("what was luck on the days of its look, whatever came since", Rule.DISCOVERY),
        young.but("before anybody looks", Rule.DISCOVERY),
        bunched.but("luck on nineteen of the days of its look", Rule.DISCOVERY),
        base.but("what may be luck among so many patterns", Rule.DISCOVERY, known_number=500),
        sure.but("trades too few since it came into the shadow", Rule.TRADES, Rule.DISCOVERY,
                 known_tested_ns=BEGIN_NS + 71 * DAY_NS),
        rare.but("a trade too few since it came into the shadow", Rule.TRADES),
        base.but("tested on what brought it into the shadow", Rule.TRADES, Rule.DISCOVERY, known_tested_ns=seen),
        base.but("never in the shadow", Rule.TRADES, Rule.DISCOVERY, Rule.STAGES, known_tested_ns=0, known_number=0,
                 known_stage=Stage.CANDIDATE),
        base.but("a basis point too much on probation", Rule.CAPITAL, capital_bp=101),
        base.but("no capital on probation", Rule.CAPITAL, capital_bp=0),
        base.but("less than the venue's least order", Rule.CAPITAL, known_minimum_bp=101),
        base.but("on probation from the beginning", Rule.STAGES, known_stage=Stage.CANDIDATE),
    ]  # fmt: skip


def _risky(rng: np.random.Generator) -> list[Case]:
    """Patterns that must not be enabled."""
    base = pattern(rng, trades(rng, 400, 5.0), Stage.ENABLED)
    crashing = bent(rng, 3_000, 8_400, 3_000)
    for day in (500, 501, 1_300, 1_301, 2_200, 2_201):
        crashing[day] -= 200_000
    return [
        pattern(rng, trades(rng, 400, 3.1), Stage.ENABLED).but("no more than the luck of four", Rule.DEFLATED),
        base.but("a variant left out, with capital", Rule.DEFLATED, cites=base.proposal.evidence[:-1]),
        base.but("variants that have no day in common", Rule.DEFLATED, known_trials=_apart(base, 400)),
        pattern(rng, closed(crashing), Stage.ENABLED).but("now and then a crash", Rule.DRAWDOWN),
        base.but("nothing earned since", Rule.TRADES, known_tested_ns=base.evidence.now_ns),
        base.but("a basis point above the cap of a pattern", Rule.CAPITAL, capital_bp=RULES.max_weight_bp + 1),
        base.but("enabled out of the shadow", Rule.STAGES, known_stage=Stage.SHADOW),
    ]  # fmt: skip


def _lucky(days: int, won: int) -> list[int]:
    """Results of which so many are gains, and the others nothing: the fewer there are, the less do they prove."""
    every = days // won
    return [30_000 if day % every == 0 and day < every * won else 0 for day in range(days)]


def _apart(base: Case, days: int) -> tuple[TrialReturns, ...]:
    """A case's trials, of which the first was tried so many days later."""
    first, *others = base.evidence.trials
    return (replace(first, first_day=first.first_day + days), *others)


def _undecayed(rng: np.random.Generator) -> list[Case]:
    """Patterns that must not be demoted."""
    earns = demoting(pattern(rng, trades(rng, 400, 3.0), Stage.ENABLED), "what earns is deprecated")
    loses = demoting(pattern(rng, trades(rng, 200, -6.0), Stage.ENABLED), "what loses is deprecated")
    twice = exhibit("dip-again", loses.evidence.exhibits[0].episodes[:9])
    return [
        earns.but(earns.name, Rule.DECAYED),
        loses.but("deprecated without a word", Rule.DECAYED, cites=()),
        loses.but("deprecated for what was before it was tested", Rule.DECAYED, known_tested_ns=loses.evidence.now_ns),
        loses.but("deprecated by losses counted twice", Rule.TRADES, known_exhibits=(*loses.evidence.exhibits, twice),
                  cites=(*loses.proposal.evidence, twice.source)),
        loses.but("deprecated twice", Rule.STAGES, known_stage=Stage.DEPRECATED, cites=loses.proposal.evidence),
        loses.but("deprecated upward", Rule.STAGES, stage=Stage.ENABLED, capital_bp=100,
                  known_stage=Stage.PROBATION),
        loses.but("demoted with too much capital", Rule.CAPITAL, stage=Stage.PROBATION, capital_bp=101),
    ]  # fmt: skip

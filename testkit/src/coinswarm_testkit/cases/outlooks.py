"""Outlooks for planners: committees of agents with records of every length and temper."""

from __future__ import annotations

from hashlib import sha256

import numpy as np

from coinswarm.domain.acceptance import AcceptanceRules, DailyReturns, Outlook
from coinswarm.domain.proposal import Reference, Weight
from coinswarm_testkit.cases.rows import shares

DAY_NS = 86_400 * 10**9
TODAY = 19_800
"""Days since 1970-01-01."""

AGENTS = ("trend", "meanrev", "pairs", "carry", "news", "flow")


def source(agent: str, seed: int) -> Reference:
    """Where an agent's returns are committed."""
    return Reference(f"returns/{agent}", sha256(f"{seed}/returns/{agent}".encode()).hexdigest())


def record(agent: str, seed: int, returns: list[int]) -> DailyReturns:
    """Daily returns that end yesterday."""
    return DailyReturns(
        agent=agent, source=source(agent, seed), first_day=TODAY - len(returns), returns_ppm=tuple(returns)
    )


def drawn(rng: np.random.Generator, days: int) -> list[int]:
    """Daily returns in millionths, with a volatility of their own."""
    scale = float(rng.uniform(1_000, 40_000))
    rows = np.clip(np.rint(rng.normal(scale * 0.05, scale, days)), -500_000, 500_000)
    return [int(row) for row in rows]


def outlook(rng: np.random.Generator, seed: int, *, days: int = 400) -> Outlook:
    """An ordinary one: everybody is certified and has a long record, the cool-down is over."""
    agents = AGENTS[: int(rng.integers(3, len(AGENTS) + 1))]
    weights = shares(rng, len(agents))
    while max(weights) > 4_000:  # noqa: PLR2004 - what is in force keeps to the rules
        weights = [10_000 // len(agents) + (seat < 10_000 % len(agents)) for seat in range(len(agents))]
    return Outlook(
        now_ns=TODAY * DAY_NS + 1,
        version=int(rng.integers(1, 100)),
        weights=tuple(Weight(agent, weight) for agent, weight in zip(agents, weights, strict=True)),
        weights_changed_ns=(TODAY - int(rng.integers(2, 90))) * DAY_NS,
        certified=agents,
        returns=tuple(record(agent, seed, drawn(rng, days)) for agent in agents),
        rules=AcceptanceRules(
            max_weight_bp=int(rng.choice([4_000, 5_000, 10_000])),
            max_change_bp=int(rng.choice([500, 2_000, 20_000])),
            max_rollback_bp=int(rng.choice([200, 1_000])),
        ),
    )


def outlooks(seed: int, *, count: int = 40) -> list[Outlook]:
    """Ordinary ones."""
    rng = np.random.default_rng([seed, 20])
    return [outlook(rng, seed) for _ in range(count)]


def changed(seen: Outlook, **fields: object) -> Outlook:
    """An outlook with other fields."""
    whole = {name: getattr(seen, name) for name in Outlook.__slots__}
    return Outlook(**{**whole, **fields})


def without_some(seed: int) -> list[Outlook]:
    """Some agents lost their certificate; a few of them still weigh something."""
    rng = np.random.default_rng([seed, 21])
    found = []
    for seen in outlooks(seed, count=20):
        lost = int(rng.integers(1, 3))
        found.append(changed(seen, certified=seen.certified[lost:]))
    return found


def cooling(seed: int) -> list[Outlook]:
    """The last change is a nanosecond too young."""
    return [
        changed(seen, weights_changed_ns=seen.now_ns - seen.rules.cool_down_ns + 1) for seen in outlooks(seed, count=15)
    ]


def bare(seed: int) -> list[Outlook]:
    """Nobody has a record."""
    nothing = [changed(seen, returns=()) for seen in outlooks(seed, count=8)]
    empty = [
        changed(seen, returns=tuple(record(row.agent, seed, []) for row in seen.returns))
        for seen in outlooks(seed, count=8)
    ]
    return [*nothing, *empty]


def young(seed: int, days: int) -> list[Outlook]:
    """Everybody's record has so many days."""
    rng = np.random.default_rng([seed, 22])
    return [outlook(rng, seed, days=days) for _ in range(8)]


def hard(seed: int) -> list[Outlook]:
    """Returns that never vary, a crash a day, one agent, nobody certified, weights that break the rules."""
    found = []
    for seen in outlooks(seed, count=4):
        still = tuple(record(row.agent, seed, [0] * 400) for row in seen.returns)
        crash = tuple(record(row.agent, seed, [-999_999, 10**9] * 200) for row in seen.returns)
        one = seen.weights[0].agent
        found += [
            changed(seen, returns=still),
            changed(seen, returns=(still[0], *seen.returns[1:])),
            changed(seen, returns=crash),
            changed(seen, certified=()),
            changed(seen, weights=(Weight(one, 10_000),), certified=(one,), returns=seen.returns[:1]),
            changed(seen, weights=(), weights_changed_ns=0),
            changed(seen, rules=AcceptanceRules(max_weight_bp=100)),
            changed(seen, rules=AcceptanceRules(max_change_bp=0)),
            changed(seen, returns=seen.returns[:1]),
        ]
    return found


def shuffled(rng: np.random.Generator, seen: Outlook) -> Outlook:
    """The same with every tuple in another order."""
    fields = {
        name: tuple(getattr(seen, name)[place] for place in rng.permutation(len(getattr(seen, name))).tolist())
        for name in ("weights", "certified", "returns")
    }
    return changed(seen, **fields)

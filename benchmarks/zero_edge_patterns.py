"""How often patterns without an edge are promoted, and how often one that has an edge is.

A stream is a hundred patterns, registered one after the other. Each was the best of four variants over two years; it
is proposed for the shadow on those, then watched for two years and proposed for probation as soon as it would pass, as
who works the rules out every day can, then traded for another year and proposed for enabling. Every proposal goes the
way of a seat: core's voter, on evidence as a store would show it, at levels that follow from what was registered and
discovered before.

Returns are a trade a day of Student's t with five degrees of freedom. Half of the streams hold no edge at all: there a
single pattern on probation is a false discovery, and their share is the false discovery rate. In the others one pattern
has a true annualised Sharpe ratio of three, among 99 without.

    python benchmarks/zero_edge_patterns.py [--streams N] [--json]
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import TYPE_CHECKING

import numpy as np

from coinswarm.domain.acceptance import AcceptanceRules, Evidence, Exhibit, TrialReturns
from coinswarm.domain.episode import Episode
from coinswarm.domain.proposal import MovePattern, Proposal, ProposalKind, Reference, Stage
from coinswarm.memory.promotion.rules import FIRST_LOOK_DAYS
from coinswarm.memory.promotion.voters import DecimalVoter

if TYPE_CHECKING:
    from collections.abc import Sequence

STREAMS, PATTERNS, VARIANTS = 200, 100, 4
YEAR = 365
SEEN, TRADED = 2 * YEAR, YEAR
SHARPE = 3.0
DAY_NS = 86_400 * 10**9
FIRST = 18_000
RULES = AcceptanceRules()
LOOKS = tuple(FIRST_LOOK_DAYS << look for look in range(3))
"""Days on which it may come out otherwise than the day before: who proposes every day asks no more than these."""
ORDER = (Stage.CANDIDATE, Stage.SHADOW, Stage.PROBATION, Stage.ENABLED)
MOST, LEVEL = 0.05, 0.95
"""Of streams without an edge may have a discovery, at this confidence."""


def drawn(rng: np.random.Generator, count: int, sharpe: float = 0.0) -> list[int]:
    """Daily results in millionths."""
    noise = rng.standard_t(5, count) / (5 / 3) ** 0.5
    rows: list[int] = np.clip(np.rint(10_000 * (noise + sharpe / YEAR**0.5)), -900_000, None).astype(int).tolist()
    return rows


def digest(text: str) -> str:
    """SHA-256 of a text."""
    return sha256(text.encode()).hexdigest()


def episodes(results: Sequence[int], name: str) -> tuple[Episode, ...]:
    """A trade a day."""
    return tuple(
        Episode(
            id=digest(f"{name} {day}"),
            agent="any",
            instrument="BTC/USD",
            side=1,
            decided_ns=(FIRST + day) * DAY_NS,
            known_ns=(FIRST + day) * DAY_NS + 1,
            result_ppm=result,
        )
        for day, result in enumerate(results)
    )


@dataclass(slots=True)
class Pattern:
    """One pattern: its record so far, its variants, and where its test stands among those of its stream."""

    name: str
    record: list[int]
    trials: list[list[int]]
    number: int
    discoveries: tuple[int, ...]

    def asks(self, stage: Stage) -> bool:
        """Whether the voter accepts it for a stage."""
        registered_ns = (FIRST + SEEN) * DAY_NS
        record = Exhibit(
            source=Reference(f"trades/{self.name}", digest(self.name)), episodes=episodes(self.record, self.name)
        )
        trials = tuple(
            TrialReturns(
                variant=f"v{place}",
                source=Reference(f"trials/{self.name}/v{place}", digest(f"{self.name} {place}")),
                first_day=FIRST,
                returns_ppm=tuple(row),
            )
            for place, row in enumerate(self.trials)
        )
        proposal = Proposal(
            kind=ProposalKind.PROMOTE_PATTERN,
            subject=f"pattern/{self.name}",
            base_version=1,
            change=MovePattern(
                pattern=self.name,
                stage=stage,
                hypothesis="It earns.",
                variants=len(trials),
                registered_ns=registered_ns,
                capital_bp={Stage.PROBATION: 100, Stage.ENABLED: 1_000}.get(stage, 0),
            ),
            evidence=(record.source, *(row.source for row in trials)),
        )
        evidence = Evidence(
            now_ns=(FIRST + len(self.record) + 1) * DAY_NS,
            version=1,
            rules=RULES,
            exhibits=(record,),
            trials=trials,
            stage=ORDER[ORDER.index(stage) - 1],
            registered_ns=registered_ns,
            variants=len(trials),
            number=self.number,
            tested_ns=registered_ns if self.number else 0,
            discoveries=self.discoveries,
        )
        return DecimalVoter().evaluate(proposal, evidence).accepts


def stream(seed: int) -> Counter[str]:
    """What became of a hundred patterns, counted apart for those with an edge and those without."""
    rng = np.random.default_rng([seed, 77])
    planted = int(rng.integers(PATTERNS)) if seed % 2 else -1
    found: Counter[str] = Counter()
    known: list[int] = []
    tests = 0
    for place in range(PATTERNS):
        edge, kind = (SHARPE, "planted ") if place == planted else (0.0, "")
        trials = [drawn(rng, SEEN, edge if not variant else 0.0) for variant in range(VARIANTS)]
        best = max(trials, key=lambda row: sum(row) / np.std(row))
        best_edge = edge if best is trials[0] else 0.0
        # The later ones are drawn whether they are needed or not, so that a stream is the same whatever the rules.
        later, last = drawn(rng, LOOKS[-1], best_edge), drawn(rng, TRADED, best_edge)
        found[f"{kind}patterns"] += 1
        pattern = Pattern(f"p{place}", list(best), trials, 0, ())
        # What misses the Sharpe ratio by far is rejected by one rule already: no need to have all of them judged.
        if sum(best) / len(best) / np.std(best) * YEAR**0.5 < RULES.min_sharpe_ppm / 1e6 * 0.99:
            continue
        if not pattern.asks(Stage.SHADOW):
            continue
        found[f"{kind}shadow"] += 1
        tests += 1
        pattern.number, pattern.discoveries = tests, tuple(known)
        for days in LOOKS:
            if replace(pattern, record=[*best, *later[:days]]).asks(Stage.PROBATION):
                known.append(tests)
                found[f"{kind}probation"] += 1
                if replace(pattern, record=[*best, *later[:days], *last]).asks(Stage.ENABLED):
                    found[f"{kind}enabled"] += 1
                break
    found["streams without an edge" if planted < 0 else "streams with one"] += 1
    found["streams without an edge, with a discovery"] += planted < 0 and bool(known)
    return found


def upper(count: int, of: int) -> float:
    """The one-sided Clopper-Pearson bound at ``LEVEL``, by halving."""
    from math import comb  # noqa: PLC0415 - nothing else needs it

    def at_most(share: float) -> float:
        return sum(comb(of, k) * share**k * (1 - share) ** (of - k) for k in range(count + 1))

    low, high = 0.0, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if at_most(middle) > 1 - LEVEL else (low, middle)
    return high


def main() -> int:
    """Run, print, and say whether the rate is kept."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--streams", type=int, default=STREAMS)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    begin = time.perf_counter()
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        found = sum(pool.map(stream, range(options.streams)), Counter[str]())
    null, false = found["streams without an edge"], found["streams without an edge, with a discovery"]
    bound = upper(false, null)
    planted = found["planted patterns"]
    rows = {
        "patterns without an edge": found["patterns"],
        "  to the shadow": found["shadow"],
        "  to probation": found["probation"],
        "  enabled": found["enabled"],
        "streams without an edge": null,
        "  with a discovery": false,
        f"  false discovery rate, at most ({LEVEL:.0%})": round(bound, 4),
        f"patterns with a Sharpe ratio of {SHARPE:g}": planted,
        "  to the shadow ": found["planted shadow"],
        "  to probation ": found["planted probation"],
        "  enabled ": found["planted enabled"],
    }
    if options.json:
        print(json.dumps({name.strip(): value for name, value in rows.items()} | dict(found), indent=2))
    else:
        for name, value in rows.items():
            print(f"{name:<48}{value:>10,}")
        print(f"{time.perf_counter() - begin:.0f} s")
    return 0 if false <= MOST * null else 1


if __name__ == "__main__":
    sys.exit(main())

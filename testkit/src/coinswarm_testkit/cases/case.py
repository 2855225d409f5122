"""What a voter is asked, and what must come of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import numpy as np

from coinswarm.domain.acceptance import AcceptanceRules, Exhibit
from coinswarm.domain.episode import Episode
from coinswarm.domain.proposal import Reference

if TYPE_CHECKING:
    from collections.abc import Iterable

    from coinswarm.domain.acceptance import Evidence, Rule
    from coinswarm.domain.proposal import Proposal

DAY_NS = 86_400 * 10**9
HOUR_NS = 3_600 * 10**9
FIRST_DAY = 19_000
BEGIN_NS = FIRST_DAY * DAY_NS
RULES = AcceptanceRules(max_weight_bp=4_000, max_change_bp=1_000, resamples=40, pbo_blocks=6)


@dataclass(frozen=True)
class Case:
    """A proposal with the evidence it rests on.

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
        told = {key: value for key, value in fields.items() if key in {"base_version", "cites", "claims", "subject"}}
        if "cites" in told:
            told["evidence"] = told.pop("cites")
        seen = {key.removeprefix("known_"): value for key, value in fields.items() if key.startswith("known_")}
        assert len(own) + len(told) + len(seen) == len(fields), f"{sorted(fields)}: nobody has all of these"
        proposal = replace(proposal, change=replace(change, **own), **told)
        return Case(name, proposal, replace(evidence, **seen), frozenset(fails))


def digest(text: str) -> str:
    """SHA-256 of a text."""
    return sha256(text.encode()).hexdigest()


def standardised(rng: np.random.Generator, count: int) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Draws of mean 0 and standard deviation (n - 1) of 1, exactly but for rounding."""
    drawn = rng.standard_normal(count)
    scaled: np.ndarray[tuple[int], np.dtype[np.float64]] = (drawn - drawn.mean()) / drawn.std(ddof=1)
    return scaled


def bent(rng: np.random.Generator, count: int, mean: float, deviation: float) -> list[int]:
    """Whole numbers of that mean and deviation (n - 1), but for rounding."""
    rows: list[int] = np.rint(mean + deviation * standardised(rng, count)).astype(int).tolist()
    return rows


def closed(results: Iterable[int], *, first: int = FIRST_DAY) -> tuple[Episode, ...]:
    """A trade a day, closed within the hour, of these results."""
    return tuple(
        Episode(
            id=digest(f"{number} {result}"),
            agent="trend",
            instrument="BTC/USD",
            side=1 if number % 2 else -1,
            decided_ns=(first + number) * DAY_NS + HOUR_NS,
            known_ns=(first + number) * DAY_NS + 2 * HOUR_NS,
            result_ppm=result,
        )
        for number, result in enumerate(results)
    )


def trades(rng: np.random.Generator, count: int, sharpe: float) -> tuple[Episode, ...]:
    """A trade a day of that annual Sharpe ratio."""
    return closed(bent(rng, count, 10_000 * sharpe / 365**0.5, 10_000))


def exhibit(name: str, episodes: Iterable[Episode]) -> Exhibit:
    """Trades as they are committed."""
    rows = tuple(episodes)
    return Exhibit(source=Reference(f"trades/{name}", digest(f"{name} {rows}")), episodes=rows)

"""Several episodes to be remembered by one proposal: each is held to what one alone is, and who fails fails all."""

from __future__ import annotations

from dataclasses import replace
from hashlib import sha256

import numpy as np

from coinswarm.domain.acceptance import Evidence, Rule
from coinswarm.domain.proposal import MOST_EPISODES, AddEpisode, AddEpisodes, Reference, several
from coinswarm_testkit.cases.case import RULES, Case, digest, exhibit, trades
from coinswarm_testkit.cases.remembering import STATE

OTHER = replace(STATE, name="trend/other.1", dimension=3)


def together(rng: np.random.Generator, count: int = 4) -> Case:
    """Closed trades that are to be remembered: all but the last from records of their own, in two spaces."""
    closed = trades(rng, count, 2.0)
    own = [exhibit(f"fills-{number}", [one]) for number, one in enumerate(closed[:-1])]
    shown = [*own, exhibit("fills", closed)]
    spaces = [STATE if number % 2 else OTHER for number in range(count)]
    vectors = [rng.standard_normal(space.dimension).astype("<f4").tobytes() for space in spaces]
    proposal = several(
        tuple(
            AddEpisode(
                space=space.name,
                dimension=space.dimension,
                episode=one,
                vector_digest=sha256(vector).hexdigest(),
                trade=row.source,
            )
            for space, one, vector, row in zip(spaces, closed, vectors, shown, strict=True)
        )
    )
    evidence = Evidence(
        now_ns=closed[-1].known_ns,
        version=0,
        rules=RULES,
        exhibits=tuple(shown),
        spaces=(STATE, OTHER),
        vectors=tuple(vectors),
    )
    return Case(f"{count} closed trades", proposal, evidence)


def _asked(case: Case) -> tuple[AddEpisode, ...]:
    """What a case of this file asks for."""
    assert isinstance(case.proposal.change, AddEpisodes)  # made so above
    return case.proposal.change.episodes


def _but_one(case: Case, place: int, name: str, rule: Rule, **fields: object) -> Case:
    """The same with other fields of one of the episodes, or of what it asks for; a subject that fits."""
    asked = list(_asked(case))
    own = {key: value for key, value in fields.items() if key in AddEpisode.__slots__}
    told = {key: value for key, value in fields.items() if key not in own}
    asked[place] = replace(asked[place], episode=replace(asked[place].episode, **told), **own)  # type: ignore[arg-type]
    return Case(name, several(tuple(asked)), case.evidence, frozenset({rule}))


def sound(rng: np.random.Generator) -> list[Case]:
    """What a voter must accept."""
    base = together(rng)
    shared = replace(_asked(base)[2], vector_digest=_asked(base)[0].vector_digest)
    return [
        base,
        replace(base, name="one of them alone", proposal=several(_asked(base)[:1])),
        together(rng, MOST_EPISODES),
        base.but("what it rests on cited once more", cites=tuple(row.source for row in base.evidence.exhibits[:2])),
        base.but("two episodes of one vector", episodes=(*_asked(base)[:2], shared, _asked(base)[3])),
    ]


def unsafe(rng: np.random.Generator) -> list[Case]:
    """What a voter must reject, and by which rules: whichever of the episodes it is that fails."""
    base = together(rng)
    asked = _asked(base)
    last, zero = asked[-1].episode, np.zeros(OTHER.dimension, "<f4").tobytes()
    known = base.evidence.vectors
    return [
        base.but("one outcome is not known yet", Rule.KNOWN, known_now_ns=last.known_ns - 1),
        *(
            _but_one(base, place, f"the result of number {place} is another", Rule.TRADE, result_ppm=50_000)
            for place in range(len(asked))
        ),
        _but_one(base, 1, "one trade never was", Rule.TRADE, id=digest("invented")),
        _but_one(base, 1, "the record of one is not there", Rule.TRADE, trade=Reference("trades/lost", digest("lost"))),
        _but_one(base, 1, "the trade of another", Rule.TRADE, trade=asked[0].trade),
        _but_one(base, 2, "one vector is another than proposed", Rule.VECTOR, vector_digest=digest("another")),
        _but_one(base, 2, "the vector of another space", Rule.VECTOR, vector_digest=asked[1].vector_digest),
        _but_one(base, 3, "one space that nobody knows", Rule.VECTOR, space="trend/state.9"),
        _but_one(
            base.but("", known_vectors=(*known[:2], zero, known[3])), 2, "one vector without direction", Rule.VECTOR,
            vector_digest=sha256(zero).hexdigest(),
        ),
        base.but("one vector is not there", Rule.VECTOR, known_vectors=known[:-1]),
        *(
            base.but(f"number {place} is remembered already", Rule.DUPLICATE, known_remembered=(one.episode.id,))
            for place, one in enumerate(asked)
        ),
        base.but("one of them has a version", Rule.BASE, known_version=1),
        base.but("about one of them", Rule.BASE, subject=f"episode/{last.id}"),
        base.but("evidence that is not there", Rule.EVIDENCE, cites=(Reference("trades/lost", digest("lost")),)),
    ]  # fmt: skip

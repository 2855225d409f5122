"""Episodes to be remembered: sound ones, and unsafe ones that each break a stated rule."""

from __future__ import annotations

from dataclasses import replace
from hashlib import sha256

import numpy as np

from coinswarm.domain.acceptance import Evidence, Rule
from coinswarm.domain.episode import Space
from coinswarm.domain.proposal import AddEpisode, Reference, single
from coinswarm_testkit.cases.case import RULES, Case, digest, exhibit, trades

STATE = Space("main", "trend/state.1", 8)


def remembering(rng: np.random.Generator) -> Case:
    """A closed trade that is to be remembered."""
    closed = trades(rng, 3, 2.0)
    shown = exhibit("fills", closed)
    vector = rng.standard_normal(STATE.dimension).astype("<f4").tobytes()
    proposal = single(
        AddEpisode(
            space=STATE.name,
            dimension=STATE.dimension,
            episode=closed[1],
            vector_digest=sha256(vector).hexdigest(),
            trade=shown.source,
        )
    )
    evidence = Evidence(
        now_ns=closed[2].known_ns, version=0, rules=RULES, exhibits=(shown,), spaces=(STATE,), vector=vector
    )
    return Case("a closed trade", proposal, evidence)


def _asked(case: Case) -> AddEpisode:
    """What a case of this file asks for."""
    assert isinstance(case.proposal.change, AddEpisode)  # made so above
    return case.proposal.change


def sound(rng: np.random.Generator) -> list[Case]:
    """What a voter must accept."""
    base = remembering(rng)
    return [base, base.but("known just now", known_now_ns=_asked(base).episode.known_ns)]


def unsafe(rng: np.random.Generator) -> list[Case]:
    """What a voter must reject, and by which rules."""
    base = remembering(rng)
    one, [shown] = _asked(base).episode, base.evidence.exhibits
    lost = Reference("trades/lost", digest("lost"))
    twice = exhibit("fills-twice", (*shown.episodes, one))
    invented = replace(one, id=digest("invented"))
    vectors = {
        "a vector that is not finite": np.array([np.nan] * STATE.dimension, "<f4").tobytes(),
        "a vector without direction": np.zeros(STATE.dimension, "<f4").tobytes(),
        "a vector that is too short": base.evidence.vector[:-4],
    }
    return [
        base.but("an outcome that is not known yet", Rule.KNOWN, known_now_ns=one.known_ns - 1),
        base.but("a result that the trade did not have", Rule.TRADE, episode=replace(one, result_ppm=50_000)),
        base.but("known earlier than the trade was", Rule.TRADE, episode=replace(one, known_ns=one.known_ns - 1)),
        base.but("a trade that never was", Rule.TRADE, episode=invented, subject=f"episode/{invented.id}"),
        base.but(
            "a trade that stands there twice", Rule.TRADE,
            trade=twice.source, known_exhibits=(twice,), cites=(twice.source,),
        ),
        base.but("remembered already", Rule.DUPLICATE, known_remembered=(digest("another"), one.id)),
        base.but("another vector than proposed", Rule.VECTOR, vector_digest=digest("another")),
        base.but("a space that nobody knows", Rule.VECTOR, space="trend/state.9"),
        base.but("a width that the space has not", Rule.VECTOR, known_spaces=(replace(STATE, dimension=16),)),
        *(
            base.but(name, Rule.VECTOR, known_vector=data, vector_digest=sha256(data).hexdigest())
            for name, data in vectors.items()
        ),
        base.but("from a version that is gone", Rule.BASE, base_version=5),
        base.but("about another episode", Rule.BASE, subject=f"episode/{digest('another')}"),
        base.but("evidence that is not there", Rule.EVIDENCE, cites=(shown.source, lost)),
    ]  # fmt: skip

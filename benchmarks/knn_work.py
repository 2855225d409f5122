"""What memory is asked in ``knn.py``: episodes with vectors, questions near them, and which episodes are to count.

Vectors of ``drawn`` are clustered, as states of a market are: forty to a centre, a centre to a regime, with noise in
every direction, so that the nearest of a cluster differ by little (cosine 0.74 to one another, about 0 to the rest).
Those of ``spread`` are hardly clustered, and harder for any graph: the spectrum falls as that of sentence encoders,
topics are as unequal as words (Zipf), and some lie far out (Student's t). Questions are drawn as what is kept is, and
none of them is kept. Everything comes from one seed.
"""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from coinswarm.domain.episode import ANY, Episode, Filter

if TYPE_CHECKING:
    Vectors = np.ndarray[tuple[int, int], np.dtype[np.float32]]
    Rows = np.ndarray[tuple[int], np.dtype[np.int64]]

SEED, DIMENSION, K = 7, 384, 10
LATE = 10**18
"""Later than anything that is known."""

_CLUSTER, _NOISE, _REGIMES = 40, 0.6, 10
_TOPICS, _SHARED, _FALL, _FREEDOM = 2_000, 0.6, 0.75, 5
"""Of ``spread``: how many topics, which share of the variance is theirs, how the spectrum falls, degrees of freedom."""
_AT_ONCE = 100
_RARITIES = (1_000, 100, 10, 2)


class Work(NamedTuple):
    """What is kept, and what is asked.

    :param units, asked: at length 1.
    :param near: of each question, the regime that it is near.
    """

    told: list[Episode]
    units: Vectors
    asked: Vectors
    near: list[int]


class Case(NamedTuple):
    """Which episodes count.

    :param every: one in so many, by their instruments, which know nothing of the vectors; 1 for all of them.
    :param apart: only those of a regime that the question is not near: a tenth, none of them near.
    :param known: only those known by the middle.
    """

    name: str
    every: int = 1
    apart: bool = False
    known: bool = False

    def where(self, work: Work, number: int) -> Filter:
        """The filter for a question."""
        if self.apart:
            return Filter(regimes=frozenset({_regime(work.near[number] + _REGIMES // 2)}))
        if self.every == 1:
            return ANY
        return Filter(instruments=frozenset(_instrument(other) for other in _RARITIES if other >= self.every))

    def as_of_ns(self, work: Work) -> int:
        """The time of the questions."""
        return len(work.told) // 2 if self.known else LATE


ALL = Case("all of them count")
CASES = (
    Case("50 % count", 2),
    Case("10 % count", 10),
    Case("1 % count", 100),
    Case("0.1 % count", 1_000),
    Case("10 % count, none near", apart=True),
    Case("50 % were known", known=True),
)


def drawn(entries: int, questions: int) -> Work:
    """So many episodes and questions."""
    rng = np.random.default_rng(SEED)
    centres = rng.standard_normal((max(_REGIMES, entries // _CLUSTER), DIMENSION), dtype=np.float32)

    def near(count: int) -> tuple[Vectors, list[int]]:
        chosen = rng.integers(0, len(centres), count)
        vectors = centres[chosen] + np.float32(_NOISE) * rng.standard_normal((count, DIMENSION), dtype=np.float32)
        units: Vectors = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
        return units, (chosen % _REGIMES).tolist()

    (units, own), (asked, asked_near) = near(entries), near(questions)
    return Work(_episodes(own), units, asked, asked_near)


def spread(entries: int, questions: int) -> Work:
    """So many episodes and questions, hardly clustered."""
    rng = np.random.default_rng(SEED)
    count = entries + questions
    falling = np.arange(1, DIMENSION + 1) ** -_FALL
    scale = np.sqrt(falling / falling.sum()).astype(np.float32)
    odds = 1.0 / np.arange(1, _TOPICS + 1)
    topics = rng.standard_normal((_TOPICS, DIMENSION), dtype=np.float32) * scale
    chosen = rng.choice(_TOPICS, count, p=odds / odds.sum())
    own = rng.standard_normal((count, DIMENSION), dtype=np.float32) * scale
    far = np.sqrt(_FREEDOM / rng.chisquare(_FREEDOM, (count, 1))).astype(np.float32)
    vectors = np.sqrt(np.float32(_SHARED)) * topics[chosen] + np.sqrt(np.float32(1 - _SHARED)) * far * own
    units: Vectors = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    near = (chosen % _REGIMES).tolist()
    return Work(_episodes(near[:entries]), units[:entries], units[entries:], near[entries:])


def _episodes(near: list[int]) -> list[Episode]:
    """Episodes, each of the regime that it is near."""
    return [
        Episode(
            id=sha256(str(number).encode()).hexdigest(),
            agent="trend",
            instrument=_instrument(next((every for every in _RARITIES if number % every == 0), 1)),
            side=1 if number % 2 else -1,
            decided_ns=number,
            known_ns=number,
            result_ppm=0,
            regime=_regime(regime),
        )
        for number, regime in enumerate(near)
    ]


def nearest(work: Work, case: Case) -> list[set[str]]:
    """For each question, which are the nearest of those that count: every one of them is looked at."""
    found: list[set[str]] = [set() for _ in work.asked]
    alike: dict[Filter, list[int]] = {}
    for number in range(len(work.asked)):
        alike.setdefault(case.where(work, number), []).append(number)
    for where, numbers in alike.items():
        counts = admitted(work, case, where)
        kept = work.units[counts]
        for first in range(0, len(numbers), _AT_ONCE):
            some = numbers[first : first + _AT_ONCE]
            for number, products in zip(some, work.asked[some] @ kept.T, strict=True):
                best = np.argpartition(products, -K)[-K:] if len(counts) > K else np.arange(len(counts))
                found[number] = {work.told[row].id for row in counts[best].tolist()}
    return found


def admitted(work: Work, case: Case, where: Filter) -> Rows:
    """The rows that count."""
    as_of_ns = case.as_of_ns(work)
    return np.array(
        [row for row, one in enumerate(work.told) if one.known_ns <= as_of_ns and where.admits(one)], np.int64
    )


def _instrument(every: int) -> str:
    """The instrument of one in so many."""
    return f"E{every}/USD"


def _regime(number: int) -> str:
    """One of the regimes."""
    return f"regime.{number % _REGIMES}"

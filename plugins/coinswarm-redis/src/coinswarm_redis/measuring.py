"""How far what was found is: by Redis' own scores, or by the vectors as they were told."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from coinswarm.domain.episode import FARTHEST

if TYPE_CHECKING:
    from collections.abc import Callable

    Vector = np.ndarray[tuple[int], np.dtype[np.float32]]

    Found = tuple[float, bytes]
    """A distance and an id: in this order they are nearest first, ties by id."""


def scored(ids: list[bytes], scores: list[bytes]) -> list[Found]:
    """What a search found; Redis scores by (1 + cos) / 2."""
    return [(_bounded(2.0 * (1.0 - float(score))), id_) for id_, score in zip(ids, scores, strict=True)]


def measured(asked: Vector, ids: list[bytes], vectors: list[bytes]) -> list[Found]:
    """What a search found, measured by the vectors as they were told."""
    distances = _distances(asked, vectors) if vectors else []
    return [(_bounded(distance), id_) for distance, id_ in zip(distances, ids, strict=True)]


def nearest(  # noqa: PLR0913 - what a script answered
    asked: Vector,
    k: int,
    admits: Callable[[bytes], bool] | None,
    ids: list[bytes],
    texts: list[bytes],
    vectors: list[bytes],
) -> list[Found]:
    """The nearest of what was gathered; from the nearest on each is asked whether it counts, until there are enough.

    :param admits: asked with the attributes; None where all of them count.
    """
    distances = _distances(asked, vectors) if vectors else []
    found: list[Found] = []
    for row in np.argsort(distances, kind="stable").tolist():
        distance = _bounded(distances[row])
        if len(found) >= k and distance > found[-1][0]:
            break
        if admits is None or admits(texts[row]):
            found.append((distance, ids[row]))
    return found


def _distances(asked: Vector, vectors: list[bytes]) -> list[float]:
    """Cosine distances in double precision; each is summed in one order, the same on every machine."""
    rows = np.frombuffer(b"".join(vectors), np.float32).reshape(len(vectors), len(asked))
    products = np.multiply(rows, asked, dtype=np.float64)
    found: list[float] = (1.0 - np.add.reduce(products, axis=1)).tolist()
    return found


def _bounded(distance: float) -> float:
    """A distance without what rounding adds."""
    return distance if 0.0 <= distance <= FARTHEST else min(max(distance, 0.0), FARTHEST)

"""What a graph found, in order of exact distances: compiled, since as Python it takes a tenth as long as the search."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from coinswarm._jit import jit

if TYPE_CHECKING:
    Vector = np.ndarray[tuple[int], np.dtype[np.float32]]
    Vectors = np.ndarray[tuple[int, int], np.dtype[np.float32]]
    Keys = np.ndarray[tuple[int], np.dtype[np.uint64]]
    Rows = np.ndarray[tuple[int], np.dtype[np.int64]]
    Distances = np.ndarray[tuple[int], np.dtype[np.float64]]


@jit
def rank(units: Vectors, keys: Keys, first: int, asked: Vector, distances: Distances, rows: Rows) -> bool:  # noqa: PLR0913 - numbers, for compiled code
    """Fill ``distances`` with cosine distances, the nearest first, and ``rows`` with whose they are.

    Eight sums in double precision, one for every eighth column, in an order that is the same on every machine.

    :param keys: of rows of ``units``; :param first: the key of row 0.
    :param distances, rows: with room for as many as there are keys.
    :returns: whether two are equally far.
    """
    whole = asked.size - asked.size % 8
    tied = False
    for place in range(keys.size):
        row = np.int64(keys[place]) - first
        s0 = s1 = s2 = s3 = s4 = s5 = s6 = s7 = 0.0
        for c in range(0, whole, 8):
            s0 += np.float64(units[row, c]) * np.float64(asked[c])
            s1 += np.float64(units[row, c + 1]) * np.float64(asked[c + 1])
            s2 += np.float64(units[row, c + 2]) * np.float64(asked[c + 2])
            s3 += np.float64(units[row, c + 3]) * np.float64(asked[c + 3])
            s4 += np.float64(units[row, c + 4]) * np.float64(asked[c + 4])
            s5 += np.float64(units[row, c + 5]) * np.float64(asked[c + 5])
            s6 += np.float64(units[row, c + 6]) * np.float64(asked[c + 6])
            s7 += np.float64(units[row, c + 7]) * np.float64(asked[c + 7])
        for c in range(whole, asked.size):
            s0 += np.float64(units[row, c]) * np.float64(asked[c])
        distance = min(max(1.0 - (((s0 + s1) + (s2 + s3)) + ((s4 + s5) + (s6 + s7))), 0.0), 2.0)
        spot = place
        while spot > 0 and distances[spot - 1] > distance:
            distances[spot], rows[spot] = distances[spot - 1], rows[spot - 1]
            spot -= 1
        distances[spot], rows[spot] = distance, row
        tied |= spot > 0 and distances[spot - 1] == distance
    return tied

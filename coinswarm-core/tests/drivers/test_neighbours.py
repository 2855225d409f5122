"""Search over one space: exact whatever the order of rows, by a graph whatever the filter."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coinswarm.domain.episode import ANY, Episode, Filter
from coinswarm.drivers import neighbours
from coinswarm.drivers.neighbours import Neighbours
from coinswarm_testkit.cases.episodes import numbered

if TYPE_CHECKING:
    from collections.abc import Iterable
    from random import Random

    Vectors = np.ndarray[tuple[int, int], np.dtype[np.float32]]

LATE = 10**18
WIDTH = 8


def episode(number: int, instrument: str = "BTC/USD") -> Episode:
    return numbered(number, instrument=instrument, known_ns=number + 5)


def units(count: int, seed: int = 0, width: int = WIDTH) -> Vectors:
    drawn = np.random.default_rng(seed).standard_normal((count, width))
    found: Vectors = (drawn / np.linalg.norm(drawn, axis=1, keepdims=True)).astype(np.float32)
    return found


def filled(vectors: Vectors, order: Iterable[int], limit: int = 10**6) -> Neighbours:
    held = Neighbours(vectors.shape[1], limit)
    for key, number in enumerate(order, 1):
        held.put(key, episode(number, instrument=f"I{number % 10}/USD"), vectors[number])
    growth = held.growth()
    if growth is not None:
        growth.run()
        held.adopt(growth.graph, growth.graphed)
    return held


@settings(max_examples=40)
@given(st.integers(1, 60), st.integers(1, 12), st.randoms(use_true_random=False), st.integers(0, 1))
def test_exact_search_is_a_function_of_what_is_kept(count: int, k: int, random: Random, doubles: int) -> None:
    vectors = units(count)
    if doubles:
        vectors[count // 2 :] = vectors[0]
    order = list(range(count))
    random.shuffle(order)
    asked = units(1, seed=1)[0]
    products = vectors.astype(np.float64) * asked.astype(np.float64)
    true = sorted((1.0 - products[number].sum(), episode(number).id) for number in range(count))[:k]
    for held in (filled(vectors, range(count)), filled(vectors, order)):
        found = held.nearest(asked, k, LATE, ANY)
        assert [match.episode_id for match in found] == [id_ for _, id_ in true]
        assert [match.distance for match in found] == pytest.approx([distance for distance, _ in true], abs=1e-15)
    assert held.nearest(asked, k, LATE, ANY) == filled(vectors, range(count)).nearest(asked, k, LATE, ANY)


def test_opposite_and_equal_vectors_stay_within_bounds() -> None:
    one = units(1, width=384)[0]
    held = Neighbours(384, 10)
    held.put(1, episode(1), one)
    held.put(2, episode(2), -one)
    near, far = held.nearest(one, 2, LATE, ANY)
    assert near.distance == pytest.approx(0.0, abs=1e-7)
    assert far.distance == pytest.approx(2.0, abs=1e-7)
    assert 0.0 <= near.distance < far.distance <= 2.0


@pytest.mark.parametrize(
    "where",
    [
        ANY,
        Filter(instruments=frozenset({"I0/USD", "I1/USD", "I2/USD", "I3/USD", "I4/USD"})),
        Filter(instruments=frozenset({"I3/USD"})),
        Filter(decided_from_ns=2_000, decided_before_ns=2_040),
        Filter(sides=frozenset({-1})),
        Filter(agents=frozenset({"nobody"})),
    ],
)
def test_a_graph_loses_nothing_to_a_filter(where: Filter, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(neighbours, "FEW", 50)
    vectors = units(3_000)
    by_graph, exact = filled(vectors, range(3_000), limit=100), filled(vectors, range(3_000))
    assert by_graph.has_graph
    shares = []
    for asked in units(30, seed=2):
        found = {match.episode_id: match.distance for match in by_graph.nearest(asked, 10, 2_500, where)}
        true = {match.episode_id: match.distance for match in exact.nearest(asked, 10, 2_500, where)}
        assert len(found) == len(true)
        assert {id_: found[id_] for id_ in found.keys() & true.keys()}.items() <= true.items()
        shares.append(len(found.keys() & true.keys()) / max(1, len(true)) if true else 1.0)
    assert np.mean(shares) >= 0.98


def test_what_died_is_not_found_by_a_graph_that_knows_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(neighbours, "FEW", 10)
    vectors = units(1_000)
    held = filled(vectors, range(1_000), limit=100)
    near = held.nearest(vectors[7], 5, LATE, ANY)
    assert near[0].episode_id == episode(7).id
    held.drop(near[0].episode_id)
    held.put(5_000, episode(8), -vectors[8])
    held.compact()
    again = held.nearest(vectors[7], 5, LATE, ANY)
    assert [match.episode_id for match in again][:4] == [match.episode_id for match in near][1:]
    assert episode(8).id not in {match.episode_id for match in held.nearest(vectors[8], 5, LATE, ANY)}
    growth = held.growth()
    assert growth is not None
    assert growth.quick
    assert growth.keys.tolist() == [5_000], "the graph lacks the row that was replaced, and no other"


def test_a_graph_of_the_dead_is_built_anew_and_one_for_few_is_let_go() -> None:
    vectors = units(500)
    held = filled(vectors, range(500), limit=100)
    for number in range(100):
        held.drop(episode(number).id)
    growth = held.growth()
    assert growth is not None
    assert growth.anew
    assert len(growth.rows) == 400
    for number in range(100, 450):
        held.drop(episode(number).id)
    assert held.growth() is None
    assert not held.has_graph
    assert held.exact
    assert len(held.nearest(vectors[460], 10, LATE, ANY)) == 10

"""Which way recall goes, by how many count; and that every way finds what a look at every episode finds."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coinswarm.domain.episode import ANY, Episode, Filter, Match
from coinswarm.drivers import neighbours
from coinswarm.drivers.neighbours import Neighbours
from coinswarm_testkit.cases.episodes import numbered

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    Vector = np.ndarray[tuple[int], np.dtype[np.float32]]
    Vectors = np.ndarray[tuple[int, int], np.dtype[np.float32]]

MANY, WIDTH, LATE = 4_000, 16, 10**18
CENTRES = 20


class Held(NamedTuple):
    """A space with a graph, what is in it, and how much the graph was asked for at each search."""

    space: Neighbours
    told: list[Episode]
    units: Vectors
    asks: list[int]

    def true(self, asked: Vector, k: int, as_of_ns: int, where: Filter) -> list[tuple[float, str]]:
        """The nearest by a look at every episode."""
        products = (self.units.astype(np.float64) * asked.astype(np.float64)).sum(axis=1)
        distances = np.clip(1.0 - products, 0.0, 2.0).tolist()
        return sorted(
            (distance, one.id)
            for distance, one in zip(distances, self.told, strict=True)
            if one.known_ns <= as_of_ns and where.admits(one)
        )[:k]


class Watched:
    """A graph that keeps what it was asked for, as usearch documents it, and has no compiled one to be asked."""

    def __init__(self, graph: Any, asks: list[int]) -> None:  # noqa: ANN401 - a usearch index
        self.__dict__["graph"], self.__dict__["asks"] = graph, asks

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever it has
        if name.startswith("_"):
            raise AttributeError(name)
        return getattr(self.graph, name)

    def __setattr__(self, name: str, value: object) -> None:
        setattr(self.graph, name, value)

    def __len__(self) -> int:
        return len(self.graph)

    def search(self, asked: Vector, count: int, *, threads: int) -> Any:  # noqa: ANN401 - what it finds
        self.asks.append(count)
        return self.graph.search(asked, count, threads=threads)


def drawn(count: int, seed: int) -> tuple[Vectors, list[int]]:
    """Clustered vectors at length 1, and the centre of each."""
    rng = np.random.default_rng([seed, 1])
    centres = np.random.default_rng([0, 2]).standard_normal((CENTRES, WIDTH))
    own = rng.integers(0, CENTRES, count)
    vectors = centres[own] + 0.6 * rng.standard_normal((count, WIDTH))
    units: Vectors = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
    return units, own.tolist()


def held(monkeypatch: pytest.MonkeyPatch, count: int = MANY) -> Held:
    """Many episodes; a few were replaced and forgotten after the graph was built."""
    monkeypatch.setattr(neighbours, "FEW", 100)
    units, own = drawn(count, seed=1)
    told = [
        numbered(
            number,
            agent=("trend", "meanrev")[number % 2],
            instrument=("A/USD", "B/USD")[number % 50 == 0],
            side=1 if number % 10 else -1,
            decided_ns=number,
            known_ns=number + 7 * (number % 3),
            regime=f"regime.{own[number]}",
        )
        for number in range(count)
    ]
    space, asks = Neighbours(WIDTH, 100), list[int]()
    space.reserve(count)
    for number in range(count):
        space.put(number + 1, told[number], units[number])
    growth = space.growth()
    assert growth is not None
    growth.run()
    space.adopt(Watched(growth.graph, asks), growth.graphed)
    for number in range(0, count, 40):
        space.drop(told[number].id)
    for number in range(1, count, 40):
        told[number] = replace(told[number], side=-told[number].side, known_ns=told[number].known_ns + 3)
        space.change(told[number])
    left = [number for number in range(count) if number % 40]
    return Held(space, [told[number] for number in left], units[left], asks)


@pytest.fixture(scope="module")
def many() -> Iterator[Held]:
    """They are only read."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        yield held(monkeypatch)


def share(found: Sequence[Match], true: Sequence[tuple[float, str]]) -> float:
    """How many of the nearest were found; all that were found at their distance, as many as there are."""
    assert len(found) == len(true)
    ranks = [(match.distance, match.episode_id) for match in found]
    assert ranks == sorted(ranks)
    assert all(got >= want - 1e-12 for (got, _), (want, _) in zip(ranks, true, strict=True))
    return len({id_ for _, id_ in ranks} & {id_ for _, id_ in true}) / len(true) if true else 1.0


def shares(many: Held, where: Filter, as_of_ns: int = LATE) -> list[float]:
    many.asks.clear()
    asked = drawn(40, seed=2)[0]
    return [share(many.space.nearest(one, 10, as_of_ns, where), many.true(one, 10, as_of_ns, where)) for one in asked]


def test_without_a_filter_the_graph_is_asked_once_for_few_more(many: Held) -> None:
    assert np.mean(shares(many, ANY)) >= 0.98
    assert len(many.asks) == 40
    assert set(many.asks) == {16}


def test_where_many_count_the_graph_is_asked_for_more(many: Held) -> None:
    assert np.mean(shares(many, Filter(agents=frozenset({"meanrev"})))) >= 0.98
    assert 40 <= len(many.asks) <= 44, "now and then more is needed"
    assert 38 <= many.asks[0] <= 42


def test_where_not_all_was_known_the_graph_is_asked_for_more(many: Held) -> None:
    assert np.mean(shares(many, ANY, as_of_ns=MANY // 2)) >= 0.98
    assert 40 <= len(many.asks) <= 44
    assert 38 <= many.asks[0] <= 44


def test_where_few_count_each_is_looked_at_and_the_graph_is_left_alone(many: Held) -> None:
    for where in (
        Filter(instruments=frozenset({"B/USD"})),
        Filter(decided_from_ns=1_000, decided_before_ns=1_300),
        Filter(agents=frozenset({"nobody"})),
    ):
        assert set(shares(many, where)) == {1.0}
        assert many.asks == []


def test_a_filter_that_keeps_away_from_what_is_asked_costs_no_match(
    many: Held, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(neighbours, "ROWS_PER_VISIT", 1)
    asked, own = drawn(20, seed=3)
    for one, centre in zip(asked, own, strict=True):
        far = frozenset(f"regime.{(centre + step) % CENTRES}" for step in range(3, 10))
        where = Filter(regimes=far)
        many.asks.clear()
        found = many.space.nearest(one, 10, LATE, where)
        assert share(found, many.true(one, 10, LATE, where)) >= 0.9
        assert len(many.asks) <= 4


def test_the_dead_are_not_counted_among_what_was_found(many: Held) -> None:
    space = many.space
    gone = {numbered(number).id for number in range(0, MANY, 40)}
    assert len(space) == MANY - len(gone)
    for one in drawn(40, seed=4)[0]:
        assert gone.isdisjoint(match.episode_id for match in space.nearest(one, 10, LATE, ANY))


filters = st.builds(
    lambda agents, instruments, sides, regimes, begin, length: Filter(
        agents=frozenset(agents),
        instruments=frozenset(instruments),
        sides=frozenset(sides),
        regimes=frozenset(f"regime.{number}" for number in regimes),
        decided_from_ns=begin,
        decided_before_ns=begin + length if length else 0,
    ),
    st.sets(st.sampled_from(["trend", "meanrev", "nobody"]), max_size=2),
    st.sets(st.sampled_from(["A/USD", "B/USD", "C/USD"]), max_size=2),
    st.sets(st.sampled_from([1, -1]), max_size=1),
    st.sets(st.integers(0, CENTRES), max_size=12),
    st.integers(0, MANY),
    st.integers(0, MANY),
)


EAGERNESS = st.sampled_from([neighbours.ROWS_PER_VISIT, 1])
"""To look at rows: with 1 the graph is asked sooner, and more often."""


@settings(max_examples=80)
@given(filters, st.integers(1, 30), st.integers(0, MANY + 50) | st.just(LATE), st.integers(0, 199), EAGERNESS)
def test_whatever_counts_as_many_are_found_as_by_looking_at_all(
    many: Held, where: Filter, k: int, as_of_ns: int, number: int, rows_per_visit: int
) -> None:
    asked = drawn(200, seed=5)[0][number]
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setattr(neighbours, "ROWS_PER_VISIT", rows_per_visit)
        found = many.space.nearest(asked, k, as_of_ns, where)
    assert share(found, many.true(asked, k, as_of_ns, where)) >= 0.6, "one question may miss a few"
    admitted = {one.id for one in many.told if one.known_ns <= as_of_ns and where.admits(one)}
    assert {match.episode_id for match in found} <= admitted


@pytest.mark.parametrize("gone", [{0, 1, 499}, {0, 250, 499}], ids=["at the ends", "in between too"])
def test_a_graph_may_know_more_than_is_there(gone: set[int], monkeypatch: pytest.MonkeyPatch) -> None:
    """As one that was saved before its last rows were forgotten."""
    monkeypatch.setattr(neighbours, "FEW", 10)
    units, _ = drawn(500, seed=8)
    told = [numbered(number) for number in range(500)]
    before, after = Neighbours(WIDTH, 20), Neighbours(WIDTH, 20)
    left = [number for number in range(500) if number not in gone]
    for space, numbers in ((before, range(500)), (after, left)):
        for number in numbers:
            space.put(number + 7, told[number], units[number])
    growth = before.growth()
    assert growth is not None
    growth.run()
    after.adopt(growth.graph, growth.graphed)
    assert after.growth() is None
    exact = Held(after, [told[number] for number in left], units[left], [])
    for number in gone:
        found = after.nearest(units[number], 10, LATE, ANY)
        assert [match.episode_id for match in found] == [id_ for _, id_ in exact.true(units[number], 10, LATE, ANY)]


@pytest.mark.parametrize("step", [1, 3], ids=["a space by itself", "one of several in a file"])
def test_equally_near_are_ordered_by_id_and_keys_may_have_gaps(step: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(neighbours, "FEW", 10)
    units, _ = drawn(500, seed=9)
    units[250:] = units[:250]
    told = [numbered(number) for number in range(500)]
    space = Neighbours(WIDTH, 20)
    for number in range(500):
        space.put(5 + number * step, told[number], units[number])
    growth = space.growth()
    assert growth is not None
    growth.run()
    space.adopt(growth.graph, growth.graphed)
    exact = Held(space, told, units, [])
    for asked in (*units[:30], *drawn(30, seed=10)[0]):
        found = space.nearest(asked, 9, LATE, ANY)
        assert share(found, exact.true(asked, 9, LATE, ANY)) >= 0.8, "which of two at the end is found may differ"
        assert len({match.distance for match in found}) <= 6, "they come in pairs"


def test_without_a_graph_every_filter_finds_exactly_the_nearest() -> None:
    units, _ = drawn(300, seed=6)
    space = Neighbours(WIDTH, 1_000)
    told = []
    for number in range(300):
        one = numbered(number, side=1 if number % 3 else -1)
        told.append(one)
        space.put(number + 1, one, units[number])
    exact = Held(space, told, units, [])
    for where in (ANY, Filter(sides=frozenset({-1})), Filter(decided_from_ns=250)):
        for as_of_ns in (-1, 0, 120, 299, LATE):
            for asked in drawn(5, seed=7)[0]:
                found = space.nearest(asked, 10, as_of_ns, where)
                assert [(match.distance, match.episode_id) for match in found] == exact.true(asked, 10, as_of_ns, where)
    assert space.nearest(units[0], 0, LATE, ANY) == []

"""A graph is asked past usearch's own dressing, and answers what usearch does; where it cannot be, as documented."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from coinswarm.drivers.graph import empty_graph, searcher


class Other:
    """A usearch whose inner part is another."""

    def __init__(self, graph: Any, inner: object) -> None:  # noqa: ANN401 - a usearch index
        self._graph, self._compiled, self.ndim = graph, inner, graph.ndim
        self.asked = 0

    def search(self, asked: Any, count: int, *, threads: int) -> Any:  # noqa: ANN401 - as usearch's
        self.asked += 1
        return self._graph.search(asked, count, threads=threads)


class Strange:
    """A compiled index that takes other arguments."""

    def search_many(self, vectors: object) -> None:
        """Nothing that we know."""


@pytest.fixture(scope="module")
def graph() -> Any:  # noqa: ANN401 - a usearch index
    made = empty_graph(16)
    rng = np.random.default_rng(3)
    made.add(np.arange(7, 307, dtype=np.uint64), rng.standard_normal((300, 16)).astype(np.float32), threads=1)
    return made


@pytest.mark.parametrize("count", [1, 10, 400])
def test_the_compiled_index_answers_what_usearch_does(graph: Any, count: int) -> None:  # noqa: ANN401 - a usearch index
    search = searcher(graph)
    assert search.__name__ == "compiled", "this usearch is one that we know: else recall takes longer"
    for asked in np.random.default_rng(4).standard_normal((20, 16)).astype(np.float32):
        found, true = search(asked, count), graph.search(asked, count, threads=1).keys
        assert found.tolist() == true.tolist()
        assert found.dtype == np.uint64
        assert found.flags.carray, "as compiled code takes it"


def test_an_empty_graph_finds_nothing() -> None:
    assert searcher(empty_graph(16))(np.ones(16, np.float32), 5).tolist() == []


@pytest.mark.parametrize("inner", [None, object(), Strange()], ids=["none", "no search", "other arguments"])
def test_another_usearch_is_asked_as_documented(graph: Any, inner: object) -> None:  # noqa: ANN401 - a usearch index
    other = Other(graph, inner)
    asked = np.ones(16, np.float32)
    assert searcher(other)(asked, 5).tolist() == graph.search(asked, 5, threads=1).keys.tolist()
    assert other.asked == 1

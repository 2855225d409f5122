"""The reference planner's arithmetic: nothing is lost, and no bound is broken."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from coinswarm_testkit.reference.planner import _capped, _moved

AGENTS = ("trend", "meanrev", "pairs", "carry", "news")
SHARES = st.dictionaries(st.sampled_from(AGENTS), st.floats(1e-9, 1e9), min_size=1)


@st.composite
def weights(draw: st.DrawFn) -> dict[str, int]:
    """Basis points that sum to 10,000."""
    cuts = sorted(draw(st.lists(st.integers(0, 10_000), min_size=len(AGENTS) - 1, max_size=len(AGENTS) - 1)))
    return {agent: b - a for agent, a, b in zip(AGENTS, [0, *cuts], [*cuts, 10_000], strict=True)}


@given(SHARES, st.integers(1, 10_000))
def test_shares_become_whole_weights_below_the_cap(shares: dict[str, float], cap: int) -> None:
    found = _capped(shares, cap)
    if len(shares) * cap < 10_000:
        assert found == {}
        return
    assert sum(found.values()) == 10_000
    assert set(found) == set(shares)
    assert all(0 <= weight <= cap for weight in found.values())


@given(weights(), weights(), st.integers(0, 20_000))
def test_a_move_keeps_the_sum_and_the_bound(present: dict[str, int], wanted: dict[str, int], most: int) -> None:
    found = _moved(present, wanted, most)
    assert sum(found.values()) == 10_000
    assert sum(abs(found[agent] - present[agent]) for agent in AGENTS) <= most
    for agent in AGENTS:
        assert min(present[agent], wanted[agent]) <= found[agent] <= max(present[agent], wanted[agent])


@given(weights(), weights())
def test_without_a_bound_it_goes_all_the_way(present: dict[str, int], wanted: dict[str, int]) -> None:
    assert _moved(present, wanted, 20_000) == wanted

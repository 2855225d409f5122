"""How an episode stands in Redis and a filter asks for it: the same answers as the filter's own, to the nanosecond."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING

import anyio
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from coinswarm.domain.episode import Episode, Filter, Space
from coinswarm_redis import backend
from coinswarm_redis.backend import RedisMemory
from coinswarm_redis.fields import attributes, counts, episode_of
from coinswarm_redis.settings import RedisSettings

if TYPE_CHECKING:
    from collections.abc import Sequence

T = 1_700_000_000 * 10**9
times = st.sampled_from([T - 1, T, T + 1, T + 999_999_999, T + 10**9, T + 10**9 + 1])
agents = st.sampled_from(["trend", "meanrev", "pairs"])
instruments = st.sampled_from(["BTC/USD", 'X "quoted" \\ and (odd) or not', "Ü/€"])
regimes = st.sampled_from(["", "storm", "range"])


@st.composite
def episodes(draw: st.DrawFn) -> Episode:
    decided, known = sorted([draw(times), draw(times)])
    return Episode(
        id=sha256(draw(st.binary(min_size=4, max_size=8))).hexdigest(),
        agent=draw(agents), instrument=draw(instruments), side=draw(st.sampled_from([1, -1])), decided_ns=decided,
        known_ns=known, result_ppm=draw(st.integers(-(2**63), 2**63 - 1)), stopped=draw(st.booleans()),
        regime=draw(regimes),
    )  # fmt: skip


@st.composite
def filters(draw: st.DrawFn) -> Filter:
    begin, end = sorted([draw(st.sampled_from([0, T, T + 1])), draw(st.sampled_from([0, T + 10**9, T + 10**9 + 1]))])
    return Filter(
        agents=draw(st.frozensets(agents, max_size=2)), instruments=draw(st.frozensets(instruments, max_size=2)),
        sides=draw(st.frozensets(st.sampled_from([1, -1]), max_size=1)),
        regimes=draw(st.frozensets(regimes, max_size=2)),
        decided_from_ns=begin, decided_before_ns=end if end > begin else 0,
    )  # fmt: skip


@given(episodes(), filters(), times)
def test_attributes_tell_the_whole_episode(episode: Episode, where: Filter, as_of_ns: int) -> None:
    text = attributes(episode).encode()
    assert episode_of(text) == episode
    assert counts(text, where, as_of_ns) == (episode.known_ns <= as_of_ns and where.admits(episode))


@pytest.mark.parametrize("few", [0, 10_000], ids=["filtered by Redis", "gathered"])
@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(told=st.lists(episodes(), min_size=1, max_size=12, unique_by=lambda one: one.id), where=filters(), as_of=times)
def test_redis_admits_what_the_filter_admits(
    redis_url: str, monkeypatch: pytest.MonkeyPatch, few: int, told: Sequence[Episode], where: Filter, as_of: int
) -> None:
    monkeypatch.setattr(backend, "FEW", few)
    monkeypatch.setattr(backend, "FEW_SHARE", 0)
    space = Space("fields", "state.1", 4)
    vectors = np.random.default_rng(1).standard_normal((len(told), 4)).astype(np.float32)

    async def found() -> set[str]:
        memory = RedisMemory(RedisSettings(url=redis_url, prefix="test-fields"))
        try:
            await memory.clear(space)
            await memory.remember(space, told, vectors)
            matches = {match.episode_id for match in await memory.recall(space, vectors[0], 20, as_of, where)}
            await memory.clear(space)
        finally:
            await memory.close()
        return matches

    assert anyio.run(found) == {one.id for one in told if one.known_ns <= as_of and where.admits(one)}

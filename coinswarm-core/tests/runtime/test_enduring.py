"""A session whose index fails goes on, decides as with a whole one, and says so; a backtest ends."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from anyio.from_thread import start_blocking_portal

from coinswarm.domain.episode import Episode, Filter, LogPosition, Space
from coinswarm.domain.health import Condition, Health
from coinswarm.drivers.episodes import LocalMemory
from coinswarm.errors import NotReadyError, UnreachableError
from coinswarm.runtime.enduring import EnduringIndex
from coinswarm.runtime.memory import BackendIndex
from coinswarm.runtime.runs import backtest, replay
from coinswarm.runtime.trade import TOLD, shortened, trade

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

Profiles = Any
Fake = Any

SPACE = Space("run-1", "fake/state.1", 4)


class Failing(LocalMemory):
    """Can be told to fail, and to lose everything."""

    def __init__(self) -> None:
        super().__init__()
        self.down = False

    async def recall(self, *given: Any) -> Any:  # noqa: ANN401
        self._demand()
        return await super().recall(*given)

    async def remember(self, *given: Any, **more: Any) -> None:  # noqa: ANN401
        self._demand()
        await super().remember(*given, **more)

    async def clear(self, space: Space) -> None:
        self._demand()
        await super().clear(space)

    def _demand(self) -> None:
        if self.down:
            message = "the line is down"
            raise UnreachableError(message)


def episode(number: int, agent: str = "fake") -> Episode:
    """A trade that was known at ``number``."""
    return Episode(
        id=f"{number:064x}", agent=agent, instrument="BTC/USD", side=1, decided_ns=number, known_ns=number,
        result_ppm=100, risk_ppm=100, stopped=False,
    )  # fmt: skip


def vectors(count: int) -> np.ndarray[tuple[int, int], np.dtype[np.float32]]:
    """Rows of length 1."""
    drawn = np.random.default_rng(1).standard_normal((count, 4)).astype(np.float32)
    return np.stack([SPACE.unit(row) for row in drawn])


class World:
    """An index that can fail, beside a clock and what was said."""

    def __init__(self, portal: Any) -> None:  # noqa: ANN401
        self.backend, self.now, self.said = Failing(), 0.0, list[str]()
        self.plain = BackendIndex(self.backend, portal)
        self.index = EnduringIndex(
            self.plain, name="local", say=self.said.append, clock=lambda: self.now, again_seconds=30.0
        )
        self.portal = portal

    def nearest(self, k: int = 5, as_of: int = 1_000) -> list[tuple[str, float]]:
        """What is near the first vector."""
        found = self.index.nearest(SPACE, vectors(1)[0], k, as_of, Filter(agents=frozenset({"fake"})))
        return [(one.episode_id, round(one.distance, 6)) for one in found]

    def remember(self, first: int, count: int) -> None:
        """Episodes ``first`` to ``first + count``, each by itself."""
        rows = vectors(first + count)
        for number in range(first, first + count):
            said = episode(number, "other" if number % 5 == 0 else "fake")
            self.index.remember(SPACE, said, rows[number], LogPosition(number + 1, f"{number + 1:064x}"))


@pytest.fixture
def world() -> Iterator[World]:
    with start_blocking_portal() as portal:
        yield World(portal)


def test_every_vector_is_looked_at_while_the_index_is_away(world: World) -> None:
    world.remember(0, 40)
    whole = [world.nearest(k, as_of) for k, as_of in ((5, 1_000), (3, 20), (50, 1_000), (5, 0))]
    assert len(whole[2]) == 32, "those of the other agent do not count"
    world.backend.down = True
    assert [world.nearest(k, as_of) for k, as_of in ((5, 1_000), (3, 20), (50, 1_000), (5, 0))] == whole
    [line] = world.said
    assert "the index local failed (UnreachableError: the line is down); every vector is looked at instead" in line


def test_an_index_that_is_back_is_folded_anew_with_what_it_missed(world: World) -> None:
    world.remember(0, 10)
    world.backend.down = True
    world.nearest()
    world.remember(10, 10)
    world.now = 29.0
    world.backend.down = False
    world.nearest()
    info = world.portal.call(world.backend.info, SPACE)
    assert info.entries == 10, "it is left alone until its time has come"
    world.now = 31.0
    found = world.nearest(k=16)
    info = world.portal.call(world.backend.info, SPACE)
    assert (info.entries, info.applied) == (20, LogPosition(20, f"{20:064x}"))
    assert len(found) == 16
    assert world.said[1:] == ["memory: the index local is back, and was folded anew"]
    world.index.end()
    [line] = world.said[2:]
    assert "failed once, first UnreachableError: the line is down; every vector was looked at in 2 recalls" in line


def test_one_that_is_still_away_is_said_once_and_left_alone_again(world: World) -> None:
    world.remember(0, 10)
    world.backend.down = True
    for now in (0.0, 31.0, 40.0, 62.0):
        world.now = now
        assert len(world.nearest()) == 5
    assert len(world.said) == 1
    world.index.end()
    assert "failed 3 times" in world.said[1]
    assert "in 4 recalls" in world.said[1]
    assert "could not be cleared of run-1" in world.said[2]


def test_an_index_that_was_emptied_and_written_to_since_is_noticed(world: World) -> None:
    world.remember(0, 20)
    whole = world.nearest()
    world.portal.call(world.backend.clear, SPACE)
    row = np.stack([vectors(1)[0]])
    world.portal.call(world.backend.remember, SPACE, (episode(1),), row)
    assert world.nearest() == whole
    assert "(NotReadyError: it holds 1 of 20 episodes)" in world.said[0]


def test_an_index_that_does_not_answer_is_away(world: World) -> None:
    async def never(*_: object) -> None:
        import anyio  # noqa: PLC0415

        await anyio.sleep_forever()

    world.remember(0, 3)
    world.plain._seconds = 0.01
    world.backend.recall = never  # type: ignore[method-assign]
    assert len(world.nearest()) == 2
    assert "there was no answer within 0.01 s" in world.said[0]


def test_a_session_that_loses_its_index_decides_as_one_that_does_not(
    profile: Profiles,
    fake: Fake,
    recalls: str,
    bars: Callable[..., Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    fake(recalls)
    recorded, pair = bars("r.csv", 400), {"symbol": "BTC/USD", "lot": "0.0001"}
    paper = profile(mode="paper", instruments=[pair], memory={})
    played = {"BTC/USD": recorded}
    whole = trade(paper, label="p", recordings=played, runs=None)
    asked = 0
    recall = LocalMemory.recall

    async def lost(self: LocalMemory, *given: Any) -> Any:  # noqa: ANN401
        nonlocal asked
        asked += 1
        if asked > 5:
            message = "the index is gone"
            raise NotReadyError(message)
        return await recall(self, *given)

    monkeypatch.setattr(LocalMemory, "recall", lost)
    warned: list[str] = []
    run = trade(paper, label="p", recordings=played, runs=tmp_path / "runs", warn=warned.append)
    assert run.result.recall is not None
    assert whole.result.recall is not None
    assert run.result.order_hash == whole.result.order_hash
    assert (run.result.recall.rows == whole.result.recall.rows).all()
    assert [line.split(" (")[0].split(",")[0] for line in warned] == [
        "memory: the index local failed",
        "memory: the index local failed once",
    ]
    assert [line for line in run.summary["warnings"] if line.startswith("memory:")] == warned
    monkeypatch.setattr(LocalMemory, "recall", recall)
    assert run.path is not None
    assert replay(run.path).same
    monkeypatch.setattr(LocalMemory, "recall", lost)
    with pytest.raises(NotReadyError, match="the index is gone"):
        backtest(profile(instruments=[{**pair, "file": str(recorded)}], memory={}), label="p", runs=None)


def test_a_session_does_not_begin_without_its_index(
    profile: Profiles, fake: Fake, recalls: str, bars: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    fake(recalls)

    async def down(_: LocalMemory) -> Health:
        return Health(Condition.DOWN, "nobody is there")

    monkeypatch.setattr(LocalMemory, "health", down)
    with pytest.raises(UnreachableError, match=r"cannot be used \(nobody is there\): start it"):
        trade(profile(mode="paper", memory={}), label="p", recordings={"BTC/USD": bars()}, runs=None)


def test_a_night_of_trouble_is_told_from_both_ends() -> None:
    lines = [f"line {number}" for number in range(12)]
    assert shortened(lines[:10]) == lines[:10]
    assert shortened(lines) == [*lines[:TOLD], "… and 2 lines more", *lines[-TOLD:]]

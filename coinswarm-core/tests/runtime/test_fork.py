"""What a run remembers from the beginning: accepted episodes of a verified log up to a pinned position (S21)."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from sqlalchemy import create_engine, text

from coinswarm.canonical import GENESIS
from coinswarm.domain.episode import Episode, Space
from coinswarm.errors import DataError, NotReadyError, ProfileError
from coinswarm.memory.quorum.fold import BadEntryError
from coinswarm.runtime.fork import Forked, forked
from coinswarm.runtime.runs import backtest, replay
from coinswarm_testkit.cases.episodes import numbered
from coinswarm_testkit.quorum.decided import DecidedLog

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

Profiles = Any
Fake = Any

START_NS = 1_514_764_800_000_000_000
HOUR_NS = 3_600_000_000_000
SPACE = "fake/state.1"
OF_SPACE = Space("north", SPACE, 2)
AGENT = """\
    def decide(self, state):
        return Action(Side.BUY if state.close > state.open else Side.FLAT, 0.5, 0.5, 5.0, 3.0)

    def embed(self, state):
        import numpy as np
        return np.array([state.close - state.open, 3.0], np.float32)
"""


class Swarm(DecidedLog):
    """Episodes are decided in it."""

    def remember(self, episode: Episode, vector: np.ndarray, *, accepts: bool = True) -> None:
        """Have an episode decided."""
        self.store.facts.add_space(OF_SPACE)
        self.remembered(OF_SPACE, episode, vector.astype("<f4").tobytes(), accepts=accepts)


def episode(number: int, **fields: Any) -> Episode:  # noqa: ANN401
    """One of the agent's, known before the bars begin; each in an hour of its own."""
    told = {
        "agent": "fake", "risk_ppm": 20_000, "result_ppm": 30_000 if number % 3 else -10_000,
        "decided_ns": START_NS - (2 * number + 2) * HOUR_NS, "known_ns": START_NS - (2 * number + 1) * HOUR_NS,
    }  # fmt: skip
    return numbered(number, **told | fields)


@pytest.fixture
def swarm(tmp_path: Path) -> Swarm:
    """Twelve accepted episodes, and one in their middle that was rejected."""
    made = Swarm(tmp_path / "swarm.db")
    for number in range(13):
        made.remember(episode(number), np.array([0.6, 0.8], np.float32) + number / 100, accepts=number != 6)
    return made


def test_it_holds_what_was_accepted_up_to_the_position(swarm: Swarm) -> None:
    url = str(swarm.path)
    whole = forked(url, "", "", None, {SPACE})
    assert whole.head.index == 13
    assert [one.id for _, _, one, _ in whole.episodes] == [episode(n).id for n in range(13) if n != 6]
    assert {(name, width, len(vector)) for name, width, _, vector in whole.episodes} == {(SPACE, 2, 8)}
    part = forked(url, "north", "main", 4, {SPACE})
    assert (part.head.index, part.episodes) == (4, whole.episodes[:4])
    assert part.head == swarm.store.log.read(0, 3, 1).entries[0].head
    assert forked(url, "", "", 0, {SPACE}) == Forked()
    assert forked(url, "", "", None, {"other/1"}) == Forked(whole.head)


def test_several_of_one_entry_are_held_in_their_order(swarm: Swarm) -> None:
    vector = np.array([1, 0], "<f4").tobytes()
    swarm.together([(OF_SPACE, episode(number), vector) for number in (30, 20)], accepts=False)
    swarm.together([(OF_SPACE, episode(number), vector) for number in (33, 22, 44)])
    whole = forked(str(swarm.path), "", "", None, {SPACE})
    assert whole.head.index == 15
    assert [one.id for _, _, one, _ in whole.episodes[12:]] == [episode(n).id for n in (33, 22, 44)]


def test_a_position_that_is_not_there_or_a_log_that_was_touched_is_refused(swarm: Swarm) -> None:
    url = str(swarm.path)
    with pytest.raises(NotReadyError, match="ends at entry 13, before 14"):
        forked(url, "", "", 14, {SPACE})
    engine = create_engine(f"sqlite:///{swarm.path}")
    with engine.begin() as connection:
        connection.execute(text("DELETE FROM vector WHERE rowid = (SELECT min(rowid) FROM vector)"))
    with pytest.raises(DataError, match="vector of episode"):
        forked(url, "", "", None, {SPACE})
    with engine.begin() as connection:
        connection.execute(text("UPDATE entry SET at_ns = at_ns + 1 WHERE position = 9"))
    engine.dispose()
    with pytest.raises(BadEntryError, match="entry 9"):
        forked(url, "", "", None, {SPACE})
    assert forked(url, "", "", 0, {SPACE}) == Forked()


def test_a_run_begins_with_what_the_swarm_knew_and_is_had_again_when_it_knows_more(
    swarm: Swarm, profile: Profiles, fake: Fake, bars: Callable[..., Path], tmp_path: Path
) -> None:
    fake(AGENT)
    listed = [{"symbol": "BTC/USD", "lot": "0.0001", "file": str(bars("r.csv", 200))}]
    memory = {"store": str(swarm.path)}
    before = swarm.path.read_bytes()
    run = backtest(profile(instruments=listed, memory=memory), label="p", runs=tmp_path / "runs")
    recall = run.result.recall
    assert recall is not None
    assert recall.fork == (13, swarm.store.log.read(0, 12, 1).entries[0].hash)
    assert recall.head[0] == 13 + recall.episodes
    assert recall.rows[0, -1] == 12, "the first decision knows what the swarm knew"
    assert (recall.rows[:, 4] != 10_000).any()
    assert swarm.path.read_bytes() == before, "nothing is written to the swarm's log"
    assert run.path is not None
    swarm.remember(episode(40), np.array([1.0, 1.0], np.float32))
    again = replay(run.path)
    assert again.same
    assert again.again.recall is not None
    assert again.again.recall.fork == recall.fork
    pinned = profile(instruments=listed, memory={**memory, "position": 0})
    empty = backtest(pinned, label="p", runs=None).result
    without = backtest(profile(instruments=listed, memory={}), label="p", runs=None).result
    assert empty.order_hash == without.order_hash != run.result.order_hash
    assert empty.recall is not None
    assert empty.recall.fork == (0, GENESIS)


@pytest.mark.parametrize("referred", [False, True])
def test_a_run_is_had_again_from_another_folder(
    swarm: Swarm, profile: Profiles, fake: Fake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, referred: bool
) -> None:
    fake(AGENT)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "address").write_text(str(swarm.path))
    (tmp_path / "address").chmod(0o600)
    memory = {"store": {"file": "address"} if referred else swarm.path.name}
    run = backtest(profile(memory=memory), label="p", runs=tmp_path / "runs")
    monkeypatch.chdir("/")
    assert run.path is not None
    assert replay(run.path).same


def test_what_was_known_later_than_a_bar_is_not_recalled_at_it(
    tmp_path: Path, profile: Profiles, fake: Fake, bars: Callable[..., Path]
) -> None:
    fake(AGENT)
    swarm = Swarm(tmp_path / "later.db")
    for number in range(12):
        late = START_NS + (100 + number) * HOUR_NS
        swarm.remember(episode(number, decided_ns=late - 1, known_ns=late), np.array([0.6, 0.8 + number], np.float32))
    listed = [{"symbol": "BTC/USD", "file": str(bars("r.csv", 200))}]
    run = backtest(profile(instruments=listed, memory={"store": str(swarm.path)}), label="p", runs=None).result
    assert run.recall is not None
    late_ids = {episode(number).id for number in range(12)}
    for row in range(len(run.recall.rows)):
        now = int(run.recall.rows[row, 0])
        told, ids = run.recall.neighbours_of(row)
        assert all(one["known_ns"] + HOUR_NS <= now for one in told)
        if now <= START_NS + 100 * HOUR_NS:
            assert not late_ids & set(ids)
    assert any(late_ids & set(run.recall.neighbours_of(row)[1]) for row in range(len(run.recall.rows)))


def test_a_run_of_another_log_is_not_had_again(
    swarm: Swarm, tmp_path: Path, profile: Profiles, fake: Fake, bars: Callable[..., Path]
) -> None:
    fake(AGENT)
    listed = [{"symbol": "BTC/USD", "file": str(bars("r.csv"))}]
    run = backtest(profile(instruments=listed, memory={"store": str(swarm.path)}), label="p", runs=tmp_path / "runs")
    swarm.store.close()
    swarm.path.unlink()
    other = Swarm(swarm.path)
    for number in range(13):
        other.remember(replace(episode(number), result_ppm=1), np.array([0.6, 0.8], np.float32))
    assert run.path is not None
    with pytest.raises(DataError, match=r"entry 13 of the log is .* bring back the store"):
        replay(run.path)


@pytest.mark.parametrize(
    ("memory", "said"),
    [
        ({"position": 3}, "position is of a store"),
        ({"cluster": "north"}, "cluster is of a store"),
        ({"store": {"somewhere": "x"}}, "memory.store: must be a reference"),
        ({"store": ""}, "memory.store = …: must not be empty"),
        ({"store": 5}, "memory.store = …: must be text in quotes"),
        ({"store": "postgresql://me:secret@host/db"}, "password in plain text"),
    ],
)
def test_what_is_of_a_store_needs_one(profile: Profiles, memory: dict[str, Any], said: str) -> None:
    with pytest.raises(ProfileError, match=said):
        profile(memory=memory)

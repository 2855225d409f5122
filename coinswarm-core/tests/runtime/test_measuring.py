"""What an agent earns by itself is its own backtest, in whole days; what was written once stays as it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from coinswarm.canonical import digest
from coinswarm.errors import DataError, NotReadyError
from coinswarm.memory.evidence.weighings import cited_returns
from coinswarm.memory.quorum.keys import Ed25519Signer
from coinswarm.memory.quorum.roster import Roster, Seat
from coinswarm.memory.store.opening import open_store
from coinswarm.runtime.measuring import commit, measure
from coinswarm.runtime.runs import backtest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

Profiles = Any
Fake = Any

KEYS = [Ed25519Signer(bytes([number]) * 32).key for number in range(1, 4)]
ROSTER = Roster(
    version=0,
    faulty=0,
    rules=digest("rules"),
    voters=(Seat("v0", KEYS[0]), Seat("v1", KEYS[1])),
    submitters=(Seat("desk", KEYS[2]),),
)
FIRST = 1_514_764_800 // 86_400  # 2018-01-01
BODY = """\
    def decide(self, state):
        return Action(Side.BUY if state.close > state.open else Side.FLAT, 1.0, 0.5, 5.0, 10.0)
"""


@pytest.fixture
def two(profile: Profiles, fake: Fake, bars: Callable[..., Path]) -> Callable[..., Any]:
    """Makes a profile that seats the same agent twice, on so many hours."""
    fake(BODY)

    def made(hours: int = 120, **fields: Any) -> Any:  # noqa: ANN401
        listed = [{"symbol": "BTC/USD", "lot": "0.0001", "file": str(bars(f"{hours}.csv", hours))}]
        seats = [{"name": "fake", "id": "one", "weight_bp": 9_000}, {"name": "fake", "id": "two", "weight_bp": 1_000}]
        return profile(instruments=listed, agents=seats, **fields)

    return made


def test_each_is_measured_alone_at_full_weight(two: Callable[..., Any], profile: Profiles) -> None:
    told: list[str] = []
    found = measure(two(), "p", told.append, engine="steps")
    assert told == ["one", "two"]
    assert [(one.agent, one.first_day, len(one.returns_ppm), one.tier) for one in found] == [
        ("one", FIRST, 5, "silver"), ("two", FIRST, 5, "silver"),
    ]  # fmt: skip
    assert found[0].returns_ppm == found[1].returns_ppm, "the same agent, whatever it weighs"
    assert any(found[0].returns_ppm)
    alone = profile(instruments=two().model_dump(mode="json")["instruments"])
    run = backtest(alone, label="p", runs=None, engine="steps", report=False).result
    whole = 1.0
    for one in found[0].returns_ppm:
        whole *= 1 + one / 1e6
    assert whole == pytest.approx(run.equity[-1] / run.cash, abs=1e-5)


@pytest.mark.parametrize(
    ("hours", "fields", "first", "days"),
    [
        (125, {}, FIRST, 5),
        (119, {}, FIRST, 4),
        (120, {"start": "2018-01-02T00:00:00Z"}, FIRST + 1, 4),
        (120, {"start": "2018-01-02T05:00:00Z"}, FIRST + 2, 3),
    ],
)
def test_only_whole_days_count(
    two: Callable[..., Any], hours: int, fields: dict[str, str], first: int, days: int
) -> None:
    [one, _] = measure(two(hours, **fields), "p", engine="steps")
    assert (one.first_day, len(one.returns_ppm)) == (first, days)


def test_there_must_be_a_day_and_no_live_session(two: Callable[..., Any]) -> None:
    with pytest.raises(DataError, match="the bars of p hold no whole day: give more"):
        measure(two(20), "p", engine="steps")
    live = two().model_copy(update={"mode": "live"})
    with pytest.raises(NotReadyError, match="p is a live profile"):
        measure(live, "p")


def test_a_record_is_written_once_and_grows(two: Callable[..., Any], tmp_path: Path) -> None:
    store = open_store(str(tmp_path / "swarm.db"), "north", "main", roster=ROSTER)
    commit(store, measure(two(72), "p", engine="steps"))
    [early, _], bare = cited_returns(store, ["one", "two"])
    assert bare == []
    longer = measure(two(120), "p", engine="steps")
    commit(store, longer)
    commit(store, longer)
    with store.facts.reader() as facts:
        assert facts.returns("returns/one") == (FIRST, longer[0].returns_ppm)
        assert facts.certificates()["one"] == (longer[0].certificate, "silver")
    [late, _], _ = cited_returns(store, ["one", "two"])
    assert late != early
    assert len(longer[0].certificate) == 64
    other = longer[0]._replace(returns_ppm=(1, *longer[0].returns_ppm[1:]))
    with pytest.raises(DataError, match="returns/one"):
        commit(store, [other])

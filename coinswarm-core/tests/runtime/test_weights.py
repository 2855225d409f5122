"""What the seats of a run weigh is what a swarm decided, up to a position of its verified log."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import create_engine, text

from coinswarm.canonical import digest
from coinswarm.domain.proposal import Proposal, ProposalKind, SeatAgent
from coinswarm.errors import NotReadyError, ProfileError
from coinswarm.memory.promotion.weights import change_of_weights
from coinswarm.memory.quorum.fold import BadEntryError
from coinswarm.runtime.runs import backtest, replay
from coinswarm.runtime.weights import with_weights
from coinswarm_testkit.quorum.decided import DecidedLog

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

Profiles = Any
Fake = Any

SEATS = [{"name": "fake", "id": "one", "weight_bp": 9_000}, {"name": "fake", "id": "two", "weight_bp": 1_000}]


class Swarm(DecidedLog):
    """Weights and seats are decided in it."""

    version = 0

    def weigh(self, *, accepts: bool = True, **weights: int) -> None:
        """Have weights decided."""
        self.decided(change_of_weights(weights, 300, version=self.version, evidence=()), accepts=accepts)
        self.version += accepts

    def seat(self, kind: ProposalKind, agent: str, version: int) -> None:
        """Have an agent admitted or suspended."""
        change = SeatAgent(agent=agent, certificate=digest(agent), reason="because")
        self.decided(Proposal(kind=kind, subject=f"agent/{agent}", base_version=version, change=change))


@pytest.fixture
def swarm(tmp_path: Path) -> Swarm:
    """Weights in entries 1 and 3; 2 was rejected."""
    made = Swarm(tmp_path / "swarm.db")
    made.weigh(one=4_000, two=6_000)
    made.weigh(one=0, two=10_000, accepts=False)
    made.weigh(one=3_000, two=7_000)
    return made


@pytest.fixture
def asked(swarm: Swarm, profile: Profiles, fake: Fake) -> Callable[..., Any]:
    """Makes a profile of two seats that takes its weights from the log."""
    fake()

    def made(agents: list[dict[str, Any]] = SEATS, **log: Any) -> Any:  # noqa: ANN401
        return profile(agents=agents, committee={"store": str(swarm.path), **log})

    return made


def weights(profile: Any) -> dict[str, int]:  # noqa: ANN401 - a profile
    return {agent.seat: agent.weight_bp for agent in profile.agents}


def test_the_seats_weigh_what_was_decided_up_to_the_position(swarm: Swarm, asked: Callable[..., Any]) -> None:
    whole, told = with_weights(asked(), "p")
    assert weights(whole) == {"one": 3_000, "two": 7_000}
    assert told is not None
    assert told.told() == {
        "cluster": "north", "shard": "main", "index": 3, "digest": swarm.store.log.read(0, 2, 1).entries[0].hash,
        "since": 3,
    }  # fmt: skip
    earlier, told = with_weights(asked(position=2, cluster="north", shard="main"), "p")
    assert weights(earlier) == {"one": 4_000, "two": 6_000}
    assert told is not None
    assert told.words() == "weights are those that the log north/main has in force since entry 1, read up to 2"
    swarm.weigh(two=10_000)
    alone, _ = with_weights(asked(), "p")
    assert weights(alone) == {"one": 0, "two": 10_000}, "who is left out weighs nothing"


def test_who_is_suspended_weighs_nothing_or_nobody_trades(swarm: Swarm, asked: Callable[..., Any]) -> None:
    swarm.seat(ProposalKind.SUSPEND_AGENT, "two", 0)
    with pytest.raises(ProfileError, match="the quorum suspended two, and p would give it weight: propose weights"):
        with_weights(asked(), "p")
    assert weights(with_weights(asked(position=3), "p")[0]) == {"one": 3_000, "two": 7_000}
    swarm.seat(ProposalKind.ADMIT_AGENT, "two", 1)
    assert weights(with_weights(asked(), "p")[0]) == {"one": 3_000, "two": 7_000}
    swarm.seat(ProposalKind.SUSPEND_AGENT, "two", 2)
    swarm.weigh(one=10_000)
    assert weights(with_weights(asked(), "p")[0]) == {"one": 10_000, "two": 0}


def test_where_nothing_was_decided_the_profile_holds(asked: Callable[..., Any], profile: Profiles) -> None:
    kept, told = with_weights(asked(position=0), "p")
    assert weights(kept) == {"one": 9_000, "two": 1_000}
    assert told is not None
    assert told.words() == "the log north/main has decided no weights up to entry 0: the profile's hold"
    plain = profile(agents=SEATS)
    assert with_weights(plain, "p") == (plain, None)
    assert "store" not in plain.canonical()["committee"]


def test_a_run_keeps_its_weights_and_is_had_again_without_the_log(
    swarm: Swarm, asked: Callable[..., Any], profile: Profiles, tmp_path: Path
) -> None:
    run = backtest(asked(), label="p", runs=tmp_path / "runs", report=False, engine="steps")
    by_hand = [{**seat, "weight_bp": bp} for seat, bp in zip(SEATS, (3_000, 7_000), strict=True)]
    assert (
        run.result.order_hash
        == backtest(profile(agents=by_hand), label="p", runs=None, engine="steps").result.order_hash
    )
    assert "since entry 3, read up to 3" in " ".join(run.summary["notes"])
    swarm.store.close()
    swarm.path.unlink()
    assert run.path is not None
    again = replay(run.path, "steps")
    assert again.same
    assert again.stored.record["weights"]["since"] == 3
    assert "store" not in again.stored.record["profile"]["committee"]


def test_a_log_that_weighs_a_stranger_is_refused(swarm: Swarm, asked: Callable[..., Any]) -> None:
    swarm.weigh(one=5_000, pairs=5_000)
    with pytest.raises(ProfileError, match=r"north/main gives weight to pairs, and p does not seat it") as caught:
        with_weights(asked(), "p")
    assert "weight_bp = 0" in caught.value.remedy
    seated, _ = with_weights(asked([*SEATS, {"name": "fake", "id": "pairs", "weight_bp": 0}]), "p")
    assert weights(seated) == {"one": 5_000, "two": 0, "pairs": 5_000}


def test_a_log_that_is_short_or_was_touched_is_refused(swarm: Swarm, asked: Callable[..., Any]) -> None:
    with pytest.raises(NotReadyError, match="ends at entry 3, before 4") as caught:
        with_weights(asked(position=4), "p")
    assert "committee.position" in caught.value.remedy
    engine = create_engine(f"sqlite:///{swarm.path}")
    with engine.begin() as connection:
        connection.execute(text("UPDATE entry SET at_ns = at_ns + 1 WHERE position = 2"))
    engine.dispose()
    with pytest.raises(BadEntryError, match="entry 2"):
        with_weights(asked(), "p")
    swarm.store.close()
    swarm.path.unlink()
    with pytest.raises(NotReadyError, match="there is no store"):
        with_weights(asked(), "p")
    assert not swarm.path.exists()


def test_what_is_of_a_store_needs_one(profile: Profiles) -> None:
    with pytest.raises(ProfileError, match="position is of a store"):
        profile(committee={"position": 3})

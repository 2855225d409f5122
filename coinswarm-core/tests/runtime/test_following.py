"""A follower tells plugins what a log decided, each decision once and in order, and what is seen can be measured."""

from __future__ import annotations

import json
import sys
import urllib.request
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import anyio
import numpy as np
import pytest
from prometheus_client.parser import text_string_to_metric_families

from coinswarm.canonical import digest
from coinswarm.domain.episode import Episode, Space
from coinswarm.domain.health import Condition, Health
from coinswarm.domain.proposal import Configure, Proposal, ProposalKind
from coinswarm.drivers.bus import LocalBus
from coinswarm.drivers.episodes import LocalMemory
from coinswarm.drivers.settings import LocalBusSettings
from coinswarm.errors import DataError, HaltedError, NotReadyError, OperatorError
from coinswarm.memory.quorum.keys import Ed25519Scheme
from coinswarm.plugins import watchers
from coinswarm.plugins.catalogue import load
from coinswarm.runtime import following, making
from coinswarm.runtime.follower import HOOK
from coinswarm.runtime.following import Follower
from coinswarm.runtime.making import listeners
from coinswarm.runtime.metrics import address, serving
from coinswarm.runtime.swarm import noticing
from coinswarm.runtime.swarm.node import COMMIT, status_subject
from coinswarm.runtime.swarm.parts import Place
from coinswarm.runtime.swarm.telling import Teller
from coinswarm_testkit.quorum import decided
from coinswarm_testkit.quorum.decided import ROSTER, DecidedLog

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from coinswarm.domain.stored import Message
    from coinswarm.ports import MessageBus

pytestmark = pytest.mark.anyio

Site = Any
SPACE = Space("north", "trend/state.1", 2)
DIARY = """
seen = []
@hookimpl
def coinswarm_proposal_decided(proposal, outcome, entry): seen.append((entry, proposal.subject, outcome))
"""


@pytest.fixture
def anyio_backend() -> str:
    """The one that drivers are made for."""
    return "asyncio"


def setting(base: int) -> Proposal:
    """A rule of the committee, to be set."""
    change = Configure("acceptance.folds", "6")
    return Proposal(kind=ProposalKind.CONFIGURE, subject="acceptance/folds", base_version=base, change=change)


@pytest.fixture
def log(tmp_path: Path) -> Iterator[DecidedLog]:
    """Two entries: one accepted, one rejected."""
    made = DecidedLog(tmp_path / "swarm.db")
    made.decided(setting(0))
    made.decided(setting(1), accepts=False)
    yield made
    made.close()


@pytest.fixture
def diary(site: Site) -> Callable[[], list[Any]]:
    """What a plugin was told so far."""
    site.add("diary", DIARY)
    load(["diary"])
    return lambda: list(sys.modules["fake_diary.plugin"].seen)


class Followed:
    """A follower of it, and what it said."""

    def __init__(self, log: DecidedLog, *plugins: str, bus: MessageBus | None = None, **more: Any) -> None:  # noqa: ANN401
        self.said: list[str] = []
        self.kept = log.path.with_name("follower.json")
        place = Place(
            "north", log.store.log.shard, ROSTER, Ed25519Scheme(), bus or LocalBus(LocalBusSettings()), log.store.log
        )
        _, tell = listeners(plugins, HOOK)
        self.follower = Follower(place, tell, self.kept, Teller("follower", self.said.append), **more)


async def test_what_is_decided_from_now_on_is_told_once_and_in_order(
    log: DecidedLog, diary: Callable[[], list[Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(following, "ENTRIES", 2)
    first = Followed(log, "diary")
    await first.follower.catch_up()
    assert diary() == [], "what was decided before is no news"
    for base in (1, 2, 3):
        log.decided(setting(base))
    log.decided(setting(4), accepts=False)
    await first.follower.catch_up()
    await first.follower.catch_up()
    told = [(entry, "acceptance/folds", "accept") for entry in (3, 4, 5)] + [(6, "acceptance/folds", "reject")]
    assert diary() == told
    log.decided(setting(4))
    again = Followed(log, "diary")
    await again.follower.catch_up()
    assert diary() == [*told, (7, "acceptance/folds", "accept")], "it goes on where it was"
    assert again.follower.seen.decisions == {("configure", "accept"): 5, ("configure", "reject"): 2}
    assert again.follower.seen.fold.head.index == 7
    assert first.said == again.said == []


async def test_the_index_of_another_shard_is_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decided, "SHARD", "eu")
    log = DecidedLog(tmp_path / "swarm.db")
    log.store.facts.add_space(SPACE)
    one = Episode(id="0" * 64, agent="trend", instrument="X", side=1, decided_ns=1, known_ns=2, result_ppm=3)
    log.remembered(SPACE, one, np.array([0.6, 0.8], "<f4").tobytes())
    followed = Followed(log)
    await followed.follower.catch_up()
    assert followed.follower._spaces == {replace(SPACE, swarm="north/eu")}
    log.close()


async def test_several_of_one_entry_are_one_decision_in_each_of_their_spaces(
    log: DecidedLog, diary: Callable[[], list[Any]]
) -> None:
    one = Followed(log, "diary")
    await one.follower.catch_up()
    other = Space("north", "trend/state.2", 3)
    ids = {space: digest(space.name) for space in (SPACE, other)}
    told: dict[str, Any] = {"agent": "trend", "instrument": "X", "side": 1, "decided_ns": 1, "known_ns": 2}
    log.together((space, Episode(id=ids[space], result_ppm=3, **told), bytes(4 * space.dimension)) for space in ids)
    await one.follower.catch_up()
    assert [(entry, outcome) for entry, _, outcome in diary()] == [(3, "accept")]
    assert diary()[0][1].startswith("episodes/")
    assert one.follower.seen.decisions["add_episodes", "accept"] == 1
    assert one.follower._spaces == {SPACE, other}


async def test_a_plugin_that_raises_is_told_on_and_one_that_hangs_is_left(
    log: DecidedLog, site: Site, diary: Callable[[], list[Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    site.add("raises", "@hookimpl\ndef coinswarm_proposal_decided(entry): raise OSError(f'no line for {entry}')\n")
    site.add(
        "hangs",
        "import threading\ncalls = []\n@hookimpl\ndef coinswarm_proposal_decided(entry):\n"
        "    calls.append(entry)\n    threading.Event().wait()\n",
    )
    monkeypatch.setattr(making, "tell", partial(watchers.tell, patience=0.05))
    one = Followed(log, "diary", "hangs", "raises")
    await one.follower.catch_up()
    for base in (1, 2):
        log.decided(setting(base))
        await one.follower.catch_up()
    assert [entry for entry, *_ in diary()] == [3, 4]
    assert sys.modules["fake_hangs.plugin"].calls == [3]
    assert len(one.said) == 2, "each is said once"
    assert any("coinswarm_proposal_decided did not come back within 0.05 s" in line for line in one.said)
    assert any("raised in 1 of 1 calls, first OSError: no line for 3" in line for line in one.said)


async def test_a_log_that_was_set_back_is_not_followed(log: DecidedLog, tmp_path: Path) -> None:
    one = Followed(log)
    await one.follower.catch_up()
    shorter = DecidedLog(tmp_path / "shorter.db")
    shorter.decided(setting(0))
    again = Followed(log)
    again.follower._place = Place(
        "north", "main", ROSTER, Ed25519Scheme(), LocalBus(LocalBusSettings()), shorter.store.log
    )
    with pytest.raises(HaltedError, match="split-brain: the log ends at entry 1, but was seen at 2"):
        await again.follower.catch_up()
    shorter.close()


def test_a_place_that_cannot_be_read_is_told(log: DecidedLog) -> None:
    for text in ("", "[]", '{"index": "x"}'):
        log.path.with_name("follower.json").write_text(text)
        with pytest.raises(DataError, match="does not say how far plugins were told"):
            Followed(log)


def test_only_who_wants_to_know_is_told(site: Site, diary: Callable[[], list[Any]]) -> None:
    site.add("fills", "@hookimpl\ndef coinswarm_order_filled(fill): pass\n")
    assert diary() == []
    assert listeners(["diary", "fills"], HOOK)[0] == ("diary",)
    assert listeners(["fills"], HOOK)[0] == ()


async def test_it_runs_at_every_notice_and_sees_how_seats_and_index_are(
    log: DecidedLog, diary: Callable[[], list[Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(noticing, "TICK_SECONDS", 3_600)
    monkeypatch.setattr(following, "LOOK_SECONDS", 0.01)
    vector = np.array([0.6, 0.8], "<f4").tobytes()
    log.store.facts.add_space(SPACE)
    one = Episode(id="0" * 64, agent="trend", instrument="BTC/USD", side=1, decided_ns=1, known_ns=2, result_ppm=3)
    log.remembered(SPACE, one, vector)
    backend = LocalMemory()
    await backend.remember(SPACE, [one], np.frombuffer(vector, np.float32).reshape(1, 2))

    async def answer(asked: Message) -> None:
        assert asked.reply
        status = {"ready": True, "head": 3, "open": 1, "epoch": 7, "counts": {"bus away": 2}}
        await bus.publish(asked.reply, json.dumps(status).encode())

    async with LocalBus(LocalBusSettings()) as bus, anyio.create_task_group() as group:
        await bus.subscribe(status_subject("c1"), answer)
        followed = Followed(log, "diary", bus=bus, coordinators=("c1",), backend=backend)
        follower = followed.follower
        await group.start(follower.run)
        with anyio.fail_after(20):
            while not (followed.kept.exists() and follower.seen.spaces):
                await bus.publish(COMMIT, b"somebody's word")
                await anyio.sleep(0.01)
            log.decided(setting(1))
            while not diary():
                await bus.publish(COMMIT, b"somebody's word")
                await anyio.sleep(0.01)
        group.cancel_scope.cancel()
    seats = follower.seen.seats
    assert {key: status is not None for key, status in seats.items()} == {
        ("v0", "voter"): False, ("v1", "voter"): False, ("c1", "coordinator"): True, ("desk", "submitter"): False,
    }  # fmt: skip
    found = read(follower)
    own = {"cluster": "north", "shard": "main"}
    seat = {**own, "name": "c1", "part": "coordinator"}
    space = {"cluster": "north", "space": "trend/state.1", "dimension": "2"}
    assert found["coinswarm_log_entries", key(own)] == 4
    assert found["coinswarm_log_last_entry_timestamp_seconds", key(own)] > 1e9
    assert found["coinswarm_roster_quorum", key(own)] == 2
    assert found["coinswarm_decisions_total", key({**own, "kind": "configure", "outcome": "reject"})] == 1
    assert found["coinswarm_decisions_total", key({**own, "kind": "add_episode", "outcome": "accept"})] == 1
    assert found["coinswarm_seat_up", key(seat)] == 1
    assert found["coinswarm_seat_up", key({**own, "name": "v0", "part": "voter"})] == 0
    assert found["coinswarm_seat_head", key(seat)] == 3
    assert found["coinswarm_seat_epoch", key(seat)] == 7
    assert found["coinswarm_seat_events_total", key({**seat, "what": "bus away"})] == 2
    assert found["coinswarm_memory_up", key({"cluster": "north"})] == 1
    assert found["coinswarm_memory_entries", key(space)] == 1
    assert found["coinswarm_memory_bytes", key(space)] >= 8


@pytest.mark.parametrize("how", ["down", "raises"])
async def test_an_index_that_cannot_be_used_is_measured(log: DecidedLog, how: str) -> None:
    class Down(LocalMemory):
        async def health(self) -> Health:
            if how == "raises":
                raise RuntimeError(how)
            return Health(Condition.DOWN, "nobody is there")

    backend = Down()
    follower = Followed(log, backend=backend).follower
    await follower._look_at(backend)
    assert follower.seen.index in {"nobody is there", "RuntimeError: raises"}
    assert read(follower)["coinswarm_memory_up", key({"cluster": "north"})] == 0


def key(labels: dict[str, str]) -> tuple[tuple[str, str], ...]:
    """Labels in an order."""
    return tuple(sorted(labels.items()))


def read(follower: Follower) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    """What Prometheus would read."""
    with serving("127.0.0.1", 0, lambda: follower.seen) as port:
        answer = urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10).read().decode()
        with pytest.raises(OperatorError, match=f"metrics cannot be served at 127.0.0.1:{port}"):
            serving("127.0.0.1", port, lambda: follower.seen).__enter__()
    return {
        (sample.name, key(sample.labels)): sample.value
        for family in text_string_to_metric_families(answer)
        for sample in family.samples
    }


def test_places_for_metrics() -> None:
    assert address("9464") == ("127.0.0.1", 9464)
    assert address("0.0.0.0:1") == ("0.0.0.0", 1)  # noqa: S104 - only read
    assert address("[::1]:70") == ("::1", 70)
    for text in ("", "x", ":", "host:", "1:70000", "-1"):
        with pytest.raises(OperatorError, match="no place for metrics: write PORT or HOST:PORT"):
            address(text)


def test_metrics_take_their_client(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "prometheus_client", None)
    with pytest.raises(NotReadyError, match="pip install"):
        serving("127.0.0.1", 0, lambda: None).__enter__()  # type: ignore[arg-type,return-value]

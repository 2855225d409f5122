"""Several episodes in one proposal, through the whole of it: from the desk to the rows, by voters of both makes."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import anyio
import numpy as np
import pytest
from sqlalchemy import select

from coinswarm.domain.proposal import AddEpisode, Proposal, episodes_of, several
from coinswarm.drivers.bus import LocalBus
from coinswarm.drivers.settings import LocalBusSettings
from coinswarm.memory.evidence.gather import Gatherer
from coinswarm.memory.quorum.findings import failures
from coinswarm.memory.quorum.keys import Ed25519Scheme
from coinswarm.memory.quorum.records import Outcome
from coinswarm.memory.store.audit import rebuild, verified
from coinswarm.memory.store.models import Episode
from coinswarm.runtime.swarm.embedded import EmbeddedSwarm
from coinswarm_testkit.chaos.stage import CLUSTER, episodes

if TYPE_CHECKING:
    from pathlib import Path

    from coinswarm.memory.store.opening import Store
    from coinswarm.runtime.swarm.embedded import Cast

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    """The one that drivers are made for."""
    return "asyncio"


def together(*proposals: Proposal) -> Proposal:
    """The same episodes, in one proposal."""
    return several(tuple(change for one in proposals for change in episodes_of(one.change)))


def kept(store: Store) -> dict[str, int]:
    """Episode -> position of the entry that it was accepted in."""
    with store.engine.connect() as connection:
        return {row.id: row.position for row in connection.execute(select(Episode.id, Episode.position))}


async def test_all_are_remembered_or_none(store: Store, bundled: Cast, tmp_path: Path) -> None:
    asked = episodes(store, 70)
    bus = LocalBus(LocalBusSettings())
    running = EmbeddedSwarm(CLUSTER, "main", bundled, tmp_path, bus, store.log, Gatherer(store))
    first, late = asked[0].change, asked[69].change
    assert isinstance(first, AddEpisode)
    assert isinstance(late, AddEpisode)
    lied = replace(late, episode=replace(late.episode, result_ppm=1_000_000))
    async with bus, running:
        ends = [
            await running.propose(together(*asked[:64])),
            await running.propose(together(asked[64], asked[3])),
            await running.propose(several((*episodes_of(together(asked[65]).change), lied))),
            await running.propose(asked[5]),
            await running.propose(asked[64]),
        ]
    outcomes = [Outcome.ACCEPT, Outcome.CONFLICT, Outcome.REJECT, Outcome.CONFLICT, Outcome.ACCEPT]
    assert [one.outcome for one in ends] == outcomes
    ids = [change.episode.id for one in asked for change in episodes_of(one.change)]
    assert kept(store) == {**dict.fromkeys(ids[:64], 1), ids[64]: 5}
    entry = store.log.read(0, 2, 1).entries[0]
    assert [rule.value for rule in failures(entry.envelope.proposal, entry.proof[0].findings) or ()] == ["trade"]
    assert verified(store, Ed25519Scheme()).why == ""
    assert rebuild(store, Ed25519Scheme()).differed == {}


async def test_of_those_that_share_an_episode_one_is_accepted(store: Store, bundled: Cast, tmp_path: Path) -> None:
    asked = episodes(store, 12)
    bus = LocalBus(LocalBusSettings())
    overlapping = [together(*asked[:5]), together(*asked[4:9]), together(*asked[8:12]), asked[4], asked[8], asked[11]]
    order = np.random.default_rng(7).permutation(len(overlapping))
    outcomes: dict[int, Outcome] = {}
    running = EmbeddedSwarm(CLUSTER, "main", bundled, tmp_path, bus, store.log, Gatherer(store))
    async with bus, running, anyio.create_task_group() as group:

        async def one(place: int) -> None:
            outcomes[place] = (await running.propose(overlapping[place])).outcome

        for place in order:
            group.start_soon(one, place)
    accepted = [change.episode.id for at, end in outcomes.items() if end is Outcome.ACCEPT
                for change in episodes_of(overlapping[at].change)]  # fmt: skip
    assert set(outcomes.values()) == {Outcome.ACCEPT, Outcome.CONFLICT}
    assert sorted(accepted) == sorted(kept(store)), "each of them once"
    assert verified(store, Ed25519Scheme()).why == ""

"""The whole quorum in one process: proposals are decided, restarts go on, and what is not to be believed stops it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from coinswarm.drivers.bus import LocalBus
from coinswarm.drivers.settings import LocalBusSettings
from coinswarm.memory.quorum.fold import genesis
from coinswarm.memory.quorum.keys import Ed25519Scheme
from coinswarm.memory.quorum.records import Outcome
from coinswarm.memory.quorum.verify import verify
from coinswarm.runtime.swarm.embedded import EmbeddedSwarm

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from runtime.swarm.conftest import Shard

    from coinswarm.domain.proposal import Proposal
    from coinswarm.ports import MessageBus

pytestmark = pytest.mark.anyio


def swarm(shard: Shard, folder: Path, bus: MessageBus, said: list[str]) -> EmbeddedSwarm:
    return EmbeddedSwarm("north", "main", shard.cast, folder, bus, shard.log, shard.gather, said.append)


def clean(shard: Shard) -> None:
    """The log is whole."""
    rows = shard.log.rows
    report = verify(genesis("north", "main", shard.cast.roster), rows.entries, rows.head, Ed25519Scheme())
    assert not report.why


async def test_a_proposal_is_accepted_or_rejected(
    shard: Shard, tmp_path: Path, propose: Callable[..., Proposal]
) -> None:
    said: list[str] = []
    async with LocalBus(LocalBusSettings()) as bus, swarm(shard, tmp_path, bus, said) as running:
        ended = await running.propose(propose())
        assert ended.outcome is Outcome.ACCEPT
        assert (await running.propose(propose("bad", base=1))).outcome is Outcome.REJECT
        assert (await running.propose(propose())).outcome is Outcome.CONFLICT, "it starts from what is gone"
    assert said == []
    assert shard.log.rows.entries[0].envelope.id == ended.proposal
    clean(shard)

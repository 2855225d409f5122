"""A submitter that is killed goes on in its next life where it was."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import anyio
import pytest

from coinswarm.domain.proposal import Configure, Proposal, ProposalKind
from coinswarm.memory.quorum.records import Outcome
from coinswarm.runtime.swarm.desk import Ended
from coinswarm_testkit.chaos.submitting import Notes, Submitter, noted, script

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.anyio

PROPOSALS = [
    Proposal(kind=ProposalKind.CONFIGURE, subject=f"config/{place}", base_version=0, change=Configure("k", f"{place}"))
    for place in range(5)
]


class Desk:
    """Decides what it is asked for, but for some subjects."""

    def __init__(self, *silent: str) -> None:
        self.silent, self.asked = set(silent), list[str]()

    async def propose(self, proposal: Proposal, *, seconds: float) -> Ended:
        assert seconds > 0
        self.asked.append(proposal.subject)
        if proposal.subject in self.silent:
            await anyio.sleep_forever()
        return Ended(f"id of {proposal.subject}", Outcome.ACCEPT, len(self.asked))


@pytest.fixture
def anyio_backend() -> str:
    """The one that drivers are made for."""
    return "asyncio"


async def life(desk: Desk, path: Path, until: int) -> Notes:
    """Live until so many have their outcome, and be killed."""
    with anyio.fail_after(10):
        async with anyio.create_task_group() as group:
            group.start_soon(Submitter(cast("Any", desk), PROPOSALS, path, 60.0).live)
            while len(noted(path).ended) < until or not noted(path).whole:  # noqa: ASYNC110 - it tells by a file
                await anyio.sleep(0.01)
            group.cancel_scope.cancel()
    return noted(path)


async def test_what_has_no_outcome_is_asked_for_again_and_nothing_else_is(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    assert noted(path) == Notes()
    first, second = Desk("config/1", "config/3"), Desk()
    notes = await life(first, path, 3)
    assert (notes.asked, notes.under_way, notes.over) == ([one.subject for one in PROPOSALS], 2, False)
    notes = await life(second, path, 5)
    assert sorted(second.asked) == ["config/1", "config/3"]
    assert (notes.lives, notes.over, len(notes.asked)) == (2, True, 5)
    assert notes.ended["config/0"][0] == Ended("id of config/0", Outcome.ACCEPT, 1)


async def test_what_there_is_no_time_for_is_left_out(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("began\t1.5\nasked\tconfig/0\n")
    notes = await life(Desk(), path, 1)
    assert (notes.began, notes.lives, notes.asked) == (1.5, 2, ["config/0"])


def test_a_script_holds_a_proposal_in_each_line(tmp_path: Path) -> None:
    script(tmp_path / "asked.jsonl", PROPOSALS)
    assert len((tmp_path / "asked.jsonl").read_bytes().splitlines()) == 5

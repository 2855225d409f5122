"""A few seconds of chaos over real processes and servers; ``./dev chaos`` is the long run."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from coinswarm.memory.quorum.records import Outcome
from coinswarm_testkit.chaos.run import run, table
from coinswarm_testkit.chaos.stage import staged
from coinswarm_testkit.servers.program import NoServerError

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.integration


def test_nothing_is_lost_or_applied_twice(tmp_path: Path) -> None:
    said: list[str] = []
    try:
        with staged(tmp_path) as stage:
            whole, played, found = run(stage, seconds=8, rate=5, seed=3, say=said.append)
            shown = table(whole, played, found)
    except NoServerError as error:
        if os.environ.get("CI"):
            pytest.fail(str(error), pytrace=False)
        pytest.skip(str(error))
    assert not found.wrong, "\n".join([*shown, *said])
    notes = played.notes
    assert len(notes.ended) == len(notes.asked) > 0
    untrue = sum(ended.outcome is Outcome.REJECT for ended, _ in notes.ended.values())
    assert found.accepted == len(notes.asked) - untrue
    assert untrue == 1
    assert found.piles > 0, "some travelled together"
    assert sum(victim.killed + victim.stopped for victim in whole.victims) >= 1

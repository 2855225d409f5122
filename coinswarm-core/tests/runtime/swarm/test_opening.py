"""Who opens a store of a quorum: who may begin its log, and who waits for it or is refused."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import anyio
import pytest

from coinswarm.config.swarm import SwarmSection, VoterSection
from coinswarm.drivers.bus import LocalBus
from coinswarm.drivers.settings import LocalBusSettings
from coinswarm.errors import HaltedError, NotReadyError, ProfileError, RetryableError
from coinswarm.memory.store.opening import migrated, open_store
from coinswarm.runtime.swarm import opening
from coinswarm.runtime.swarm.telling import AGAIN_SECONDS, Teller
from coinswarm_testkit.quorum.decided import ROSTER

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType


def section(path: Path) -> SwarmSection:
    """Of a quorum whose log is in a file."""
    voters = [VoterSection(id=f"v{n}", voter="decimals") for n in range(2)]
    return SwarmSection(cluster="north", roster="r.json", database=str(path), voters=voters)


def test_a_profile_names_the_roster_that_its_log_began_with(tmp_path: Path) -> None:
    path = tmp_path / "r.json"
    named = section(tmp_path / "swarm.db").model_copy(update={"roster": str(path)})
    path.write_text(f"{ROSTER.text()}\n", encoding="utf-8")
    assert opening.roster_of(named) == ROSTER
    path.write_text(f"{replace(ROSTER, version=2).text()}\n", encoding="utf-8")
    with pytest.raises(ProfileError, match=r"r\.json is version 2 of a roster.*bring back the file of version 0"):
        opening.roster_of(named)


@pytest.mark.parametrize("made", ["nothing", "tables", "another log"])
def test_who_only_reads_is_refused_where_there_is_no_log(tmp_path: Path, made: str) -> None:
    path = tmp_path / "swarm.db"
    if made == "tables":
        migrated(str(path))
    if made == "another log":
        open_store(str(path), "south", "main", roster=ROSTER).close()

    async def read() -> None:
        async with opening.opened_store(section(path), ROSTER, Teller("t", print), 1.0, founds=False):
            raise AssertionError

    with pytest.raises(NotReadyError, match=r"swarm\.db holds no log of north/main: the first voter or coordinator"):
        anyio.run(read)
    assert path.exists() == (made != "nothing"), "no file is left behind"


def test_a_process_that_follows_a_log_waits_until_it_is_begun(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, said = tmp_path / "swarm.db", list[str]()
    monkeypatch.setattr(opening, "FIRST_PAUSE", 0.01)

    def say(line: str) -> None:
        said.append(line)
        if "holds no log" in line:
            open_store(str(path), "north", "main", roster=ROSTER).close()

    async def follow() -> str:
        async with opening.opened_store(section(path), ROSTER, Teller("p", say), founds=False) as store:
            return store.log.cluster

    assert anyio.run(follow) == "north"
    assert len(said) == 2
    assert said[1] == "p: the database is there"


class Left(LocalBus):
    """A bus that notes why it is left."""

    why: BaseException | None = None

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.why = error
        await super().__aexit__(kind, error, trace)


def left(monkeypatch: pytest.MonkeyPatch) -> tuple[Left, Any]:
    """A bus, and a profile that names it."""
    bus = Left(LocalBusSettings())
    monkeypatch.setattr(opening, "make_driver", lambda *_, **__: bus)
    return bus, SimpleNamespace(drivers=SimpleNamespace(bus=SimpleNamespace(name="left", settings={})))


def test_a_bus_is_watched_and_left_at_once_after_an_error_which_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    bus, profile = left(monkeypatch)
    said: list[str] = []

    async def fail(error: Exception | None) -> None:
        async with opening.opened_bus(profile, "p.toml", Teller("v1", said.append)):
            bus.tell(RetryableError("lost"))
            if error is not None:
                raise error

    anyio.run(fail, None)
    assert bus.why is None
    assert said == ["v1: the bus lost something (lost); more are counted"]
    halt = HaltedError("stop")
    with pytest.raises(HaltedError):
        anyio.run(fail, halt)
    assert bus.why is halt


def test_a_trouble_is_said_again_while_it_lasts() -> None:
    now, said = 0.0, list[str]()
    teller = Teller("v1", said.append, lambda: now)
    for now in (0.0, 1.0, AGAIN_SECONDS - 1, AGAIN_SECONDS + 1, AGAIN_SECONDS + 2):
        teller.trouble("bus", f"away at {now:g}")
    teller.over("bus", "back")
    teller.over("bus", "back")
    teller.trouble("bus", "away again")
    assert said == ["v1: away at 0", f"v1: away at {AGAIN_SECONDS + 1:g}", "v1: back", "v1: away again"]
    assert teller.counts["bus"] == 6

"""Who may act in a seat's name: whoever has the key that the roster in force has for it, and nobody else."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import anyio
import pytest

from coinswarm.canonical import digest
from coinswarm.domain.proposal import ROSTER_KEY, Configure, Proposal, ProposalKind
from coinswarm.drivers.bus import LocalBus
from coinswarm.drivers.settings import LocalBusSettings
from coinswarm.errors import NotReadyError, OperatorError
from coinswarm.memory.quorum.fold import genesis
from coinswarm.memory.quorum.keys import Ed25519Scheme, Ed25519Signer
from coinswarm.memory.quorum.messages import Remember
from coinswarm.memory.quorum.records import START, Outcome
from coinswarm.memory.quorum.roster import ROSTER_SUBJECT, Roster, Seat, roster_from
from coinswarm.memory.quorum.verify import verify
from coinswarm.runtime.swarm.disk import Disk
from coinswarm.runtime.swarm.embedded import EmbeddedSwarm
from coinswarm.runtime.swarm.seating import Change, demand_seat, next_roster

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from runtime.swarm.conftest import Shard

    from coinswarm.memory.quorum.fold import Fold

KEYS = {name: "ed25519:" + digest(name) for name in ("v0", "v1", "v2", "v3", "v9", "desk", "new", "other")}


def rostered(version: int, voters: Mapping[str, str], desk: str = KEYS["desk"]) -> Roster:
    """A roster of seats with some keys."""
    return Roster(
        version=version,
        faulty=0,
        rules=digest("rules"),
        voters=tuple(Seat(name, key) for name, key in voters.items()),
        submitters=(Seat("desk", desk),),
    )


FIRST = {name: KEYS[name] for name in ("v0", "v1", "v2", "v3")}


def folded(*rosters: Roster) -> Fold:
    """A log in which these rosters came into force one after another."""
    return genesis("north", "main", rosters[0])._replace(rosters=rosters)


def test_the_roster_in_force_counts_and_no_other() -> None:
    fold = folded(rostered(0, FIRST), rostered(1, {**FIRST, "v0": KEYS["new"]}, KEYS["other"]))
    demand_seat(fold, "v0", KEYS["new"], "voter")
    demand_seat(fold, "v1", KEYS["v1"], "voter")
    demand_seat(fold, "desk", KEYS["other"], "submitter")
    for name, key, part in (("v0", KEYS["v0"], "voter"), ("desk", KEYS["desk"], "submitter")):
        with pytest.raises(NotReadyError, match=f"the key of {name} was replaced by version 1 of the roster") as caught:
            demand_seat(fold, name, key, part)  # type: ignore[arg-type] # a part of two
        assert "bring the new key" in caught.value.remedy
    with pytest.raises(NotReadyError, match=r"but the roster in force \(version 1\) has ed25519:") as caught:
        demand_seat(fold, "v1", KEYS["new"], "voter")
    assert "not in force yet: propose it (coinswarm memory roster)" in caught.value.remedy
    with pytest.raises(NotReadyError, match=r"\(version 1\) has no voter 'desk'"):
        demand_seat(fold, "desk", KEYS["other"], "voter")


def test_a_seat_that_is_not_there_yet_is_told_from_one_that_was_removed() -> None:
    shrunk = {name: key for name, key in FIRST.items() if name != "v3"}
    fold = folded(rostered(0, FIRST), rostered(1, shrunk))
    with pytest.raises(NotReadyError, match="v3 has no seat any more: version 1 of the roster removed that voter"):
        demand_seat(fold, "v3", KEYS["v3"], "voter")
    with pytest.raises(NotReadyError, match=r"the roster in force \(version 1\) has no voter 'v9'") as caught:
        demand_seat(fold, "v9", KEYS["v9"], "voter")
    assert f"if it is to be seated with {KEYS['v9']}, that is not in force yet" in caught.value.remedy


def test_the_next_roster_changes_one_voter_and_keeps_the_rest() -> None:
    now = rostered(3, FIRST)
    told = next_roster(now, Change(voters={"v1": KEYS["new"]}))
    change = told["change"]
    assert isinstance(change, dict)
    new = roster_from(change["value"])
    assert (told["subject"], told["base_version"], change["key"]) == (ROSTER_SUBJECT, 3, ROSTER_KEY)
    assert new == replace(rostered(4, {**FIRST, "v1": KEYS["new"]}))
    assert not Change()
    for wrong, why in (
        (Change(voters={"v1": KEYS["new"], "v9": KEYS["v9"]}), "one at a time"),
        (Change(voters={"v1": "ed25519:12"}), "'ed25519:12', given for v1, is no public key"),
        (Change(voters={"v1": KEYS["v0"]}), "keys of voters"),
        (Change(removed=("v8",)), "has no seat 'v8' to be removed"),
        (Change(voters={"v1": KEYS["new"]}, removed=("v1",)), "v1 is to be removed and to be seated"),
        (Change(faulty=2), "no roster can follow version 3 that way"),
    ):
        with pytest.raises(OperatorError, match=why):
            next_roster(now, wrong)


def proposed(roster: Roster, change: Change) -> Proposal:
    """The next roster as a proposal."""
    told = next_roster(roster, change)["change"]
    assert isinstance(told, dict)
    return Proposal(
        kind=ProposalKind.CONFIGURE,
        subject=ROSTER_SUBJECT,
        base_version=roster.version,
        change=Configure(ROSTER_KEY, told["value"]),
    )


@pytest.mark.anyio
@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_a_change_of_the_roster_is_carried_out(
    shard: Shard, tmp_path: Path, propose: Callable[..., Proposal]
) -> None:
    """The old key's seat stops while it runs; with the new key, and with one seat more, all of them decide."""
    cast, log = shard.cast, shard.log
    said: list[str] = []
    new, fifth = Ed25519Signer(b"n" * 32), Ed25519Signer(b"f" * 32)
    change = proposed(cast.roster, Change(voters={"v0": new.key}))
    plugin = cast.voters["v1"][1]
    async with LocalBus(LocalBusSettings()) as bus:

        def swarm() -> EmbeddedSwarm:
            return EmbeddedSwarm("north", "main", cast, tmp_path, bus, log, shard.gather, said.append)

        async with swarm() as running:
            assert (await running.propose(change)).outcome is Outcome.ACCEPT
            with anyio.fail_after(30):
                while not running.halts:  # noqa: ASYNC110 - it reads the log once a second
                    await anyio.sleep(0.02)
            assert running.halts.keys() == {"v0"}
            assert (await running.propose(propose())).outcome is Outcome.ACCEPT, "the others decide"
        assert "the key of v0 was replaced by version 1 of the roster" in said[0]
        cast = replace(cast, voters={**cast.voters, "v0": (new, plugin)})
        one = roster_from(change.change.value)  # type: ignore[union-attr] # it configures
        async with swarm() as running:
            assert (await running.propose(proposed(one, Change(voters={"v4": fifth.key})))).outcome is Outcome.ACCEPT
        cast = replace(cast, voters={**cast.voters, "v4": (fifth, plugin)})
        with Disk(tmp_path / "v4.sqlite", "v4", "north", "main") as disk:
            disk.write([Remember(START)])  # as --new-disk
        cast = replace(cast, voters={name: cast.voters[name] for name in ("v0", "v1", "v2", "v4")})
        async with swarm() as running:
            assert (await running.propose(propose(base=1))).outcome is Outcome.ACCEPT, "four of five decide"
            assert not running.halts
    assert len(said) == 1
    entries = log.rows.entries
    assert {ballot.voter for ballot in entries[1].proof} == {"v1", "v2", "v3"}
    assert {ballot.voter for ballot in entries[3].proof} == {"v0", "v1", "v2", "v4"}
    report = verify(genesis("north", "main", cast.roster), entries, log.rows.head, Ed25519Scheme())
    assert (report.why, report.fold.roster.version) == ("", 2)

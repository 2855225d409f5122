"""Bytes in a history: what a driver reads of them has one spelling, and no part ends by them."""

from __future__ import annotations

import json
from collections import Counter
from random import Random
from typing import TYPE_CHECKING, NoReturn

import pytest

from coinswarm.memory.quorum.codec import BODY_LIMIT
from coinswarm.memory.quorum.messages import Propose, Vote
from coinswarm.memory.quorum.wire import message_bytes
from coinswarm_testkit.quorum import strange
from coinswarm_testkit.quorum.plan import CONFIGURATIONS
from coinswarm_testkit.quorum.wire import Wire, is_readable
from coinswarm_testkit.quorum.world import World, on_wire

if TYPE_CHECKING:
    from coinswarm_testkit.quorum.plan import Sizes

SEEDS = [seed for seed in range(200_000, 200_200) if on_wire(seed)]


@pytest.fixture(scope="module")
def votes() -> list[Vote]:
    """What a liar and the honest sent in a few histories."""
    found = []
    for seed in range(1, 6):
        world = World(seed, CONFIGURATIONS[1])
        world.run()
        found += world.heard
    assert len(found) > 20
    return found


def test_bytes_that_are_read_are_the_one_spelling_of_what_they_say(votes: list[Vote]) -> None:
    """Else one honest message would make many, by anybody."""
    rng, told = Random(5), Counter[str]()  # noqa: S311 - a seed is wanted
    cast = World(1, CONFIGURATIONS[1]).cast
    wire = Wire(5, cast, (0,))
    for vote in votes * 10:
        data = message_bytes(vote)
        for manner, other in {
            "respelled": strange.respelled(rng, data),
            "broken": strange.broken(rng, data),
            "unsigned": strange.said(rng, data, rng.choice(("ballot", "envelope")), None),
            "signed": strange.said(rng, data, "ballot", cast.voters[0]),
            "proposed": strange.said(rng, message_bytes(Propose(vote.envelope)), "envelope", cast.submitter),
        }.items():
            found = wire.heard(other)
            told[manner] += found is not None
            if found is not None:
                assert message_bytes(found) == other
                assert is_readable(found)
    assert told["signed"] > 20, "some of it can be read, and is for the part to judge"
    assert told["proposed"] > 20


def test_another_spelling_is_dropped_or_tells_of_another_signature(votes: list[Vote]) -> None:
    rng = Random(6)  # noqa: S311 - a seed is wanted
    world = World(1, CONFIGURATIONS[1])
    wire = Wire(6, world.cast, ())
    for vote in votes * 5:
        found = wire.heard(strange.respelled(rng, message_bytes(vote)))
        if found is None or found == vote:
            continue
        assert isinstance(found, Vote)
        assert (found.ballot.body, found.envelope.body) == (vote.ballot.body, vote.envelope.body)
        keys = world.cast.roster.voter_keys
        assert not world.cast.scheme.verify(keys[vote.ballot.voter], found.ballot.signature, found.ballot.body) or (
            found.ballot.signature == vote.ballot.signature
        )


def test_a_proposal_is_filled_to_the_last_byte_there_is_and_beyond(votes: list[Vote]) -> None:
    rng, sizes = Random(7), Counter[int]()  # noqa: S311 - a seed is wanted
    wire = Wire(7, World(1, CONFIGURATIONS[1]).cast, ())
    configured = [vote for vote in votes if "acceptance" in vote.envelope.proposal.subject]
    for vote in configured * 4:
        data = strange.said(rng, message_bytes(Propose(vote.envelope)), "envelope", None)
        size = len(json.dumps(json.loads(data)["envelope"]["body"], sort_keys=True, separators=(",", ":"))) if (
            len(data) > BODY_LIMIT
        ) else 0  # fmt: skip
        sizes[size - BODY_LIMIT] += 1
        if size:
            assert (wire.heard(data) is not None) == (size <= BODY_LIMIT)
    assert {-1, 0, 1} <= set(sizes)
    assert max(sizes) > 1


@pytest.mark.parametrize("sizes", CONFIGURATIONS, ids=str)
def test_no_part_ends_by_what_somebody_sends(sizes: Sizes) -> None:
    faults = Counter[str]()
    for seed in SEEDS:
        history = World(seed, sizes).run()
        assert history.violations == ()
        faults += history.faults
    assert {"bytes dropped", "broken bytes", "respelled", "strange, unsigned", "strange proposal"} <= set(faults)


def test_a_part_that_ends_is_told_of() -> None:
    def end(*_: object) -> NoReturn:
        what = "what"
        raise KeyError(what)

    world = World(SEEDS[0], CONFIGURATIONS[1])
    world.voters[0].step = end
    assert ("I10", "v0 was ended by what somebody sent: KeyError('what')") in world.run().violations


def test_seeds_on_the_wire_go_with_every_other_that_seeds_decide() -> None:
    """Signed by Ed25519, read a few entries at a time, each of the configurations in a hunt."""
    chosen = [seed for seed in range(2_100) if on_wire(seed)]
    for divisor in (2, 3, 4, 5, 50):
        assert {seed % divisor for seed in chosen} == set(range(divisor))

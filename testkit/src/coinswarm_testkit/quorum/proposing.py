"""Who proposes what in a history: an honest submitter mostly, one that says two things, and one that is none."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING

from coinswarm.canonical import digest
from coinswarm.domain.episode import Episode
from coinswarm.domain.proposal import (
    ROSTER_KEY,
    AddEpisode,
    Configure,
    Proposal,
    ProposalKind,
    Reference,
    episodes_of,
    several,
)
from coinswarm.memory.quorum import messages as m
from coinswarm.memory.quorum.records import Envelope
from coinswarm.memory.quorum.roster import ROSTER_SUBJECT
from coinswarm_testkit.quorum import liars
from coinswarm_testkit.quorum.node import CLUSTER, SHARD
from coinswarm_testkit.quorum.plan import DEADLINE_NS, SECOND
from coinswarm_testkit.quorum.scheme import SUBMITTER

if TYPE_CHECKING:
    from coinswarm_testkit.quorum.world import World


def made(world: World, life_ns: int, *, steady: bool = False) -> Envelope:
    """A proposal about something, starting from what is in force; in chaos, sometimes from what is not."""
    world.made += 1
    rows = world.log.rows
    remembers = world.seed % 3 != 1 and world.rng.random() < 0.4  # noqa: PLR2004 - the third are as they always were
    return Envelope(
        cluster=CLUSTER,
        shard=SHARD,
        roster=len(rows.rosters) - 1,
        submitter=SUBMITTER,
        nonce=world.made,
        deadline_ns=max(world.database_ns(), rows.head_ns) + life_ns,
        proposal=_remembering(world, steady=steady) if remembers else _configuring(world, steady=steady),
    ).signed(world.cast.submitter)


def _remembering(world: World, *, steady: bool) -> Proposal:
    """Episodes of few that there are just now: proposals share some, and some are remembered already."""
    rng, rows = world.rng, world.log.rows
    first = world.made // 2
    numbers = rng.sample(range(first, first + 5), rng.choice((1, 2, 2, 3, 4)))
    parts = tuple(_episode(number, "bad" if rng.random() < 0.08 else "good") for number in numbers)  # noqa: PLR2004
    if len(parts) > 1:
        return several(parts)
    subject = f"episode/{parts[0].episode.id}"
    version = rows.state[subject][0] if subject in rows.state else 0
    if not steady:
        version = max(0, version + rng.choice((0, 0, 0, 0, 1, -1)))
    return Proposal(kind=ProposalKind.ADD_EPISODE, subject=subject, base_version=version, change=parts[0])


@lru_cache(maxsize=256)
def _episode(number: int, regime: str) -> AddEpisode:
    name = digest(f"episode {number}")
    episode = Episode(
        id=name, agent="trend", instrument="X", side=1, decided_ns=1, known_ns=2, result_ppm=number, regime=regime
    )
    return AddEpisode(
        space="state", dimension=2, episode=episode, vector_digest=name, trade=Reference(f"trade/{name}", name)
    )


def _configuring(world: World, *, steady: bool) -> Proposal:
    rng, rows = world.rng, world.log.rows
    if not steady and rng.random() < 0.12:  # noqa: PLR2004 - one in eight asks for another roster
        subject, version = ROSTER_SUBJECT, len(rows.rosters) - 1
        roster = replace(rows.rosters[-1], version=version + 1, rules=digest(f"rules {world.seed} {world.made}"))
        change = Configure(ROSTER_KEY, roster.text() if rng.random() < 0.8 else "bad")  # noqa: PLR2004
    else:
        subject = f"acceptance/{rng.choice(('cap', 'floor'))}"
        version = rows.state[subject][0] if subject in rows.state else 0
        if not steady:
            version = max(0, version + rng.choice((0, 0, 0, 0, 1, -1)))
        word = "bad" if rng.random() < 0.2 else "good"  # noqa: PLR2004
        change = Configure(subject.replace("/", "."), f"{word} {world.made}")
    return Proposal(kind=ProposalKind.CONFIGURE, subject=subject, base_version=version, change=change)


def is_good(proposal: Proposal) -> bool:
    """What honest voters make of it: all of several must be good."""
    change = proposal.change
    if isinstance(change, Configure):
        return not change.value.startswith("bad")
    return all(each.episode.regime == "good" for each in episodes_of(change))


def propose(world: World, life_ns: int) -> None:
    """The submitter proposes; or somebody does who lies."""
    envelope, luck = made(world, life_ns), world.rng.random()
    if luck < 0.1:  # noqa: PLR2004 - one in ten is a submitter that says two things under one nonce
        world.faults["two proposals of one nonce"] += 1
        change = Configure("acceptance.other", "good otherwise")
        proposal = Proposal(
            kind=ProposalKind.CONFIGURE, subject=f"acceptance/{world.made}", base_version=0, change=change
        )
        other = replace(envelope, proposal=proposal, signature="").signed(world.cast.submitter)
        for one in (envelope, other, envelope, other):
            world.publish(world.desk, m.Propose(one), everybody=False)
        for wait in (1, 2, 3):
            world.later(wait * SECOND, world.publish, world.desk, m.Propose(other))
    elif luck < 0.2:  # noqa: PLR2004 - and one in ten pretends to be the submitter
        world.faults["forged proposal"] += 1
        world.publish(world.desk, m.Propose(liars.forged_envelope(envelope, world.cast)))
    else:
        world.tell(world.desk, world.desk.life, m.Submit(envelope))


def propose_tail(world: World) -> None:
    """A proposal that must be decided in time (I10)."""
    envelope = made(world, DEADLINE_NS, steady=True)
    world.tail.append(envelope)
    world.tell(world.desk, world.desk.life, m.Submit(envelope))

"""What will go wrong in one history: drawn from its seed before it begins, so that a seed is a bug report."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from random import Random

SECOND = 1_000_000_000
CHAOS_NS = 8 * SECOND
"""Faults strike until here; then the network is fair, clocks are steady, and who may come back is back."""

TAIL_NS = 9 * SECOND
DEADLINE_NS = 10 * SECOND
"""Proposals of the tail are made after the one, and have so long."""

END_NS = 24 * SECOND

LIES = ("silent", "equivocate", "twice", "forge", "replay", "lie", "heads", "amnesia", "any")
"""What a Byzantine voter does."""

SPECIAL = ("", "restore", "edit", "rewrite", "minority")
"""Histories of one purpose: an old backup is restored, a row is edited, the past is rewritten hash and all, or too few
voters are left."""


class Sizes(NamedTuple):
    """A configuration: (N, q, f)."""

    voters: int
    quorum: int
    faulty: int


CONFIGURATIONS = (Sizes(3, 2, 0), Sizes(4, 3, 1), Sizes(6, 4, 1), Sizes(7, 5, 2))


class Fault(NamedTuple):
    """Something that happens once.

    :param until_ns: when it ends, where it does.
    """

    at_ns: int
    kind: str
    target: int
    until_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """One history's misfortunes.

    :param liars: places of the Byzantine voters, and how each lies.
    :param dead: places of voters that are gone for good from the tail on.
    :param censor: whether the first coordinator passes over every proposal.
    :param forger: whether the second coordinator asks for what nobody certified.
    :param loss, double: chance that a message is lost, or comes twice, during chaos.
    :param torn: chance that a transaction is cut off at one of its steps.
    :param frail: chance that a process dies when its disk has synced, before it hears of it.
    """

    liars: dict[int, str]
    dead: frozenset[int]
    censor: bool
    forger: bool
    loss: float
    double: float
    slow_ns: int
    torn: float
    frail: float
    special: str
    faults: tuple[Fault, ...]


def draw(rng: Random, sizes: Sizes) -> Plan:
    """Draw a plan within what the configuration must bear."""
    spare = sizes.voters - sizes.quorum
    places = list(range(sizes.voters))
    rng.shuffle(places)
    lying = rng.randint(0, sizes.faulty)
    liars = {place: rng.choice(LIES) for place in places[:lying]}
    gone = rng.randint(0, spare - lying)
    dead = frozenset(places[lying : lying + gone])
    luck = rng.random()
    special = ""
    if luck < 0.2:  # noqa: PLR2004 - one history in five has a purpose of its own
        special = SPECIAL[1 + int(luck / 0.05)]
    if special == "minority":
        dead = frozenset(places[sizes.quorum - 1 :])
    return Plan(
        liars=liars,
        dead=dead,
        censor=rng.random() < 0.2,  # noqa: PLR2004 - odds of a kind of history, here and below
        forger=rng.random() < 0.2,  # noqa: PLR2004
        loss=rng.choice((0.0, 0.05, 0.25)),
        double=rng.choice((0.0, 0.1)),
        slow_ns=rng.choice((20, 100, 600)) * 1_000_000,
        torn=rng.choice((0.0, 0.1, 0.3)),
        frail=rng.choice((0.0, 0.0, 0.15)),
        special=special,
        faults=_faults(rng, sizes),
    )


KINDS = ("crash", "crash", "pause", "pause", "partition", "database", "clock", "flush", "stale-index", "other-index")


def _faults(rng: Random, sizes: Sizes) -> tuple[Fault, ...]:
    """Between two and seven faults; a target is a voter, a coordinator or the submitter."""
    faults = []
    for _ in range(rng.randint(2, 7)):
        at = rng.randrange(CHAOS_NS)
        length = rng.choice((SECOND // 2, 2 * SECOND, 5 * SECOND))
        faults.append(Fault(at, rng.choice(KINDS), rng.randrange(sizes.voters + 3), min(at + length, CHAOS_NS)))
    return tuple(sorted(faults))

"""How those are parted that were refused together: each is in one part, and there is an end to it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as some

from coinswarm.canonical import digest
from coinswarm.domain.episode import Episode
from coinswarm.domain.proposal import AddEpisode, Claim, Proposal, ProposalKind, Reference, several
from coinswarm.memory.quorum.records import Outcome
from coinswarm.memory.quorum.table import Table
from coinswarm.runtime.swarm.bundling import (
    LEAST_NS,
    LONGEST_NS,
    PARTS,
    Asked,
    apart,
    deadline_ns,
    is_open,
    may_share,
    orphan,
    orphans,
    together,
)

SECOND = 1_000_000_000


def proposal(number: int) -> Proposal:
    """To remember an episode."""
    episode = Episode(
        id=digest(number), agent="trend", instrument="X", side=1, decided_ns=1, known_ns=2, result_ppm=number
    )
    trade = Reference(f"trade/{episode.id}", digest(number))
    change = AddEpisode(space="s", dimension=2, episode=episode, vector_digest=digest(number), trade=trade)
    subject = f"episode/{episode.id}"
    return Proposal(kind=ProposalKind.ADD_EPISODE, subject=subject, base_version=0, change=change, evidence=(trade,))


def asked(count: int, deadline: int = 0) -> list[Asked]:
    return [Asked(proposal(number), 30 * SECOND, shares=True, deadline_ns=deadline) for number in range(count)]


@given(count=some.integers(2, 64), known=some.sets(some.integers(0, 63)))
def test_each_is_in_one_part_and_every_part_is_smaller(count: int, known: set[int]) -> None:
    those, versions = asked(count), Table[int]()
    for number in known:
        versions = versions.put(proposal(number).subject, 1)
    parts = apart(those, versions)
    assert sorted([id(one) for part in parts for one in part]) == sorted(map(id, those))
    assert all(0 < len(part) < count for part in parts)
    culprits = known & set(range(count))
    assert all(len(part) == 1 for part in parts if any(versions.get(one.proposal.subject) for one in part))
    assert len(parts) <= (len(culprits) + 1 if culprits else PARTS)


@pytest.mark.parametrize("bad", [0, 9, 63])
def test_one_bad_of_sixty_four_costs_sixteen_more(bad: int) -> None:
    todo, proposals = [tuple(asked(64))], 0
    culprit = todo[0][bad]
    while todo:
        those = todo.pop()
        proposals += 1
        todo += apart(those, Table()) if culprit in those and len(those) > 1 else []
    assert proposals == 1 + 16


def test_together_they_have_half_of_their_time_and_alone_all_of_it() -> None:
    now = 1_000 * SECOND
    assert deadline_ns(asked(1, now + 30 * SECOND), now) == now + 30 * SECOND
    assert deadline_ns(asked(2, now + 12 * SECOND), now) == now + 6 * SECOND
    assert deadline_ns(asked(2, now + 600 * SECOND), now) == now + LONGEST_NS
    assert deadline_ns(asked(1, now - SECOND), now) == now + LEAST_NS, "a part whose time is up has a last chance"
    short = Asked(proposal(1), SECOND // 10, deadline_ns=now + SECOND // 10)
    assert deadline_ns([short], now) == now + SECOND // 10


def test_an_outcome_of_all_is_one_of_each_only_where_it_is() -> None:
    [one] = asked(1, 5 * SECOND)
    assert not is_open(one, Outcome.ACCEPT, 1)
    assert is_open(one, Outcome.REJECT, 9 * SECOND)
    assert is_open(one, Outcome.CONFLICT, 9 * SECOND)
    assert is_open(one, Outcome.EXPIRED, 4 * SECOND)
    assert not is_open(one, Outcome.EXPIRED, 5 * SECOND)
    assert is_open(asked(1)[0], Outcome.EXPIRED, 5 * SECOND), "nobody knows its deadline any more"


def test_what_a_later_life_finds_is_what_was_asked() -> None:
    those = asked(5)
    found = orphans(together(those), SECOND)
    assert [one.proposal for one in found] == [one.proposal for one in those]
    assert all(one.left and one.shares and not one.deadline_ns for one in found)
    assert together(those[:1]) is those[0].proposal


def test_only_what_asks_for_nothing_more_may_share() -> None:
    one = proposal(1)
    assert may_share(one)
    trade = one.evidence[0]
    for other in (
        replace(one, evidence=()),
        replace(one, evidence=(trade, Reference("trades/x", trade.digest))),
        replace(one, claims=(Claim(what="sharpe", value_ppm=1),)),
        replace(one, base_version=1),
        replace(one, subject="episode/other"),
        several((one.change,)) if isinstance(one.change, AddEpisode) else one,
    ):
        assert not may_share(other)


def test_what_is_left_of_an_earlier_key_is_asked_for_as_it_was() -> None:
    """All or nothing stays so, and so does what is cited; only what asks for no more than an episode may travel."""
    alone = proposal(1)
    more = replace(alone, evidence=(*alone.evidence, Reference("trade/other", digest("other"))))
    whole = several(tuple(one.change for one in (proposal(2), proposal(3)) if isinstance(one.change, AddEpisode)))
    left = [orphan(one, SECOND) for one in (alone, more, whole)]
    assert [one.proposal for one in left] == [alone, more, whole]
    assert [one.shares for one in left] == [True, False, False]
    assert all(one.left for one in left)

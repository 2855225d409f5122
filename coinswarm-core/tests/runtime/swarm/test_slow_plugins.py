"""A plugin that does not come back in time: its thread is left behind, and what it brings later counts too."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import anyio
import pytest

from coinswarm.contracts import Voter
from coinswarm.domain.acceptance import AcceptanceRules, Evidence, Verdict, mandatory
from coinswarm.memory.quorum.messages import Deferred, Evaluated, Evaluations
from coinswarm.memory.quorum.records import Envelope
from coinswarm.runtime.swarm import judging
from coinswarm.runtime.swarm.judging import ABANDONED, SPARE, TRIES, Judge
from coinswarm.runtime.swarm.telling import Teller

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from coinswarm.domain.proposal import Proposal

    Made = Callable[[int], Envelope]

pytestmark = pytest.mark.anyio

SECONDS = 5
PAUSE = 6
"""Longer than it takes a test to have several proposals hang."""


@pytest.fixture
def anyio_backend() -> str:
    """The one that drivers are made for."""
    return "asyncio"


@pytest.fixture
def envelope(propose: Callable[..., Proposal]) -> Made:
    """Makes envelopes, each of another proposal."""

    def made(nonce: int) -> Envelope:
        return Envelope(
            cluster="north", shard="main", roster=0, submitter="desk", nonce=nonce, deadline_ns=9,
            proposal=propose(subject=f"acceptance/{nonce}", value=str(nonce)),
        )  # fmt: skip

    return made


class Waits(Voter):
    """Comes back from a proposal when it is let go, and at once from those that it is quick with."""

    def __init__(self) -> None:
        self.began = threading.Semaphore(0)
        self.quick: set[str] = set()
        self.raises: set[str] = set()
        self.calls: list[str] = []
        self.held: dict[str, threading.Event] = {}

    def evaluate(self, proposal: Proposal, evidence: Evidence) -> Verdict:  # noqa: ARG002 - the contract's
        self.calls.append(proposal.subject)
        go = self.held.setdefault(proposal.subject, threading.Event())
        self.began.release()
        if proposal.subject not in self.quick:
            go.wait(60)
        if proposal.subject in self.raises:
            message = "too late"
            raise RuntimeError(message)
        return Verdict(held=mandatory(proposal))

    def let_go(self, one: Envelope) -> None:
        self.held[one.proposal.subject].set()


class Seat:
    """A judge at work on a clock that the test moves, and what came of it."""

    def __init__(self) -> None:
        self.voter, self.now = Waits(), 100.0
        self.said: list[str] = []
        self.answers: list[Evaluated | Deferred] = []
        self.teller = Teller("v1", self.said.append)
        self.judge = Judge("v1", self.voter, _gather, self.teller, lambda: self.now, seconds=SECONDS)

    def tell(self, event: Evaluated | Deferred | Evaluations) -> None:
        self.answers += event.results if isinstance(event, Evaluations) else (event,)

    def passes(self, seconds: float) -> None:
        """Time passes, and the seat looks at its thread as often as it does."""
        for _ in range(round(seconds / judging._LOOK_SECONDS)):
            self.now += judging._LOOK_SECONDS
            self.judge._look()

    async def asked(self, one: Envelope) -> None:
        """Ask, and wait until the plugin is at work on it."""
        self.judge.judge(one)
        await self.at_work()

    async def at_work(self) -> None:
        began = self.voter.began
        assert await anyio.to_thread.run_sync(lambda: began.acquire(timeout=30)), "nothing is judged"

    async def hangs_in(self, *envelopes: Envelope) -> None:
        for one in envelopes:
            await self.asked(one)
            self.passes(SECONDS + 1)

    async def until(self, what: Callable[[], bool]) -> None:
        with anyio.fail_after(30):
            while not what():
                await anyio.lowlevel.checkpoint()

    def of(self, one: Envelope) -> list[type[Evaluated | Deferred]]:
        return [type(answer) for answer in self.answers if answer.proposal == one.id]


def _gather(_envelope: Envelope) -> Evidence:
    return Evidence(now_ns=1, version=0, rules=AcceptanceRules())


@pytest.fixture
async def seat(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Seat]:
    """A judge at work; it looks when the test says so."""
    seat = Seat()
    looks = anyio.Event()

    async def never(_seconds: float) -> None:
        await looks.wait()

    monkeypatch.setattr(judging, "PAUSE", PAUSE)
    monkeypatch.setattr("coinswarm.runtime.swarm.judging.anyio.sleep", never)
    async with anyio.create_task_group() as group:
        group.start_soon(seat.judge.run, seat.tell)
        await anyio.lowlevel.checkpoint()
        yield seat
        for go in seat.voter.held.values():
            go.set()
        group.cancel_scope.cancel()


async def test_what_waits_behind_a_hanging_one_is_judged_by_the_next_thread(seat: Seat, envelope: Made) -> None:
    """The hanging one is given up when its time is over, and not before."""
    first, second, third = (envelope(number) for number in range(3))
    seat.voter.quick = {second.proposal.subject, third.proposal.subject}
    await seat.asked(first)
    seat.judge.judge(second)
    seat.judge.judge(third)
    seat.passes(SECONDS)
    assert seat.said == []
    seat.passes(1)
    await seat.until(lambda: len(seat.answers) == 2)
    assert (seat.of(first), seat.of(second), seat.of(third)) == ([], [Evaluated], [Evaluated])
    assert len(seat.said) == 1
    assert f"has not come back from {first.id[:12]} within 5 s" in seat.said[0]


async def test_a_thread_that_comes_back_hangs_no_longer_and_what_it_found_counts(seat: Seat, envelope: Made) -> None:
    """As often as it happens: the seat goes on judging."""
    for number in range(3 * ABANDONED):
        one = envelope(number)
        await seat.hangs_in(one)
        seat.voter.let_go(one)
        await seat.until(lambda one=one: seat.of(one) == [Evaluated])  # type: ignore[misc]
    counts = seat.teller.counts
    assert counts["plugin hangs"] == counts["plugin came back"] == 3 * ABANDONED
    assert len(seat.said) == 6 * ABANDONED
    assert f"has come back from {envelope(0).id[:12]} after 6 s; 0 of its threads hang" in seat.said[1]


async def test_while_too_many_hang_nothing_is_judged_until_one_comes_back(seat: Seat, envelope: Made) -> None:
    slow = [envelope(number) for number in range(ABANDONED)]
    waits, later = envelope(98), envelope(99)
    await seat.hangs_in(*slow[:-1])
    await seat.asked(slow[-1])
    seat.judge.judge(waits)
    seat.passes(SECONDS + 1)
    assert "that was the last thread: this seat judges nothing more until one comes back" in seat.said[-1]
    seat.judge.judge(later)
    seat.passes(10 * PAUSE * SECONDS)
    assert (seat.of(waits), seat.of(later)) == ([Deferred], [Deferred]), "they are asked for again"
    seat.voter.let_go(slow[1])
    await seat.until(lambda: seat.of(slow[1]) == [Evaluated])
    assert "3 of its threads hang; this seat judges again" in seat.said[-1]
    seat.voter.quick = {later.proposal.subject}
    seat.judge.judge(later)
    await seat.until(lambda: seat.of(later) == [Deferred, Evaluated])


async def test_a_proposal_that_hangs_is_judged_once_more_after_a_while_and_never_again(
    seat: Seat, envelope: Made
) -> None:
    one, other = envelope(1), envelope(2)
    await seat.hangs_in(one)
    seat.passes(PAUSE * SECONDS - 2)
    assert seat.voter.calls == [one.proposal.subject]
    seat.passes(2)
    await seat.at_work()
    seat.passes(1_000)
    assert seat.voter.calls == [one.proposal.subject] * TRIES
    assert seat.teller.counts["plugin hangs"] == TRIES < ABANDONED
    seat.voter.quick = {other.proposal.subject}
    await seat.asked(other)
    await seat.until(lambda: seat.of(other) == [Evaluated])
    seat.voter.let_go(one)
    await seat.until(lambda: seat.teller.counts["plugin came back"] == TRIES)
    assert seat.of(one) == [Evaluated], "two threads found it, and it is told once"


async def test_several_that_hang_are_not_judged_again_where_that_could_silence_the_seat(
    seat: Seat, envelope: Made
) -> None:
    slow = [envelope(number) for number in range(ABANDONED - 1)]
    await seat.hangs_in(*slow)
    seat.passes(1_000)
    assert len(seat.voter.calls) == len(slow), f"{SPARE} threads are for others"
    for one in slow[:2]:
        seat.voter.let_go(one)
        await seat.until(lambda one=one: seat.of(one) == [Evaluated])  # type: ignore[misc]
    seat.passes(1)
    await seat.at_work()
    assert seat.voter.calls[-1] == slow[2].proposal.subject


async def test_one_that_waits_behind_another_for_its_second_thread_gets_it_when_one_is_to_spare(
    seat: Seat, envelope: Made
) -> None:
    one, other = envelope(1), envelope(2)
    await seat.hangs_in(one)
    seat.passes(PAUSE * SECONDS - 4)
    await seat.hangs_in(other)
    seat.passes(1_000)
    assert seat.voter.calls == [each.proposal.subject for each in (one, other)]
    seat.voter.let_go(other)
    await seat.until(lambda: seat.of(other) == [Evaluated])
    seat.passes(1)
    await seat.at_work()
    assert seat.voter.calls == [each.proposal.subject for each in (one, other, one)]


async def test_two_that_are_due_at_once_are_not_both_judged_again(seat: Seat, envelope: Made) -> None:
    """The second waits until it is known that the first does not hang once more."""
    slow, other = [envelope(number) for number in range(2)], envelope(9)
    seat.voter.raises = {one.proposal.subject for one in slow}
    await seat.hangs_in(*slow)
    for one in slow:
        seat.voter.let_go(one)
        await seat.until(lambda one=one: seat.of(one) == [Deferred])  # type: ignore[misc]
    seat.passes(PAUSE * SECONDS + 1)
    seat.voter.held = {}
    await seat.hangs_in(other)
    await seat.asked(slow[0])
    seat.judge.judge(slow[1])
    seat.passes(1_000)
    assert [each.proposal.subject for each in (*slow, other, slow[0])] == seat.voter.calls
    seat.voter.let_go(other)
    await seat.until(lambda: seat.of(other) == [Evaluated])
    seat.passes(1)
    await seat.at_work()
    assert seat.voter.calls[-1] == slow[1].proposal.subject


async def test_one_that_is_asked_for_while_a_thread_is_at_work_on_it_waits_for_that(
    seat: Seat, envelope: Made, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its second thread had no evidence; the first one finds something after all."""
    one = envelope(1)
    await seat.hangs_in(one)
    monkeypatch.setattr(seat.judge, "gather", lambda _: None)
    seat.passes(PAUSE * SECONDS)
    await seat.until(lambda: seat.of(one) == [Deferred])
    seat.judge.judge(one)
    assert seat.of(one) == [Deferred]
    seat.voter.let_go(one)
    await seat.until(lambda: seat.of(one) == [Deferred, Evaluated])
    assert len(seat.voter.calls) == 1


async def test_one_that_raises_late_is_told_and_not_judged_at_once(seat: Seat, envelope: Made) -> None:
    one = envelope(1)
    seat.voter.raises = {one.proposal.subject}
    await seat.hangs_in(one)
    seat.voter.let_go(one)
    await seat.until(lambda: seat.of(one) == [Deferred])
    assert "raised RuntimeError: too late" in seat.said[-1]
    seat.judge.judge(one)
    assert seat.of(one) == [Deferred] * 2
    seat.passes(PAUSE * SECONDS + 1)
    assert len(seat.voter.calls) == 1, "nobody asks"
    await seat.asked(one)
    await seat.until(lambda: len(seat.of(one)) == 3)
    assert len(seat.voter.calls) == 2


async def test_time_in_which_nobody_looked_is_not_the_plugin_s(seat: Seat, envelope: Made) -> None:
    """A machine that is suspended, or a process that is stopped."""
    one = envelope(1)
    await seat.asked(one)
    for _ in range(3):
        seat.now += 100_000
        seat.judge._look()
    assert seat.said == []
    seat.voter.let_go(one)
    await seat.until(lambda: seat.of(one) == [Evaluated])
    assert seat.teller.counts == {}


async def test_a_seat_that_stopped_takes_nothing_from_threads_that_come_back(
    envelope: Made, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(judging, "_LOOK_SECONDS", 60)
    seat, one = Seat(), envelope(1)
    async with anyio.create_task_group() as group:
        group.start_soon(seat.judge.run, seat.tell)
        await anyio.lowlevel.checkpoint()
        await seat.asked(one)
        seat.passes(180)
        group.cancel_scope.cancel()
    threads = [each for each in threading.enumerate() if each.name == "judge v1"]
    seat.voter.let_go(one)
    for thread in threads:
        await anyio.to_thread.run_sync(thread.join, 30)
    for _ in range(3):
        await anyio.lowlevel.checkpoint()
    assert seat.answers == []
    assert len(seat.said) == 1
    assert not [each for each in threading.enumerate() if each.name == "judge v1"]


async def test_what_is_decided_meanwhile_is_not_tried_again(seat: Seat, envelope: Made) -> None:
    """Else one proposal that ended long ago would have two threads hang."""
    slow, other = envelope(1), envelope(2)
    await seat.hangs_in(slow)
    seat.judge.forget([slow.id])
    seat.passes(2 * PAUSE * SECONDS)
    seat.voter.quick.add(other.proposal.subject)
    await seat.asked(other)
    await seat.until(lambda: seat.of(other) == [Evaluated])
    assert seat.voter.calls == [slow.proposal.subject, other.proposal.subject]
    seat.voter.let_go(slow)
    await seat.until(lambda: any("come back" in line for line in seat.said[1:]))
    assert seat.of(slow) == [], "nobody asks for it any more"

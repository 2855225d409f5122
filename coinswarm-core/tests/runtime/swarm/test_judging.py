"""A seat's plugin: whatever it does, the seat has an answer or says that it has none."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import anyio
import pytest

from coinswarm.canonical import digest
from coinswarm.contracts import Voter
from coinswarm.domain.acceptance import AcceptanceRules, Evidence, Verdict, mandatory
from coinswarm.domain.episode import Episode
from coinswarm.domain.proposal import AddEpisode, Reference, several, single
from coinswarm.errors import UnreachableError
from coinswarm.memory.promotion.voters import DecimalVoter, IntegerVoter
from coinswarm.memory.quorum.messages import Deferred, Evaluated, Evaluations
from coinswarm.memory.quorum.records import Envelope
from coinswarm.runtime.swarm import judging, sharing
from coinswarm.runtime.swarm.judging import Judge
from coinswarm.runtime.swarm.telling import Teller

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from coinswarm.domain.proposal import Proposal

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    """The one that drivers are made for."""
    return "asyncio"


class Waits(Voter):
    """Does not come back until it is let go."""

    def __init__(self) -> None:
        self.let_go, self.began = threading.Event(), threading.Semaphore(0)

    def evaluate(self, proposal: Proposal, evidence: Evidence) -> Verdict:  # noqa: ARG002 - the contract's
        self.began.release()
        self.let_go.wait(60)
        return Verdict(held=mandatory(proposal))


@pytest.fixture
def envelope(propose: Callable[..., Proposal]) -> Callable[..., Envelope]:
    """Makes envelopes."""

    def made(nonce: int, base: int = 0) -> Envelope:
        return Envelope(
            cluster="north", shard="main", roster=0, submitter="desk", nonce=nonce, deadline_ns=9,
            proposal=propose(base=base),
        )  # fmt: skip

    return made


class Desk:
    """A judge at work, and what came of it."""

    def __init__(self, voter: Voter, gather: sharing.Gather, soon: Any = None) -> None:  # noqa: ANN401 - as Judge's
        self.said: list[str] = []
        self.now = 100.0
        self.answers: list[Evaluated | Deferred] = []
        self.news = anyio.Event()
        self.teller = Teller("v1", self.said.append)
        self.judge = Judge("v1", voter, gather, self.teller, lambda: self.now, seconds=5, soon=soon)

    def tell(self, event: Evaluated | Deferred | Evaluations) -> None:
        self.answers += event.results if isinstance(event, Evaluations) else (event,)
        self.news.set()

    async def answered(self, number: int) -> None:
        while len(self.answers) < number:
            self.news = anyio.Event()
            await self.news.wait()


def learnt(number: int) -> AddEpisode:
    """An episode."""
    episode = Episode(id=digest(number), agent="trend", instrument="X", side=1, decided_ns=1, known_ns=2, result_ppm=1)
    trade = Reference(f"trade/{episode.id}", digest(number))
    return AddEpisode(space="s", dimension=2, episode=episode, vector_digest=digest(number), trade=trade)


def added(number: int) -> Proposal:
    """A proposal to remember an episode."""
    return single(learnt(number))


def at_version(_envelope: Envelope) -> Evidence:
    return Evidence(now_ns=1, version=0, rules=AcceptanceRules())


async def test_evidence_that_is_not_there_defers(envelope: Callable[..., Envelope]) -> None:
    """So does evidence at another version, or a database that is away; it is said when that begins and ends."""
    voter = Waits()
    voter.let_go.set()
    away = [True]

    def gather(one: Envelope) -> Evidence | None:
        if one.nonce == 1:
            return None
        if one.nonce == 3 and away:
            away.clear()
            message = "no connection"
            raise UnreachableError(message)
        if one.nonce == 4:
            message = "no such table"
            raise RuntimeError(message)
        return at_version(one)

    desk = Desk(voter, gather)
    desk.judge.judge(envelope(1))
    async with anyio.create_task_group() as group:
        group.start_soon(desk.judge.run, desk.tell)
        await anyio.lowlevel.checkpoint()
        for nonce, base in ((2, 1), (3, 0), (3, 0), (4, 0)):
            desk.judge.judge(envelope(nonce, base))
            await desk.answered(nonce if len(desk.answers) < 3 else len(desk.answers) + 1)
        group.cancel_scope.cancel()
    assert [type(one) for one in desk.answers] == [Deferred, Deferred, Deferred, Evaluated, Deferred]
    assert desk.said[0] == "v1: evidence cannot be read (no connection); it is tried again"
    assert desk.said[1] == "v1: judges again after: evidence away"
    assert "cannot be gathered (RuntimeError: no such table)" in desk.said[2]


def test_seats_of_one_process_share_what_was_gathered_at_the_version_that_counts(
    envelope: Callable[..., Envelope],
) -> None:
    asked: list[int] = []

    def gather(one: Envelope) -> Evidence | None:
        asked.append(one.nonce)
        return None if one.nonce == 9 else at_version(one)

    shared = sharing.Shared(gather, limit=2)
    assert [shared(envelope(1)), shared(envelope(1))] == [at_version(envelope(1))] * 2
    assert asked == [1]
    for one in (envelope(2, base=1), envelope(9)):  # at another version, or not there: asked for again
        shared(one)
        shared(one)
    assert asked == [1, 2, 2, 9, 9]
    for nonce in (3, 4, 1):
        shared(envelope(nonce))
    assert asked[5:] == [3, 4, 1], "it was forgotten meanwhile"


async def test_a_database_that_is_slow_is_no_fault_of_the_plugin(
    envelope: Callable[..., Envelope], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(judging, "_LOOK_SECONDS", 0.01)
    voter = Waits()
    voter.let_go.set()
    began, go_on = threading.Event(), threading.Event()

    def gather(one: Envelope) -> Evidence:
        began.set()
        go_on.wait(60)
        return at_version(one)

    desk = Desk(voter, gather)
    async with anyio.create_task_group() as group:
        group.start_soon(desk.judge.run, desk.tell)
        desk.judge.judge(envelope(1))
        await anyio.to_thread.run_sync(began.wait)
        for _ in range(1_000):
            desk.now += 0.01
            desk.judge._look()
        go_on.set()
        await desk.answered(1)
        group.cancel_scope.cancel()
    assert isinstance(desk.answers[0], Evaluated)
    assert desk.said == []


class Together:
    """Gathers one by one and together, and notes how."""

    def __init__(self, broken: Exception | None = None) -> None:
        self.alone: list[int] = []
        self.batches: list[list[int]] = []
        self.broken = broken

    def __call__(self, envelope: Envelope) -> Evidence:
        self.alone.append(envelope.nonce)
        return at_version(envelope)

    def many(self, envelopes: Sequence[Envelope]) -> list[Evidence | None]:
        self.batches.append([envelope.nonce for envelope in envelopes])
        if self.broken is not None:
            raise self.broken
        return [at_version(envelope) for envelope in envelopes]


def test_what_waits_is_gathered_together(envelope: Callable[..., Envelope]) -> None:
    """Where that fails for a reason of its own, one by one."""
    asked = [envelope(nonce) for nonce in (1, 2, 3)]

    def gathered(broken: Exception | None) -> tuple[Together, list[object]]:
        gather = Together(broken)
        found = sharing.gathered(gather, asked)
        assert [one for one, _ in found] == asked
        assert gather.batches == [[1, 2, 3]]
        return gather, [evidence for _, evidence in found]

    gather, found = gathered(None)
    assert (gather.alone, found) == ([], [at_version(one) for one in asked])
    away = UnreachableError("no connection")
    gather, found = gathered(away)
    assert (gather.alone, found) == ([], [away] * 3), "a database that is away is not asked three times more"
    gather, found = gathered(RuntimeError("no such table"))
    assert (gather.alone, found) == ([1, 2, 3], [at_version(one) for one in asked])


def test_seats_of_one_process_share_what_was_gathered_together(envelope: Callable[..., Envelope]) -> None:
    gather = Together()
    shared = sharing.Shared(gather)
    shared(envelope(1))
    assert shared.many([envelope(1), envelope(2), envelope(3)]) == [at_version(envelope(1))] * 3
    assert shared.many([envelope(2), envelope(4)]) == [at_version(envelope(2))] * 2
    assert (gather.alone, gather.batches) == ([1, 4], [[2, 3]])


class Seats:
    """Two seats of one process at work, and in which threads evidence was gathered and judged."""

    def __init__(self, voters: Sequence[Voter], gather: sharing.Gather, monkeypatch: pytest.MonkeyPatch) -> None:
        self.gathered_in: list[str] = []
        self.judged_in: list[str] = []

        def gathers(envelope: Envelope) -> Evidence | None:
            self.gathered_in.append(threading.current_thread().name)
            return gather(envelope)

        for kind in {type(voter) for voter in voters}:
            evaluate = kind.evaluate

            def judges(
                voter: Voter,
                proposal: Proposal,
                evidence: Evidence,
                evaluate: Callable[[Voter, Proposal, Evidence], Verdict] = evaluate,
            ) -> Verdict:
                self.judged_in.append(threading.current_thread().name)
                return evaluate(voter, proposal, evidence)

            monkeypatch.setattr(kind, "evaluate", judges)
        self.shared = sharing.Shared(gathers)
        self.desks = [Desk(voter, self.shared, soon=self.shared.soon) for voter in voters]

    async def judge(self, *envelopes: Envelope) -> list[list[Evaluated | Deferred]]:
        """What each seat says."""
        async with anyio.create_task_group() as group:
            group.start_soon(self.shared.run)
            for desk in self.desks:
                group.start_soon(desk.judge.run, desk.tell)
            await anyio.lowlevel.checkpoint()
            for number, one in enumerate(envelopes, 1):
                for desk in self.desks:
                    desk.judge.judge(one)
                for desk in self.desks:
                    await desk.answered(number)
            group.cancel_scope.cancel()
        return [desk.answers for desk in self.desks]


async def test_an_episode_is_gathered_once_and_judged_in_the_loop_by_core_s_own_voters(
    envelope: Callable[..., Envelope], monkeypatch: pytest.MonkeyPatch
) -> None:
    seats = Seats([DecimalVoter(), IntegerVoter()], at_version, monkeypatch)
    one = replace(envelope(1), proposal=added(1))
    [[first], [second]] = await seats.judge(one)
    assert isinstance(first, Evaluated)
    assert first == second
    assert first.proposal == one.id
    assert seats.gathered_in == ["evidence"]
    assert seats.judged_in == [threading.current_thread().name] * 2


async def test_a_voter_of_somebody_else_s_is_never_run_in_the_loop(
    envelope: Callable[..., Envelope], monkeypatch: pytest.MonkeyPatch
) -> None:
    class Mine(DecimalVoter):
        pass

    monkeypatch.setattr(Mine, "evaluate", DecimalVoter.evaluate, raising=False)
    seats = Seats([Mine()], at_version, monkeypatch)
    [[told]] = await seats.judge(replace(envelope(1), proposal=added(1)))
    assert isinstance(told, Evaluated)
    assert seats.gathered_in == seats.judged_in == ["judge v1"]


async def test_several_episodes_take_a_thread(
    envelope: Callable[..., Envelope], monkeypatch: pytest.MonkeyPatch
) -> None:
    pile = several((learnt(1), learnt(2)))
    seats = Seats([DecimalVoter()], at_version, monkeypatch)
    [[told]] = await seats.judge(replace(envelope(1), proposal=pile))
    assert isinstance(told, Evaluated)
    assert seats.judged_in == ["judge v1"]


async def test_in_the_loop_too_evidence_that_is_not_there_defers_and_is_told(
    envelope: Callable[..., Envelope], monkeypatch: pytest.MonkeyPatch
) -> None:
    def gather(one: Envelope) -> Evidence | None:
        if one.nonce == 1:
            message = "no connection"
            raise UnreachableError(message)
        return None if one.nonce == 2 else at_version(one)

    seats = Seats([DecimalVoter(), IntegerVoter()], gather, monkeypatch)
    told = await seats.judge(*(replace(envelope(nonce), proposal=added(nonce)) for nonce in (1, 2, 3)))
    for desk, answers in zip(seats.desks, told, strict=True):
        assert [type(one) for one in answers] == [Deferred, Deferred, Evaluated]
        assert desk.said == [
            "v1: evidence cannot be read (no connection); it is tried again",
            "v1: judges again after: evidence away",
        ]


def test_in_the_loop_ctrl_c_is_not_taken_for_a_fault_of_the_plugin_s(
    envelope: Callable[..., Envelope], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(_voter: Voter, _proposal: Proposal, _evidence: Evidence) -> Verdict:
        raise KeyboardInterrupt

    monkeypatch.setattr(DecimalVoter, "evaluate", interrupted)
    one, judge = envelope(1), Desk(DecimalVoter(), at_version).judge
    with pytest.raises(KeyboardInterrupt):
        judge.judged(one, at_version(one))


async def test_what_is_asked_for_before_a_seat_runs_is_judged_once(
    envelope: Callable[..., Envelope], monkeypatch: pytest.MonkeyPatch
) -> None:
    seats = Seats([DecimalVoter()], at_version, monkeypatch)
    early, late = (replace(envelope(nonce), proposal=added(nonce)) for nonce in (1, 2))
    seats.desks[0].judge.judge(early)
    async with anyio.create_task_group() as group:
        group.start_soon(seats.shared.run)
        group.start_soon(seats.desks[0].judge.run, seats.desks[0].tell)
        await seats.desks[0].answered(1)
        seats.desks[0].judge.judge(late)
        await seats.desks[0].answered(2)
        group.cancel_scope.cancel()
    assert [one.proposal for one in seats.desks[0].answers] == [early.id, late.id]
    assert len(seats.gathered_in) == 2


async def test_a_store_that_stands_still_keeps_nobody_from_stopping(
    envelope: Callable[..., Envelope], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sharing, "STOP_SECONDS", 0.05)
    began, go_on = threading.Event(), threading.Event()

    def gather(one: Envelope) -> Evidence:
        began.set()
        go_on.wait(60)
        return at_version(one)

    seats = Seats([DecimalVoter()], gather, monkeypatch)
    try:
        with anyio.fail_after(30):
            async with anyio.create_task_group() as group:
                group.start_soon(seats.shared.run)
                group.start_soon(seats.desks[0].judge.run, seats.desks[0].tell)
                await anyio.lowlevel.checkpoint()
                seats.desks[0].judge.judge(replace(envelope(1), proposal=added(1)))
                await anyio.to_thread.run_sync(began.wait)
                group.cancel_scope.cancel()
        assert not go_on.is_set()
    finally:
        go_on.set()
    assert seats.desks[0].answers == []


def test_what_new_evidence_drives_out_is_answered_all_the_same(envelope: Callable[..., Envelope]) -> None:
    gather = Together()
    shared = sharing.Shared(gather, limit=2)
    shared(envelope(1))
    assert shared.many([envelope(1), envelope(2), envelope(3)]) == [at_version(envelope(1))] * 3
    shared(envelope(1))
    assert gather.alone == [1, 1], "it was forgotten meanwhile"


def test_evidence_on_a_proposal_for_several_is_kept_as_that_of_several(envelope: Callable[..., Envelope]) -> None:
    gather = Together()
    shared = sharing.Shared(gather, limit=2)
    for _ in range(2):
        shared(envelope(1))
        shared(replace(envelope(2), proposal=several((learnt(1), learnt(2)))))
    assert gather.alone == [1, 2, 1, 2], "there is room for one, or for the other"

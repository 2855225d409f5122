"""A session waits for a store and a quorum that are away: it says so, goes on when they are back, and not for ever."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING, Any

import anyio
import pytest
from anyio.from_thread import start_blocking_portal

from coinswarm.errors import AmbiguousError, DataError, HaltedError, UnreachableError
from coinswarm.runtime import patience as module
from coinswarm.runtime.patience import Patience

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from anyio.from_thread import BlockingPortal


@pytest.fixture
def portal(monkeypatch: pytest.MonkeyPatch) -> Iterator[BlockingPortal]:
    """Pauses are short here."""
    monkeypatch.setattr(module, "FIRST_PAUSE", 0.001)
    monkeypatch.setattr(module, "LONGEST_PAUSE", 0.001)
    with start_blocking_portal() as made:
        yield made


def failing(*errors: Exception) -> Callable[[], str]:
    """Raises these, then answers."""
    left = list(errors)

    def work() -> str:
        if left:
            raise left.pop(0)
        return "done"

    return work


def test_what_is_away_is_tried_again_and_said_once(portal: BlockingPortal) -> None:
    said: list[str] = []
    patient = Patience(100, "the log", said.append, portal)
    assert patient.insist(failing(UnreachableError("gone"), AmbiguousError("unknown"))) == "done"
    begun, over = said
    assert begun == "the log does not answer (gone); the session waits up to 100 s more"
    assert over == "the log answers again; the session goes on"
    assert patient.insist(failing()) == "done"
    assert len(said) == 2


def test_it_is_said_again_and_again(portal: BlockingPortal, monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    monkeypatch.setattr(module, "AGAIN_SECONDS", 0.0)
    Patience(0, "the log", said.append, portal).insist(failing(*[UnreachableError("gone")] * 3))
    assert said[:3] == ["the log does not answer (gone); the session waits for ever"] * 3


def test_the_last_error_is_told_when_the_time_is_over(portal: BlockingPortal) -> None:
    patient = Patience(0.0005, "the log", lambda _: None, portal)
    with pytest.raises(UnreachableError, match=r"was waited for, 0\.0005 s \(gone\): start what is away; wait longer"):
        patient.insist(failing(*[UnreachableError("gone")] * 3))


def test_what_a_person_must_change_is_not_waited_for(portal: BlockingPortal) -> None:
    with pytest.raises(DataError):
        Patience(100, "the log", lambda _: None, portal).insist(failing(DataError("damaged")))


def asked(answer: Any, *, event: anyio.Event | None = None) -> Callable[[], Any]:  # noqa: ANN401
    """A proposal that ends so, once the event has come."""

    async def ask() -> Any:  # noqa: ANN401
        if event is not None:
            await event.wait()
        if isinstance(answer, Exception):
            raise answer
        return answer

    return ask


def test_a_decision_that_comes_is_handed_over_in_silence(portal: BlockingPortal) -> None:
    said: list[str] = []
    assert Patience(10, "the log", said.append, portal).decided(asked("accept"), 30) == "accept"
    with pytest.raises(HaltedError):
        Patience(10, "the log", said.append, portal).decided(asked(HaltedError("split")), 30)
    assert said == []


def test_a_decision_that_is_overdue_is_said_until_it_comes(
    portal: BlockingPortal, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    monkeypatch.setattr(module, "AGAIN_SECONDS", 0.01)
    event = portal.call(_event)

    def say(line: str) -> None:
        said.append(line)
        if len(said) == 2:
            event.set()

    assert Patience(0, "the log", say, portal).decided(asked("accept", event=event), 30) == "accept"
    assert "has decided nothing for" in said[1]
    assert said[1].endswith("the session waits for ever")
    assert said[-1] == "the log decides again; the session goes on"


def test_a_decision_that_never_comes_ends_it(portal: BlockingPortal) -> None:
    event = portal.call(_event)
    with pytest.raises(UnreachableError, match=r"has decided nothing within 0\.02 s.*swarm\.patience_seconds"):
        Patience(0.01, "the log", lambda _: None, portal).decided(asked("accept", event=event), 0.01)


def test_ctrl_c_ends_the_waiting_where_a_loop_would_only_note_it(
    portal: BlockingPortal, monkeypatch: pytest.MonkeyPatch
) -> None:
    noted: list[int] = []
    ended: list[str] = []
    monkeypatch.setattr(module, "AGAIN_SECONDS", 0.05)

    def note(number: int, _frame: object) -> None:
        noted.append(number)

    def interrupt(_line: str) -> None:
        os.kill(os.getpid(), signal.SIGINT)

    async def ask() -> None:
        try:
            await anyio.sleep_forever()
        finally:
            ended.append("the call")

    before = signal.signal(signal.SIGINT, note)
    try:
        with pytest.raises(KeyboardInterrupt):
            Patience(0, "the log", interrupt, portal).decided(ask, 30)
        assert signal.getsignal(signal.SIGINT) is note
    finally:
        signal.signal(signal.SIGINT, before)
    portal.call(anyio.wait_all_tasks_blocked)
    assert (noted, ended) == ([], ["the call"])


def test_who_ignores_ctrl_c_goes_on_ignoring_it(portal: BlockingPortal) -> None:
    async def ask() -> str:
        os.kill(os.getpid(), signal.SIGINT)
        return "accept"

    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        assert Patience(0, "the log", lambda _: None, portal).decided(ask, 30) == "accept"
        assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, before)


async def _event() -> anyio.Event:
    return anyio.Event()

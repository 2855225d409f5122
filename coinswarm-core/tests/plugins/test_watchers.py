"""Watching hooks are called one plugin at a time, and nothing that a watcher does gets out."""

from __future__ import annotations

import sys
import threading
from typing import TYPE_CHECKING, Any

import pytest

from coinswarm.domain.order import Fill, Order, OrderKind, Refusal
from coinswarm.domain.proposal import Configure, Proposal, ProposalKind
from coinswarm.engine.events import Event
from coinswarm.plugins import watchers as watching
from coinswarm.plugins.catalogue import DECLARING, load
from coinswarm.plugins.manager import hook_arguments
from coinswarm.plugins.watchers import WATCHING, tell

if TYPE_CHECKING:
    from collections.abc import Sequence

Site = Any
FILL = Fill(order=0, bar_ns=5, lots=2, ticks=100, fee=1)
ORDER = Order(0, 5, 1, OrderKind.MARKET, 2)
PROPOSAL = Proposal(
    kind=ProposalKind.CONFIGURE, subject="acceptance/folds", base_version=0, change=Configure("acceptance.folds", "6")
)
EVENTS = (
    Event("coinswarm_swarm_started", {"mode": "backtest", "run_id": "r"}),
    Event("coinswarm_order_refused", {"order": ORDER, "refusal": Refusal.COOL_DOWN}),
    Event("coinswarm_order_filled", {"fill": FILL}),
    Event("coinswarm_order_filled", {"fill": FILL._replace(order=1)}),
    Event("coinswarm_proposal_decided", {"proposal": PROPOSAL, "outcome": "accept", "entry": 3}),
    Event("coinswarm_swarm_stopping", {"reason": "over"}),
)
DIARY = """
seen = []
@hookimpl
def coinswarm_swarm_started(mode, run_id): seen.append(("started", mode, run_id))
@hookimpl
def coinswarm_order_refused(refusal): seen.append(("refused", refusal.name))
@hookimpl
def coinswarm_order_filled(fill): seen.append(("filled", fill.order))
@hookimpl
def coinswarm_proposal_decided(proposal, outcome, entry): seen.append(("decided", proposal.subject, outcome, entry))
@hookimpl
def coinswarm_swarm_stopping(): seen.append(("stopping",))
"""


def told(names: Sequence[str], **options: Any) -> list[str]:  # noqa: ANN401
    return tell(load(names).watchers, lambda: EVENTS, **options)


def module(name: str) -> Any:  # noqa: ANN401
    return sys.modules[f"fake_{name}.plugin"]


def test_every_hook_either_declares_or_watches() -> None:
    assert {hook for _, hook, _ in DECLARING} | set(WATCHING) == set(hook_arguments())
    assert not {hook for _, hook, _ in DECLARING} & set(WATCHING)


def test_a_watcher_hears_what_it_implements_in_order(site: Site) -> None:
    site.add("diary", DIARY)
    said: list[str] = []
    assert told(["diary"], say=said.append) == []
    assert module("diary").seen == [
        ("started", "backtest", "r"), ("refused", "COOL_DOWN"), ("filled", 0), ("filled", 1),
        ("decided", "acceptance/folds", "accept", 3), ("stopping",),
    ]  # fmt: skip
    assert said == ["telling plugin 'diary' what happened"]


def test_what_a_plugin_watches_is_shown_as_what_it_provides(site: Site) -> None:
    site.add("diary", DIARY)
    site.add("sound")
    catalogue = load(["diary", "sound"])
    assert catalogue.plugins["diary"].provides == tuple(f"watches: {h.removeprefix('coinswarm_')}" for h in WATCHING)
    assert [one.record.name for one in catalogue.watchers] == ["diary"]


def test_nobody_is_called_where_nobody_watches(site: Site) -> None:
    site.add("sound")

    def never() -> Sequence[Event]:
        raise AssertionError

    assert tell(load(["sound"]).watchers, never) == []


@pytest.mark.parametrize(
    ("body", "first"),
    [
        ("raise RuntimeError('the line\\nis down')", "RuntimeError: the line is down"),
        ("import sys; sys.exit(3)", "SystemExit: 3"),
        ("raise KeyboardInterrupt", "KeyboardInterrupt"),
        ("return fill.nothing", "AttributeError: 'Fill' object has no attribute 'nothing'"),
        ("fill.lots = 0", "AttributeError: can't set attribute"),
    ],
)
def test_a_fault_is_counted_told_once_and_the_rest_is_still_told(site: Site, body: str, first: str) -> None:
    site.add("diary", DIARY)
    site.add("bad", f"@hookimpl\ndef coinswarm_order_filled(fill):\n    {body}\n")
    [line] = told(["bad", "diary"])
    assert line == f"plugin 'bad' (fake-bad 1.0): coinswarm_order_filled raised in 2 of 2 calls, first {first}"
    assert len(module("diary").seen) == len(EVENTS), "another plugin's fault is its own"


def test_each_hook_has_a_count_of_its_own(site: Site) -> None:
    site.add(
        "bad",
        "@hookimpl\ndef coinswarm_order_filled(fill):\n    if fill.order: raise ValueError\n"
        "@hookimpl\ndef coinswarm_swarm_stopping(reason): raise OSError(reason)\n",
    )
    assert [line.partition("): ")[2] for line in told(["bad"])] == [
        "coinswarm_order_filled raised in 1 of 2 calls, first ValueError",
        "coinswarm_swarm_stopping raised in 1 of 1 calls, first OSError: over",
    ]


def test_a_coroutine_has_watched_nothing(site: Site) -> None:
    site.add("bad", "@hookimpl\nasync def coinswarm_order_filled(fill): pass\n")
    [line] = told(["bad"])
    assert line.endswith("raised in 2 of 2 calls, first TypeError: it returns a coroutine, and must be a plain def")


@pytest.mark.parametrize("word", ["def", "async def"])
def test_what_yields_has_watched_nothing(site: Site, word: str) -> None:
    site.add("bad", f"seen = []\n@hookimpl\n{word} coinswarm_order_filled(fill):\n    seen.append(fill)\n    yield\n")
    [line] = told(["bad"])
    assert "raised in 2 of 2 calls, first TypeError: it yields, so that nothing of it was run" in line
    assert module("bad").seen == []


def test_what_a_watcher_prints_is_told_and_not_shown(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    site.add("loud", "@hookimpl\ndef coinswarm_order_filled(fill): print('{not json', fill)\n")
    [line] = told(["loud"])
    assert line.startswith("plugin 'loud' (fake-loud 1.0): its watching hooks print, '{not json Fill(order=0, ")
    assert line.endswith("...': kept from standard output")
    assert capsys.readouterr().out == ""
    print("back")  # noqa: T201 - standard output is itself again
    assert capsys.readouterr().out == "back\n"


def test_a_watcher_that_takes_long_is_told(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watching, "SLOW_SECONDS", 0.0)
    site.add("diary", DIARY)
    [line] = told(["diary"])
    assert line.startswith("plugin 'diary' (fake-diary 1.0): its watching hooks took 0.")
    assert line.endswith(f" s for {len(EVENTS)} calls")


def test_a_watcher_that_never_comes_back_is_left_behind(site: Site) -> None:
    site.add(
        "stuck",
        "import threading\ngate = threading.Event()\nseen = []\n"
        "@hookimpl\ndef coinswarm_order_filled(fill):\n    seen.append(fill.order)\n    gate.wait()\n",
    )
    site.add("zoo", DIARY)
    lines = told(["stuck", "zoo"], patience=0.05)
    assert lines == [
        "plugin 'stuck' (fake-stuck 1.0): coinswarm_order_filled did not come back within 0.05 s, and was told no more"
    ]
    assert len(module("zoo").seen) == len(EVENTS)
    [thread] = [one for one in threading.enumerate() if one.name == "watcher stuck"]
    module("stuck").gate.set()
    thread.join()
    assert module("stuck").seen == [0], "it is told no more, even when it comes back"

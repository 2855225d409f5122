"""Sessions tell their watchers: the same from every engine, in order of time, and never at the cost of a run."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from coinswarm import backtest as in_a_notebook
from coinswarm.backtest.runread import list_runs, read_run
from coinswarm.domain.order import Order, OrderKind, Refusal
from coinswarm.runtime.runs import backtest, replay
from coinswarm.runtime.trade import trade

if TYPE_CHECKING:
    from collections.abc import Callable

Profiles = Any
Fake = Any
LISTENING = """
seen = []
@hookimpl
def coinswarm_swarm_started(mode, run_id): seen.append(("started", mode, run_id))
@hookimpl
def coinswarm_order_refused(order, refusal): seen.append(("refused", order, refusal))
@hookimpl
def coinswarm_order_filled(fill): seen.append(("filled", fill))
@hookimpl
def coinswarm_swarm_stopping(reason): seen.append(("stopping", reason))
"""
OFTEN = """\
    def decide(self, state):
        return Action(Side.BUY if state.index % 6 < 3 else Side.FLAT, 1.0, 0.5, 5.0, 10.0)
"""
RULES = {"risk": {"max_trades_per_day": 2}, "orders": {"entry": "limit", "offset_bps": 1}}


def seen() -> list[tuple[Any, ...]]:
    """What the watcher heard since this was last asked."""
    heard = sys.modules["fake_fake.plugin"].seen
    found = list(heard)
    heard.clear()
    return found


def test_every_session_makes_the_same_calls(profile: Profiles, fake: Fake, bars: Callable[..., Path]) -> None:
    fake(OFTEN, hooks=LISTENING)
    heard = {}
    by_columns = backtest(profile(**RULES), label="p", runs=None, engine="columns")
    heard["columns"] = seen()
    by_steps = backtest(profile(**RULES), label="p", runs=None, engine="steps")
    heard["steps"] = seen()
    paper = trade(profile(mode="paper", **RULES), label="p", recordings={"BTC/USD": bars()}, runs=None)
    heard["paper"] = seen()
    result = in_a_notebook(profile(**RULES), trial=False)
    heard["notebook"] = seen()
    hashes = {run.result.order_hash for run in (by_columns, by_steps, paper)}
    assert hashes == {result.order_hash}
    assert [calls[0] for calls in heard.values()] == [
        ("started", "backtest", ""), ("started", "backtest", ""), ("started", "paper", ""), ("started", "backtest", ""),
    ]  # fmt: skip
    for calls in heard.values():
        assert calls[1:] == heard["steps"][1:]
        assert calls[-1] == ("stopping", "the recording ended")


def test_all_is_told_in_order_of_time_with_the_order_as_it_would_have_been(profile: Profiles, fake: Fake) -> None:
    fake(OFTEN, hooks=LISTENING)
    done = backtest(profile(**RULES), label="p", runs=None)
    result = done.result
    calls = seen()[1:-1]
    fills = [tuple(call[1]) for call in calls if call[0] == "filled"]
    assert fills == [tuple(row) for row in result.fills.tolist()]
    assert len(fills) > 3
    refused = [call for call in calls if call[0] == "refused"]
    rows = [row for row in result.decisions.tolist() if row[7]]
    assert [(call[1].decided_ns, call[1].lots, call[2]) for call in refused] == [(r[0], r[9], r[7]) for r in rows]
    assert {call[2] for call in refused} >= {Refusal.TRADES_PER_DAY}
    order = next(call[1] for call in refused if call[2] == Refusal.TRADES_PER_DAY)
    assert isinstance(order, Order)
    assert (order.side, order.kind) == (1, OrderKind.LIMIT)
    sent = {row[3]: row for row in result.orders.tolist()}
    assert order.decided_ns not in sent
    assert 0 < order.limit < done.facts.plan.cap_ticks(0)
    at = [(call[1].bar_ns, 1) if call[0] == "filled" else (call[1].decided_ns, 0) for call in calls]
    assert at == sorted(at)


def test_a_refused_order_has_the_prices_of_one_that_was_sent(profile: Profiles, fake: Fake) -> None:
    fake(OFTEN, hooks=LISTENING)
    free = backtest(profile(orders=RULES["orders"]), label="p", runs=None)
    seen()
    backtest(profile(**RULES), label="p", runs=None)
    refused = {c[1].decided_ns: c[1] for c in seen() if c[0] == "refused" and c[2] == Refusal.TRADES_PER_DAY}
    sent = {row[3]: row for row in free.result.orders.tolist() if row[1] < 0 and row[5] == OrderKind.LIMIT}
    both = set(refused) & set(sent)
    assert both
    for known in both:
        assert (refused[known].side, refused[known].limit) == (sent[known][4], sent[known][7])


def test_a_kept_run_is_on_disk_when_its_watchers_hear_of_it(profile: Profiles, fake: Fake, tmp_path: Path) -> None:
    fake(
        hooks=LISTENING.replace(
            'seen.append(("started", mode, run_id))',
            f"__import__('pathlib').Path({str(tmp_path)!r}, 'runs', run_id, 'run.json').read_bytes()",
        )
    )
    done = backtest(profile(), label="p", runs=tmp_path / "runs")
    assert done.path is not None
    assert not [line for line in done.summary["warnings"] if "swarm_started" in line]
    seen()
    assert replay(done.path).same
    assert seen() == [], "a run that is executed again tells nobody"


def test_a_watcher_that_raises_leaves_the_run_as_it_was(profile: Profiles, fake: Fake, tmp_path: Path) -> None:
    fake()
    quiet = backtest(profile(), label="p", runs=tmp_path / "quiet")
    for name in [name for name in sys.modules if name.startswith("fake_fake")]:
        del sys.modules[name]
    hook = "@hookimpl\ndef coinswarm_order_filled(fill): raise RuntimeError('no line')\n"
    code = Path(tmp_path, "site", "fake_fake", "plugin.py")
    code.write_text(code.read_text() + hook)
    loud = backtest(profile(), label="p", runs=tmp_path / "loud")
    assert loud.result.order_hash == quiet.result.order_hash
    count = len(loud.result.fills)
    line = f"coinswarm_order_filled raised in {count} of {count} calls, first RuntimeError: no line"
    assert [w for w in loud.summary["warnings"] if w not in quiet.summary["warnings"]] == [
        f"plugin 'fake' (fake-fake 1.0): {line}"
    ]
    assert loud.path is not None
    assert read_run(loud.path).record["summary"]["warnings"] == quiet.summary["warnings"]


def test_a_run_that_fails_tells_nobody(profile: Profiles, fake: Fake, monkeypatch: pytest.MonkeyPatch) -> None:
    fake("    def decide(self, state):\n        raise KeyboardInterrupt\n", hooks=LISTENING)
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)
    with pytest.raises(KeyboardInterrupt):
        backtest(profile(), label="p", runs=None, engine="steps")
    assert seen() == []


def test_a_paper_replay_is_a_trial_and_its_backtest_the_same_one(
    profile: Profiles, fake: Fake, bars: Callable[..., Path], tmp_path: Path
) -> None:
    from coinswarm.runtime.trials import TrialRegistry  # noqa: PLC0415

    fake()
    trials = TrialRegistry(tmp_path / "trials")
    paper = trade(profile(mode="paper"), label="p", recordings={"BTC/USD": bars()}, runs=tmp_path / "r", trials=trials)
    assert paper.summary["evidence"]["trials"]["registry"] == 1
    again = backtest(profile(), label="p", runs=None, trials=trials)
    assert again.result.order_hash == paper.result.order_hash
    assert again.summary["evidence"]["trials"]["registry"] == 1
    assert len(list_runs(tmp_path / "r")) == 1

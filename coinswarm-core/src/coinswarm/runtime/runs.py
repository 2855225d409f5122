"""Backtests, paper replays and re-executions, from a profile to a run on disk."""

from __future__ import annotations

import platform
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from coinswarm import __version__
from coinswarm.backtest.buyhold import buy_and_hold
from coinswarm.backtest.proof import proof_dict
from coinswarm.backtest.remembered import memory_dict
from coinswarm.backtest.report.facts import Facts
from coinswarm.backtest.report.page import render_report
from coinswarm.backtest.report.stances import overhear
from coinswarm.backtest.rundir import REPORT, check_writable, write_run
from coinswarm.backtest.runread import check_run, read_run
from coinswarm.backtest.summary import summary_dict
from coinswarm.backtest.words import END_WORDS, REFUSAL_WORDS
from coinswarm.clock import SystemClock
from coinswarm.config.profile import parse_profile
from coinswarm.engine.events import Event, events
from coinswarm.errors import DataError, NotReadyError
from coinswarm.evidence.trials import Trial
from coinswarm.runtime.assembly import Assembled, Given, assemble
from coinswarm.runtime.notes import notes_of
from coinswarm.runtime.payments import find_payments, payments_of, same_payments
from coinswarm.runtime.trials import UNASKED, measured_days, note_trial

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from coinswarm.backtest.runread import StoredRun
    from coinswarm.config.profile import Profile
    from coinswarm.engine.memory import RunMemory
    from coinswarm.engine.result import RunResult
    from coinswarm.feeds.loaded import Loaded
    from coinswarm.memory.recall.record import RecallRecord
    from coinswarm.runtime.trials import TrialRegistry, Tried

Engine = Literal["columns", "steps"]
Say = Callable[[str], None]
"""Is told, in a few words, what a long call does next."""

ENDED = "the recording ended"
"""Why a session over recorded bars stops."""


def quiet(text: str) -> None:
    """Say nothing."""


@dataclass(frozen=True, slots=True, eq=False)
class Finished:
    """A run that is over.

    :param path: its folder; None when it was not kept.
    :param summary: what ``render`` and ``--json`` show.
    :param facts: what its report is made from.
    """

    result: RunResult
    summary: dict[str, Any]
    path: Path | None
    facts: Facts


def backtest(  # noqa: PLR0913 - what a run is asked for
    profile: Profile,
    *,
    label: str,
    runs: Path | None,
    engine: Engine = "columns",
    trials: TrialRegistry | None = None,
    report: bool = True,
    given: Given | None = None,
    say: Say = quiet,
) -> Finished:
    """Run a profile on its recorded bars.

    :param label: what messages call the profile.
    :param runs: the folder of all runs; None keeps nothing.
    :param engine: ``columns`` (the kernel) or ``steps`` (the reference exchange); same order hash.
    :param trials: where the run is recorded as a trial (S23); None: nowhere, and the count is unknown.
    :param report: whether a run that is kept gets a ``report.html``.
    :param given: agents and bars that are there as objects.
    :param say: is told what begins after the last bar.
    :raises CoinswarmError: for anything the operator or a plugin's author must change.
    """
    if profile.mode == "live":
        message = f"{label} is a live profile"
        raise NotReadyError(message, remedy='backtest a profile with mode = "backtest"')
    if runs is not None:
        check_writable(runs)
    plain = assemble(profile, label=label, given=given)
    ready = heard(plain)
    result = execute(ready, engine)
    if ready.plan.recall is not None:
        engine = "steps"  # whatever was asked for: what is recalled depends on what was earned
    if trials is not None:
        say("counting what was tried on this history")
    tried = UNASKED if trials is None else note_trial(plain, result, trials, label=label)
    return finish(
        ready, result, runs=runs, mode="backtest", engine=engine, label=label, tried=tried, report=report, say=say
    )


def heard(ready: Assembled) -> Assembled:
    """The same, the agents' answers kept for the report."""
    return replace(ready, plan=overhear(ready.plan))


def execute(ready: Assembled, engine: Engine) -> RunResult:
    """Run an assembled plan through one of the engines."""
    if engine == "steps":
        from coinswarm.engine.steps import run_steps  # noqa: PLC0415 - one engine is enough

        with recalling(ready) as memory:
            return run_steps(ready.plan, memory)
    from coinswarm.engine.columns import run_columns  # noqa: PLC0415 - loads the compiled kernel

    with recalling(ready) as memory:
        return run_columns(ready.plan, memory)


@contextmanager
def recalling(ready: Assembled, say: Say | None = None) -> Iterator[RunMemory | None]:
    """The memory of one execution; None where nothing is recalled.

    :param say: of a session, which has a swarm decide; None: nobody else decides.
    """
    if ready.backend is None:
        yield None
        return
    from coinswarm.runtime.memory import memory_of  # noqa: PLC0415 - a run without memory needs none of it

    with memory_of(ready, ready.backend, say) as memory:
        yield memory


def finish(  # noqa: PLR0913 - what a run says of itself
    ready: Assembled,
    result: RunResult,
    *,
    runs: Path | None,
    mode: str,
    engine: str,
    label: str = "",
    tried: Tried = UNASKED,
    troubles: Sequence[str] = (),
    decisions: Sequence[Event] = (),
    report: bool = True,
    say: Say = quiet,
) -> Finished:
    """Summarise a run, keep it, and tell the plugins that watch.

    They are told last: what they do, or never finish, costs no run.

    :param label: what messages call the profile; lists of runs show it.
    :param tried: what else was tried on its history.
    :param troubles: what went wrong beside it, a line each.
    :param decisions: of a swarm's quorum meanwhile, as watchers are told of them.
    :param report: whether it gets a ``report.html``; what agents said is in it if ``ready`` was ``heard``.
    :param say: is told what begins.
    """
    profile, plan = ready.profile, ready.plan
    say("measuring, with intervals from resampled days")
    benchmark = buy_and_hold(plan, result.times_ns)
    summary = summary_dict(
        result,
        agents=[(seat.name, seat.weight_bp) for seat in plan.seats],
        benchmark=benchmark,
        steps=ready.steps_from(),
        start_ns=plan.start_ns,
        seed=profile.seed,
        notes=notes_of(ready),
    )
    summary["evidence"] = _evidence(ready, result, tried)
    if profile.memory is not None and result.recall is not None:
        summary["memory"] = memory_dict(plan, result.recall, profile.memory.backend)
    summary["warnings"] += troubles
    if tried.fault:
        summary["warnings"].append(f"{tried.why}: trials are not counted, the evidence is incomplete")
    about = {
        "mode": mode,
        "engine": engine,
        "label": Path(label.removeprefix("profile ")).name,
        "profile": _placed(profile.canonical(), ready.index),
        "recordings": _recordings(ready),
        "data": [_data(one) for one in ready.loaded],
        "agents": [
            {"seat": s.name, "weight_bp": s.weight_bp, "warm_up": s.warm_up, "reasons": list(s.reasons)}
            for s in plan.seats
        ],
        **({"weights": ready.weighed.told()} if ready.weighed else {}),
        **({"funding": payments_of(ready)} if plan.funding else {}),
        "plugins": [
            {"name": p.name, "distribution": p.distribution, "version": p.version, "origin": str(p.origin)}
            for p in ready.plugins
        ],
        "not_from_plugins": list(ready.unplugged),
        "certificates": [one.told() for one in ready.standings],
        "accept_evidence": ready.accepted(),
        "made_with": {
            "coinswarm-core": __version__,
            "python": platform.python_version(),
            **{name: version(name) for name in ("numpy", "numba")},
        },
        "summary": summary,
    }
    facts = Facts(plan, result, summary, benchmark, about)
    if runs is None:
        return Finished(result, _watched(summary, ready, result, decisions, mode, say), None, facts)

    def page(record: Mapping[str, Any]) -> bytes:
        return render_report(replace(facts, record=record))

    say("writing the run and its report" if report else "writing the run")
    path = write_run(runs, result, about, SystemClock(), report=page if report else None)
    told = _told(summary, path, again=not ready.unplugged)
    return Finished(result, _watched(told, ready, result, decisions, mode, say), path, facts)


def _watched(  # noqa: PLR0913 - what there is to tell, and how
    summary: dict[str, Any], ready: Assembled, result: RunResult, decisions: Sequence[Event], mode: str, say: Say
) -> dict[str, Any]:
    """The summary, after the plugins that watch were told; with a warning for each that misbehaved."""

    def happened() -> Iterator[Event]:
        yield Event("coinswarm_swarm_started", {"mode": mode, "run_id": str(summary["run"])})
        yield from events(ready.plan, result)
        yield from decisions
        yield Event("coinswarm_swarm_stopping", {"reason": ENDED})

    faults = ready.tell(happened, say)
    return {**summary, "warnings": [*summary["warnings"], *faults]} if faults else summary


def stored_summary(path: Path) -> dict[str, Any]:
    """The summary of a run on disk, as it was shown when the run was made.

    :raises DataError: when any of the run's files is not what was written.
    """
    record = check_run(path)
    summary = record["summary"]
    orders = summary["orders"]  # JSON on disk has sorted keys; people read the order of the summary
    ends, refused = list(END_WORDS.values()), list(REFUSAL_WORDS.values())
    orders["ends"] = dict(sorted(orders["ends"].items(), key=lambda item: (-item[1], ends.index(item[0]))))
    orders["refused"] = dict(sorted(orders["refused"].items(), key=lambda item: refused.index(item[0])))
    return _told(summary, path, again=not record.get("not_from_plugins"))


def _told(summary: dict[str, Any], path: Path, *, again: bool) -> dict[str, Any]:
    """The summary with the run's name and what can be done next."""
    hints = [{"command": f"coinswarm replay {path}", "does": "executes it again and compares the order hash"}]
    hints = hints if again else []
    if (path / REPORT).exists():
        hints.append({"command": str(path / REPORT), "does": "open it in a browser: the run in charts and tables"})
    return {**summary, "run": path.name, "hints": hints}


@dataclass(frozen=True, slots=True, eq=False)
class Replayed:
    """A stored run beside its re-execution."""

    stored: StoredRun
    again: RunResult

    @property
    def same(self) -> bool:
        """Whether both gave the same order hash."""
        return self.stored.result.order_hash == self.again.order_hash


def replay(path: Path, engine: Engine = "columns") -> Replayed:
    """Execute a stored run again from its profile and its data.

    What it recalled is recalled anew, but for a session of which a swarm refused something: that is played from its
    own record, because nobody is asked again.

    :raises DataError: when the run is damaged, or a data file is no longer what it was.
    """
    stored, ready = restore(path)
    if stored.result.recall is not None and stored.result.recall.refused:
        from coinswarm.backtest.explain_watch import watch  # noqa: PLC0415 - for what a swarm refused

        return Replayed(stored, watch(ready.plan, (), stored.result.recall).result)
    again = execute(ready, engine)
    was, now = stored.result.recall, again.recall
    if was is not None and now is not None and was.fork != now.fork:
        message = f"entry {was.fork[0]} of the log is {now.fork[1][:12]}, and was {was.fork[1][:12]} in run {path.name}"
        raise DataError(message, remedy="bring back the store that the run was made with")
    return Replayed(stored, again)


def restore(path: Path) -> tuple[StoredRun, Assembled]:
    """A stored run, and its plan assembled anew from its profile and its data.

    :raises DataError: when the run is damaged, or a data file is no longer what it was.
    """
    stored = read_run(path)
    label = f"run {path.name}"
    if unplugged := stored.record.get("not_from_plugins"):
        message = f"{label} seats {', '.join(unplugged)}, which come from no plugin"
        raise NotReadyError(message, remedy="run the notebook or script that made it again")
    recordings = {symbol: Path(file) for symbol, file in stored.record["recordings"].items()}
    profile = stored.record["profile"]
    if (recall := stored.result.recall) is not None:
        _pin(profile, recall)
    find_payments(profile, stored.record)
    ready = assemble(parse_profile(profile, label), label=label, recordings=recordings)
    for was, one in zip(stored.record["data"], ready.loaded, strict=True):
        if was["sha256"] != one.report.sha256:
            message = f"the data of {was['symbol']} has changed since run {path.name} was made"
            raise DataError(message, remedy=f"restore the file with SHA-256 {was['sha256']}")
    same_payments(ready, stored.record, path.name)
    return stored, ready


def _pin(profile: dict[str, Any], recall: RecallRecord) -> None:
    """Have a stored profile begin to remember where its run did, in place; a swarm is read, and not asked again."""
    memory = profile["memory"]
    if recall.log:
        swarm = profile["swarm"]
        memory |= {"store": swarm["database"], "cluster": swarm["cluster"], "shard": swarm["shard"]}
    if memory.get("store") is not None:
        memory["position"] = recall.fork[0]


def _evidence(ready: Assembled, result: RunResult, tried: Tried) -> dict[str, Any]:
    """What the run's Sharpe ratio proves."""
    days = measured_days(ready, result)
    run = Trial(int(days.day[0]) if len(days) else 0, days.returns)
    declared = ready.profile.evidence.declared_trials
    return proof_dict(run, tried.trials, ruined=days.ruined, declared=declared, why=tried.why, fault=tried.fault)


def _placed(told: dict[str, Any], index: Mapping[str, Any]) -> dict[str, Any]:
    """A profile as it stands in a run: a replay from another folder finds the log that was read, and the index's place.

    :param index: settings of the memory backend, paths in full.
    """
    if index:
        told["memory"]["settings"] = dict(index)
    for section, key in (("memory", "store"), ("swarm", "database")):
        place = told.get(section, {}).get(key)
        if isinstance(place, str) and "://" not in place:
            told[section][key] = str(Path(place).resolve())
        elif isinstance(place, dict) and "file" in place:
            place["file"] = str(Path(place["file"]).resolve())
    return told


def _recordings(ready: Assembled) -> dict[str, str]:
    """Per symbol, the file its bars came from: absolute, so that a replay finds it from any folder."""
    files = {item.symbol: Path(item.file) for item in ready.profile.instruments if item.file}
    return {symbol: str(path.resolve()) for symbol, path in sorted({**files, **ready.recordings}.items())}


def _data(one: Loaded) -> dict[str, Any]:
    """What a run says of its data."""
    report = one.report
    return {
        "symbol": one.bars.instrument.symbol,
        "sha256": report.sha256,
        "rows": report.rows,
        "missing": report.missing,
        "first_ns": report.first_ns,
        "last_ns": report.last_ns,
        "layout": report.layout,
    }

"""What the judge does with a request: finds the subjects, runs the checks, decides the tier, issues certificates."""

from __future__ import annotations

import json
import math
import shlex
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict, replace
from importlib.machinery import all_suffixes
from pathlib import Path
from typing import TYPE_CHECKING, Any

from coinswarm.errors import NotReadyError, OperatorError, UnknownNameError, nearest
from coinswarm.plugins.discovery import NAME, discover
from coinswarm.plugins.drivers import GROUPS, discover_drivers
from coinswarm.plugins.records import CORE, CORE_DISTRIBUTION, PluginRecord, Status, canonical
from coinswarm.plugins.trust import files_of
from coinswarm_testkit import compiled
from coinswarm_testkit.bench import RemoteBench
from coinswarm_testkit.checks import TIERS
from coinswarm_testkit.evidence.gather import leave_trials
from coinswarm_testkit.evidence.looks import variant_of
from coinswarm_testkit.gate.against import differences, older, recordings
from coinswarm_testkit.gate.certifying import certify, demand_keepable, revoke
from coinswarm_testkit.gate.evidence import compared
from coinswarm_testkit.gate.report import demand_writable, write_report
from coinswarm_testkit.remote import Remote
from coinswarm_testkit.starting import Fresh
from coinswarm_testkit.subject import KINDS, Subject
from coinswarm_testkit.suite import checks_for, judge, tier_of
from coinswarm_testkit.verdicts import CheckFailedError, Outcome, PluginRaisedError, Result

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from coinswarm.feeds.loaded import Loaded
    from coinswarm_testkit.checks import Check
    from coinswarm_testkit.gate.request import Request
    from coinswarm_testkit.verdicts import Number

CORE_PACKAGE = "coinswarm"

FINDING = "P10"
"""The check that a plugin fails which cannot even be asked what it declares."""


def judged(request: Request, tell: Callable[[dict[str, Any]], None]) -> dict[str, Any]:
    """Judge what is asked for.

    :param tell: hears every event.
    :returns: the verdict: ``good``, and per subject its tier, its outcomes and its certificate.
    :raises CoinswarmError: when that cannot be judged at all.
    """
    _demand_finite(request)
    records = _records(request.plugin)
    record = next(iter(records.values()))
    files, uncertifiable = _files(record)
    _demand_places(request, kept=not uncertifiable)
    data = request.loaded()
    with _older(request, record) as old, compiled.lent(lambda: tell({"event": "compiling"})) as lent:
        subjects, fault = _subjects(request, records, lent)
        results = [] if fault is None else [_unasked(request, fault)]
        for subject in subjects:
            results.append(_one(request, subject, record, data, tell, lent))
            if old is not None:
                tell({"event": "check", "id": "against", "title": f"comparing with {old[1]}", "number": 1, "of": 1})
                results[-1]["compared"] = differences(
                    subject, request.folders, *old, recordings(data), environment=lent
                )
    uncertifiable = _uncertifiable(request, record, files, subjects, uncertifiable)
    verdict: dict[str, Any] = {
        "good": all(one["good"] for one in results),
        "plugin": record.name,
        "distribution": record.distribution,
        "version": record.version,
        "asked": request.tier,
        "only": list(request.only),
        "seed": request.seed,
        "uncertifiable": uncertifiable,
        "subjects": results,
    }
    for one in results:
        one["certificate"], one["revoked"] = None, []
        if uncertifiable or not request.home:
            continue
        one["revoked"] = [str(path) for path in revoke(request, record, files, one)]
        if _earned(one, request):
            one["certificate"] = str(certify(request, record, files, one, data))
    if request.report:
        write_report(Path(request.report), verdict, request)
    return verdict


def _demand_places(request: Request, *, kept: bool) -> None:
    """Hold that what comes of it can be written.

    :param kept: whether a certificate can be earned at all.
    :raises OutputError: when it cannot.
    """
    if request.report:
        demand_writable(Path(request.report))
    if kept and request.home and not request.only:
        demand_keepable(Path(request.home))


def _earned(one: Mapping[str, Any], request: Request) -> bool:
    """Whether a result is worth a certificate: what was asked for, or silver on the way to gold."""
    reached = TIERS.index(one["tier"]) if one["tier"] else -1
    return reached >= min(TIERS.index(request.reach), TIERS.index("silver"))


def _records(name: str) -> dict[str, PluginRecord]:
    """What is judged, from metadata: the plugin of that name under the kind ``""``, and drivers under theirs.

    :raises UnknownNameError: when nothing installed has that name.
    :raises OperatorError: when it cannot be judged as it stands.
    """
    known = [*(("", record) for record in discover()), *discover_drivers()]
    found = {kind: record for kind, record in known if record.name == name}
    if not found:
        message = f"unknown plugin {name!r}"
        raise UnknownNameError(message, remedy=nearest(name, [record.name for _, record in known]))
    owners = sorted({record.distribution for record in found.values()})
    if name == CORE or [canonical(owner) for owner in owners] == [CORE_DISTRIBUTION]:
        message = "core is not judged: it is part of the judge"
        raise OperatorError(message, remedy="name a plugin")
    for record in found.values():
        if record.status is not Status.ENABLED:
            message = f"{record.label} is {record.status}"
            raise OperatorError(message, remedy=record.reason)
    if len(owners) > 1:
        message = (
            f"{' and '.join(owners)} both bring something named {name!r}: no certificate could be about one of them"
        )
        raise OperatorError(message, remedy="uninstall one")
    return found


def _files(record: PluginRecord) -> tuple[dict[str, str], str]:
    """The plugin's files with their digests, and why there can be no certificate over them (else empty)."""
    try:
        return files_of(record), ""
    except NotReadyError as error:
        return {}, str(error)


def _uncertifiable(
    request: Request, record: PluginRecord, files: Mapping[str, str], subjects: Sequence[Subject], before: str
) -> str:
    """Why there can be no certificate; empty where there can.

    :param files: as they were before anything was judged. :param before: what was known then.
    """
    if request.only:
        return "only some checks were run"
    if before:
        return before
    if outside := next(_outside(subjects, files), ""):
        return f"{outside} is in no file of {record.distribution}, so that no certificate could cover it"
    return "its files changed while it was judged" if files != _files(record)[0] else ""


def _outside(subjects: Iterable[Subject], files: Mapping[str, str]) -> Iterator[str]:
    """What is declared and lies in another distribution than the plugin's: that could change under a certificate.

    Core's own may be named: a certificate dies with the version of core.
    """
    for target in (target for one in subjects for target in (one.target, one.settings_target) if target):
        module = target.partition(":")[0]
        place = module.replace(".", "/")
        own = {f"{place}{end}{suffix}" for end in ("", "/__init__") for suffix in all_suffixes()}
        if module.partition(".")[0] != CORE_PACKAGE and not own & files.keys():
            yield target


def _subjects(
    request: Request, records: Mapping[str, PluginRecord], lent: Mapping[str, str]
) -> tuple[list[Subject], CheckFailedError | None]:
    """What is judged, as a worker says the plugin declares it; or why it says nothing.

    Whose it is does not come from the worker, which could name a module and a distribution that have nothing to hide.

    :raises UnknownNameError: when there is nothing of the kind or name asked for.
    """
    nobody = Subject(name=request.plugin, target="", plugin=request.plugin)
    try:
        with Remote(nobody, Fresh(lent, request.folders)) as link:
            told = link.ask("subjects.found", plugin=request.plugin)
            declared = [_owned(Subject(**fields), records) for fields in told]
    except CheckFailedError as error:
        return [], error
    except (TypeError, KeyError):
        return [], CheckFailedError("its process answered with what is no declaration")
    chosen = [one for one in declared if request.kind in {"", one.kind} and request.name in {"", one.name}]
    if not chosen:
        wanted = " ".join(word for word in (request.kind, request.name) if word) or "anything"
        message = f"plugin {request.plugin!r} does not declare {wanted}"
        raise UnknownNameError(message, remedy=nearest(wanted, [f"{one.kind} {one.name}" for one in declared]))
    subjects = [replace(one, settings=settings) for one in chosen for settings in _settings(request, one)]
    if not subjects:
        words = " and ".join(f"{one.kind} {one.name}" for one in chosen)
        message = f"{words} of plugin {request.plugin!r} is not judged by a profile, or not seated by this one"
        raise OperatorError(message, remedy="leave out --profile, and give --set KEY=VALUE")
    return subjects, None


def _owned(told: Subject, records: Mapping[str, PluginRecord]) -> Subject:
    """A subject as a worker tells it, with its owner as metadata tell it.

    :raises KeyError, TypeError: when there is no such kind or name, or nothing installed could declare it.
    """
    texts, tables = (told.target, told.settings_target), (told.settings, told.declaration)
    if not (all(isinstance(one, str) for one in texts) and all(isinstance(one, dict) for one in tables)):
        raise TypeError(told.name)
    if told.kind not in KINDS or not NAME.fullmatch(told.name):
        raise KeyError(told.kind)
    record = records[told.kind if told.kind in GROUPS else ""]
    return replace(
        told, plugin=record.name, plugin_module=record.target.partition(":")[0], distribution=record.distribution
    )


def _settings(request: Request, subject: Subject) -> Iterable[Mapping[str, Any]]:
    """The settings that a subject is judged with: one of them each time."""
    if request.seats is None:
        return [request.settings or {}]
    mine = [seat for seat in request.seats if (seat["kind"], seat["name"]) == (subject.kind, subject.name)]
    found: list[Mapping[str, Any]] = []
    for seat in mine:
        if seat["settings"] not in found:
            found.append(seat["settings"])
    return found


def _unasked(request: Request, fault: CheckFailedError) -> dict[str, Any]:
    """The result of a plugin that did not say what it declares."""
    reason = " ".join(str(fault).split())
    if not isinstance(fault, PluginRaisedError):
        reason = f"it cannot be asked what it declares: {reason}"
    row = Outcome(FINDING, "declaration and metadata valid", 0, "bronze", Result.FAILED, reason)
    return _result(request, Subject(name=request.plugin, target=""), [row])


def _one(  # noqa: PLR0913 - whom, of what, on what
    request: Request,
    subject: Subject,
    record: PluginRecord,
    data: Mapping[str, Loaded],
    tell: Callable[[dict[str, Any]], None],
    lent: Mapping[str, str],
) -> dict[str, Any]:
    """Judge one subject.

    :param record: of its plugin.
    :param lent: variables of every worker.
    """
    checks = _checks(request, subject)
    tell({
        "event": "subject", "kind": subject.kind, "name": subject.name, "settings": dict(subject.settings),
        "checks": len(checks),
    })  # fmt: skip
    bench = RemoteBench(
        subject,
        seed=request.seed,
        data={symbol: one.bars for symbol, one in data.items()},
        trials=request.trials,
        variant=variant_of(subject, request.folders) if request.home else "",
        environment=lent,
        paths=request.folders,
    )
    rows: list[Outcome] = []

    def began(check: Check) -> None:
        tell({"event": "check", "id": check.id, "title": check.title, "number": len(rows) + 1, "of": len(checks)})

    waivers = {key: why for key, why in request.waivers.items() if key in {check.id for check in checks}}
    with bench:
        for row in judge(bench, checks, waivers=waivers, began=began):
            rows.append(row)
            tell({"event": "outcome", **_plain(row), "again": _again(request, subject, row)})
        lines = compared(request.thresholds, bench)
        leave_trials(bench, record)
    return {**_result(request, subject, rows), "thresholds": lines}


def _older(request: Request, record: PluginRecord) -> AbstractContextManager[tuple[Path, str] | None]:
    """The older version to compare with, if one is asked for."""
    return older(Path(request.against), record.distribution) if request.against else nullcontext()


def _checks(request: Request, subject: Subject) -> Sequence[Check]:
    """The checks that a subject faces.

    :raises UnknownNameError: for an id that none of them has.
    """
    checks = checks_for(subject.kind, tier=request.reach)
    for wanted in (*request.only, *request.waivers):
        if wanted not in {check.id for check in checks}:
            message = f"no check {wanted!r} of {subject.kind} {subject.name!r} up to {request.tier}"
            raise UnknownNameError(message, remedy=nearest(wanted, [check.id for check in checks]))
    return [check for check in checks if not request.only or check.id in request.only]


def _result(request: Request, subject: Subject, rows: Sequence[Outcome]) -> dict[str, Any]:
    """What came of one subject, as plain data."""
    tier = None if request.only else tier_of(rows)
    reached = TIERS.index(tier) if tier else -1
    good = all(row.good for row in rows) if request.only else reached >= TIERS.index(request.reach)
    return {
        "kind": subject.kind,
        "name": subject.name,
        "settings": dict(subject.settings),
        "declaration": dict(subject.declaration),
        "tier": tier,
        "good": good,
        "compared": [],
        "thresholds": [],
        "checks": [{**_plain(row), "again": _again(request, subject, row)} for row in rows],
    }


def _plain(row: Outcome) -> dict[str, Any]:
    """An outcome as plain data, as a certificate holds it."""
    told = asdict(row)
    measured = told.pop("measured")
    return {
        **{name: told[name] for name in ("id", "title", "category", "tier", "seconds", "reason")},
        "outcome": str(row.result),
        "measured": {name: _finite(value) for name, value in measured["values"].items()},
        "limit": dict(measured["limits"]),
    }


def _demand_finite(request: Request) -> None:
    """Hold that settings are what a certificate can say.

    :raises OperatorError: for one with a number that is none.
    """
    for settings in (request.settings or {}, *(seat["settings"] for seat in request.seats or ())):
        for key, value in settings.items():
            try:
                json.dumps(value, allow_nan=False)
            except ValueError:
                message = f"the setting {key!r} is {value!r}, which no certificate can say"
                raise OperatorError(message, remedy="give a finite number") from None


def _finite(value: Number) -> Number:
    """A measurement as JSON has it: what is no number is a word."""
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value


def _again(request: Request, subject: Subject, row: Outcome) -> str:
    """The command that repeats a check that is not good."""
    if row.good:
        return ""
    which = [] if not subject.target else ["--kind", subject.kind, "--object", subject.name, "--only", row.id]
    return " ".join([request.again, *map(shlex.quote, which)])

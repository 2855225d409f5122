"""``coinswarm plugins``: what is installed, how it stands, and what the operator decides about it.

Imports no plugin unless told to, so that it works whatever is installed.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from coinswarm.cli.certificates import certificates
from coinswarm.cli.check import check
from coinswarm.cli.groups import NearestGroup
from coinswarm.cli.tables import emit, emit_fields
from coinswarm.cli.telling import tell
from coinswarm.errors import LoadError, NotReadyError, OperatorError, UnknownNameError, nearest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from coinswarm.plugins.policy import Policy
    from coinswarm.plugins.records import PluginRecord

COLUMNS = ("name", "version", "status", "origin", "certificate", "provides")

load_option = click.option("--load", is_flag=True, help="Import what is shown and ask what it provides.")
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


@click.group(cls=NearestGroup)
def plugins() -> None:
    """List and inspect the installed plugins."""


plugins.add_command(certificates)
plugins.add_command(check)


@plugins.command("list")
@load_option
@json_option
def list_plugins(*, load: bool, as_json: bool) -> None:
    """List every installed plugin and how it stands.

    What plugins provide is known from when they were last loaded; --load loads all of them now.
    """
    records = _judged(_installed(), load=load)
    rows = [{**_row(record), **told} for record, told in zip(records, _certified(records), strict=True)]
    emit(rows if as_json else [_dated(row) for row in rows], COLUMNS, as_json=as_json)
    _complain(records)
    _hold_strict(records)


@plugins.command()
@click.argument("name")
@load_option
@json_option
def info(name: str, *, load: bool, as_json: bool) -> None:
    """Show everything that is known about the plugin NAME."""
    records = _installed()
    chosen = _judged(_named(name, records), load=load)
    rows = [{**_row(record), **told} for record, told in zip(chosen, _certified(chosen), strict=True)]
    if as_json:
        emit(rows, COLUMNS, as_json=True)
    else:
        for number, row in enumerate(rows):
            if number:
                click.echo()
            emit_fields(row, as_json=False)
    _complain(chosen)
    if load and not as_json:
        for record in chosen:
            for warning in record.warnings:
                tell(f"coinswarm: warning: {record.label}: {warning}")
    _hold_strict(chosen)


@plugins.command()
@click.argument("name")
@json_option
def disable(name: str, *, as_json: bool) -> None:
    """Switch the plugin NAME off: nothing loads it until it is enabled again."""
    from dataclasses import replace

    _changeable(name)
    _change(lambda policy: replace(policy, disabled=policy.disabled | {name}))
    _answer(name, f"{name} is disabled; coinswarm plugins enable {name} switches it on again", as_json=as_json)


@plugins.command()
@click.argument("name")
@json_option
def enable(name: str, *, as_json: bool) -> None:
    """Switch the plugin NAME on again: lifts what disable and block did."""
    from dataclasses import replace

    policy = _policy()
    _known(name, policy)
    blocked = any(_same(key, name) for key in policy.blocked)
    was = blocked or any(_same(key, name) for key in policy.disabled)
    _change(
        lambda now: replace(
            now,
            disabled=frozenset(key for key in now.disabled if not _same(key, name)),
            blocked={key: reason for key, reason in now.blocked.items() if not _same(key, name)},
        )
    )
    text = f"{name} is no longer {'blocked' if blocked else 'disabled'}" if was else f"{name} was not off"
    _answer(name, text, as_json=as_json)


@plugins.command()
@click.argument("name")
@click.option("--reason", default="no reason given", show_default=True, help="Why, in one line.")
@json_option
def block(name: str, *, reason: str, as_json: bool) -> None:
    """Refuse the plugin NAME, with a reason that every refusal repeats."""
    from dataclasses import replace

    _changeable(name)
    line = " ".join(reason.split()).rstrip(".:")
    if not line or not line.isprintable():
        message = f"--reason is {reason!r}"
        raise OperatorError(message, remedy="say in a few words why")
    _change(lambda policy: replace(policy, blocked={**policy.blocked, name: line}))
    _answer(name, f"{name} is blocked ({line}); coinswarm plugins enable {name} lifts it", as_json=as_json)


@plugins.command()
@click.argument("name")
@json_option
def trust(name: str, *, as_json: bool) -> None:
    """Trust the plugin NAME by the digest of its files, as they are on disk now.

    From then on it is loaded only while its files are the same, in every mode. Trust says which bytes
    run; it does not say that they are honest, so look at them first.
    """
    from dataclasses import replace

    from coinswarm.plugins.trust import trust_line

    chosen = _changeable(name)
    if len(chosen) > 1:
        message = (
            f"plugin {name!r} cannot be trusted: {' and '.join(record.distribution for record in chosen)} bring it"
        )
        raise OperatorError(message, remedy="uninstall one of them first")
    line = trust_line(chosen[0])
    _change(lambda policy: replace(policy, trusted={**policy.trusted, name: line}))
    if as_json:
        _answer(name, "", as_json=True, entry=line)
        return
    click.echo(line)
    click.echo(f"{name} is trusted. A live profile names that line in trust.")


@plugins.command()
@click.argument("name")
@json_option
def untrust(name: str, *, as_json: bool) -> None:
    """Take back the trust in the plugin NAME."""
    from dataclasses import replace

    policy = _policy()
    _known(name, policy)
    _change(
        lambda now: replace(now, trusted={key: line for key, line in now.trusted.items() if not _same(key, name)}),
    )
    was = any(_same(key, name) for key in policy.trusted)
    text = f"{name} is no longer trusted" if was else f"{name} was not trusted"
    _answer(name, text, as_json=as_json)


@plugins.command()
@click.argument("kind")
@click.argument("name")
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path(),
    show_default="here",
    help="Where the package's folder is made.",
)
@json_option
def new(kind: str, name: str, *, out: Path, as_json: bool) -> None:
    """Write a package that brings a new plugin: KIND, as agent, weigher or embedder, and NAME.

    It works as written: it can be installed, passes its tests, and earns a certificate.
    """
    from coinswarm.plugins.history import recall
    from coinswarm.plugins.scaffold import scaffold

    made = scaffold(kind, name, out, [*recall(_home(), _installed()), *_core()])
    if as_json:
        emit_fields({"folder": str(made.folder), "files": list(made.files)}, as_json=True)
        return
    for file in made.files:
        click.echo(made.folder / file)
    click.echo(f"Next: cd {made.folder}, read README.md, change {made.idea}")


def _core() -> Iterable[PluginRecord]:
    """Core with what it declares, which no history is needed for, and its drivers."""
    from coinswarm.plugins.catalogue import load
    from coinswarm.plugins.drivers import discover_drivers

    return [*load([]).plugins.values(), *(record for _, record in discover_drivers())]


def _home() -> Path | None:
    """Where decisions and memories are kept; None where there is no such folder."""
    from coinswarm.config.home import home

    try:
        return home()
    except NotReadyError:
        return None


def _policy() -> Policy:
    """The decisions in force."""
    from coinswarm.plugins.policy import read_policy

    return read_policy(_home())


def _installed() -> Sequence[PluginRecord]:
    """Every installed plugin and driver, and how it stands."""
    from coinswarm.plugins.drivers import installed_drivers
    from coinswarm.plugins.standing import installed

    return [*installed(_home()), *installed_drivers(_home())]


def _named(name: str, records: Sequence[PluginRecord]) -> list[PluginRecord]:
    """The plugins of a name; more than one where two distributions claim it.

    :raises UnknownNameError: naming the nearest one.
    """
    chosen = [record for record in records if record.name == name]
    if not chosen:
        message = f"unknown plugin {name!r}"
        raise UnknownNameError(message, remedy=nearest(name, [record.name for record in records]))
    return chosen


def _changeable(name: str) -> list[PluginRecord]:
    """The plugins of a name, about which a decision may be made.

    :raises OperatorError: for core, without which nothing runs.
    """
    from coinswarm.plugins.drivers import everything
    from coinswarm.plugins.records import CORE

    chosen = _named(name, everything())
    if name == CORE:
        message = f"plugin {name!r} is coinswarm-core itself, about which nothing can be decided"
        raise OperatorError(message, remedy="name another plugin")
    return chosen


def _known(name: str, policy: Policy) -> None:
    """Hold that a plugin is installed, or that a decision names it though it is gone."""
    if name not in policy.names:
        _changeable(name)


def _same(one: str, other: str) -> bool:
    """Whether two spellings are of one name."""
    from coinswarm.plugins.records import canonical

    return canonical(one) == canonical(other)


def _change(change: Callable[[Policy], Policy]) -> None:
    """Change the decisions."""
    from coinswarm.plugins.policy import change_policy

    change_policy(_home(), change)


def _answer(name: str, text: str, *, as_json: bool, **more: object) -> None:
    """Say what a decision came to: in words, or as how the plugin stands now."""
    if not as_json:
        click.echo(text)
        return
    chosen = [record for record in _installed() if record.name == name]
    emit([{**_row(record), **more} for record in chosen], COLUMNS, as_json=True)


def _judged(records: Sequence[PluginRecord], *, load: bool) -> Sequence[PluginRecord]:
    """Plugins as their metadata and their last load show them, or as loading these alone shows them."""
    from coinswarm.plugins.history import recall, remember

    if not load:
        return recall(_home(), records)
    from coinswarm.clock import SystemClock, iso
    from coinswarm.plugins.catalogue import survey

    judged = [*survey([record for record in records if record.noun == "plugin"]), *_surveyed(records)]
    if not remember(_home(), judged, iso(SystemClock().now_ns())):
        tell("coinswarm: what was loaded could not be remembered: set COINSWARM_HOME to a folder of yours")
    return judged


def _surveyed(records: Sequence[PluginRecord]) -> list[PluginRecord]:
    """The drivers among some records, after an attempt to load each."""
    from coinswarm.plugins.drivers import GROUPS, survey_drivers

    wanted = {(record.name, record.distribution, record.target) for record in records if record.noun == "driver"}
    found = [one.record for kind in GROUPS for one in survey_drivers(kind, home=_home())] if wanted else []
    return [record for record in found if (record.name, record.distribution, record.target) in wanted]


def _row(record: PluginRecord) -> dict[str, object]:
    """A record as a row, without its certificate."""
    return {
        "name": record.name,
        "version": record.version,
        "status": str(record.status),
        "origin": str(record.origin),
        "certificate": None,
        "provides": list(record.provides),
        "distribution": record.distribution,
        "target": record.target,
        "made_for": record.made_for,
        "trust": record.trust,
        "reason": record.reason,
        "warnings": list(record.warnings),
        "as_of": record.as_of,
    }


def _certified(records: Sequence[PluginRecord]) -> list[dict[str, object]]:
    """Per plugin, the tier of its best certificate that counts, else what is wrong with the one there is."""
    from coinswarm.plugins.certificates import best, hold, read_all

    held = [hold(found, records) for found in read_all(_home())]
    told: list[dict[str, object]] = []
    for record in records:
        one = best(held, record.name)
        broken = {"certificate": "broken", "not_counted": one.why} if one and one.why else {}
        told.append({"certificate": one.found.certificate.tier if one else None, "not_counted": "", **broken})
    return told


def _dated(row: dict[str, object]) -> dict[str, object]:
    """A row of the table, where what an earlier load showed carries its date."""
    provides, as_of = row["provides"], str(row["as_of"])
    if not (provides and as_of and isinstance(provides, list)):
        return row
    return {**row, "provides": f"{', '.join(provides)} (as of {as_of[:10]})"}


def _complain(records: Iterable[PluginRecord]) -> None:
    """One line on stderr for each plugin that is broken: broken is never silent."""
    for record in records:
        if record.broken:
            when = f" (as of {record.as_of}; --load tries again)" if record.as_of else ""
            tell(f"coinswarm: {record.label} is {record.status}: {record.reason}{when}")


def _hold_strict(records: Iterable[PluginRecord]) -> None:
    """In strict mode, a broken plugin is fatal.

    :raises LoadError: counting them; the lines before it say which.
    """
    from coinswarm.plugins.standing import STRICT, strict

    broken = [record.name for record in records if record.broken]
    if broken and strict():
        message = f"{len(broken)} broken plugins and {STRICT} is set ({', '.join(sorted(broken))})"
        raise LoadError(message, remedy="repair, disable or uninstall them")

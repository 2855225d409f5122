"""``coinswarm plugins``: what is installed and how it stands; imports no plugin unless told to."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from coinswarm.cli.groups import NearestGroup
from coinswarm.cli.tables import emit, emit_fields
from coinswarm.errors import UnknownNameError, nearest

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from coinswarm.plugins.records import PluginRecord

COLUMNS = ("name", "version", "status", "origin", "certificate", "provides")

load_option = click.option("--load", is_flag=True, help="Import what is shown and ask what it provides.")
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


@click.group(cls=NearestGroup)
def plugins() -> None:
    """List and inspect the installed plugins."""


@plugins.command("list")
@load_option
@json_option
def list_plugins(*, load: bool, as_json: bool) -> None:
    """List every installed plugin; what they provide is known with --load."""
    from coinswarm.plugins.discovery import discover

    records = _judged(discover(), load=load)
    emit([_row(record) for record in records], COLUMNS, as_json=as_json)
    _complain(records)


@plugins.command()
@click.argument("name")
@load_option
@json_option
def info(name: str, *, load: bool, as_json: bool) -> None:
    """Show everything that is known about the plugin NAME."""
    from coinswarm.plugins.discovery import discover

    records = discover()
    chosen = _judged([record for record in records if record.name == name], load=load)
    if not chosen:
        message = f"unknown plugin {name!r}"
        raise UnknownNameError(message, remedy=nearest(name, [record.name for record in records]))
    if as_json:
        emit([_row(record) for record in chosen], COLUMNS, as_json=True)
        return
    for number, record in enumerate(chosen):
        if number:
            click.echo()
        emit_fields(_row(record), as_json=False)
    _complain(chosen)


def _judged(records: Sequence[PluginRecord], *, load: bool) -> Sequence[PluginRecord]:
    """Plugins as their metadata shows them, or as loading these alone shows them."""
    if not load:
        return records
    from coinswarm.plugins.catalogue import survey

    return survey(records)


def _row(record: PluginRecord) -> dict[str, object]:
    """A record as a row; the certificate is read once certificates exist."""
    return {
        "name": record.name,
        "version": record.version,
        "status": str(record.status),
        "origin": str(record.origin),
        "certificate": None,
        "provides": list(record.provides),
        "distribution": record.distribution,
        "target": record.target,
        "reason": record.reason,
    }


def _complain(records: Iterable[PluginRecord]) -> None:
    """One line on stderr for each plugin that cannot be used: broken is never silent."""
    for record in records:
        if record.reason:
            click.echo(f"coinswarm: {record.label} is {record.status}: {record.reason}", err=True)

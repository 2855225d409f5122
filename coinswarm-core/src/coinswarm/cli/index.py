"""``coinswarm memory index``: how the memory backend of a profile is doing, and tidying it up."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from coinswarm.cli.groups import ProfileCommand
from coinswarm.cli.ledger import json_option
from coinswarm.cli.run import profile_option, set_option

if TYPE_CHECKING:
    from pathlib import Path


@click.command(cls=ProfileCommand)
@profile_option
@click.option("--optimize", is_flag=True, help="Have the backend tidy up each space first.")
@set_option
@json_option
def index(*, profile: Path, optimize: bool, overrides: tuple[str, ...], as_json: bool) -> None:
    """Show what the backend of [memory] holds of each space, and up to which entry of the log.

    What it should hold, and whether each episode is as accepted, says coinswarm memory rebuild --check.
    """
    from functools import partial

    from coinswarm.cli.progress import progress
    from coinswarm.cli.tables import emit, emit_fields
    from coinswarm.config.swarm import load_swarm
    from coinswarm.memory.store.opening import opened
    from coinswarm.runtime.looking import index_of
    from coinswarm.runtime.swarm.assembly import driven
    from coinswarm.runtime.swarm.opening import address_of

    loaded = load_swarm(profile, overrides)
    section = loaded.swarm
    with (
        opened(address_of(section), section.cluster, section.shard) as store,
        progress(as_json=as_json) as shown,
    ):
        found = driven(partial(index_of, loaded, store, label=str(profile), optimize=optimize, say=shown.phase))
    if as_json:
        emit_fields(found.facts(), as_json=True)
        return
    why = f" ({found.health.reason})" if found.health.reason else ""
    entries = "1 entry" if found.head == 1 else f"{found.head:,} entries"
    click.echo(f"{found.backend}: {found.health.condition.value}{why}; the log has {entries}")
    if not found.spaces:
        click.echo("The swarm has no space yet: an agent's first episode brings one.")
        return
    emit(found.rows(), ("space", "dimension", "entries", "bytes", "exact", "applied"), as_json=False)

"""``coinswarm memory``: what the quorum decided, and looking after it."""

from __future__ import annotations

import click

from coinswarm.cli.groups import NearestGroup
from coinswarm.cli.ledger import log, migrate, rebuild, show, verify


@click.group(cls=NearestGroup)
def memory() -> None:
    """The swarm's memory under quorum: its log and its store."""


for command in (log, show, verify, rebuild, migrate):
    memory.add_command(command)

"""``coinswarm memory``: what the quorum decided, who takes part in it, proposing to it, and looking after it."""

from __future__ import annotations

import click

from coinswarm.cli.groups import NearestGroup
from coinswarm.cli.index import index
from coinswarm.cli.ledger import log, migrate, rebuild, show, verify
from coinswarm.cli.proposing import propose
from coinswarm.cli.seats import init, keys, roster, voters


@click.group(cls=NearestGroup)
def memory() -> None:
    """The swarm's memory under quorum: its seats, its log and its store."""


for command in (init, keys, voters, roster, propose, log, show, verify, rebuild, index, migrate):
    memory.add_command(command)

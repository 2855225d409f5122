"""``coinswarm run``: the processes of the quorum, each until it is told to stop."""

from __future__ import annotations

from pathlib import Path

import click

from coinswarm.cli.groups import NearestGroup, ProfileCommand
from coinswarm.cli.telling import tell

profile_option = click.option(
    "--profile",
    required=True,
    type=click.Path(path_type=Path, dir_okay=False),
    help="A TOML file with [swarm], as coinswarm memory init writes it.",
)
set_option = click.option(
    "--set", "overrides", multiple=True, metavar="KEY=VALUE", help="Override a key of the profile."
)


@click.group(cls=NearestGroup)
def run() -> None:
    """Run a process of the quorum until Ctrl-C or SIGTERM.

    What it has to say goes to stderr, a line each. Exit code 5: it stopped for good, and a person must look
    before it is started again.
    """


@run.command(cls=ProfileCommand)
@click.option("--id", "name", required=True, metavar="NAME", help="The seat, as v1.")
@profile_option
@click.option(
    "--new-disk",
    is_flag=True,
    help="The seat, or its key, has never voted: let it begin with an empty disk although the log has entries.",
)
@set_option
def voter(*, name: str, profile: Path, new_disk: bool, overrides: tuple[str, ...]) -> None:
    """Judge proposals and sign ballots in the name of one seat."""
    from functools import partial

    from coinswarm.config.swarm import load_swarm
    from coinswarm.runtime.swarm.assembly import driven, run_voter

    loaded = load_swarm(profile, overrides)
    driven(partial(run_voter, loaded, name, label=str(profile), say=tell, new_disk=new_disk))


@run.command(cls=ProfileCommand)
@click.option("--id", "name", required=True, metavar="NAME", help="The coordinator, as c1.")
@profile_option
@set_option
def coordinator(*, name: str, profile: Path, overrides: tuple[str, ...]) -> None:
    """Collect ballots, and have the log decide."""
    from functools import partial

    from coinswarm.config.swarm import load_swarm
    from coinswarm.runtime.swarm.assembly import driven, run_coordinator

    loaded = load_swarm(profile, overrides)
    driven(partial(run_coordinator, loaded, name, label=str(profile), say=tell))


@run.command(cls=ProfileCommand)
@profile_option
@set_option
def projection(*, profile: Path, overrides: tuple[str, ...]) -> None:
    """Keep the memory backend of [memory] at the log: every accepted episode, with its vector."""
    from functools import partial

    from coinswarm.config.swarm import load_swarm
    from coinswarm.runtime.swarm.assembly import driven, run_projection

    driven(partial(run_projection, load_swarm(profile, overrides), label=str(profile), say=tell))


@run.command(cls=ProfileCommand)
@profile_option
@click.option(
    "--metrics",
    "measured",
    metavar="[HOST:]PORT",
    help="Serve metrics for Prometheus there: log, decisions, seats, index. HOST is 127.0.0.1 unless named.",
)
@set_option
def follower(*, profile: Path, measured: str | None, overrides: tuple[str, ...]) -> None:
    """Tell the profile's plugins what the quorum decides, entry by entry; and measure it."""
    from functools import partial

    from coinswarm.config.swarm import load_swarm
    from coinswarm.runtime.follower import run_follower
    from coinswarm.runtime.swarm.assembly import driven

    loaded = load_swarm(profile, overrides)
    driven(partial(run_follower, loaded, label=str(profile), say=tell, measured=measured))

"""``coinswarm memory keys|init|voters|roster``: keys of seats, a quorum's beginning, and who takes part in it."""

from __future__ import annotations

from pathlib import Path

import click

from coinswarm.cli.groups import NearestGroup, ProfileCommand
from coinswarm.cli.run import profile_option, set_option
from coinswarm.cli.tables import emit, emit_fields
from coinswarm.cli.telling import tell
from coinswarm.errors import OperatorError

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
VOTERS, ECONOMY = ("v1", "v2", "v3", "v4"), ("v1", "v2", "v3")


@click.group(cls=NearestGroup)
def keys() -> None:
    """Secret keys of seats, below $COINSWARM_HOME/seats: who can read one can vote in its name."""


@keys.command()
@click.argument("name")
@json_option
def create(name: str, *, as_json: bool) -> None:
    """Make the key of the seat NAME, readable by its owner alone, and print its public half."""
    from coinswarm.runtime.swarm import keyring

    _demand_name(name)
    signer = keyring.create(keyring.keys_folder(), name)
    if as_json:
        emit_fields({"name": name, "key": signer.key}, as_json=True)
        return
    click.echo(f"{name} {signer.key}")


@keys.command("list")
@json_option
def list_keys(*, as_json: bool) -> None:
    """List the keys that are here, by their public halves."""
    from coinswarm.runtime.swarm import keyring

    rows = [{"name": name, "key": key, "problem": why} for name, key, why in keyring.listed(keyring.keys_folder())]
    emit(rows, ("name", "key", "problem"), as_json=as_json)


@keys.command()
@click.argument("name")
@json_option
def show(name: str, *, as_json: bool) -> None:
    """Print the public half of the key of NAME."""
    from coinswarm.runtime.swarm import keyring

    signer = keyring.read(keyring.keys_folder(), name)
    if as_json:
        emit_fields({"name": name, "key": signer.key}, as_json=True)
        return
    click.echo(f"{name} {signer.key}")


@click.command()
@click.option("--cluster", required=True, metavar="NAME", help="The cluster's name; part of everything signed.")
@click.option("--shard", default="main", show_default=True, metavar="NAME", help="Its part, with a log of its own.")
@click.option(
    "--voter",
    "voters",
    multiple=True,
    metavar="NAME[=KEY]",
    help="A seat, with its public key where that is kept elsewhere; by default v1 to v4.",
)
@click.option("--submitter", default="desk", show_default=True, metavar="NAME[=KEY]", help="Who may propose.")
@click.option("--operator", default="", metavar="KEY", help="The operator's public key, where its secret is elsewhere.")
@click.option("--economy", is_flag=True, help="Three voters, of whom two decide: bears one crash, and no liar.")
@click.option("--faulty", type=click.IntRange(min=0), help="How many voters may lie; by default as many as N bears.")
@click.option(
    "--database",
    metavar="URL",
    help="Where the log is, without a password; by default a SQLite file beside the profile.",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path(),
    show_default="here",
    help="Folder for the profile and the roster.",
)
@json_option
def init(  # noqa: PLR0913 - one parameter per option
    *,
    cluster: str,
    shard: str,
    voters: tuple[str, ...],
    submitter: str,
    operator: str,
    economy: bool,
    faulty: int | None,
    database: str | None,
    out: Path,
    as_json: bool,
) -> None:
    """Begin a quorum: make the keys that are missing here, and write its roster and a profile with [swarm].

    Nothing is started, and no database is touched: the first process founds the log.
    """
    from coinswarm.runtime.swarm.founding import Founding, found

    for name in (cluster, shard):
        _demand_name(name)
    if economy and (voters or faulty):
        message = "--economy stands for three voters of whom none may lie"
        raise OperatorError(message, remedy="leave out --voter and --faulty, or --economy")
    named = [_seat(text) for text in voters or (ECONOMY if economy else VOTERS)]
    if len(dict(named)) != len(named):
        message = "a voter is named twice"
        raise OperatorError(message, remedy="give each seat a name of its own")
    founded = found(
        Founding(
            cluster=cluster,
            shard=shard,
            voters=dict(named),
            submitter=_seat(submitter),
            operator=operator,
            faulty=0 if economy else faulty,
            database=database or f"{cluster}.sqlite",
            folder=out,
        )
    )
    if as_json:
        emit_fields(founded.facts(), as_json=True)
        return
    for line in founded.lines():
        click.echo(line)


@click.command(cls=ProfileCommand)
@profile_option
@set_option
@json_option
def voters(*, profile: Path, overrides: tuple[str, ...], as_json: bool) -> None:
    """Show who is in the roster in force, how each seat is doing as far as it says, and its last ballot."""
    from functools import partial

    from coinswarm.config.swarm import load_swarm
    from coinswarm.runtime.swarm.assembly import driven
    from coinswarm.runtime.swarm.seats import seats_of
    from coinswarm.runtime.weights import DUE

    told = driven(partial(seats_of, load_swarm(profile, overrides), label=str(profile), say=tell))
    if as_json:
        emit_fields(told.facts(), as_json=True)
        return
    click.echo(told.headline)
    if told.due:
        click.echo(f"{DUE[0].upper()}{DUE[1:]}.")
    emit([seat.row() for seat in told.seats], ("name", "part", "state", "head", "last_ballot", "key"), as_json=False)


@click.command(cls=ProfileCommand)
@profile_option
@click.option(
    "--voter",
    "voters",
    multiple=True,
    metavar="NAME[=KEY]",
    help="A voter that is added, or is given this key; without KEY the one below $COINSWARM_HOME/seats.",
)
@click.option("--submitter", "submitters", multiple=True, metavar="NAME[=KEY]", help="Likewise, who may propose.")
@click.option("--remove", "removed", multiple=True, metavar="NAME", help="A seat that is removed.")
@click.option("--faulty", type=click.IntRange(min=0), help="How many voters may lie; as many as now.")
@set_option
@json_option
def roster(  # noqa: PLR0913 - one parameter per option
    *,
    profile: Path,
    voters: tuple[str, ...],
    submitters: tuple[str, ...],
    removed: tuple[str, ...],
    faulty: int | None,
    overrides: tuple[str, ...],
    as_json: bool,
) -> None:
    """Show the roster in force; with a change, print the proposal for the next one, for memory propose.

    One voter is added, removed or given another key at a time. The log is read and verified; nothing is proposed, and
    nobody is asked.
    """
    from functools import partial

    from coinswarm.cli.tables import emit_json
    from coinswarm.config.swarm import load_swarm
    from coinswarm.runtime.swarm.assembly import driven
    from coinswarm.runtime.swarm.founding import sizes
    from coinswarm.runtime.swarm.seating import Change, next_roster
    from coinswarm.runtime.swarm.seats import in_force

    change = Change(voters=_keyed(voters), submitters=_keyed(submitters), removed=removed, faulty=faulty)
    fold = driven(partial(in_force, load_swarm(profile, overrides), say=tell))
    now = fold.roster
    if change:
        emit_json(next_roster(now, change))
        return
    rows = [
        *({"name": seat.name, "part": "voter", "key": seat.key} for seat in now.voters),
        *({"name": seat.name, "part": "submitter", "key": seat.key} for seat in now.submitters),
    ]
    if as_json:
        emit_fields({"version": now.version, "quorum": now.quorum, "faulty": now.faulty, "seats": rows}, as_json=True)
        return
    click.echo(f"{fold.cluster}/{fold.shard}: {sizes(now)}; roster version {now.version}")
    emit(rows, ("name", "part", "key"), as_json=False)


def _keyed(texts: tuple[str, ...]) -> dict[str, str]:
    """Seats with their public keys, which are those here where none is named."""
    from coinswarm.runtime.swarm import keyring

    named = dict(map(_seat, texts))
    return {name: key or keyring.read(keyring.keys_folder(), name).key for name, key in named.items()}


def _seat(text: str) -> tuple[str, str]:
    """A seat and its public key; empty where it is to be found, or made, here."""
    name, _, key = text.partition("=")
    _demand_name(name)
    return name, key


def _demand_name(name: str) -> None:
    """Hold a name to what a profile takes.

    :raises OperatorError: for another.
    """
    import re

    if not re.fullmatch(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", name):
        message = f"{name!r} is no name"
        raise OperatorError(message, remedy="lower-case letters, digits and single hyphens")

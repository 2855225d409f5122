"""``coinswarm memory log|show|verify|rebuild|migrate``: the quorum's log in its store, read and looked after."""

from __future__ import annotations

from contextlib import contextmanager
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from coinswarm.cli.decisions import COLUMNS, SHORT, WITHOUT_BALLOTS, asked, ballot_row, each, is_about, plain, row, told
from coinswarm.cli.telling import tell
from coinswarm.errors import DataError, NotReadyError, UnknownNameError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from coinswarm.config.swarm import SwarmProfile
    from coinswarm.memory.quorum.records import Entry, Seal
    from coinswarm.memory.quorum.roster import Roster
    from coinswarm.memory.store.opening import Store

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
store_option = click.option(
    "--store",
    "url",
    envvar="COINSWARM_STORE",
    show_envvar=True,
    metavar="URL",
    help="The database: a path, sqlite:///PATH or postgresql://USER@HOST/NAME.",
)
profile_option = click.option(
    "--profile",
    type=click.Path(path_type=Path, dir_okay=False),
    help="A TOML file with [swarm], instead of --store: its log, its first roster, its index.",
)


class Where(NamedTuple):
    """Which log.

    :param url: of the store.
    :param profile: that names a quorum, instead of the rest.
    :param cluster, shard: empty where the store holds one log only.
    """

    url: str | None
    profile: Path | None
    cluster: str
    shard: str


def which_log(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options that name a log, handed over as ``where``."""

    @wraps(command)
    def run(**given: Any) -> Any:  # noqa: ANN401 - the command's own
        _one_named(given["profile"])
        return command(where=Where(*(given.pop(name) for name in Where._fields)), **given)

    wrapped: Callable[..., Any] = run
    for option in (
        click.option("--shard", default="", metavar="NAME", help="Only where the store holds several logs."),
        click.option("--cluster", default="", metavar="NAME", help="Only where the store holds several logs."),
        profile_option,
        store_option,
    ):
        wrapped = option(wrapped)
    return wrapped


def _one_named(profile: Path | None) -> None:
    """Hold that a profile stands for no other store than one that was typed beside it.

    :raises click.UsageError: when both were typed; a store that the environment names gives way.
    """
    ctx = click.get_current_context()
    if profile is not None and ctx.get_parameter_source("url") is click.core.ParameterSource.COMMANDLINE:
        message = "--store and --profile each name a store: give one of them"
        raise click.UsageError(message, ctx)


@click.command()
@which_log
@click.option("--last", type=click.IntRange(min=1), default=20, show_default=True, help="How many entries.")
@click.option("--subject", metavar="TEXT", help="Only entries about what begins so.")
@json_option
def log(*, where: Where, last: int, subject: str | None, as_json: bool) -> None:
    """List what the quorum decided, newest last."""
    from coinswarm.cli.tables import emit

    with opened_log(where) as store:
        entries = _last(store, last, subject or "")
    if not entries and not as_json:
        click.echo("Nothing was decided yet." if not subject else f"Nothing was decided about {subject}.")
        return
    emit([row(entry, short=not as_json) for entry in entries], COLUMNS, as_json=as_json)


@click.command()
@click.argument("id")
@which_log
@json_option
def show(*, id: str, where: Where, as_json: bool) -> None:  # noqa: A002 - as the argument is called
    """Show one decision with its ballots, and what the voters found, in words.

    ID is a proposal's id or the beginning of one, or the number of an entry.
    """
    from coinswarm.cli.tables import emit_fields, emit_json

    with opened_log(where) as store:
        entry = _find(store, id)
    ballots = [ballot_row(ballot, entry) for ballot in entry.proof]
    proposal = entry.envelope.proposal
    if as_json:
        emit_json({
            **row(entry, short=False),
            "hash": entry.hash,
            "previous": entry.previous,
            "epoch": entry.epoch,
            "roster": entry.envelope.roster,
            "nonce": entry.envelope.nonce,
            "deadline_ns": entry.envelope.deadline_ns,
            "content": proposal.content(),
            "ballots": ballots,
        })  # fmt: skip
        return
    emit_fields(told(entry), as_json=False)
    click.echo()
    click.echo(f"asks      {plain(asked(proposal))}")
    for line in each(proposal):
        click.echo(f"          {plain(line)}")
    for reference in proposal.references:
        click.echo(f"cites     {reference.place} as {reference.digest[:SHORT]}")
    for claim in proposal.claims:
        click.echo(f"claims    {claim.what} of {claim.value_ppm / 1e6:g}, which no voter believes")
    click.echo()
    if not ballots:
        click.echo("No ballots: " + WITHOUT_BALLOTS[entry.outcome.value])
    for one in ballots:
        click.echo(f"{one['voter']} says {one['verdict']}, having seen entry {one['seen']}: {one['words']}")


@click.command()
@which_log
@click.option(
    "--roster",
    "roster_file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="The first roster, from where the log's owner cannot reach; by default the store's own is believed.",
)
@click.option(
    "--seals",
    "seals_file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Seals from there, one a line.",
)
@json_option
def verify(*, where: Where, roster_file: Path | None, seals_file: Path | None, as_json: bool) -> int:
    """Verify the log from its first entry: chain, signatures, commit proofs, rulings, seals.

    Names the first entry that is not as it was. Exit code 1 where there is one.
    """
    from coinswarm.cli.progress import progress
    from coinswarm.cli.tables import emit_json
    from coinswarm.memory.quorum.keys import Ed25519Scheme
    from coinswarm.memory.store.audit import verified

    roster = _roster(roster_file) if roster_file else _roster_of(where.profile)
    kept = _seals(seals_file) if seals_file else []
    with opened_log(where) as store, progress(as_json=as_json) as shown:
        report = verified(
            store, Ed25519Scheme(), roster=roster, kept=kept, told=lambda count: shown.phase(f"{count:,} entries")
        )
        first = roster or store.first
        name = f"{store.log.cluster}/{store.log.shard}"
    fold = report.fold
    if as_json:
        emit_json({
            "log": name,
            "whole": not report.why,
            "entries": fold.head.index,
            "head": fold.head.hash,
            "bad_entry": report.bad or None,
            "why": report.why or None,
            "roster": fold.roster.version,
            "first_roster": _fingerprint(first),
            "first_roster_given": roster is not None,
            "seals_given": len(kept),
        })  # fmt: skip
    elif report.why:
        click.echo(f"{name} is not whole: {report.why}.")
        click.echo(f"It is good up to entry {fold.head.index}. Stop the swarm, keep a copy, restore it from before.")
    else:
        click.echo(f"{name} is whole: {fold.head.index:,} entries, the last is {fold.head.hash}.")
        if roster is None:
            click.echo(f"Its first roster ({_fingerprint(first)[:SHORT]}) is believed: to verify it, give --roster.")
        if not kept:
            click.echo("Without seals from elsewhere (--seals), a log that its owner cut short is not noticed.")
    return 1 if report.why else 0


@click.command()
@which_log
@click.option("--check", is_flag=True, help="Only compare; change nothing.")
@json_option
def rebuild(*, where: Where, check: bool, as_json: bool) -> int:
    """Derive the state anew from the verified log, and say what differed.

    That is the tables of the state and, with --profile, the index of its [memory]. With --check, exit code 1 where
    something differs.
    """
    from coinswarm.cli.progress import progress
    from coinswarm.cli.tables import emit_json
    from coinswarm.memory.quorum.keys import Ed25519Scheme
    from coinswarm.memory.store.audit import rebuild as derive

    with opened_log(where) as store, progress(as_json=as_json) as shown:
        made = derive(store, Ed25519Scheme(), write=not check, told=lambda count: shown.phase(f"{count:,} entries"))
        shown.phase("the index")
        spaces = _reindexed(where.profile, store, write=not check) if where.profile is not None else {}
    head = made.fold.head
    if as_json:
        told = {"differed": made.differed, "index": spaces, "written": not check}
        emit_json({"entries": head.index, "head": head.hash, **told})
    elif not (made.differed or spaces):
        click.echo(f"The state is what {head.index:,} entries make of it.")
    else:
        for table, count in made.differed.items():
            click.echo(f"{table}: {count} row{'s' if count > 1 else ''} {'differ' if check else 'differed'}")
        for space, why in spaces.items():
            click.echo(f"index of {space}: {why}")
        click.echo("Nothing was changed." if check else f"Derived anew from {head.index:,} entries.")
    return 1 if check and (made.differed or spaces) else 0


def _reindexed(profile: Path, store: Store, *, write: bool) -> dict[str, str]:
    """What was wrong with the index of a profile, by space."""
    from functools import partial

    from coinswarm.runtime.swarm.assembly import driven, reindex

    return driven(partial(reindex, _swarm(profile), store, label=str(profile), say=tell, write=write))


@click.command()
@store_option
@profile_option
@json_option
def migrate(*, url: str | None, profile: Path | None, as_json: bool) -> None:
    """Make the tables of a store, or bring them to what this version needs. Stop the swarm and keep a copy before."""
    from coinswarm.cli.tables import emit_json
    from coinswarm.memory.store.opening import migrated

    _one_named(profile)
    if profile is not None:
        from coinswarm.runtime.swarm.opening import address_of

        url = address_of(_swarm(profile).swarm)
    before, after, name = migrated(_named(url))
    if as_json:
        emit_json({"store": name, "before": before, "after": after})
    elif before == after:
        click.echo(f"{name} is at version {after} already.")
    else:
        click.echo(f"{name} is at version {after} now; it {'was at ' + before if before else 'had no tables'}.")


def _named(url: str | None) -> str:
    if not url:
        message = "no store is named"
        raise NotReadyError(
            message, remedy="give --store, as in --store swarm.db, or --profile, or set COINSWARM_STORE"
        )
    return url


@contextmanager
def opened_log(where: Where) -> Iterator[Store]:
    """The log that the options name."""
    from coinswarm.memory.store.opening import opened

    url, cluster, shard = where.url, where.cluster, where.shard
    if where.profile is not None:
        from coinswarm.runtime.swarm.opening import address_of

        section = _swarm(where.profile).swarm
        url, cluster, shard = address_of(section), cluster or section.cluster, shard or section.shard
    with opened(_named(url), cluster, shard) as store:
        yield store


def _swarm(profile: Path) -> SwarmProfile:
    from coinswarm.config.swarm import load_swarm

    return load_swarm(profile)


def _last(store: Store, count: int, subject: str) -> list[Entry]:
    """The last entries, of a subject if one is named, oldest first."""
    from coinswarm.memory.store.log import readable

    found: list[Entry] = []
    end = store.log.read(0, 0, 0).head.index
    while end > 0 and len(found) < count:
        after = max(0, end - max(count, 200 if subject else 0))
        page = [
            entry
            for entry in readable(store.log.read(0, after, end - after).entries)
            if is_about(entry.envelope.proposal, subject)
        ]
        found, end = [*page, *found], after
    return found[-count:]


def _find(store: Store, which: str) -> Entry:
    """The entry that an id, the beginning of one, or a number means.

    :raises UnknownNameError: when it means none, or several.
    :raises DataError: when it is not there, or not what was written.
    """
    from coinswarm.memory.store.log import readable

    head = store.log.read(0, 0, 0).head.index
    position = int(which) if which.isdecimal() and len(which) < SHORT else 0
    if not position:
        position = store.log.find(which.lower())
    if not 0 < position <= head:
        message = f"nothing was decided under {which!r}"
        raise UnknownNameError(message, remedy=f"the log has {head:,} entries: coinswarm memory log lists them")
    for entry in readable(store.log.read(0, position - 1, 1).entries):
        return entry
    message = f"entry {position} of the log is gone, and the log goes on to {head:,}"
    raise DataError(message, remedy="run coinswarm memory verify, and see docs/swarm.md")


def _roster(path: Path) -> Roster:
    from coinswarm.memory.quorum.roster import roster_from

    try:
        return roster_from(_text(path).strip())
    except ValueError as error:
        message = f"{path} holds no roster ({error})"
        raise DataError(message, remedy="give the file that the swarm was begun with") from None


def _roster_of(profile: Path | None) -> Roster | None:
    """The first roster, as a profile has it; None without one."""
    from coinswarm.runtime.swarm.opening import roster_of

    return roster_of(_swarm(profile).swarm) if profile is not None else None


def _seals(path: Path) -> list[Seal]:
    from coinswarm.memory.quorum.wire import seal_from

    found = []
    for number, line in enumerate(_text(path).splitlines(), 1):
        try:
            found.append(seal_from(line.encode()))
        except ValueError as error:
            message = f"line {number} of {path} is no seal ({error})"
            raise DataError(message, remedy="give a file of seals as the coordinator copies them, one a line") from None
    return found


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        message = f"{path} is no text"
        raise DataError(message, remedy="name another file") from None


def _fingerprint(roster: Roster) -> str:
    """The digest of a roster, by which two people compare theirs."""
    from coinswarm.canonical import sha256

    return sha256(roster.text().encode())

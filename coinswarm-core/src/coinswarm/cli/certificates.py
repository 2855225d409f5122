"""``coinswarm plugins certificates``: what was earned, whether it still counts, and what others earned.

Imports no plugin: a certificate is held against the files on disk.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from coinswarm.cli.groups import NearestGroup
from coinswarm.cli.tables import emit, emit_fields
from coinswarm.errors import NotReadyError, UnknownNameError, nearest

if TYPE_CHECKING:
    from collections.abc import Sequence

    from coinswarm.plugins.certificates import Held

COLUMNS = ("plugin", "kind", "name", "version", "tier", "date", "counts", "why")

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


@click.group(cls=NearestGroup)
def certificates() -> None:
    """Show, verify and import certificates."""


@certificates.command()
@click.argument("name", default="")
@json_option
def show(name: str, *, as_json: bool) -> None:
    """Show every certificate, or all that those of the plugin NAME say."""
    held = _chosen(name)
    if as_json:
        emit([{**_row(one), **_whole(one)} for one in held], COLUMNS, as_json=True)
    elif not name:
        emit([_row(one) for one in held], COLUMNS, as_json=False)
    else:
        for number, one in enumerate(held):
            if number:
                click.echo()
            emit_fields({**_row(one), **_told(one)}, as_json=False)


@certificates.command()
@click.argument("name", default="")
@json_option
def verify(name: str, *, as_json: bool) -> None:
    """Hold certificates against what is installed, file by file.

    All of them, or those of the plugin NAME. Exit code 2 when one does not count.
    """
    held = _chosen(name)
    if not held:
        message = f"there is no certificate{f' of {name}' if name else ''}"
        raise NotReadyError(message, remedy=f"coinswarm plugins check {name or 'NAME'}")
    if as_json:
        emit([_row(one) for one in held], COLUMNS, as_json=True)
    broken = [f"{one.found.path.name} does not count: {one.why}" for one in held if one.why]
    if not as_json:
        for one in held:
            if not one.why:
                of = one.found.certificate
                click.echo(
                    f"{one.found.path.name} counts: {of.tier}, {of.kind} {of.name}, {of.distribution} {of.version}"
                )
    if broken:
        raise NotReadyError("\n".join(broken))


@certificates.command("import")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--trust", metavar="KEY", help="The public key, ed25519:…, whose certificates count from now on.")
@json_option
def import_(file: Path, *, trust: str | None, as_json: bool) -> None:
    """Keep the certificate in FILE, which was earned elsewhere.

    It counts only when its key is trusted: ask its owner for the key by another way than the file came.
    """
    from coinswarm.config.home import home
    from coinswarm.plugins.certificates import bring

    path = bring(home(), file, trust=trust)
    [held] = [one for one in _all() if one.found.path == path]
    if as_json:
        emit_fields(_row(held), as_json=True)
        return
    click.echo(f"kept as {path}")
    click.echo(f"it does not count here: {held.why}" if held.why else f"it counts: {held.found.certificate.label}")


def _all() -> Sequence[Held]:
    """Every certificate that is kept, held against what is installed."""
    from coinswarm.config.home import home
    from coinswarm.plugins.certificates import hold, read_all
    from coinswarm.plugins.drivers import everything

    records = everything()
    return [hold(found, records) for found in read_all(home())]


def _chosen(name: str) -> Sequence[Held]:
    """The certificates of a plugin; all for an empty name.

    :raises UnknownNameError: when neither a certificate nor an installed plugin has that name.
    """
    from coinswarm.plugins.drivers import everything

    held = _all()
    if not name:
        return held
    mine = [one for one in held if one.found.signed is not None and one.found.certificate.plugin == name]
    if not mine:
        known = [record.name for record in everything()]
        if name not in known:
            message = f"unknown plugin {name!r}"
            raise UnknownNameError(message, remedy=nearest(name, known))
        message = f"there is no certificate of {name}"
        raise NotReadyError(message, remedy=f"coinswarm plugins check {name}")
    return mine


def _row(one: Held) -> dict[str, Any]:
    """One certificate in a table."""
    counts = {"counts": not one.why, "why": one.why, "file": str(one.found.path)}
    if one.found.signed is None:
        return {"plugin": one.found.path.name, **counts}
    of = one.found.certificate
    told = {name: getattr(of, name) for name in ("plugin", "kind", "name", "version", "tier")}
    return {**told, "date": of.date[:10], **counts}


def _told(one: Held) -> dict[str, Any]:
    """What people are told of a certificate beside its row."""
    signed = one.found.signed
    assert signed is not None, "chosen by its plugin's name"
    of = signed.certificate
    outcomes = [row.outcome for row in of.checks]
    return {
        "id": signed.id,
        "digest": f"sha256:{of.digest}",
        "files": len(of.files),
        "settings": ", ".join(f"{key} = {value}" for key, value in of.settings.items()) or "defaults",
        "market": _market(of.instruments, of.bar_seconds),
        "costs": ", ".join(f"{key} {value:g}" for key, value in of.costs.items()),
        "checks": ", ".join(f"{outcomes.count(word)} {word}" for word in dict.fromkeys(outcomes)),
        "waived": ", ".join(f"{key} ({why})" for key, why in of.waivers.items()),
        "made_with": ", ".join(f"{key} {value}" for key, value in of.made_with.items()),
        "seed": of.seed,
        "platform": of.platform,
        "key": signed.key,
    }


def _market(instruments: Sequence[str], seconds: int) -> str:
    """Where gold's evidence was measured."""
    return f"{', '.join(instruments)} in bars of {seconds} s" if instruments else ""


def _whole(one: Held) -> dict[str, Any]:
    """Everything a certificate says, for JSON."""
    signed = one.found.signed
    return {} if signed is None else {"id": signed.id, "key": signed.key, "certificate": signed.certificate.as_dict()}

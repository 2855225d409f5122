"""``coinswarm plugins check``: has the testkit's judge judge a plugin, and shows what came of it."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from coinswarm.cli.tables import emit, emit_json
from coinswarm.cli.telling import tell
from coinswarm.errors import NotReadyError, OperatorError, PluginError, UnknownNameError, nearest

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from coinswarm.cli.progress import Progress

COLUMNS = ("id", "what_it_demands", "tier", "outcome", "seconds")
_SHOWN = 58
"""Letters of a title in the table."""


@click.command()
@click.argument("name")
@click.option("--kind", default="", help="Only what it declares of this kind, as agent or weigher.")
@click.option("--object", "only_object", default="", metavar="NAME", help="Only what it declares under this name.")
@click.option(
    "--tier",
    type=click.Choice(["bronze", "silver", "gold"]),
    default="silver",
    show_default=True,
    help="Up to which checks are run; gold measures evidence, which takes minutes.",
)
@click.option("--only", multiple=True, metavar="ID", help="Run this check alone; then there is no certificate.")
@click.option("--thresholds", type=click.Choice(["published"]), help="Also compare with a named set, met or not met.")
@click.option("--profile", help="Judge with the settings of this profile, gold on its instruments.")
@click.option(
    "--set", "overrides", multiple=True, metavar="KEY=VALUE", help="A setting; with --profile, a key of the profile."
)
@click.option("--data", multiple=True, metavar="FILE", help="Bars of your own to measure on: FILE, or SYMBOL=FILE.")
@click.option("--against", metavar="OLD", help="A wheel or an environment with an older version to compare with.")
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Of everything generated.")
@click.option("--trials", type=click.IntRange(min=1), help="Variants that were tried, this one included.")
@click.option(
    "--waive", multiple=True, metavar="ID=REASON", help="Let a check fail that is neither a safety check nor gold's."
)
@click.option("--report", type=click.Path(path_type=Path, dir_okay=False), help="Write an HTML page.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def check(  # noqa: PLR0913 - one parameter per option
    *,
    name: str,
    kind: str,
    only_object: str,
    tier: str,
    only: tuple[str, ...],
    thresholds: str | None,
    profile: str | None,
    overrides: tuple[str, ...],
    data: tuple[str, ...],
    against: str | None,
    seed: int,
    trials: int | None,
    waive: tuple[str, ...],
    report: Path | None,
    as_json: bool,
) -> None:
    """Judge the plugin NAME by the testkit, and keep the certificate that it earns.

    Exit code 0 when it reaches the tier, 3 when it does not, 2 when it cannot be judged.
    """
    from coinswarm.cli.progress import progress

    with progress(as_json=as_json) as shown:
        shown.phase(f"preparing to judge {name}")
        from coinswarm.plugins.gate import check_testkit, run_gate

        check_testkit()
        request: dict[str, Any] = {
            "plugin": name,
            "kind": kind,
            "name": only_object,
            "tier": tier,
            "only": only,
            "thresholds": thresholds or "",
            "seed": seed,
            "trials": trials,
            "waivers": dict(_waiver(text) for text in waive),
            "against": str(Path(against).expanduser().resolve()) if against is not None else "",
            "home": _home(),
            "report": str(report.resolve()) if report else "",
            "again": _again(name, click.get_current_context().params),
        }
        request |= (
            _from_profile(profile, overrides, data, tier) if profile is not None else _from_options(overrides, data)
        )
        request["trials"] = request["trials"] if trials is None else trials
        verdict = run_gate(request, _Told(shown, plain=not as_json).hear)
    if as_json:
        emit_json({key: value for key, value in verdict.items() if key != "event"})
    else:
        _show(verdict)
    if report and not as_json:
        click.echo(f"Report       {report}")
    bad = [one for one in verdict["subjects"] if not one["good"]]
    if bad:
        raise PluginError("\n".join(_why(one, verdict) for one in bad))


class _Told:
    """Shows what the judge says as it goes: one line, rewritten; in a pipe, a line for each check."""

    def __init__(self, shown: Progress, *, plain: bool) -> None:
        self._shown = shown
        self._plain = plain and not shown.shown and not _quiet()
        self._subject = ""

    def hear(self, event: Mapping[str, Any]) -> None:
        """Show one event."""
        if event["event"] == "compiling":
            from coinswarm.cli.progress import COMPILING

            self._shown.phase(COMPILING)
        elif event["event"] == "subject":
            self._subject = f"{event['kind']} {event['name']}"
            if self._plain:
                tell(f"judging {self._subject}: {event['checks']} checks")
        elif event["event"] == "check":
            self._shown.phase(f"{self._subject}: {event['number']}/{event['of']} {event['id']} {event['title']}")
        elif event["event"] == "outcome" and self._plain:
            tell(f"{event['id']} {event['outcome']}: {event['title']}")


def _quiet() -> bool:
    """Whether ``--quiet`` was given."""
    state = click.get_current_context().find_root().obj
    return isinstance(state, dict) and bool(state.get("quiet"))


def _show(verdict: Mapping[str, Any]) -> None:
    """The table of each subject, its failures, and its certificate."""
    for number, one in enumerate(verdict["subjects"]):
        if number:
            click.echo()
        click.echo(f"{one['kind']} {one['name']} of {verdict['distribution']} {verdict['version']}")
        emit([_cells(row) for row in one["checks"]], COLUMNS, as_json=False)
        for row in one["checks"]:
            if row["reason"] and row["outcome"] != "passed":
                click.echo(f"{row['id']} {row['outcome']}: {row['reason']}")
                if row["again"]:
                    click.echo(f"    reproduce: {row['again']}")
        for line in one["compared"]:
            click.echo(line)
        for line in one["thresholds"]:
            shown = "none" if line["value"] is None else f"{line['value']:.3g}"
            met = "met" if line["met"] else "NOT MET"
            click.echo(f"{met:<8}{line['group']}: {line['what']} {shown} ({line['limit']})")
        if not verdict["only"]:
            click.echo(f"{'Tier':<13}{one['tier'] or 'none'}")
        for removed in one["revoked"]:
            click.echo(f"{'Removed':<13}{removed}: it failed what this certificate said it holds")
        click.echo(f"{'Certificate':<13}{one['certificate'] or _none(one, verdict)}")


def _none(one: Mapping[str, Any], verdict: Mapping[str, Any]) -> str:
    """Why there is no certificate."""
    if verdict["uncertifiable"]:
        return f"none: {verdict['uncertifiable']}"
    return "none: set COINSWARM_HOME to a folder to keep it in" if one["good"] else "none"


def _cells(row: Mapping[str, Any]) -> dict[str, object]:
    """A check in the table."""
    title = row["title"] if len(row["title"]) <= _SHOWN else f"{row['title'][: _SHOWN - 1]}…"
    return {**row, "what_it_demands": title, "seconds": f"{row['seconds']:.1f}"}


def _why(one: Mapping[str, Any], verdict: Mapping[str, Any]) -> str:
    """Why a subject is not good, in one line."""
    failed = [row["id"] for row in one["checks"] if row["outcome"] not in {"passed", "skipped", "waived", "incomplete"}]
    untried = [row["id"] for row in one["checks"] if row["outcome"] == "incomplete"]
    found = [f"{', '.join(names)} {how}" for names, how in ((failed, "failed"), (untried, "could not be run")) if names]
    what = "; ".join(found) or f"nothing beyond {one['tier'] or 'bronze'} is judged of this kind"
    return f"{one['kind']} {one['name']!r} does not reach {verdict['asked']}: {what}"


def _waiver(text: str) -> tuple[str, str]:
    """``ID=REASON`` as typed.

    :raises OperatorError: where one is missing.
    """
    key, equals, reason = text.partition("=")
    if not (equals and key.strip() and reason.strip()):
        message = f"--waive {text!r} is not ID=REASON"
        raise OperatorError(message, remedy='write for example --waive A42="sizes come with the next version"')
    return key.strip(), reason.strip()


def _home() -> str:
    """Where the certificate is kept; empty where there is no such folder."""
    from coinswarm.config.home import home

    try:
        return str(home().absolute())
    except NotReadyError:
        return ""


def _from_options(overrides: Sequence[str], data: Sequence[str]) -> dict[str, Any]:
    """Settings and bars as typed."""
    from coinswarm.config.settings import typed_settings

    return {"settings": typed_settings(overrides), "instruments": [_file(*_split(text, [])) for text in data]}


def _from_profile(name: str, overrides: Sequence[str], data: Sequence[str], tier: str) -> dict[str, Any]:
    """Settings, bars and costs of a profile.

    :raises NotReadyError: when evidence is asked for and an instrument has no bars.
    """
    from coinswarm.config.profile import load_profile

    profile = load_profile(name, overrides)
    own = dict(_split(text, profile.symbols) for text in data)
    if unknown := [symbol for symbol in own if symbol not in profile.symbols]:
        message = f"--data: {name} does not trade {unknown[0]!r}"
        raise UnknownNameError(message, remedy=nearest(unknown[0], profile.symbols))
    instruments = []
    for item in profile.instruments:
        told = item.model_dump(mode="json")
        if item.symbol in own:
            told |= {"file": str(Path(own[item.symbol]).resolve()), "sample": None}
        elif item.file:
            told["file"] = str(Path(item.file).resolve())
        elif not item.sample:
            if tier == "gold":
                message = f"{name} has no bars for {item.symbol}, which evidence is measured on"
                raise NotReadyError(message, remedy=f"give --data {item.symbol}=FILE")
            continue
        instruments.append(told)
    seats = [{"kind": "agent", "name": seat.name, "settings": seat.settings} for seat in profile.agents]
    seats.append({"kind": "weigher", "name": profile.committee.weigher, "settings": profile.committee.settings})
    return {
        "seats": seats,
        "instruments": instruments if tier == "gold" or data else [],
        "trials": profile.evidence.declared_trials,
    }


def _split(text: str, symbols: Sequence[str]) -> tuple[str, str]:
    """``FILE`` or ``SYMBOL=FILE`` as typed; a bare file is the one instrument's, where there is one."""
    symbol, equals, file = text.partition("=")
    if equals and "/" in symbol and not Path(text).exists():
        return symbol, file
    return (symbols[0] if len(symbols) == 1 else ""), text


def _file(symbol: str, file: str) -> dict[str, Any]:
    """Bars of one's own without a profile."""
    return {"symbol": symbol or None, "file": str(Path(file).expanduser().resolve())}


def _again(name: str, given: Mapping[str, Any]) -> str:
    """The command line that repeats this one, less what chooses checks and where results go."""
    words = ["coinswarm", "plugins", "check", name, "--tier", given["tier"], "--seed", str(given["seed"])]
    for option in ("profile", "trials"):
        if given[option] is not None:
            words += [f"--{option}", str(given[option])]
    many: Iterable[tuple[str, Sequence[str]]] = (
        ("set", given["overrides"]),
        ("data", given["data"]),
        ("waive", given["waive"]),
    )
    for option, texts in many:
        words += [word for text in texts for word in (f"--{option}", text)]
    return shlex.join(words)

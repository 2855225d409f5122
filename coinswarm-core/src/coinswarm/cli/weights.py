"""``coinswarm weights``: the committee's weights that the quorum decided, and proposing others."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from coinswarm.cli.groups import NearestGroup, ProfileCommand
from coinswarm.cli.ledger import Where, json_option, opened_log, which_log
from coinswarm.cli.run import profile_option, set_option
from coinswarm.errors import NotReadyError, OperatorError, UnknownNameError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from coinswarm.memory.promotion.weights import Weighing

MOVED = ("agent", "before_bp", "after_bp", "change_bp")
ROLLBACK_BP = 300


@click.group(cls=NearestGroup)
def weights() -> None:
    """The weights of the committee's agents, under quorum."""


@weights.command()
@which_log
@json_option
def show(*, where: Where, as_json: bool) -> None:
    """Show the weights in force."""
    from coinswarm.cli.tables import emit, emit_json
    from coinswarm.memory.evidence.weighings import weighings
    from coinswarm.runtime.fallen import fall_of
    from coinswarm.runtime.weights import DUE

    with opened_log(where) as store:
        found = weighings(store)[1]
        fall = fall_of(store)
    if not found:
        nothing(as_json=as_json)
        return
    now = found[-1]
    if as_json:
        emit_json({**_row(now), "due": fall.due, "measured": fall.measured})
        return
    emit(
        [{"agent": agent, "weight_bp": bp} for agent, bp in now.weights.items()], ("agent", "weight_bp"), as_json=False
    )
    click.echo()
    click.echo(f"In force since entry {now.entry}, {_time(now)}, as {now.submitter} proposed.")
    click.echo(f"To be taken back at a fall of {now.rollback_drawdown_bp / 100:g} %.")
    if fall.due:
        click.echo(f"{DUE[0].upper()}{DUE[1:]}.")
    elif fall.due is None:
        click.echo("How far they fell is not known: coinswarm weights measure writes what each agent earns.")
    if fall.measured:
        click.echo(f"Measured up to {fall.measured}.")


@weights.command()
@which_log
@json_option
def history(*, where: Where, as_json: bool) -> None:
    """List the weights that were ever in force, newest last."""
    from coinswarm.cli.tables import emit

    found = _history(where)
    if not found and not as_json:
        nothing(as_json=False)
        return
    rows = [_row(one) for one in found]
    if not as_json:
        for row, one in zip(rows, found, strict=True):
            row["weights"] = [f"{agent} {bp}" for agent, bp in one.weights.items()]
    emit(rows, ("entry", "time", "submitter", "weights", "rollback_drawdown_bp"), as_json=as_json)


@weights.command()
@click.argument("before", type=click.IntRange(min=1), required=False)
@click.argument("after", type=click.IntRange(min=1), required=False)
@which_log
@json_option
def diff(*, before: int | None, after: int | None, where: Where, as_json: bool) -> None:
    """Compare the weights in force at two entries of the log: BEFORE and AFTER.

    With one entry, what was in force then with what is now; without any, the last change.
    """
    from coinswarm.cli.tables import emit, emit_json
    from coinswarm.memory.promotion.weights import moved

    found = _history(where)
    if before is None:
        first, second = (found[-2] if len(found) > 1 else None), (found[-1] if found else None)
    else:
        first, second = _at(found, before), (found[-1] if after is None else _at(found, after))
    if second is None:
        nothing(as_json=as_json)
        return
    rows = moved(first.weights if first else {}, second.weights)
    if as_json:
        emit_json({"before": first and first.entry, "after": second.entry, "agents": rows})
        return
    click.echo(f"{f'entry {first.entry}' if first else 'nothing'} to entry {second.entry}")
    emit(rows, MOVED, as_json=False)


@weights.command(cls=ProfileCommand)
@click.argument("shares", nargs=-1, required=True, metavar="AGENT=BP...")
@click.option(
    "--rollback",
    type=click.IntRange(1, 10_000),
    default=ROLLBACK_BP,
    show_default=True,
    metavar="BP",
    help="Fall of equity at which they are taken back, in basis points.",
)
@profile_option
@click.option("--check", is_flag=True, help="Only say how core's voters would judge it.")
@set_option
@json_option
def propose(  # noqa: PLR0913 - one parameter per option
    *, shares: tuple[str, ...], rollback: int, profile: Path, check: bool, overrides: tuple[str, ...], as_json: bool
) -> None:
    """Propose weights, in basis points that sum to 10,000; who is left out weighs nothing.

    Core's two voters judge it here first, on the same evidence; what they reject is not proposed.

    Exit codes: 0 accepted (or, with --check, what they accept), 1 rejected here or by the quorum, 4 the database or
    the bus is away, 5 the log is not to be believed.
    """
    from coinswarm.cli.weighing import Wanted, ask

    ask(Wanted(_shares(shares), rollback), profile, overrides, check=check, as_json=as_json)


@weights.command()
@click.argument("session")
@set_option
@which_log
@json_option
def measure(*, session: str, overrides: tuple[str, ...], where: Where, as_json: bool) -> None:
    """Measure what each agent of SESSION earns by itself, and write it to the store, with its certificate.

    SESSION is a profile, a name or a TOML file. What is written is what changes of weights cite: voters read it from
    there. A day that was written stays as it is; the same profile with more bars adds the days after it.
    """
    from coinswarm.cli.progress import progress
    from coinswarm.cli.tables import emit
    from coinswarm.clock import DAY_NS, iso
    from coinswarm.config.profile import load_profile
    from coinswarm.runtime.measuring import commit, measure

    loaded = load_profile(session, overrides)
    with opened_log(where) as store, progress(as_json=as_json) as shown:
        found = measure(loaded, session, lambda agent: shown.phase(f"{agent} by itself"))
        commit(store, found)
    rows = [
        {
            "agent": one.agent,
            "from": iso(one.first_day * DAY_NS)[:10],
            "days": len(one.returns_ppm),
            "mean_ppm": round(sum(one.returns_ppm) / len(one.returns_ppm), 1),
            "tier": one.tier,
            "certificate": one.certificate if as_json else one.certificate[:12],
        }
        for one in found
    ]
    emit(rows, ("agent", "from", "days", "mean_ppm", "tier", "certificate"), as_json=as_json)


@weights.command(cls=ProfileCommand)
@profile_option
@click.option("--if-due", is_flag=True, help="Do nothing unless they have fallen as far as they may.")
@click.option("--check", is_flag=True, help="Only say how core's voters would judge it.")
@set_option
@json_option
def rollback(*, profile: Path, if_due: bool, check: bool, overrides: tuple[str, ...], as_json: bool) -> None:
    """Propose the weights that were in force before.

    Where those in force have fallen as far as their own proposal said, they may be taken back at once and however far
    that is; else it is a change like any other. With --if-due it can be asked every day: it says up to which day they
    were measured, and that it does not know where that was before they came into force. Exit codes as for propose.
    """
    from coinswarm.cli.weighing import ask

    ask(None, profile, overrides, check=check, as_json=as_json, if_due=if_due)


def _history(where: Where) -> list[Weighing]:
    from coinswarm.memory.evidence.weighings import weighings

    with opened_log(where) as store:
        return weighings(store)[1]


def _at(found: Sequence[Weighing], entry: int) -> Weighing:
    """What was in force at an entry.

    :raises UnknownNameError: where nothing was yet.
    """
    known = [one for one in found if one.entry <= entry]
    if not known:
        message = f"no weights were in force at entry {entry}"
        first = f"the first came with entry {found[0].entry}" if found else "none were ever decided"
        raise UnknownNameError(message, remedy=f"{first}: see coinswarm weights history")
    return known[-1]


def _row(one: Weighing) -> dict[str, object]:
    return {
        "entry": one.entry,
        "time": _time(one),
        "submitter": one.submitter,
        "weights": one.weights,
        "rollback_drawdown_bp": one.rollback_drawdown_bp,
        "proposal": one.proposal,
    }


def _time(one: Weighing) -> str:
    from coinswarm.clock import iso

    return iso(one.at_ns)


def nothing(*, as_json: bool) -> None:
    """Say that there are none."""
    click.echo("null" if as_json else "No weights were decided yet: those of each profile hold.")


def _shares(texts: Sequence[str]) -> dict[str, int]:
    """Agent -> basis points.

    :raises OperatorError: for what is no AGENT=BP, or an agent that is named twice.
    """
    found: dict[str, int] = {}
    for text in texts:
        agent, _, bp = text.partition("=")
        if not agent or not (bp.isascii() and bp.isdecimal()):
            message = f"{text!r} is no weight"
            raise OperatorError(message, remedy="write AGENT=BP, as in trend=6000")
        if agent in found:
            message = f"{agent} is named twice"
            raise OperatorError(message, remedy="give each agent one weight")
        found[agent] = int(bp)
    return found


def previous(found: Sequence[Weighing]) -> Weighing:
    """The weights before those in force.

    :raises NotReadyError: where there were none.
    """
    if len(found) < 2:  # noqa: PLR2004 - one in force, one before
        message = "there are no weights before those in force"
        raise NotReadyError(message, remedy="propose others: coinswarm weights propose AGENT=BP …")
    return found[-2]

"""``coinswarm trials``: what was tried, on which history."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from coinswarm.cli.groups import NearestGroup

if TYPE_CHECKING:
    from coinswarm.runtime.trials import StoredTrial

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


@click.group(cls=NearestGroup)
def trials() -> None:
    """Look at the trial registry: one entry for each variant that was backtested on a history."""


@trials.command(name="list")
@click.option("--instrument", "symbol", metavar="SYMBOL", help="Only trials of this instrument.")
@json_option
def list_trials(*, symbol: str | None, as_json: bool) -> None:
    """List the trials, oldest first."""
    from coinswarm.cli.tables import emit
    from coinswarm.errors import UnknownNameError, nearest
    from coinswarm.runtime.trials import TrialRegistry

    found = sorted(TrialRegistry().all(), key=lambda trial: (trial.record["created"], trial.record["id"]))
    if symbol is not None:
        known = {name for trial in found for name in trial.record["instruments"]}
        if found and symbol not in known:
            message = f"no trial of {symbol!r}"
            raise UnknownNameError(message, remedy=nearest(symbol, known))
        found = [trial for trial in found if symbol in trial.record["instruments"]]
    if not found and not as_json:
        click.echo("No trials yet: every 'coinswarm backtest' leaves one.")
        return
    rows = [_row(trial) for trial in found]
    columns = ("trial", "created", "profile", "instruments", "from", "to", "days", "sharpe", "agents")
    if not as_json:
        rows = [{**row, "sharpe": "-" if row["sharpe"] is None else f"{row['sharpe']:.2f}"} for row in rows]
    emit(rows, columns, as_json=as_json)


@trials.command()
@click.argument("trial")
@json_option
def show(*, trial: str, as_json: bool) -> None:
    """Show TRIAL (an id, or the beginning of one), and how often its history was tried."""
    from coinswarm.backtest.proof import proof_dict, proof_lines
    from coinswarm.cli.tables import emit_fields, emit_json
    from coinswarm.runtime.trials import TrialRegistry

    registry = TrialRegistry()
    found = registry.find(trial)
    record = found.record
    others = [
        one.trial
        for one in registry.all()
        if one.meets(record["instruments"], int(record["first_day"]), len(found.returns))
    ]
    proof = proof_dict(found.trial, others)
    if as_json:
        emit_json({**record, "returns": found.returns.tolist(), "evidence": proof})
        return
    fields: dict[str, Any] = {
        **_row(found),
        "agents": [f"{agent['seat']} {agent['weight_bp'] / 100:g} %" for agent in record["agents"]],
        "order_hash": record["order_hash"],
        "variant": record["variant"],
        "profile_digest": record["profile"],
        "plugins": [f"{plugin['distribution']} {plugin['version']}" for plugin in record["plugins"]],
        "made_with": [f"{name} {version}" for name, version in record["made_with"].items()],
    }
    if fields["sharpe"] is not None:
        fields["sharpe"] = f"{fields['sharpe']:.2f}"
    emit_fields(fields, as_json=False)
    click.echo()
    for line in proof_lines(proof):
        click.echo(line)


def _row(trial: StoredTrial) -> dict[str, Any]:
    """A trial in one line; its Sharpe is per year."""
    import math

    from coinswarm.evidence.deflated import moments
    from coinswarm.evidence.statistics import YEAR_DAYS

    record, found = trial.record, moments(trial.returns)
    return {
        "trial": record["id"],
        "created": record["created"],
        "profile": record["label"],
        "instruments": record["instruments"],
        "from": record["from"],
        "to": record["to"],
        "days": record["days"],
        "sharpe": None if isinstance(found, str) else found.sharpe * math.sqrt(YEAR_DAYS),
        "agents": [agent["seat"] for agent in record["agents"]],
    }

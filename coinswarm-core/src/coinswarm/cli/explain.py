"""``coinswarm explain``: why a run did what it did."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from coinswarm.cli.backtest import json_option, runs_option

if TYPE_CHECKING:
    from pathlib import Path


@click.command()
@click.argument("run", default="latest")
@click.option("--decision", type=int, metavar="N", help="A decision, from 0 as in the run's tables.")
@click.option("--trade", type=int, metavar="N", help="A closed trade: the decision that opened it.")
@click.option("--order", type=int, metavar="N", help="An order: the decision behind it.")
@click.option("--at", "moment", metavar="TIME", help="A time in UTC at which a bar was known, as 2018-01-31T23:00.")
@click.option("--instrument", "symbol", metavar="SYMBOL", help="With --at: only this instrument.")
@runs_option
@json_option
def explain(  # noqa: PLR0913 - one parameter per option
    *,
    run: str,
    decision: int | None,
    trade: int | None,
    order: int | None,
    moment: str | None,
    symbol: str | None,
    runs: Path,
    as_json: bool,
) -> None:
    """Execute RUN again (an id, a folder, or "latest") and say why it decided as it did.

    The last decision is explained, unless another is named. Tells every agent's action and weight, who abstained and
    why, what the committee made of it, the sizing, the risk gate's verdict with its numbers, the orders and their
    fills, and what came of the trade.
    """
    from coinswarm.backtest.explain_text import explain_text
    from coinswarm.backtest.runread import find_run
    from coinswarm.cli.tables import emit_json
    from coinswarm.runtime.explain import Selector
    from coinswarm.runtime.explain import explain as explain_run

    given = {"--decision": decision, "--trade": trade, "--order": order, "--at": moment}
    named = [name for name, value in given.items() if value is not None]
    if len(named) > 1:
        message = f"{' and '.join(named)} name different things: give one of them"
        raise click.UsageError(message)
    if symbol is not None and moment is None:
        message = "--instrument belongs to --at: give a time too"
        raise click.UsageError(message)
    selector = Selector(
        decision=decision,
        trade=trade,
        order=order,
        at_ns=None if moment is None else _nanoseconds(moment),
        symbol=symbol,
    )
    told = explain_run(find_run(runs, run), selector)
    if as_json:
        emit_json(told)
        return
    click.echo(f"Run {told['run']}: {told['asked']}.")
    for one in told["explained"]:
        click.echo()
        click.echo(explain_text(one), nl=False)


def _nanoseconds(text: str) -> int:
    """A time as typed; UTC where it names no zone."""
    from datetime import UTC, datetime

    from coinswarm.clock import to_ns

    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        message = f"--at {text!r} is not a time: write it as 2018-01-31T23:00"
        raise click.UsageError(message) from None
    return to_ns(found if found.tzinfo is not None else found.replace(tzinfo=UTC))

"""``coinswarm runs``: list, show, compare and export what runs left on disk."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from coinswarm.cli.backtest import json_option, runs_option
from coinswarm.cli.groups import NearestGroup
from coinswarm.cli.tables import emit, emit_json
from coinswarm.cli.telling import tell

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

KINDS = ("orders", "fills", "trades", "equity", "decisions")
HASH_DIGITS = 8
COLUMNS = (
    "id", "when", "mode", "profile", "instruments", "return", "sharpe", "drawdown", "trades", "order_hash",
)  # fmt: skip


@click.group(cls=NearestGroup)
def runs() -> None:
    """List, show, compare and export finished runs.

    RUN is an id or the beginning of one, a run's folder, or "latest".
    """


@runs.command("list")
@runs_option
@json_option
def list_(*, runs: Path, as_json: bool) -> None:
    """List the runs, newest last; damaged ones with what is wrong with them."""
    from coinswarm.backtest.listing import runs_in

    rows = runs_in(runs)
    if as_json:
        emit_json(rows)
        return
    sound = [row for row in rows if not row["damage"]]
    if sound:
        emit([_shown(row) for row in sound], COLUMNS, as_json=False)
    if not rows:
        click.echo(f"no runs in {runs}: make one with 'coinswarm backtest' or 'coinswarm demo'")
    for row in rows:
        if row["damage"]:
            click.echo(f"damaged: {row['id']}: {row['damage']}")


@runs.command()
@click.argument("run", default="latest")
@runs_option
@json_option
def show(*, run: str, runs: Path, as_json: bool) -> None:
    """Show the summary of RUN again."""
    from coinswarm.backtest.render import render
    from coinswarm.backtest.runread import find_run
    from coinswarm.runtime.runs import stored_summary

    path = find_run(runs, run)
    summary = stored_summary(path)
    if as_json:
        emit_json({**summary, "path": str(path)})
        return
    click.echo(render(summary))


@runs.command()
@click.argument("a")
@click.argument("b", default="latest")
@runs_option
@json_option
def compare(*, a: str, b: str, runs: Path, as_json: bool) -> None:
    """Show what changed from run A to run B (settings, versions, data), and what that did."""
    from coinswarm.backtest.compare import compare_runs
    from coinswarm.backtest.runread import find_run, read_run

    found = compare_runs(read_run(find_run(runs, a)), read_run(find_run(runs, b)))
    if as_json:
        emit_json(found)
        return
    from coinswarm.backtest.compared import render_comparison

    click.echo(render_comparison(found), nl=False)


@runs.command()
@click.argument("kind", type=click.Choice(KINDS))
@click.argument("run", default="latest")
@click.option("--csv", "as_csv", is_flag=True, help="Write CSV: exact decimals, times in ISO 8601. The default.")
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="Write to a file instead.")
@runs_option
@json_option
def export(  # noqa: PLR0913 - one parameter per option
    *, kind: str, run: str, as_csv: bool, out: Path | None, runs: Path, as_json: bool
) -> None:
    """Write a table of RUN: its orders, fills, trades, equity or decisions."""
    from coinswarm.backtest.runread import find_run, read_run
    from coinswarm.backtest.tables import table, text_rows

    if as_csv and as_json:
        message = "--csv and --json are two formats: choose one"
        raise click.UsageError(message)
    columns = table(read_run(find_run(runs, run)).result, kind)
    names, rows = [column.name for column in columns], list(text_rows(columns))
    text = _json_text(names, rows) if as_json else _csv_text(names, rows)
    if out is None:
        click.echo(text, nl=False)
        return
    _write(out, text)
    tell(f"wrote {len(rows):,} {kind if kind != 'equity' else 'marks'} to {out}")


def _shown(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row of the list, for people."""
    from coinswarm.backtest.render import number_text

    return {
        **row,
        "when": row["created"][:16].replace("T", " "),
        "return": number_text(row["return"], "share", 2),
        "sharpe": number_text(row["sharpe"], "ratio", 2),
        "drawdown": number_text(row["drawdown"], "share", 2),
        "order_hash": row["order_hash"][:HASH_DIGITS],
    }


def _csv_text(names: Sequence[str], rows: Sequence[tuple[str, ...]]) -> str:
    """Rows as CSV with a header."""
    import csv
    import io

    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(names)
    writer.writerows(rows)
    return buffer.getvalue()


def _json_text(names: Sequence[str], rows: Sequence[tuple[str, ...]]) -> str:
    """Rows as a JSON list of objects: decimals stay strings, no value is null."""
    import json

    found = [{name: value or None for name, value in zip(names, row, strict=True)} for row in rows]
    return json.dumps(found, indent=1, ensure_ascii=False) + "\n"


def _write(path: Path, text: str) -> None:
    """Write a file, or say why not.

    :raises OutputError: when it cannot be written.
    """
    from coinswarm.errors import OutputError

    try:
        path.write_text(text, encoding="utf-8", newline="")
    except OSError as error:
        message = f"{path} cannot be written ({error.strerror or error})"
        raise OutputError(message, remedy="name another file") from error

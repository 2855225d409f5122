"""``coinswarm data``: market data files, read, judged and kept."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from coinswarm.cli.groups import NearestGroup
from coinswarm.cli.tables import emit, emit_fields, emit_json
from coinswarm.errors import DataError, OutputError, nearest

if TYPE_CHECKING:
    from decimal import Decimal

    from coinswarm.feeds.loaded import Loaded

LISTED = ("name", "pair", "bar", "bars", "missing", "first", "last", "tick", "lot")
_STAMPS = {"open": "each of its bar's open", "close": "each of its bar's close, moved back by one bar"}
_LONGEST = 5
"""How many gaps are shown, the longest first."""

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


@click.group(cls=NearestGroup)
def data() -> None:
    """Import and inspect market data."""


@data.command("import")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--symbol", help="Pair, as in BTC/USD; otherwise from the file or its name.")
@click.option("--bar", help="Bar length, as in 1m or 1h; otherwise the most common step.")
@click.option(
    "--stamp",
    type=click.Choice(["open", "close"]),
    default="open",
    show_default=True,
    help="What the times are: close times are moved back by one bar.",
)
@click.option(
    "--volume",
    type=click.Choice(["base", "quote"]),
    default="base",
    show_default=True,
    help="What the volume counts: quote is divided by the close of its bar.",
)
@click.option("--tick", help="Smallest price step; otherwise from the decimals of the file.")
@click.option("--lot", help="Smallest quantity; otherwise from the decimals of the file.")
@click.option("--columns", help="Order of the columns, as in time,open,high,low,close,volume; - ignores one.")
@click.option("--out", type=click.Path(path_type=Path), help="Where to write; otherwise into $COINSWARM_HOME/data.")
@click.option("--replace", is_flag=True, help="Write over other data of the same name.")
@json_option
def import_data(  # noqa: PLR0913 - one parameter per option
    *,
    file: Path,
    symbol: str | None,
    bar: str | None,
    stamp: Literal["open", "close"],
    volume: Literal["base", "quote"],
    tick: str | None,
    lot: str | None,
    columns: str | None,
    out: Path | None,
    replace: bool,
    as_json: bool,
) -> None:
    """Read bars from FILE, refuse what is inconsistent, report gaps, and keep the bars.

    CSV, CSV.gz and JSON rows; Parquet and Feather with the extra: pip install 'coinswarm-core[parquet]'.
    Nothing is filled or corrected.
    """
    from coinswarm.cli.progress import progress

    with progress(as_json=as_json) as shown:
        shown.phase(f"reading {file.name}")
        from coinswarm.feeds.files import load_bars
        from coinswarm.feeds.length import parse_length
        from coinswarm.feeds.store import encode, stored_name, write_whole

        loaded = load_bars(
            file,
            symbol=symbol,
            bar_ns=None if bar is None else parse_length(bar),
            stamp=stamp,
            volume=volume,
            tick=_step("tick", tick),
            lot=_step("lot", lot),
            columns=None if columns is None else [name.strip() for name in columns.split(",")],
        )
        target = _folder() / stored_name(loaded.bars) if out is None else out
        shown.phase(f"writing {target.name}")
        content = encode(loaded, file.name)
        _check_target(target, content, replace=replace)
        if not write_whole(target, content, replace=replace):
            _check_target(target, content, replace=False)  # another import may have been sooner, with other data
    _print(loaded, file, as_json=as_json, written=target)


@data.command()
@click.argument("name", required=False)
@json_option
def show(*, name: str | None, as_json: bool) -> None:
    """Show what the data NAME holds: a file, imported data, or a pair of the sample; without NAME, list all.

    The list has damaged data with what is wrong with it; exit code 2 then.
    """
    from coinswarm.feeds.files import load_bars

    if name is not None:
        path = _find(name)
        _print(load_bars(path), path, as_json=as_json)
        return
    rows: list[dict[str, object]] = []
    for known, path in _known().items():
        try:
            rows.append({"name": known, **_listed(load_bars(path)), "path": str(path), "damage": ""})
        except DataError as error:
            rows.append({"name": known, "path": str(path), "damage": str(error)})
    damaged = [row for row in rows if row["damage"]]
    if as_json:
        emit_json(rows)
    else:
        emit([row for row in rows if not row["damage"]], LISTED, as_json=False)
        for row in damaged:
            click.echo(f"damaged: {row['name']}: {row['damage']}")
    if damaged:
        message = f"{len(damaged)} of {len(rows)} cannot be used ({', '.join(str(row['name']) for row in damaged)})"
        raise DataError(message, remedy=f"import it again with --replace, or remove it from {_folder()}")


def _folder() -> Path:
    """Where imported data is kept."""
    from coinswarm.config.home import home

    return home() / "data"


def _known() -> dict[str, Path]:
    """Names that ``show`` takes: what was imported, then the sample."""
    from coinswarm.feeds.files import sample, sample_names

    folder = _folder()
    found = sorted(folder.glob("*.npz")) if folder.is_dir() else []
    return {path.stem: path for path in found} | {symbol: sample(symbol) for symbol in sample_names()}


def _find(name: str) -> Path:
    """The file that a name means; a file on disk goes before imported data.

    :raises DataError: where nothing has that name.
    """
    path, known = Path(name), _known()
    if path.exists() or path.suffix:
        return path
    if name in known:
        return known[name]
    message = f"there is no file and no imported data {name!r}"
    raise DataError(message, remedy=nearest(name, known))


def _step(option: str, text: str | None) -> Decimal | None:
    """A decimal option.

    :raises DataError: where it is no number.
    """
    from decimal import Decimal, InvalidOperation

    try:
        value = None if text is None else Decimal(text)
    except InvalidOperation:
        value = Decimal("NaN")
    if value is not None and not value.is_finite():
        message = f"--{option} {text!r} is not a number"
        raise DataError(message, remedy="write for example 0.01")
    return value


def _check_target(target: Path, content: bytes, *, replace: bool) -> None:
    """Refuse to write over other data unasked.

    :raises OutputError: naming the options.
    """
    if target.is_dir():
        message = f"{str(target)!r} is a folder"
        raise OutputError(message, remedy="name a file with --out")
    if target.suffix != ".npz":
        message = f"--out {target.name!r} does not end in .npz"
        raise OutputError(message, remedy=f"write for example --out {target.stem}.npz")
    if not replace and target.is_file() and target.read_bytes() != content:
        message = f"{str(target)!r} is there already and holds other data"
        raise OutputError(message, remedy="pass --replace, or another file with --out")


def _listed(loaded: Loaded) -> dict[str, object]:
    """A row of the list."""
    from coinswarm.clock import iso
    from coinswarm.feeds.length import format_length

    instrument, report = loaded.bars.instrument, loaded.report
    return {
        "pair": instrument.symbol,
        "bar": format_length(report.bar_ns),
        "bars": report.rows,
        "missing": report.missing,
        "first": iso(report.first_ns),
        "last": iso(report.last_ns),
        "tick": f"{instrument.tick:f}",
        "lot": f"{instrument.lot:f}",
    }


def _print(loaded: Loaded, path: Path, *, as_json: bool, written: Path | None = None) -> None:
    """Print everything that is known about a file."""
    import dataclasses

    from coinswarm.clock import iso
    from coinswarm.feeds.length import format_length
    from coinswarm.feeds.quality import find_gaps

    bars, report = loaded.bars, loaded.report
    gaps = sorted(find_gaps(bars.open_ns, bars.length_ns), key=lambda gap: (-gap.span_ns, gap.after_ns))
    low, high = float(bars.low.min()), float(bars.high.max())
    if as_json:
        longest = [
            {"after": iso(gap.after_ns), "missing": gap.missing, "span_s": gap.span_ns / 1e9} for gap in gaps[:_LONGEST]
        ]
        emit_json(
            {
                "file": str(path),
                **_listed(loaded),
                "lowest": low,
                "highest": high,
                "longest_gaps": longest,
                **dataclasses.asdict(report),
                "written": None if written is None else str(written),
            }
        )
        return
    parts = [f"{gap.missing} after {iso(gap.after_ns)}" for gap in gaps[:_LONGEST]]
    missing = f"{report.missing} bars ({report.missing_share:.2%})"
    if gaps:
        times = "gap" if report.gaps == 1 else "gaps"
        span = f"longest {_hours(report.longest_gap_ns)} from one bar's open to the next"
        missing += f" in {report.gaps} {times}, {span}; nothing was filled"
    fields: dict[str, object] = {
        "file": str(path),
        "pair": bars.instrument.symbol + _pair_note(loaded),
        "bars": f"{report.rows} of {format_length(report.bar_ns)}"
        + (" (the most common step)" if report.bar_inferred else ""),
        "span": f"{iso(report.first_ns)} to {iso(report.last_ns)} (open times)",
        "missing": missing,
        "longest gaps": parts,
        "zero volume": f"{report.zero_volume} bars",
        "price": f"{low:.12g} to {high:.12g} {bars.instrument.quote}",
        "tick": f"{bars.instrument.tick:f}{_tick_note(loaded)}",
        "lot": f"{bars.instrument.lot:f}{_lot_note(loaded)}",
        "columns": report.layout + ("; newest first, turned round" if report.newest_first else ""),
        "times": f"{'dates' if report.unit == 'date' else f'epoch {report.unit}'}, {_STAMPS[report.stamp]}",
        "volume": _volume_text(loaded),
        "sha256": report.sha256,
    }
    if not gaps:
        del fields["longest gaps"]
    if written is not None:
        fields["written"] = str(written)
    emit_fields(fields, as_json=False)


def _pair_note(loaded: Loaded) -> str:
    """Where the pair comes from, or what the file calls it instead."""
    if loaded.report.named:
        return f" (the file names {loaded.report.named})"
    return " (guessed from the file name)" if loaded.report.symbol_guessed else ""


def _volume_text(loaded: Loaded) -> str:
    """What the file's volume counts."""
    from coinswarm.feeds.decimals import vast

    instrument = loaded.bars.instrument
    if loaded.report.volume_unit == "quote":
        return f"in quote ({instrument.quote}), divided by the close of its bar"
    told = vast(loaded.bars)
    return f"in base ({instrument.base})" + (f"; {told}: import it with --volume quote" if told else "")


def _tick_note(loaded: Loaded) -> str:
    """Where the tick comes from, and what it costs."""
    report, rounded = loaded.report, loaded.report.off_tick
    notes = [_inferred(report.price_decimals, loaded.bars.instrument.tick)] if report.tick_inferred else []
    if rounded:
        notes.append(f"{rounded} of {4 * report.rows} prices are rounded to it")
    return f" ({'; '.join(notes)})" if notes else ""


def _lot_note(loaded: Loaded) -> str:
    """Where the lot comes from."""
    report, instrument = loaded.report, loaded.bars.instrument
    if not report.lot_inferred:
        return ""
    if report.volume_unit == "quote":
        return f" (assumed: worth at most 1 {instrument.quote}; set it with --lot)"
    return f" ({_inferred(report.volume_decimals, instrument.lot)})"


def _inferred(decimals: int, used: Decimal) -> str:
    """How a step follows from the decimals of a file."""
    from coinswarm.feeds.decimals import step

    text = f"inferred: the file has {decimals} decimal{'' if decimals == 1 else 's'}"
    return f"{text}, coarsened to fit 64-bit arithmetic" if used > step(decimals) else text


def _hours(ns: int) -> str:
    """``1.13 h``, as data tables write it."""
    return f"{ns / 3.6e12:.2f} h"

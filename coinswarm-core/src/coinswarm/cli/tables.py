"""Rows as an aligned table for people or JSON for machines; every command's output goes through here."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_GAP = "  "


def emit(rows: Sequence[Mapping[str, object]], columns: Sequence[str], *, as_json: bool) -> None:
    """Print rows.

    :param rows: values by column; a missing value shows as ``-``, and as null in JSON.
    :param columns: which to show, in this order; JSON holds everything that the rows hold.
    :param as_json: a list of objects instead of a table.
    """
    if as_json:
        emit_json([dict(row) for row in rows])
        return
    cells = [[_text(row.get(column)) for column in columns] for row in rows]
    head = [column.upper().replace("_", " ") for column in columns]
    widths = [max(len(line[place]) for line in (head, *cells)) for place in range(len(columns))]
    right = [bool(rows) and all(_is_number(row.get(column)) for row in rows) for column in columns]
    for line in (head, *cells):
        padded = [
            text.rjust(width) if to_right else text.ljust(width)
            for text, width, to_right in zip(line, widths, right, strict=True)
        ]
        click.echo(_GAP.join(padded).rstrip())


def emit_fields(fields: Mapping[str, object], *, as_json: bool) -> None:
    """Print one thing as aligned ``key  value`` lines, or as a JSON object."""
    if as_json:
        emit_json(dict(fields))
        return
    width = max((len(key) for key in fields), default=0)
    for key, value in fields.items():
        click.echo(f"{key.replace('_', ' ').ljust(width)}{_GAP}{_text(value)}")


def emit_json(value: object) -> None:
    """Print a value as JSON; what JSON does not know becomes text."""
    click.echo(json.dumps(value, indent=2, ensure_ascii=False, default=str))


def _text(value: object) -> str:
    """A value in a cell."""
    if value is None or value == "" or (isinstance(value, (list, tuple)) and not value):
        return "-"
    if isinstance(value, (list, tuple)):
        return ", ".join(str(item) for item in value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)

"""The verdict as one HTML page: self-contained, without script, every string escaped."""

from __future__ import annotations

import tempfile
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from coinswarm.backtest.report.markup import Safe, facts, join, table, tag, void
from coinswarm.errors import OutputError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from coinswarm_testkit.gate.request import Request

POLICY = "default-src 'none'; style-src 'unsafe-inline'"
"""Content-Security-Policy: nothing is loaded from anywhere, and nothing is run."""

CATEGORIES = (
    "Packaging",
    "Determinism",
    "Statistical sanity",
    "Safety invariants",
    "Latency",
    "Economic realism",
    "Memory stability",
    "Robustness",
)
"""Names of the categories, 0 to 7."""

_STYLE = """
.verdict { font-size: 1.15rem; padding: .6rem .8rem; border-left: 4px solid var(--gain); background: var(--panel);
  border-radius: 4px; margin: 1rem 0; }
.verdict.bad { border-color: var(--stop); }
td.failed, td.incomplete { color: var(--stop); font-weight: 600; }
td.waived { color: var(--held); font-weight: 600; }
"""


def demand_writable(path: Path) -> None:
    """Hold that the page can be written, before minutes are spent on what it would say.

    :raises OutputError: when it cannot.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.exists():
            path.open("ab").close()
        else:
            tempfile.TemporaryFile(dir=path.parent).close()
    except OSError as error:
        raise _unwritable(path, error) from None


def write_report(path: Path, verdict: Mapping[str, Any], request: Request) -> None:
    """Write the page.

    :raises OutputError: when it cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(page(verdict, request.again))
    except OSError as error:
        raise _unwritable(path, error) from None


def _unwritable(path: Path, error: OSError) -> OutputError:
    """What is told of a path that cannot be written."""
    message = f"the report {path} cannot be written ({error.strerror or error})"
    return OutputError(message, remedy="name another file")


def page(verdict: Mapping[str, Any], again: str) -> bytes:
    """The page as UTF-8: verdict first, then each subject by category, then how to have it again."""
    title = f"{verdict['plugin']} ({verdict['distribution']} {verdict['version']})"
    subjects = verdict["subjects"]
    body = join(
        [
            tag("header", tag("h1", title), *(_verdict(one, verdict) for one in subjects)),
            tag("main", *(part for one in subjects for part in _subject(one))),
            tag("section", tag("h2", "Have it again"), tag("p", tag("code", again))),
            tag("footer", "Evidence on histories. It does not say that the plugin will make money."),
        ]
    )
    style = files("coinswarm.backtest.report").joinpath("report.css").read_text(encoding="utf-8")
    return join(
        [
            Safe('<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'),
            void("meta", http_equiv="Content-Security-Policy", content=POLICY),
            void("meta", name="viewport", content="width=device-width, initial-scale=1"),
            void("meta", name="color-scheme", content="light dark"),
            tag("title", title),
            Safe(f"<style>{style}{_STYLE}</style></head><body>"),
            body,
            Safe("</body></html>\n"),
        ]
    ).encode()


def _verdict(one: Mapping[str, Any], verdict: Mapping[str, Any]) -> Safe:
    """What one subject came to, in a sentence or two."""
    what = "some checks" if verdict["only"] else f"{one['tier'] or 'no tier'} reached, {verdict['asked']} asked for"
    words = [f"{one['kind']} {one['name']}: {what}."]
    failed = [row["id"] for row in one["checks"] if row["outcome"] == "failed"]
    if failed:
        words.append(f"Failed: {', '.join(failed)}.")
    if verdict["uncertifiable"]:
        words.append(f"There is no certificate: {verdict['uncertifiable']}.")
    elif one["certificate"]:
        words.append("A certificate was issued.")
    return tag("p", " ".join(words), class_="verdict" if one["good"] else "verdict bad")


def _subject(one: Mapping[str, Any]) -> Iterable[Safe]:
    """The sections of one subject: a table of checks per category, and what was measured."""
    yield tag("h2", f"{one['kind']} {one['name']}")
    settings = [(key, str(value)) for key, value in one["settings"].items()]
    yield facts(settings or [("Settings", "defaults")])
    for number, name in enumerate(CATEGORIES):
        rows = [row for row in one["checks"] if row["category"] == number]
        if rows:
            yield tag("section", tag("h3", name), _checks(name, rows), *_measured(rows))
    if one["thresholds"]:
        yield tag("section", tag("h3", "Named thresholds"), _thresholds(one["thresholds"]))
    if one["compared"]:
        yield tag("section", tag("h3", "Against the older version"), tag("pre", "\n".join(one["compared"])))


def _checks(name: str, rows: Sequence[Mapping[str, Any]]) -> Safe:
    """The checks of one category."""
    head = ["Check", "What it demands", "Tier", "Outcome", "Seconds", "Why, and how to see it again"]
    cells = [
        [
            row["id"],
            row["title"],
            row["tier"],
            tag("span", row["outcome"], class_=row["outcome"]),
            f"{row['seconds']:.1f}",
            join([row["reason"], tag("br") if row["again"] else "", tag("code", row["again"]) if row["again"] else ""]),
        ]
        for row in rows
    ]
    return table(name, head, cells, numbers=(4,))


def _thresholds(lines: Sequence[Mapping[str, Any]]) -> Safe:
    """The lines of a named set, met or not met; the tier does not rest on them."""
    cells = [
        [line["group"], line["what"], number(line["value"]), line["limit"], "met" if line["met"] else "not met"]
        for line in lines
    ]
    head = ["Where", "What", "Value", "Asked", "Met"]
    return table("Reported, and no condition of anything", head, cells, numbers=(2, 3))


def _measured(rows: Sequence[Mapping[str, Any]]) -> Iterable[Safe]:
    """What checks measured, beside what was demanded; an interval stands with its number."""
    for row in rows:
        measured, limit = row["measured"], row["limit"]
        if not measured:
            continue
        ends = {name for key in measured for name in (f"{key}_low", f"{key}_high") if name in measured}
        cells = [
            [key.replace("_", " "), number(value), _interval(measured, key), number(limit[key]) if key in limit else ""]
            for key, value in measured.items()
            if key not in ends
        ]
        yield table(f"{row['id']} · measured", ["Number", "Value", "Interval", "Limit"], cells, numbers=(1, 2, 3))


def _interval(measured: Mapping[str, Any], key: str) -> str:
    """``low to high`` of a number; empty where it has none."""
    low, high = measured.get(f"{key}_low"), measured.get(f"{key}_high")
    return "" if low is None and high is None else f"{number(low)} to {number(high)}"


def number(value: object) -> str:
    """A measured value as people read it."""
    if value is None:
        return "-"
    if isinstance(value, float):
        return f"{value:,.4g}" if abs(value) < 1_000 else f"{value:,.0f}"  # noqa: PLR2004 - digits that say something
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)

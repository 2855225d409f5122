"""T: what a time series store keeps, finds, refuses, and still has when it is opened again."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any, cast

from coinswarm.domain.stored import Point
from coinswarm_testkit.checks.check import Check
from coinswarm_testkit.checks.drivers import arena, demand, demand_raised, lifecycle, scene, sound
from coinswarm_testkit.verdicts import CheckFailedError
from coinswarm_testkit.worker.place import Step

if TYPE_CHECKING:
    from collections.abc import Iterable

    from coinswarm_testkit.bench import Bench
    from coinswarm_testkit.subject import Kind

TIMESERIES: frozenset[Kind] = frozenset({"timeseries"})
T = datetime(2026, 3, 1, tzinfo=UTC)
FAR = T + timedelta(days=3_000)
STEP = timedelta(microseconds=1)
ODD_NAMES = ("with space", "comma,equals=", 'quo"te', "back\\slash", "line\nbreak", "ünïcode", "$.dollar", "'; DROP")
ODD_VALUES: dict[str, Any] = {
    "int": 7, "zero": 0, "big": 2**63 - 1, "small": -(2**63), "float": 0.1, "whole": 3.0, "tiny": 5e-324,
    "huge": 1.7976931348623157e308, "true": True, "false": False, "text": 'a "b" \\ ü , = \n c', "empty": "",
}  # fmt: skip


def write(points: Iterable[Point]) -> Step:
    """Write points."""
    return Step("write", (list(points),))


def read(series: str = "p", begin: datetime = T, end: datetime = FAR, **more: object) -> Step:
    """Read a series."""
    return Step("read", (series,), {"begin": begin, "end": end, **more})


def typed(point: Point) -> tuple[Any, ...]:
    """A point with the types of its values, since 1 == 1.0 == True."""
    values = {name: (type(value).__name__, value) for name, value in point.values.items()}
    return point.series, point.time, values, dict(point.tags), point.key


def _points(answer: Any) -> list[Point]:  # noqa: ANN401 - whatever it answers
    """The points of a page."""
    if not (isinstance(answer, tuple) and len(answer) == 2 and all(isinstance(one, Point) for one in answer[0])):  # noqa: PLR2004 - points and cursor
        message = f"read answers {answer!r:.200}, not points and a cursor"
        raise CheckFailedError(message)
    return list(answer[0])


def round_trip(bench: Bench) -> None:
    """T10: a point comes back as it was written: types, extremes, names of any letters, microseconds."""
    points = [Point("p", T + STEP, dict(ODD_VALUES), {"venue": "x"}, "1")]
    points += [Point("p", T + n * STEP * 2, {name: n}, {name: name}, name) for n, name in enumerate(ODD_NAMES, 1)]
    points += [Point(name, T, {"value": 1}) for name in ODD_NAMES]
    with arena(bench) as settings, bench.link() as link:
        answers = scene(link, settings, write(points), read(), *(read(name) for name in ODD_NAMES))
        sound(answers, "writing and reading points")
    found = [typed(point) for answer in answers[1:] for point in _points(answer)]
    for point in points:
        if typed(point) not in found:
            message = f"{point} does not come back as it was written"
            raise CheckFailedError(message)
    demand(len(found), len(points), "the number of points read")


def ranges_and_pages(bench: Bench) -> None:
    """T15: points come by time, tags and key, from begin to before end, and pages are the whole."""
    points = [
        Point("p", T + second * timedelta(seconds=1), {"n": second}, {"s": tag}, key)
        for second in range(6) for tag in "ab" for key in ("1", "2")
    ]  # fmt: skip
    shuffled = random.Random(bench.seed).sample(points, len(points))  # noqa: S311 - a seeded order
    begin, end = T + timedelta(seconds=1), T + timedelta(seconds=5)
    wanted = [point for point in points if begin <= point.time < end]
    with arena(bench) as settings, bench.link() as link:
        sound(scene(link, settings, write(shuffled)), "writing points")
        [whole] = sound(scene(link, settings, read(begin=begin, end=end)), "reading a range")
        demand([typed(p) for p in _points(whole)], [typed(p) for p in wanted], "a range, in order,")
        demand(whole[1], None, "the cursor at the end of a range")
        for limit in (1, 3, len(wanted)):
            found, after = [], None
            for _ in range(len(wanted) + 1):
                step = read(begin=begin, end=end, limit=limit, after=after)
                [page] = sound(scene(link, settings, step), "reading a page")
                found += _points(page)
                after = page[1]
                if after is None:
                    break
            demand([typed(p) for p in found], [typed(p) for p in wanted], f"the whole of pages of {limit}")


def identity(bench: Bench) -> None:
    """T20: the same identity replaces; another key, other tags or another microsecond is another point."""
    one = Point("p", T, {"v": 1}, {"s": "a"}, "1")
    others = [replace(one, key="2"), replace(one, tags={"s": "b"}), replace(one, time=T + STEP), replace(one, tags={})]
    newer = replace(one, values={"v": 2})
    with arena(bench) as settings, bench.link() as link:
        answers = scene(link, settings, write([one, *others]), write([newer]), write([newer, newer]), read())
        sound(answers, "writing a point again")
    found = sorted(repr(typed(point)) for point in _points(answers[3]))
    demand(found, sorted(repr(typed(point)) for point in [newer, *others]), "what is kept of six points, one replaced,")


def tags_filter(bench: Bench) -> None:
    """T25: tags in a question choose the points that have all of them, and are data, not a pattern."""
    tags = [{"a": "1"}, {"a": "1", "b": "2"}, {"a": "2"}, {}, {"a": "%"}, {"a": "1' OR '1'='1"}]
    points = [Point("p", T + n * STEP, {"n": n}, tag) for n, tag in enumerate(tags)]
    questions = [*tags, {"a": "_"}, {"b": "1"}, {"c": ""}]
    with arena(bench) as settings, bench.link() as link:
        answers = scene(link, settings, write(points), *(read(tags=question) for question in questions))
        sound(answers, "reading by tags")
    for question, answer in zip(questions, answers[1:], strict=True):
        wanted = [p.values["n"] for p in points if question.items() <= dict(p.tags).items()]
        demand([p.values["n"] for p in _points(answer)], wanted, f"what has the tags {question}")


def refuses(bench: Bench) -> None:
    """T30: a point that is none is refused with ValueError, and nothing of its batch is kept."""
    good = Point("p", T, {"v": 1})
    offset = datetime(2026, 3, 1, tzinfo=timezone(timedelta(hours=1)))
    bad: dict[str, Any] = {
        "no values": replace(good, values={}),
        "a naive time": replace(good, time=T.replace(tzinfo=None)),
        "a time that is not in UTC": replace(good, time=offset),
        "NaN": replace(good, values={"v": float("nan")}),
        "infinity": replace(good, values={"v": float("-inf")}),
        "an integer of 65 bits": replace(good, values={"v": 2**63}),
        "None": replace(good, values={"v": cast("Any", None)}),
        "an empty series": replace(good, series=""),
        "NUL in its series": replace(good, series="a\0b"),
        "NUL in a text": replace(good, values={"v": "a\0b"}),
    }
    with arena(bench) as settings, bench.link() as link:
        answers = scene(link, settings, *(write([good, point]) for point in bad.values()), read())
    for what, answer in zip(bad, answers, strict=False):
        demand_raised(answer, "ValueError", f"writing a point with {what}")
    demand(_points(sound(answers[-1:], "reading")[0]), [], "what is kept of batches that were refused")


def last_and_delete(bench: Bench) -> None:
    """T35: the newest point, and forgetting what is older than a time."""
    points = [Point("p", T + n * timedelta(days=1), {"n": n}, {"s": "ab"[n % 2]}) for n in range(6)]
    other = Point("q", T, {"n": 9})
    with arena(bench) as settings, bench.link() as link:
        answers = scene(
            link, settings, write([*points, other]), Step("last", ("p",)), Step("last", ("p",), {"tags": {"s": "a"}}),
            Step("last", ("none",)), Step("delete", ("p",), {"before": points[3].time}), read(), read("q"),
            Step("delete", ("none",), {"before": FAR}),
        )  # fmt: skip
        sound(answers, "asking for the newest, and deleting")
    demand(answers[1], points[5], "the newest point")
    demand(answers[2], points[4], "the newest point with a tag")
    demand(answers[3], None, "the newest point of a series that is not there")
    demand(answers[4], 3, "how many were deleted")
    demand([p.values["n"] for p in _points(answers[5])], [3, 4, 5], "what is left")
    demand(_points(answers[6]), [other], "another series after deleting")
    demand(answers[7], 0, "how many were deleted of a series that is not there")


def durable(bench: Bench) -> None:
    """T40: what was written is there for another process after this one died."""
    points = [Point("p", T + n * STEP, {"n": n}) for n in range(50)]
    with arena(bench) as settings:
        with bench.link(COINSWARM_TRIAL="1") as link:
            sound(scene(link, settings, write(points)), "writing points")
        with bench.link(COINSWARM_TRIAL="2") as link:
            [answer] = sound(scene(link, settings, read()), "reading in another process")
    demand(len(_points(answer)), len(points), "the number of points that another process finds")


def concurrent(bench: Bench) -> None:
    """T45: writers at the same time lose nothing of each other's."""
    steps = [write([Point("p", T + n * STEP, {"n": n}, {"w": str(w)}) for n in range(20)]) for w in range(12)]
    with arena(bench) as settings, bench.link() as link:
        answers = scene(link, settings, [*steps, read()], read())
        sound(answers, "writing at the same time")
    demand(len(_points(answers[-1])), 240, "the number of points of twelve writers")


CHECKS = (
    Check("T10", "points come back as they were written", 2, round_trip, TIMESERIES),
    Check("T15", "ranges and pages, in order", 1, ranges_and_pages, TIMESERIES),
    Check("T20", "one point of each identity", 2, identity, TIMESERIES),
    Check("T25", "tags choose", 2, tags_filter, TIMESERIES),
    Check("T30", "what is no point is refused", 7, refuses, TIMESERIES),
    Check("T35", "the newest, and forgetting the old", 2, last_and_delete, TIMESERIES),
    Check("T40", "what was written is there for another process", 6, durable, TIMESERIES),
    Check("T45", "writers at the same time", 7, concurrent, TIMESERIES),
    Check("T50", "opened, left, and nothing runs on", 7, lifecycle("T50", Step("last", ("p",))), TIMESERIES),
)

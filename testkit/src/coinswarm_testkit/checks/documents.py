"""D: what a document store keeps, finds, refuses, and still has when it is opened again."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, cast

from coinswarm.domain.stored import Record
from coinswarm_testkit.checks.check import Check
from coinswarm_testkit.checks.drivers import arena, demand, demand_raised, lifecycle, scene, sound
from coinswarm_testkit.verdicts import CheckFailedError
from coinswarm_testkit.worker.place import Step

if TYPE_CHECKING:
    from collections.abc import Iterable

    from coinswarm_testkit.bench import Bench
    from coinswarm_testkit.subject import Kind

DOCUMENTS: frozenset[Kind] = frozenset({"documents"})
T = datetime(2026, 3, 1, tzinfo=UTC)
STEP = timedelta(microseconds=1)
BODY: dict[str, Any] = {
    "text": 'a "b" \\ ü \n c', "empty": "", "int": 7, "big": 2**63 - 1, "small": -(2**63), "float": 0.1,
    "whole": 3.0, "true": True, "false": False, "none": None, "list": [1, 1.0, True, None, "x", [], {}],
    "dict": {"deep": {"deeper": [{"deepest": 1}]}}, "$where": "1 == 1", "a.b": 1, "": "no name", "$set": {"$inc": 1},
    "_id": "mine", 'quo"te': 1,
}  # fmt: skip
VALUES: list[Any] = ["1", 1, 1.0, True, False, 0, None, "", "true", "null", 2**53 + 1, 2**53, "$x", "%"]


def put(records: Iterable[Record], collection: str = "news") -> Step:
    """Put documents."""
    return Step("put", (collection, list(records)))


def find(collection: str = "news", **more: Any) -> Step:  # noqa: ANN401 - find's own
    """Find documents."""
    return Step("find", (collection,), more)


def get(key: str, collection: str = "news") -> Step:
    """Get a document."""
    return Step("get", (collection, key))


def typed(value: Any) -> Any:  # noqa: ANN401 - any JSON
    """A value with its types, since 1 == 1.0 == True."""
    if isinstance(value, dict):
        return {key: typed(item) for key, item in value.items()}
    return [typed(item) for item in value] if isinstance(value, list) else (type(value).__name__, value)


def _records(answer: Any) -> list[Record]:  # noqa: ANN401 - whatever it answers
    """The documents of a page."""
    if not (isinstance(answer, tuple) and len(answer) == 2 and all(isinstance(one, Record) for one in answer[0])):  # noqa: PLR2004 - documents and cursor
        message = f"find answers {answer!r:.200}, not documents and a cursor"
        raise CheckFailedError(message)
    return list(answer[0])


def round_trip(bench: Bench) -> None:
    """D10: a document comes back as it was put: types, extremes, keys of any letters, microseconds."""
    records = [Record("1", T + STEP, BODY), Record("ü $.'\"", T, {}), Record("x" * 200, T, {"n": list(range(1000))})]
    with arena(bench) as settings, bench.link() as link:
        answers = scene(link, settings, put(records), *(get(record.id) for record in records))
        sound(answers, "putting and getting documents")
    for record, found in zip(records, answers[1:], strict=True):
        if not isinstance(found, Record) or (found.id, found.time) != (record.id, record.time):
            message = f"the document {record.id[:20]!r} comes back as {found!r:.200}"
            raise CheckFailedError(message)
        for key in {*record.body, *found.body}:
            here, there = typed(found.body.get(key, "nothing")), typed(record.body.get(key, "nothing"))
            demand(here, there, f"what was put under {key!r}")


def ranges_and_pages(bench: Bench) -> None:
    """D15: documents come by time and id, from begin to before end, either way round, and pages are the whole."""
    records = [Record(f"{n}{c}", T + n * timedelta(seconds=1), {"n": n}) for n in range(6) for c in "ab"]
    shuffled = random.Random(bench.seed).sample(records, len(records))  # noqa: S311 - a seeded order
    span: dict[str, Any] = {"begin": T + timedelta(seconds=1), "end": T + timedelta(seconds=5)}
    wanted = [record.id for record in records if span["begin"] <= record.time < span["end"]]
    with arena(bench) as settings, bench.link() as link:
        sound(scene(link, settings, put(shuffled), put(shuffled, "other")), "putting documents")
        for newest in (False, True):
            expected = wanted[::-1] if newest else wanted
            for limit in (1, 3, len(wanted), 1_000):
                found, after = [], None
                for _ in range(len(wanted) + 1):
                    step = find(**span, limit=limit, newest=newest, after=after)
                    [page] = sound(scene(link, settings, step), "finding documents")
                    found += [record.id for record in _records(page)]
                    after = page[1]
                    if after is None:
                        break
                demand(found, expected, f"the whole of pages of {limit}{', newest first' if newest else ''}")
        [every] = sound(scene(link, settings, find()), "finding documents")
        demand(len(_records(every)), len(records), "how many documents a collection has")


def identity(bench: Bench) -> None:
    """D20: the same id replaces, and is not counted as new; another collection is another place."""
    one, other = Record("1", T, {"v": 1, "old": True}), Record("2", T, {"v": 2})
    newer = Record("1", T + STEP, {"v": 3})
    with arena(bench) as settings, bench.link() as link:
        answers = scene(
            link, settings, put([one, other]), put([newer]), put([newer, Record("3", T, {})]), put([one], "else"),
            get("1"), get("1", "else"), find(),
        )  # fmt: skip
        sound(answers, "putting a document again")
    demand(answers[:4], [2, 0, 1, 1], "how many ids were new, of four puts,")
    demand(answers[4], newer, "a document that was put again")
    demand(answers[5], one, "the document of that id in another collection")
    demand([record.id for record in _records(answers[6])], ["2", "3", "1"], "the order after a newer time")


def conditions(bench: Bench) -> None:
    """D25: conditions mean equality of a top-level value: a boolean is no number, and no text is a pattern."""
    keys = ["a", "$a", "a.b", "a'b"]
    records = [Record(f"{key}{n}", T, {key: value}) for key in keys for n, value in enumerate(VALUES)]
    records += [Record("nested", T, {"a": {"b": 1}, "c": [1]}), Record("both", T, {"a": 1, "$a": "$x"})]
    questions: list[dict[str, Any]] = [{key: value} for key in keys for value in VALUES]
    questions += [{"a": 1, "$a": "$x"}, {"c": 1}, {"missing": None}, {}]
    with arena(bench) as settings, bench.link() as link:
        answers = scene(link, settings, put(records), *(find(where=question) for question in questions))
        sound(answers, "finding by conditions")
    for question, answer in zip(questions, answers[1:], strict=True):
        wanted = {record.id for record in records if all(_holds(record.body, *item) for item in question.items())}
        demand({record.id for record in _records(answer)}, wanted, f"what {question} finds")


def _holds(body: Any, key: str, value: object) -> bool:  # noqa: ANN401 - a record's body
    """Whether a top-level value equals another, numbers by value and everything by kind."""
    if key not in body or isinstance(body[key], dict | list):
        return False
    kinds = [float if type(one) is int else type(one) for one in (body[key], value)]
    return kinds[0] is kinds[1] and bool(body[key] == value)


def refuses(bench: Bench) -> None:
    """D30: what is no document is refused with ValueError, and nothing of its batch is kept."""
    good = Record("good", T, {})
    bad = {
        "NaN": replace(good, id="1", body={"v": float("nan")}),
        "an integer of 65 bits": replace(good, id="1", body={"v": [2**63]}),
        "bytes": replace(good, id="1", body={"v": b"x"}),
        "a time in its body": replace(good, id="1", body={"v": T}),
        "a number as key": replace(good, id="1", body={"v": {1: 2}}),
        "a list for a body": replace(good, id="1", body=cast("Any", [1])),
        "an empty id": replace(good, id=""),
        "NUL in its id": replace(good, id="a\0b"),
        "NUL in a text": replace(good, id="1", body={"v": ["a\0b"]}),
        "NUL in a key": replace(good, id="1", body={"v": {"a\0b": 1}}),
        "a naive time": replace(good, id="1", time=T.replace(tzinfo=None)),
    }
    with arena(bench) as settings, bench.link() as link:
        answers = scene(link, settings, *(put([good, record]) for record in bad.values()), find())
    for what, answer in zip(bad, answers, strict=False):
        demand_raised(answer, "ValueError", f"putting a document with {what}")
    demand(_records(sound(answers[-1:], "finding")[0]), [], "what is kept of batches that were refused")


def deletes(bench: Bench) -> None:
    """D35: forgetting documents by id, and what is not there."""
    records = [Record(str(n), T, {}) for n in range(5)]
    with arena(bench) as settings, bench.link() as link:
        answers = scene(
            link, settings, put(records), put(records, "else"), Step("delete", ("news", ["1", "3", "9"])), find(),
            get("1"), get("1", "else"), get("1", "none"), find("none"), Step("delete", ("none", ["1"])),
        )  # fmt: skip
        sound(answers, "deleting documents")
    demand(answers[2], 2, "how many were deleted")
    demand([record.id for record in _records(answers[3])], ["0", "2", "4"], "what is left")
    demand(answers[4], None, "a document that was deleted")
    demand(answers[5], records[1], "the document of that id in another collection")
    demand(answers[6], None, "a document of a collection that is not there")
    demand(_records(answers[7]), [], "what a collection that is not there has")
    demand(answers[8], 0, "how many were deleted where nothing is")


def durable(bench: Bench) -> None:
    """D40: what was put is there for another process after this one died."""
    records = [Record(str(n), T, {"n": n}) for n in range(50)]
    with arena(bench) as settings:
        with bench.link(COINSWARM_TRIAL="1") as link:
            sound(scene(link, settings, put(records)), "putting documents")
        with bench.link(COINSWARM_TRIAL="2") as link:
            [answer] = sound(scene(link, settings, find()), "finding in another process")
    demand(len(_records(answer)), len(records), "the number of documents that another process finds")


def concurrent(bench: Bench) -> None:
    """D45: writers at the same time lose nothing of each other's, and each id is new to one of them."""
    steps = [put([Record(f"{n}", T, {"w": w}) for n in range(10)] + [Record(f"w{w}", T, {})]) for w in range(12)]
    with arena(bench) as settings, bench.link() as link:
        answers = scene(link, settings, steps, find())
        sound(answers, "putting at the same time")
    demand(sum(answers[:-1]), 22, "how many ids were new to twelve writers together")
    demand(len(_records(answers[-1])), 22, "the number of documents of twelve writers")


CHECKS = (
    Check("D10", "documents come back as they were put", 2, round_trip, DOCUMENTS),
    Check("D15", "ranges and pages, in order, either way", 1, ranges_and_pages, DOCUMENTS),
    Check("D20", "one document of each id", 2, identity, DOCUMENTS),
    Check("D25", "conditions mean what they say", 2, conditions, DOCUMENTS),
    Check("D30", "what is no document is refused", 7, refuses, DOCUMENTS),
    Check("D35", "forgetting by id", 2, deletes, DOCUMENTS),
    Check("D40", "what was put is there for another process", 6, durable, DOCUMENTS),
    Check("D45", "writers at the same time", 7, concurrent, DOCUMENTS),
    Check("D50", "opened, left, and nothing runs on", 7, lifecycle("D50", get("1")), DOCUMENTS),
)

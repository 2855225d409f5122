"""What every object must hold whose answers are a function of its arguments."""

from __future__ import annotations

import pickle
from typing import TYPE_CHECKING, Any

from coinswarm_testkit.bench import Raised, Step
from coinswarm_testkit.verdicts import CheckFailedError, PluginRaisedError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from coinswarm_testkit.bench import Bench, Link

Arguments = tuple[Any, ...]

ELSEWHERE = {"PYTHONHASHSEED": "4242", "TZ": "Pacific/Kiritimati", "LC_ALL": "C", "LANG": "C"}
"""Another machine, as far as a process can be one."""

HERE = {"PYTHONHASHSEED": "1", "TZ": "UTC"}


def demand(holds: object, message: str) -> None:
    """Fail with a message where something does not hold."""
    if not holds:
        raise CheckFailedError(message)


def asked(link: Link, method: str, questions: Iterable[Arguments]) -> list[Any]:
    """What one object answers to each question in turn; what it does to a question stays with it.

    :raises PluginRaisedError: for the first that it raised at.
    """
    copies = pickle.loads(pickle.dumps(list(questions)))  # noqa: S301 - our own
    answers = link.script([Step(method, tuple(question)) for question in copies])
    for number, answer in enumerate(answers):
        if isinstance(answer, Raised):
            text = f"{answer.text} (question {number} of {len(answers)})"
            raise PluginRaisedError(answer.kind, text, answer.bases)
    return answers


def answers_to(bench: Bench, method: str, questions: Sequence[Arguments], **environment: str) -> list[Any]:
    """What a fresh object answers to each question in turn."""
    with bench.link(**environment) as link:
        link.make()
        return asked(link, method, questions)


def demand_same(
    found: Sequence[Any], expected: Sequence[Any], what: str, *, numbers: Sequence[int] | None = None
) -> None:
    """Fail at the first answer in which two lists differ.

    :param what: what the two are, as in "two processes".
    """
    for number, (one, other) in enumerate(zip(found, expected, strict=True)):
        if one != other:
            shown = numbers[number] if numbers else number
            message = f"{what} differ at question {shown} of {len(found)}: {one!r} and {other!r}"
            raise CheckFailedError(message[:500])


def in_any_process(bench: Bench, method: str, questions: Sequence[Arguments]) -> None:
    """The same answers in two processes with different hash seeds, time zones and locales."""
    one = answers_to(bench, method, questions, **HERE)
    other = answers_to(bench, method, questions, **ELSEWHERE)
    demand_same(one, other, "two processes with other hash seeds, time zones and locales")


def whatever_came_before(bench: Bench, method: str, questions: Sequence[Arguments]) -> None:
    """The same answers again, asked in the opposite order, and of a fresh object."""
    with bench.link() as link:
        link.make()
        first = asked(link, method, questions)
        backwards = asked(link, method, questions[::-1])[::-1]
    demand_same(backwards, first, "the same questions in another order")
    demand_same(answers_to(bench, method, questions), first, "a fresh object and one that was asked before")


def inputs_unchanged(bench: Bench, method: str, questions: Sequence[Arguments]) -> None:
    """What it is shown is the same to the byte afterwards."""
    with bench.link() as link:
        link.make()
        changed = link.ask("objects.changed", steps=[Step(method, tuple(question)) for question in questions])
    demand(not changed, f"it changed what it was shown (question {changed[0] if changed else 0} of {len(questions)})")


def of_kind(answers: Sequence[Any], holds: Callable[[Any], bool], what: str) -> None:
    """Fail at the first answer that is not of the contract's form."""
    for number, answer in enumerate(answers):
        demand(holds(answer), f"question {number}: it answered {answer!r}"[:300] + f", which is no {what}")

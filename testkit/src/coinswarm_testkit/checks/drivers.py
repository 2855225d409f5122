"""What the checks of all drivers share: settings for a trial, scenes, answers."""

from __future__ import annotations

import os
import re
import secrets
import tempfile
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from coinswarm.domain.health import Condition, Health
from coinswarm_testkit.verdicts import CheckFailedError, CheckIncompleteError, CheckSkipped
from coinswarm_testkit.worker.place import Raised, Step

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from coinswarm_testkit.bench import Bench, Link

_VARIABLE = re.compile(r"\{env:(\w+)\}")


@contextmanager
def arena(bench: Bench, **given: str) -> Iterator[dict[str, Any]]:
    """Settings to try the driver with, in a folder and under a name that nobody used; the subject's own come first.

    :param given: further words and what they stand for, as ``venue``.
    :raises CheckIncompleteError: where its trial needs a variable that is not set; under ``CI`` that is a failure.
    """
    trial: Mapping[str, Any] = {**bench.subject.declaration.get("trial", {}), **bench.subject.settings}
    with ExitStack() as stack:
        words = {"{fresh}": f"t{secrets.token_hex(8)}", **{f"{{{name}}}": text for name, text in given.items()}}
        if any("{folder}" in str(value) for value in trial.values()):
            words["{folder}"] = stack.enter_context(tempfile.TemporaryDirectory(prefix="coinswarm-trial-"))
        yield {name: _filled(value, words) for name, value in trial.items()}


@contextmanager
def behind(bench: Bench) -> Iterator[tuple[dict[str, Any], dict[str, Any], str]]:
    """Settings to try a driver with twice: straight, and by way of a proxy at ``{proxy}``; and the server's address.

    :raises CheckSkipped: where its trial names no server, so that there is no connection that could be lost.
    """
    with arena(bench) as settings:
        trial: Mapping[str, Any] = {**bench.subject.declaration.get("trial", {}), **bench.subject.settings}
        for name, value in trial.items():
            address = urlsplit(settings[name]) if isinstance(value, str) and _VARIABLE.search(value) else urlsplit("")
            if address.hostname and address.port:
                through = address._replace(netloc="{proxy}").geturl()
                yield settings, {**settings, name: through}, f"{address.hostname}:{address.port}"
                return
        message = "its trial names no server to which a connection could be lost"
        raise CheckSkipped(message)


def _filled(value: Any, words: Mapping[str, str]) -> Any:  # noqa: ANN401 - any setting
    """A setting with its words replaced."""
    if not isinstance(value, str):
        return value
    for word, text in words.items():
        value = value.replace(word, text)
    return _VARIABLE.sub(_variable, value)


def _variable(found: re.Match[str]) -> str:
    name = found[1]
    if name not in os.environ:
        message = f"its trial needs {name}, the address of a real server: set it"
        if os.environ.get("CI"):
            raise CheckFailedError(message)
        raise CheckIncompleteError(message)
    return os.environ[name]


def scene(link: Link, settings: Mapping[str, Any], *steps: Step | Sequence[Step]) -> list[Any]:
    """What each step answers on a fresh driver, or ``Raised``."""
    rows = link.ask("drivers.scene", settings=settings, steps=list(steps))
    return [answer_of(row) for row in rows]


def answer_of(row: Sequence[Any]) -> Any:  # noqa: ANN401 - whatever it answers
    """An answer, or ``Raised``."""
    return row[1] if row[0] == "is" else Raised(*row[1:])


def sound(answers: Sequence[Any], what: str) -> list[Any]:
    """The answers, if none was an error.

    :param what: was done, for the message.
    """
    for answer in answers:
        if isinstance(answer, Raised):
            message = f"{what} raises {answer}"
            raise CheckFailedError(message)
    return list(answers)


def demand(found: object, expected: object, what: str) -> None:
    """Fail unless two values are equal.

    :param what: names the first, as in "the newest point".
    """
    if found != expected:
        message = f"{what} is {_short(found)}, but must be {_short(expected)}"
        raise CheckFailedError(message)


def demand_raised(answer: object, kind: str, what: str) -> None:
    """Fail unless an error of a kind was raised."""
    if not isinstance(answer, Raised):
        message = f"{what} is answered with {_short(answer)}, but must raise {kind}"
        raise CheckFailedError(message)
    if kind not in answer.bases:
        message = f"{what} raises {answer}, but must raise {kind}"
        raise CheckFailedError(message)


def _short(value: object) -> str:
    """A value in a message."""
    text = repr(value)
    return text if len(text) <= 200 else f"{text[:200]}…"  # noqa: PLR2004 - a line


def _lifecycle(bench: Bench, *, step: Step, settings: Mapping[str, Any] | None = None) -> None:
    """Outside ``async with`` it does nothing, inside its health is good, and leaving it leaves nothing running."""
    with arena(bench) as own, bench.link() as link:
        settings = own if settings is None else settings
        found = link.ask("drivers.cold", settings=settings, step=step)
    demand_raised(answer_of(found["outside"]), "NotReadyError", f"{step.method} before `async with`")
    demand_raised(answer_of(found["late"]), "NotReadyError", f"{step.method} after `async with`")
    for when, good in (("before", False), ("inside", True), ("after", False)):
        health = answer_of(found[when])
        if not isinstance(health, Health):
            message = f"health {when} `async with` is {_short(health)}, not a Health"
            raise CheckFailedError(message)
        if (health.condition is Condition.GOOD) is not good:
            message = f"health {when} `async with` is {health.condition}"
            raise CheckFailedError(message)
    if found["left"]:
        message = f"{found['left']} tasks run on after it was left"
        raise CheckFailedError(message)


def lifecycle(identity: str, step: Step) -> Any:  # noqa: ANN401 - a check's function
    """The check of a kind's life: before, inside and after ``async with``.

    :param identity: the check's id, for its docstring.
    :param step: something that a closed driver must refuse.
    """
    check = partial(_lifecycle, step=step)
    check.__doc__ = f"{identity}: {_lifecycle.__doc__}"
    return check

"""The place where a plugin lives while it is judged: its objects by key, and one event loop for all of them."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, Any

import anyio
from anyio.from_thread import start_blocking_portal

if TYPE_CHECKING:
    from concurrent.futures import Future

    from anyio.from_thread import BlockingPortal

    from coinswarm_testkit.subject import Subject

Operation = Callable[..., Any]
"""Called with the place and the request's arguments; answers with plain data."""


@dataclass(frozen=True, slots=True)
class Step:
    """One call of a script.

    :param method: of the object.
    :param key: which object.
    """

    method: str
    args: tuple[Any, ...] = ()
    kwargs: Mapping[str, Any] = field(default_factory=dict)
    key: str = "it"


@dataclass(frozen=True, slots=True)
class Raised:
    """What the plugin raised instead of answering.

    :param kind: the exception's class name.
    :param text: its message in one line.
    :param bases: class names of its ancestors, so that a check can ask for a kind of error.
    """

    kind: str
    text: str
    bases: tuple[str, ...] = ()

    @classmethod
    def of(cls, error: BaseException) -> Raised:
        """An exception in words."""
        return cls(type(error).__name__, " ".join(str(error).split()), tuple(c.__name__ for c in type(error).__mro__))

    def __str__(self) -> str:
        return f"{self.kind}: {self.text}" if self.text else self.kind


class Place:
    """Where one subject's objects are.

    :param subject: what is judged.
    """

    def __init__(self, subject: Subject) -> None:
        self.subject = subject
        self.objects: dict[str, Any] = {}
        self._stack = ExitStack()
        self._portal: BlockingPortal | None = None

    def close(self) -> None:
        """Forget the objects and end the event loop, with whatever still runs in it."""
        self.objects.clear()
        if self._portal is not None:
            self._portal.call(self._portal.stop, True)  # noqa: FBT003 - its own signature: cancel what remains
        self._stack.close()

    def new(self, settings: Mapping[str, Any] | None = None) -> Any:  # noqa: ANN401 - the plugin's object
        """A fresh object of the subject, by its own settings or by others."""
        return self.subject.made(settings)

    def wait(self, function: Callable[[], Awaitable[Any]]) -> Any:  # noqa: ANN401 - whatever it answers
        """Run a coroutine in the place's one event loop, which goes on between requests."""
        if self._portal is None:
            self._portal = self._stack.enter_context(start_blocking_portal())
        return self._portal.call(function)

    def start(self, function: Callable[[], Awaitable[Any]]) -> Future[Any]:
        """Run a coroutine in the same loop while requests go on; cancelling the future cancels it."""
        if self._portal is None:
            self._portal = self._stack.enter_context(start_blocking_portal())
        return self._portal.start_task_soon(function)

    def call(self, step: Step) -> Any:  # noqa: ANN401 - whatever it answers
        """One method of one object; what it awaits is awaited."""
        answer = getattr(self.objects[step.key], step.method)(*step.args, **step.kwargs)
        return self.wait(partial(_awaited, answer)) if inspect.isawaitable(answer) else answer

    def script(self, steps: list[Step], *, concurrent: bool = False) -> list[Any]:
        """What each step answers, or ``Raised``; one after the other, or all at once in the event loop."""
        if not concurrent:
            return [self._tried(step) for step in steps]
        answers: list[Any] = [None] * len(steps)

        async def one(number: int, step: Step) -> None:
            try:
                answer = getattr(self.objects[step.key], step.method)(*step.args, **step.kwargs)
                answers[number] = await answer if inspect.isawaitable(answer) else answer
            except Exception as error:  # noqa: BLE001 - what it raises is the answer
                answers[number] = Raised.of(error)

        async def everything() -> None:
            async with anyio.create_task_group() as group:
                for number, step in enumerate(steps):
                    group.start_soon(one, number, step)

        self.wait(everything)
        return answers

    def _tried(self, step: Step) -> Any:  # noqa: ANN401 - whatever it answers
        """The answer to one step, or what it raised."""
        try:
            return self.call(step)
        except Exception as error:  # noqa: BLE001 - what it raises is the answer
            return Raised.of(error)

    def perform(self, name: str, arguments: Mapping[str, Any]) -> Any:  # noqa: ANN401 - plain data
        """A named operation, ``"module.function"`` of ``coinswarm_testkit.worker``."""
        return operation(name)(self, **arguments)


async def _awaited(answer: Awaitable[Any]) -> Any:  # noqa: ANN401 - whatever it answers
    """What an awaitable answers."""
    return await answer


def operation(name: str) -> Operation:
    """The operation of that name.

    :raises KeyError: when there is none.
    """
    module, _, function = name.partition(".")
    operations: Mapping[str, Operation] = import_module(f"coinswarm_testkit.worker.{module}").OPERATIONS
    return operations[function]

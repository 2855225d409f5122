"""A link: one fresh place where the plugin lives, and what can be asked there."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any

from coinswarm_testkit.verdicts import PluginRaisedError
from coinswarm_testkit.worker import wire
from coinswarm_testkit.worker.place import Place, Raised, Step

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from coinswarm_testkit.subject import Subject


class Link(ABC):
    """One fresh place where the plugin lives."""

    @abstractmethod
    def ask(self, operation: str, /, **arguments: Any) -> Any:  # noqa: ANN401 - whatever it answers
        """What a named operation answers, ``"module.function"`` of ``coinswarm_testkit.worker``.

        :raises PluginRaisedError: when the plugin raised.
        :raises NoAnswerError: when the process ended, hung, or wrote no answer.
        """

    def output(self) -> str:
        """What the plugin has printed so far; empty where it prints to our own terminal."""
        return ""

    def make(self, key: str = "it", settings: Mapping[str, Any] | None = None) -> None:
        """A fresh object under ``key``, by the subject's settings or by others."""
        self.ask("objects.make", key=key, settings=settings)

    def call(self, method: str, *args: Any, key: str = "it", **kwargs: Any) -> Any:  # noqa: ANN401 - whatever it answers
        """What a method of the object under ``key`` answers; what it awaits is awaited."""
        return self.ask("objects.call", step=Step(method, args, kwargs, key))

    def script(self, steps: Sequence[Step], *, concurrent: bool = False) -> list[Any]:
        """What each step answers, or ``Raised``, in one request; one after the other, or all at once."""
        rows = self.ask("objects.script", steps=list(steps), concurrent=concurrent)
        return [row[1] if row[0] == "is" else Raised(*row[1:]) for row in rows]


class Local(Link):
    """In this process; answers take the same way through the codec as from another."""

    def __init__(self, subject: Subject) -> None:
        self.place = Place(subject)

    def ask(self, operation: str, /, **arguments: Any) -> Any:  # noqa: ANN401 - whatever it answers
        """What a named operation answers."""
        try:
            answer = self.place.perform(operation, arguments)
        except Exception as error:
            raised = Raised.of(error)
            raise PluginRaisedError(raised.kind, raised.text, raised.bases) from error
        return wire.loads(wire.dumps(answer))

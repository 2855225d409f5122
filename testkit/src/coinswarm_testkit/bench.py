"""Where checks meet the subject: in this process for an author, in a process of its own for the gate.

A check asks for a *link*, a fresh place where the plugin lives, and asks through it. In the gate each link is a
fresh process that the judge talks to over pipes: the judge imports nothing of the plugin, and an answer that does
not come, or is no answer, is a failure.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

from coinswarm_testkit.forkserver import SUPPORTED, ForkServer, LostError
from coinswarm_testkit.link import Link, Local
from coinswarm_testkit.remote import Remote, probed
from coinswarm_testkit.starting import Fresh, own_path
from coinswarm_testkit.verdicts import NoAnswerError
from coinswarm_testkit.worker.place import Raised, Step

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from coinswarm.domain.market import Bars
    from coinswarm_testkit.subject import Subject

__all__ = ["Bench", "Link", "LocalBench", "Raised", "RemoteBench", "Step"]


@dataclass
class Bench(ABC):
    """What a check is given.

    :param subject: what is judged.
    :param seed: of everything that is generated.
    :param data: the operator's own bars, by symbol.
    :param trials: how many variants its author tried, where somebody declared it.
    :param variant: as what looks at recorded history are registered; empty: they are not.
    """

    subject: Subject
    seed: int = 0
    data: Mapping[str, Bars] = field(default_factory=dict)
    trials: int | None = None
    variant: str = ""
    kept: dict[str, Any] = field(default_factory=dict)
    """What checks share: evidence is measured once."""
    _stack: ExitStack = field(default_factory=ExitStack)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """End what still stands."""
        self._stack.close()
        self.kept.clear()

    def standing(self, name: str) -> Link:
        """One link by that name for all who ask until the bench is left."""
        key = f"standing {name}"
        if key not in self.kept:
            self.kept[key] = self._stack.enter_context(self.link())
        found: Link = self.kept[key]
        return found

    @abstractmethod
    @contextmanager
    def link(self, **environment: str) -> Iterator[Link]:
        """A fresh place where the plugin lives.

        :param environment: variables of its process; with any, it is always a process of its own.
        """

    @contextmanager
    def alone(self) -> Iterator[Link]:
        """A link for what must not depend on its process: in the gate nothing is alike in any two of these.

        Not even where objects lie, nor which modules something else has imported already.
        """
        with self.link() as link:
            yield link

    def demand_sound(self) -> None:  # noqa: B027 - where nothing is forked there is nothing to hold
        """Hold that nobody has meddled with what workers come from.

        :raises NoAnswerError: when somebody has, since this was asked last.
        """

    @abstractmethod
    def probe(self, module: str, heavy: Iterable[str]) -> dict[str, Any]:
        """What a bare process finds when it imports a module: see ``coinswarm_testkit.probe``."""

    def facts(self) -> Mapping[str, Any]:
        """What its kind's module in ``worker`` says about the subject's object; asked once."""
        if "facts" not in self.kept:
            with self.link() as link:
                self.kept["facts"] = link.ask(f"{FACTS[self.subject.kind]}.facts")
        found: Mapping[str, Any] = self.kept["facts"]
        return found


FACTS = {"agent": "agents"}
"""Kinds whose objects are asked for facts, and the module of ``worker`` that does."""


def warm_up_of(bench: Bench) -> int:
    """The warm-up that counts: the declared one, or the object's own where that is longer."""
    return max(int(bench.subject.declaration.get("warm_up", 0)), int(bench.facts()["warm_up"]))


@dataclass
class LocalBench(Bench):
    """The author's: quick, in his own process, where he can set a breakpoint."""

    @contextmanager
    def link(self, **environment: str) -> Iterator[Link]:
        """A place in this process, or a process where variables are asked for."""
        if environment:
            with Remote(self.subject, Fresh(environment, own_path())) as remote:
                yield remote
            return
        local = Local(self.subject)
        try:
            yield local
        finally:
            local.place.close()

    def probe(self, module: str, heavy: Iterable[str]) -> dict[str, Any]:
        """What a bare process finds, where it looks for modules as this one does."""
        return probed(module, heavy, environment={}, paths=own_path())


@dataclass
class RemoteBench(Bench):
    """The gate's: every link is a fresh process. Inside ``with`` those without variables are forked, where that can be.

    :param paths: folders in which that process finds modules, beside what is installed; None: where this one does.
    :param environment: variables of every such process.
    """

    paths: Sequence[str] | None = None
    environment: Mapping[str, str] = field(default_factory=dict)
    _forks: ForkServer | None = None

    def __enter__(self) -> Self:
        if SUPPORTED:
            forks = ForkServer(self.subject.kind, environment=self.environment, paths=self._places())
            self._stack.callback(forks.close)
            self._forks = forks
        return self

    def __exit__(self, *found: object) -> None:
        """End what still stands, and what it was forked from."""
        self._forks = None
        super().__exit__(*found)

    @contextmanager
    def link(self, **environment: str) -> Iterator[Link]:
        """A fresh process: forked from one that has imported what is ours, or, with variables, started by itself."""
        by_itself = Fresh({**self.environment, **environment}, self._places())
        starter = by_itself if environment or self._forks is None else self._forks
        with Remote(self.subject, starter) as remote:
            yield remote

    @contextmanager
    def alone(self) -> Iterator[Link]:
        """A process that was started by itself."""
        with Remote(self.subject, Fresh(self.environment, self._places())) as remote:
            yield remote

    def demand_sound(self) -> None:
        """Hold that what workers are forked from is there."""
        if self._forks is None:
            return
        try:
            self._forks.demand()
        except LostError as error:
            raise NoAnswerError(str(error)) from None

    def probe(self, module: str, heavy: Iterable[str]) -> dict[str, Any]:
        """What a bare process finds."""
        return probed(module, heavy, environment=self.environment, paths=self._places())

    def _places(self) -> Sequence[str]:
        """Where it finds modules."""
        return own_path() if self.paths is None else self.paths

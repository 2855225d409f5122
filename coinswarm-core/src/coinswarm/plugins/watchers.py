"""Watching hooks: tell plugins what a session did, one plugin at a time, after it happened.

A watcher runs in a thread of its own, so that one that never comes back can be left behind. Whatever it does
is counted, said once, and changes nothing: what it is told of is over and kept.
"""

from __future__ import annotations

import contextlib
import inspect
import io
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from coinswarm.errors import one_line

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from coinswarm.engine.events import Event
    from coinswarm.plugins.records import PluginRecord

WATCHING = (
    "coinswarm_swarm_started",
    "coinswarm_order_refused",
    "coinswarm_order_filled",
    "coinswarm_proposal_decided",
    "coinswarm_swarm_stopping",
)
"""The hooks that watch."""

PATIENCE_SECONDS = 10.0
"""A single call that takes longer is left behind, and with it its plugin."""
SLOW_SECONDS = 2.0
"""Time for all calls of a plugin, from which on it is told that it took long."""
_QUOTED = 60
"""How much of what a watcher printed is quoted."""


@dataclass(frozen=True, slots=True)
class Watcher:
    """A plugin that watches.

    :param calls: by hook name, what calls the plugin's own implementation and nobody else's.
    """

    record: PluginRecord
    calls: Mapping[str, Callable[..., object]]


def tell(
    watchers: Iterable[Watcher],
    happened: Callable[[], Iterable[Event]],
    *,
    say: Callable[[str], None] = lambda _: None,
    patience: float = PATIENCE_SECONDS,
    left: set[str] | None = None,
) -> list[str]:
    """Call the watching hooks of each plugin, and return what went wrong, in one line per plugin and hook.

    Ctrl-C ends it, as it ends everything: the rest is not told.

    :param happened: what to tell, anew for each plugin.
    :param say: is told which plugin is being told.
    :param patience: seconds that a single call may take, at least; the plugin is left behind then.
    :param left: plugins that were left behind before, by name, and are told nothing; those that are now are added.
    """
    lines: list[str] = []
    left = set() if left is None else left
    for watcher in watchers:
        if watcher.record.name in left:
            continue
        say(f"telling plugin {watcher.record.name!r} what happened")
        telling = _Telling(watcher, happened())
        lines += telling.finish(patience)
        if telling.stuck:
            left.add(watcher.record.name)
    return lines


@dataclass(slots=True)
class _Faults:
    """How often one hook of one plugin raised, and with what first."""

    first: str
    count: int = 0


class _Printed(io.TextIOBase):
    """Takes what is printed and keeps its beginning."""

    def __init__(self) -> None:
        self.text = ""

    def write(self, text: str) -> int:
        """Keep as much as is quoted."""
        self.text += text[: max(_QUOTED + 1 - len(self.text), 0)]
        return len(text)


@dataclass(slots=True)
class _Telling:
    """One plugin being told, in a thread of its own."""

    watcher: Watcher
    events: Iterable[Event]
    calls: dict[str, int] = field(default_factory=dict)
    faults: dict[str, _Faults] = field(default_factory=dict)
    current: str = ""
    over: bool = False
    stuck: bool = False

    def finish(self, patience: float) -> list[str]:
        """Tell all, wait for it, and say what went wrong."""
        out, begin = _Printed(), time.perf_counter()
        thread = threading.Thread(target=self._run, name=f"watcher {self.watcher.record.name}", daemon=True)
        with contextlib.redirect_stdout(out):
            thread.start()
            try:
                while thread.is_alive() and not self.stuck:
                    before = sum(self.calls.values())
                    thread.join(patience)
                    self.stuck = thread.is_alive() and sum(self.calls.values()) == before
            finally:
                self.over = True
        label = self.watcher.record.label
        lines = [
            f"{label}: {hook} raised in {fault.count:,} of {self.calls[hook]:,} calls, first {fault.first}"
            for hook, fault in self.faults.items()
        ]
        if self.stuck:
            lines.append(f"{label}: {self.current} did not come back within {patience:g} s, and was told no more")
        elif (spent := time.perf_counter() - begin) > SLOW_SECONDS:
            lines.append(f"{label}: its watching hooks took {spent:.1f} s for {sum(self.calls.values()):,} calls")
        if text := " ".join(out.text.split()):
            quoted = text if len(text) <= _QUOTED else f"{text[:_QUOTED]}..."
            lines.append(f"{label}: its watching hooks print, {quoted!r}: kept from standard output")
        return lines

    def _run(self) -> None:
        """Every event to the hook that wants it, until somebody has had enough."""
        for hook, arguments in self.events:
            call = self.watcher.calls.get(hook)
            if call is None:
                continue
            if self.over:
                return
            self.current = hook
            try:
                _close(call(**arguments))
            except BaseException as error:  # noqa: BLE001 - a plugin may raise anything, SystemExit included
                self.faults.setdefault(hook, _Faults(one_line(error))).count += 1
            self.calls[hook] = self.calls.get(hook, 0) + 1


def _close(answers: object) -> None:
    """What a watching hook returns is dropped; a coroutine that nobody awaits, or a generator, has done nothing.

    :raises TypeError: for either.
    """
    found: Sequence[object] = answers if isinstance(answers, list) else [answers]
    for answer in found:
        if inspect.iscoroutine(answer):
            answer.close()
            message = "it returns a coroutine, and must be a plain def"
            raise TypeError(message)
        if inspect.isgenerator(answer) or inspect.isasyncgen(answer):
            message = "it yields, so that nothing of it was run, and must be a plain def without yield"
            raise TypeError(message)

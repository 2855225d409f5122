"""Operations on the objects of any kind: make one, call a method, play a script."""

from __future__ import annotations

import pickle
from typing import TYPE_CHECKING, Any

from coinswarm_testkit.worker.place import Raised, Step

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from coinswarm_testkit.worker.place import Place


def make(place: Place, *, key: str, settings: Mapping[str, Any] | None) -> None:
    """A fresh object under a key."""
    place.objects[key] = place.new(settings)


def call(place: Place, *, step: Step) -> Any:  # noqa: ANN401 - whatever it answers
    """What a method answers."""
    return place.call(step)


def script(place: Place, *, steps: Sequence[Step], concurrent: bool) -> list[Any]:
    """What each step answers: ``["is", answer]`` or ``["raised", kind, text, bases]``."""
    answers = place.script(list(steps), concurrent=concurrent)
    return [["raised", a.kind, a.text, a.bases] if isinstance(a, Raised) else ["is", a] for a in answers]


def changed(place: Place, *, steps: Sequence[Step]) -> list[int]:
    """Which steps left their arguments other than they were, to the byte."""
    found = []
    for number, step in enumerate(steps):
        before = pickle.dumps((step.args, step.kwargs))
        place.call(step)
        if pickle.dumps((step.args, step.kwargs)) != before:
            found.append(number)
    return found


OPERATIONS = {"make": make, "call": call, "script": script, "changed": changed}

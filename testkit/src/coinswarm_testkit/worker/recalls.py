"""Operations on agents that use memory: what they recall by, and what they make of what is recalled."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from coinswarm.domain.action import checked
from coinswarm.domain.market import MarketState
from coinswarm.engine.actions import moments

if TYPE_CHECKING:
    from collections.abc import Sequence

    from coinswarm.domain.action import Action
    from coinswarm.domain.episode import Recollection
    from coinswarm.domain.market import Bars
    from coinswarm_testkit.worker.place import Place

    Question = tuple[Action, Sequence[Recollection]]


def embedding(place: Place) -> str:
    """What the agent recalls by, with its settings; empty: nothing."""
    return str(place.new().embedding())


def embedded(
    place: Place, *, histories: Sequence[Bars], rows: Sequence[Sequence[int]]
) -> list[tuple[list[Any], list[Any] | None]]:
    """What a fresh agent for each history recalls by at some of its bars: per row an array, or None.

    The state walks over the whole history, as in a backtest. Beside that the same rows of ``embed_all``, if it has one.
    """
    answers = []
    for bars, wanted in zip(histories, rows, strict=True):
        agent, asked = place.new(), set(wanted)
        found = [agent.embed(moment) for moment in moments(MarketState(bars), bars) if moment.index in asked]
        whole = place.new().embed_all(bars)
        at_once = None if whole is None else [np.asarray(whole[row]) for row in sorted(asked)]
        answers.append(([None if vector is None else np.asarray(vector) for vector in found], at_once))
    return answers


def reconsidered(place: Place, *, questions: Sequence[Sequence[Question]]) -> list[list[list[float]]]:
    """What a fresh agent for each history answers, question by question: the fields of an action."""
    answers = []
    for asked in questions:
        agent = place.new()
        replies = [checked(agent.reconsider(action, recalled)) for action, recalled in asked]
        answers.append([[float(field) for field in reply] for reply in replies])
    return answers


OPERATIONS = {"embedding": embedding, "embedded": embedded, "reconsidered": reconsidered}

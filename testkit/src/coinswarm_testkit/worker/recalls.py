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


def embedded(place: Place, *, histories: Sequence[Bars], rows: Sequence[Sequence[int]]) -> list[list[Any]]:
    """What a fresh agent for each history recalls by at some of its bars: per row an array, or None.

    The state walks over the whole history, as in a backtest.
    """
    answers = []
    for bars, wanted in zip(histories, rows, strict=True):
        agent, asked = place.new(), set(wanted)
        found = [agent.embed(moment) for moment in moments(MarketState(bars), bars) if moment.index in asked]
        answers.append([None if vector is None else np.asarray(vector) for vector in found])
    return answers


def reconsidered(place: Place, *, questions: Sequence[Sequence[Question]]) -> list[list[list[float]]]:
    """What a fresh agent for each history answers, question by question: the fields of an action."""
    answers = []
    for asked in questions:
        agent = place.new()
        replies = [checked(agent.reconsider(action, recalled)) for action, recalled in asked]
        answers.append([[float(field) for field in reply] for reply in replies])
    return answers


OPERATIONS = {"embedded": embedded, "reconsidered": reconsidered}

"""Weights in a store: what was in force when, and what a change of them can cite."""

from __future__ import annotations

from typing import TYPE_CHECKING

from coinswarm.domain.proposal import ProposalKind, Reference
from coinswarm.memory.evidence.places import RETURNS, return_links
from coinswarm.memory.promotion.weights import SUBJECT, Weighing, weighing
from coinswarm.memory.store.engine import translated
from coinswarm.memory.store.history import HEAD, History
from coinswarm.memory.store.log import readable

if TYPE_CHECKING:
    from collections.abc import Iterable

    from coinswarm.memory.store.opening import Store


def weighings(store: Store) -> tuple[int, list[Weighing]]:
    """The version of the weights, and all that were ever in force, oldest first.

    As the store has them: ``coinswarm memory verify`` says whether they are what was decided.
    """
    with translated(store.place), store.lines.reading() as line:
        history = History(line, store.log.number, HEAD)
        [rows] = line.ask(history.asked([SUBJECT], (), clock=False))
        version = history.standing(rows).versions.get(SUBJECT, 0)
        positions = [one.position for one in history.decided(ProposalKind.SET_WEIGHTS)]
    entries = [entry for at in positions for entry in readable(store.log.read(0, at - 1, 1).entries)]
    return version, [one for one in map(weighing, entries) if one is not None]


def cited_returns(store: Store, agents: Iterable[str]) -> tuple[list[Reference], list[str]]:
    """The daily returns of agents as they stand now, to be cited; and the agents of whom there are none."""
    found: list[Reference] = []
    bare: list[str] = []
    with store.facts.reader() as facts:
        for agent in sorted(agents):
            place = f"{RETURNS}/{agent}"
            first, values = facts.returns(place)
            if values:
                *_, last = return_links(place, first, values)
                found.append(Reference(place, last))
            else:
                bare.append(agent)
    return found, bare

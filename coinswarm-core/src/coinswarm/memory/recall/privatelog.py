"""The private log of a run: episodes committed without signatures or disk, under the predicates of the quorum's log.

A backtest forks it at a position of the swarm's log, or at its beginning, and never writes there (S21).
"""

from __future__ import annotations

import hashlib
from bisect import bisect_right
from typing import TYPE_CHECKING, NamedTuple

from coinswarm.canonical import canonical_json, chain
from coinswarm.domain.acceptance import AcceptanceRules, Evidence, Exhibit, Rule
from coinswarm.domain.proposal import AddEpisode, Reference, single
from coinswarm.memory.evidence.places import TRADE, trade_links
from coinswarm.memory.promotion.voters import IntegerVoter
from coinswarm.memory.quorum.records import START, Head
from coinswarm.memory.recall.estimate import outcome_of

if TYPE_CHECKING:
    from coinswarm.domain.episode import Episode, Space
    from coinswarm.domain.proposal import Proposal
    from coinswarm.memory.recall.episodes import Traded

SCHEMA = "coinswarm.private/1"
RULES = AcceptanceRules()
"""No number of them says anything about episodes."""
MICRO = 1_000_000
"""Outcomes are summed in whole millionths: the order in which they came does not show."""


class Remembered(NamedTuple):
    """What became of a proposal.

    :param head: of the log after it.
    :param refused: why it was refused, empty if it was accepted.
    :param again: whether it was refused for being remembered already.
    """

    head: Head
    refused: str = ""
    again: bool = False


class PrivateLog:
    """Episodes in the order in which they were committed.

    :param fork: the position it goes on from.
    """

    name = ""
    """Whose it is; empty: the run's own."""

    def __init__(self, fork: Head = START) -> None:
        self.fork = self.head = fork
        self._voter = IntegerVoter()
        self._episodes: dict[str, Episode] = {}
        self._known: dict[tuple[str, int], tuple[list[int], list[int]]] = {}

    def __len__(self) -> int:
        return len(self._episodes)

    def get(self, episode_id: str) -> Episode | None:
        """A committed episode."""
        return self._episodes.get(episode_id)

    def propose(self, space: Space, episode: Episode, vector: bytes, trade: Traded, now_ns: int) -> Remembered:  # noqa: ARG002 - for logs that keep trades
        """Decide on an episode, and append it if it may be remembered: one of core's voters judges it.

        :param vector: its vector of length 1, little-endian float32.
        """
        proposal = proposed(space, episode, vector)
        verdict = self._voter.evaluate(proposal, self._evidence(proposal, space, episode, vector, now_ns))
        if not verdict.accepts:
            failed = " ".join(rule.value for rule in verdict.failed)
            return Remembered(self.head, failed, again=verdict.failed == (Rule.DUPLICATE,))
        index = self.head.index + 1
        body = {"schema": SCHEMA, "index": index, "at_ns": now_ns, "proposal": proposal.content()}
        self.head = Head(index, chain(self.head.hash, canonical_json(body)))
        self.adopt(episode)
        return Remembered(self.head)

    def _evidence(self, proposal: Proposal, space: Space, episode: Episode, vector: bytes, now_ns: int) -> Evidence:
        """What there is to judge by: the trade is the ledger's."""
        return Evidence(
            now_ns=now_ns,
            version=0,
            rules=RULES,
            exhibits=tuple(Exhibit(source=source, episodes=(episode,)) for source in proposal.evidence),
            remembered=(episode.id,) if episode.id in self._episodes else (),
            spaces=(space,),
            vector=vector,
            mode="backtest",
        )

    def adopt(self, episode: Episode) -> None:
        """Hold an episode that was committed before the fork, or just now."""
        self._episodes[episode.id] = episode
        times, sums = self._known.setdefault((episode.agent, episode.side), ([], [0]))
        place = bisect_right(times, episode.known_ns)
        times.insert(place, episode.known_ns)
        outcome = round(outcome_of(episode) * MICRO)
        sums.insert(place + 1, sums[place] + outcome)
        for later in range(place + 2, len(sums)):  # it was known earlier than one that came before it
            sums[later] += outcome

    def base(self, agent: str, side: int, as_of_ns: int) -> float:
        """Mean outcome of an agent's episodes on a side that were known by then; 0 where there is none."""
        times, sums = self._known.get((agent, side), ([], [0]))
        count = bisect_right(times, as_of_ns)
        return sums[count] / count / MICRO if count else 0.0


def proposed(space: Space, episode: Episode, vector: bytes) -> Proposal:
    """The proposal to remember an episode, on the evidence of its trade."""
    place = f"{TRADE}/{episode.id}"
    *_, link = trade_links(place, [episode])
    return single(
        AddEpisode(
            space=space.name,
            dimension=space.dimension,
            episode=episode,
            vector_digest=hashlib.sha256(vector).hexdigest(),
            trade=Reference(place, link),
        )
    )

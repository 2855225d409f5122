"""The state that accepted proposals make: written in the transaction that decides, and derived again by ``rebuild``.

The same code does both, so that state is a fold of the log. An accepted proposal is applied whatever it says: numbers
that no column holds are cut to its bounds (the proposal's own bytes are kept), since the log cannot refuse what q
voters certified.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import bindparam, select, update

from coinswarm.domain.proposal import (
    AddEpisode,
    Configure,
    MovePattern,
    ProposalKind,
    SeatAgent,
    SetWeights,
    Stage,
    episodes_of,
)
from coinswarm.memory.evidence.places import episode_text, trade_links, upto
from coinswarm.memory.quorum.records import Outcome
from coinswarm.memory.store.models import AgentState, Episode, Pattern
from coinswarm.memory.store.reading import trades_of
from coinswarm.memory.store.statement import Insertion, Statement

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from coinswarm.domain.episode import Episode as Remembered
    from coinswarm.domain.proposal import Proposal
    from coinswarm.memory.quorum.records import Entry
    from coinswarm.memory.store.line import Line, Question

_MOST = (1 << 63) - 1
_PPM = 1_000_000
_FULL_BP = 10_000

_OPEN = Statement(
    select(AgentState.id, AgentState.agent_id, AgentState.weights, AgentState.seated, AgentState.certificate).where(
        AgentState.log == bindparam("log"), AgentState.valid_until.is_(None)
    )
)
_CLOSED = Statement(
    update(AgentState)
    .where(AgentState.log == bindparam("own"), AgentState.id == bindparam("state"))
    .values(valid_until=bindparam("until"))
)
_STANDS = Insertion(AgentState)
_PATTERNS = Insertion(Pattern, replaces=True)
_EPISODES = Insertion(Episode, replaces=True, keeps=("since",))


class _Stands(NamedTuple):
    """How an agent stands."""

    id: str
    agent: str
    weight: int
    seated: bool
    certificate: str


def about(proposal: Proposal) -> str:
    """What a proposal would change: an episode, a pattern, an agent, a rule; empty for several of them."""
    change = proposal.change
    if isinstance(change, AddEpisode):
        return change.episode.id
    if isinstance(change, MovePattern):
        return change.pattern
    if isinstance(change, SeatAgent):
        return change.agent
    return change.key if isinstance(change, Configure) else ""


def record_of(line: Line, log: int, proposal: Proposal) -> dict[str, Any]:
    """The statistics of the trades that a proposal cites; they stay, since a record only grows behind what is cited."""
    found: dict[str, tuple[Remembered, int]] = {}
    for reference in proposal.evidence:
        rows = trades_of(line, log, reference.place)
        covered = upto(trade_links(reference.place, [one.episode for one in rows]), reference.digest)
        found |= {one.episode.id: (one.episode, one.slippage_bps) for one in rows[: covered or 0]}
    return statistics([found[one] for one in sorted(found)])


class Changes:
    """What entries change, in their order.

    :param line: in a transaction that writes; :param log: its number.
    :param records: proposal -> what ``record_of`` says of it, where that was worked out before.
    """

    def __init__(self, line: Line, log: int, records: Mapping[str, dict[str, Any]] | None = None) -> None:
        self._line, self._log, self._records = line, log, records or {}
        self._episodes: dict[str, dict[str, Any]] = {}

    def add(self, entry: Entry) -> None:
        """Take in the next entry; what depends on rows that are there is written at once."""
        if entry.outcome is not Outcome.ACCEPT:
            return
        proposal = entry.envelope.proposal
        change = proposal.change
        for added in episodes_of(change):
            row = _episode_row(self._log, added, entry)
            row["since"] = self._episodes.get(added.episode.id, row)["since"]
            self._episodes[added.episode.id] = row
        if isinstance(change, MovePattern):
            self._line.ask((_PATTERNS, [{"log": self._log, **self._pattern(change, entry)}]))
        elif isinstance(change, SetWeights):
            self._weigh({weight.agent: weight.weight_bp for weight in change.weights}, entry)
        elif isinstance(change, SeatAgent):
            self._seat(change, entry, seated=proposal.kind is ProposalKind.ADMIT_AGENT)

    def left(self) -> list[Question]:
        """What is still to be written, and asks nothing."""
        return [(_EPISODES, list(self._episodes.values()))]

    def _pattern(self, change: MovePattern, entry: Entry) -> dict[str, Any]:
        """A pattern, with the statistics of the trades that its proposal cites."""
        envelope = entry.envelope
        record = self._records.get(envelope.id) or record_of(self._line, self._log, envelope.proposal)
        return {
            "id": change.pattern,
            "name": _text(change.hypothesis),
            **record,
            "enabled": change.stage is Stage.ENABLED,
            "last_updated": entry.at_ns,
            "stage": change.stage.value,
            "capital_bp": change.capital_bp,
            "variants": _cut(change.variants),
            "registered_ns": _cut(change.registered_ns),
            "version": envelope.proposal.base_version + 1,
            "position": entry.index,
        }

    def _weigh(self, weights: dict[str, int], entry: Entry) -> None:
        """Every agent that weighs something now or did before gets its new weight; 0 for who is left out."""
        now = {row.agent: row for row in self._standing()}
        for agent in sorted(now.keys() | weights.keys()):
            weight = _cut(weights.get(agent, 0))
            if agent in now and now[agent].weight == weight:
                continue
            self._move(agent, now.get(agent), entry, weights=weight)

    def _seat(self, change: SeatAgent, entry: Entry, *, seated: bool) -> None:
        now = {row.agent: row for row in self._standing()}
        self._move(change.agent, now.get(change.agent), entry, seated=seated, certificate=change.certificate)

    def _standing(self) -> list[_Stands]:
        """How agents stand now."""
        [rows] = self._line.ask((_OPEN, {"log": self._log}))
        return [_Stands(name, agent, weight, bool(seated), by) for name, agent, weight, seated, by in rows]

    def _move(self, agent: str, before: _Stands | None, entry: Entry, **changed: Any) -> None:  # noqa: ANN401 - columns
        """End how an agent stood, and begin how it stands."""
        if before is not None:
            self._line.ask((_CLOSED, {"own": self._log, "state": before.id, "until": entry.at_ns}))
        row = {
            "log": self._log,
            "id": f"{agent}@{entry.index}",
            "agent_id": agent,
            "weights": before.weight if before is not None else 0,
            "thresholds": "{}",
            "regime_tags": "[]",
            "timestamp": entry.at_ns,
            "valid_until": None,
            "seated": before.seated if before is not None else False,
            "certificate": before.certificate if before is not None else "",
            "position": entry.index,
        }
        self._line.ask((_STANDS, [{**row, **changed}]))


def _episode_row(log: int, change: AddEpisode, entry: Entry) -> dict[str, Any]:
    episode = change.episode
    return {
        "log": log,
        "id": episode.id,
        "bot_id": episode.agent,
        "embedding_id": change.vector_digest,
        "action": "long" if episode.side > 0 else "short",
        "reward": _cut(episode.result_ppm),
        "outcome": "stopped" if episode.stopped else "closed",
        "timestamp": _cut(episode.decided_ns),
        "regime_id": episode.regime,
        "weight": episode.quality_bp,
        "space": change.space,
        "dimension": _cut(change.dimension),
        "body": episode_text(episode),
        "since": entry.index,
        "position": entry.index,
    }


def statistics(trades: Sequence[tuple[Remembered, int]]) -> dict[str, Any]:
    """The statistics of closed trades, as ``Pattern`` has them; in whole numbers, the same on every machine.

    Standard deviation over n - 1. Percentiles are order statistics: the ⌈p·n⌉-th smallest.

    :param trades: each with its slippage in basis points.
    """
    size = len(trades)
    empty = ("mean_pnl", "std_dev", "sharpe", "win_rate", "tail_5pct", "tail_95pct", "mean_slippage")
    if not size:
        return {"sample_size": 0, "regime": "", **dict.fromkeys(empty)}
    results = sorted(episode.result_ppm for episode, _ in trades)
    total = sum(results)
    spread = size * sum(value * value for value in results) - total * total  # n·(n - 1)·variance
    # Square roots of whole numbers, and whole-number division: no last digit depends on the machine.
    deviation = math.isqrt(spread // (size * (size - 1))) if size > 1 else None
    scaled = math.isqrt(total * total * (size - 1) * _PPM * _PPM // (size * spread)) if spread else None
    regimes = {episode.regime for episode, _ in trades}
    return {
        "sample_size": size,
        "mean_pnl": _cut(total // size),
        "std_dev": None if deviation is None else _cut(deviation),
        "sharpe": None if scaled is None else _cut(scaled if total >= 0 else -scaled),
        "win_rate": _FULL_BP * sum(value > 0 for value in results) // size,
        "tail_5pct": _cut(results[-(-5 * size // 100) - 1]),
        "tail_95pct": _cut(results[-(-95 * size // 100) - 1]),
        "mean_slippage": _cut(sum(slip for _, slip in trades) // size),
        "regime": regimes.pop() if len(regimes) == 1 else "",
    }


def _cut(value: int) -> int:
    """A number within the bounds of a column."""
    return max(-_MOST, min(value, _MOST))


def _text(value: str) -> str:
    """A text without what PostgreSQL cannot hold."""
    return value.replace("\0", "\N{REPLACEMENT CHARACTER}")

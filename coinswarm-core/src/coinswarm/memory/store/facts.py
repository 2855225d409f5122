"""Facts that the session writes and voters work evidence out from: each written once, and never changed.

Writing the same again changes nothing, so that a session may write after a restart what it wrote before; writing
something else in its place is refused.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, insert, select

from coinswarm.canonical import decimal_text, sha256
from coinswarm.domain.episode import Episode, Space
from coinswarm.domain.proposal import Reference
from coinswarm.errors import DataError
from coinswarm.memory.evidence.places import OneTrade, PatternTrades, Returns, returns_digest, trades_digest
from coinswarm.memory.store.among import among, listing
from coinswarm.memory.store.engine import translated
from coinswarm.memory.store.models import DailyReturn, Regime, SpaceRow, Trade, TradePattern, VectorRow

if TYPE_CHECKING:
    from collections.abc import Sequence
    from decimal import Decimal

    from sqlalchemy import BindParameter, Connection, Engine

    from coinswarm.memory.store.engine import Place

_EPISODE = (
    Trade.id, Trade.agent_id, Trade.symbol, Trade.side, Trade.decided_ns, Trade.known_ns, Trade.result_ppm,
    Trade.risk_ppm, Trade.stopped, Trade.regime_id, Trade.quality_bp,
)  # fmt: skip
_LOG: BindParameter[int] = bindparam("log")
_ONE = select(*_EPISODE).where(Trade.log == _LOG, Trade.id == bindparam("id"))
_OF_PATTERN = (
    select(*_EPISODE, Trade.slippage_bps)
    .join(TradePattern, (TradePattern.log == Trade.log) & (TradePattern.trade == Trade.id))
    .where(Trade.log == _LOG, TradePattern.pattern == bindparam("pattern"), Trade.known_ns <= bindparam("known_ns"))
    .order_by(Trade.id)
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ClosedTrade:
    """A closed trade, as the session's ledger has it.

    :param episode: what is learnt from it.
    :param entry_price, exit_price: mean price of the fills.
    :param pnl: after fees and funding, 1e-8 of the settlement currency.
    :param slippage_bps: paid on entry and exit, against the reference prices.
    :param opened_ns, closed_ns: of the first and the last fill.
    :param patterns: names of those that it followed.
    """

    episode: Episode
    entry_price: Decimal
    exit_price: Decimal
    pnl: int
    slippage_bps: int
    opened_ns: int
    closed_ns: int
    patterns: tuple[str, ...] = ()


class Facts:
    """The facts of one log's swarm; may be used by several threads at once.

    :param engine, place: of the store; :param swarm, log: whose they are, as name and number.
    """

    def __init__(self, engine: Engine, place: Place, swarm: str, log: int) -> None:
        self._place, self._swarm, self._log = place, swarm, log
        self._reading = engine
        self._writing = engine.execution_options(writes=True)

    def add_trades(self, trades: Sequence[ClosedTrade]) -> tuple[Reference, ...]:
        """Write closed trades, all or none; where each can be cited from.

        :raises DataError: for another trade under an id that is there.
        """
        rows = {trade.episode.id: _trade_row(trade) for trade in trades}
        links = [
            {"trade": trade.episode.id, "pattern": pattern}
            for trade in trades
            for pattern in sorted(set(trade.patterns))
        ]
        with translated(self._place), self._writing.begin() as connection:
            new = self._new(connection, Trade, "id", rows)
            self._insert(connection, Trade, [rows[one] for one in new])
            self._insert(connection, TradePattern, [link for link in links if link["trade"] in new])
            if len(new) < len(rows):
                found = select(TradePattern.trade, TradePattern.pattern).where(
                    TradePattern.log == _LOG, among(TradePattern.trade, "trades")
                )
                given = {"log": self._log, "trades": listing(rows.keys() - new)}
                there = {tuple(row) for row in connection.execute(found, given)}
                asked = {(link["trade"], link["pattern"]) for link in links if link["trade"] not in new}
                if there != asked:
                    message = f"trade {min(there ^ asked)[0]} is there already, with other patterns"
                    raise DataError(message, remedy="a trade is written once, with the patterns that it followed")
        return tuple(Reference(str(OneTrade(trade.episode.id)), trades_digest([trade.episode])) for trade in trades)

    def add_returns(self, agent: str, first_day: int, returns_ppm: Sequence[int]) -> Reference:
        """Write what an agent's ideas earned on days that follow one another; where they can be cited from.

        :raises DataError: for another return on a day that is there.
        """
        rows = {
            day: {"agent_id": agent, "day": day, "return_ppm": value}
            for day, value in enumerate(returns_ppm, first_day)
        }
        with translated(self._place), self._writing.begin() as connection:
            new = self._new(connection, DailyReturn, "day", rows, agent_id=agent)
            self._insert(connection, DailyReturn, [rows[day] for day in new])
        where = Returns(agent, first_day, first_day + len(returns_ppm) - 1)
        return Reference(str(where), returns_digest(agent, first_day, returns_ppm))

    def add_space(self, space: Space) -> None:
        """Make a space known.

        :raises DataError: for another width under a name that is there.
        :raises ValueError: for a space of another swarm.
        """
        if space.swarm != self._swarm:
            message = f"the space {space.name} is of {space.swarm}, but this is the memory of {self._swarm}"
            raise ValueError(message)
        rows = {space.name: {"name": space.name, "dimension": space.dimension}}
        with translated(self._place), self._writing.begin() as connection:
            self._insert(connection, SpaceRow, [rows[one] for one in self._new(connection, SpaceRow, "name", rows)])

    def add_vectors(self, vectors: Sequence[bytes]) -> tuple[str, ...]:
        """Keep the bytes of vectors (float32, little-endian), all or none; the digest of each."""
        rows = {sha256(data): {"digest": sha256(data), "data": data} for data in vectors}
        with translated(self._place), self._writing.begin() as connection:
            new = self._new(connection, VectorRow, "digest", rows)
            self._insert(connection, VectorRow, [rows[one] for one in new])
        return tuple(sha256(data) for data in vectors)

    def add_regime(self, regime: str, version: int, **fields: Any) -> None:  # noqa: ANN401 - the columns of ``Regime``
        """Write one version of a regime's definition.

        :param fields: columns of ``models.Regime``.
        :raises DataError: for another definition under a version that is there, or one out of turn.
        """
        row = {"id": regime, "version": version, "end_time": None, **fields}
        with translated(self._place), self._writing.begin() as connection:
            known = select(Regime.version).where(Regime.log == self._log, Regime.id == regime)
            last = max(connection.execute(known).scalars(), default=0)
            if version > last + 1:
                message = f"version {version} of the regime {regime} comes after {last}"
                raise DataError(message, remedy=f"write version {last + 1}")
            new = self._new(connection, Regime, "version", {version: row}, id=regime)
            self._insert(connection, Regime, [row for _ in new])

    def _new(
        self, connection: Connection, table: type[Any], key: str, rows: dict[Any, dict[str, Any]], **fixed: str
    ) -> set[Any]:
        """The keys under which nothing lies yet; what lies under the others is as it is written.

        :raises DataError: where it is not.
        """
        if not rows:
            return set()
        names = list(next(iter(rows.values())))
        asked = select(*(getattr(table, name) for name in names)).where(
            table.log == _LOG,
            among(getattr(table, key), "keys"),
            *(getattr(table, name) == fixed[name] for name in fixed),
        )
        there = {}
        for found in connection.execute(asked, {"log": self._log, "keys": listing(rows)}).mappings():
            there[found[key]] = dict(found)
            if dict(found) != rows[found[key]]:
                other = next(name for name in names if found[name] != rows[found[key]][name])
                message = (
                    f"{table.__tablename__} {' '.join([*fixed.values(), str(found[key])])} is there already, "
                    f"with the {other} {found[other]!r} instead of {rows[found[key]][other]!r}"
                )
                raise DataError(message, remedy="facts are written once: see which of the two is right")
        return rows.keys() - there.keys()

    def _insert(self, connection: Connection, table: type[Any], rows: list[dict[str, Any]]) -> None:
        if rows:
            connection.execute(insert(table), [{"log": self._log, **row} for row in rows])

    # ── reading ──

    def trades(self, where: OneTrade | PatternTrades) -> tuple[Episode, ...]:
        """The closed trades at a place, by id."""
        with translated(self._place), self._reading.connect() as connection:
            return tuple(episode for episode, _ in trades_of(connection, self._log, where))

    def returns(self, where: Returns) -> tuple[int, ...] | None:
        """An agent's returns on each day of a place; None where one is missing."""
        asked = (
            select(DailyReturn.return_ppm)
            .where(DailyReturn.log == _LOG, DailyReturn.agent_id == bindparam("agent"))
            .where(DailyReturn.day >= bindparam("first"), DailyReturn.day <= bindparam("last"))
            .order_by(DailyReturn.day)
        )
        given = {"log": self._log, "agent": where.agent, "first": where.first, "last": where.last}
        with translated(self._place), self._reading.connect() as connection:
            found = tuple(connection.execute(asked, given).scalars())
        return found if found and len(found) == where.last - where.first + 1 else None

    def spaces(self) -> tuple[Space, ...]:
        """The spaces that the swarm has, by name."""
        asked = select(SpaceRow.name, SpaceRow.dimension).where(SpaceRow.log == self._log).order_by(SpaceRow.name)
        with translated(self._place), self._reading.connect() as connection:
            return tuple(Space(self._swarm, name, dimension) for name, dimension in connection.execute(asked))

    def vectors(self, digests: Sequence[str]) -> dict[str, bytes]:
        """The bytes under each digest that is known, and only if they are what it says."""
        asked = select(VectorRow.digest, VectorRow.data).where(
            VectorRow.log == _LOG, among(VectorRow.digest, "digests")
        )
        with translated(self._place), self._reading.connect() as connection:
            found = connection.execute(asked, {"log": self._log, "digests": listing(digests)}).all()
        return {name: data for name, data in found if sha256(data) == name}


def trades_of(connection: Connection, log: int, where: OneTrade | PatternTrades) -> list[tuple[Episode, int]]:
    """The closed trades at a place, by id, each with its slippage in basis points."""
    if isinstance(where, OneTrade):
        rows = connection.execute(_ONE.add_columns(Trade.slippage_bps), {"log": log, "id": where.id})
    else:
        rows = connection.execute(_OF_PATTERN, {"log": log, "pattern": where.pattern, "known_ns": where.known_ns})
    return [(_episode(row[:-1]), row[-1]) for row in rows]


def _episode(row: Sequence[Any]) -> Episode:
    agent, instrument, side, decided_ns, known_ns, result_ppm, risk_ppm, stopped, regime, quality_bp = row[1:]
    return Episode(
        id=row[0],
        agent=agent,
        instrument=instrument,
        side=side,
        decided_ns=decided_ns,
        known_ns=known_ns,
        result_ppm=result_ppm,
        risk_ppm=risk_ppm,
        stopped=stopped,
        regime=regime,
        quality_bp=quality_bp,
    )


def _trade_row(trade: ClosedTrade) -> dict[str, Any]:
    episode = trade.episode
    return {
        "id": episode.id,
        "symbol": episode.instrument,
        "side": episode.side,
        "entry_price": decimal_text(trade.entry_price),
        "exit_price": decimal_text(trade.exit_price),
        "pnl": trade.pnl,
        "slippage_bps": trade.slippage_bps,
        "entry_time": trade.opened_ns,
        "exit_time": trade.closed_ns,
        "agent_id": episode.agent,
        "regime_id": episode.regime,
        "decided_ns": episode.decided_ns,
        "known_ns": episode.known_ns,
        "result_ppm": episode.result_ppm,
        "risk_ppm": episode.risk_ppm,
        "stopped": episode.stopped,
        "quality_bp": episode.quality_bp,
    }

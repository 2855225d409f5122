"""Facts that the session writes and voters work evidence out from: each written once, and never changed.

Writing the same again changes nothing, so that a session may write after a restart what it wrote before; writing
something else in its place is refused.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import bindparam, func, insert, literal, select, update

from coinswarm.canonical import decimal_text, sha256
from coinswarm.domain.episode import Episode, Space
from coinswarm.domain.proposal import Reference
from coinswarm.errors import DataError
from coinswarm.memory.evidence.places import (
    CERTIFICATES,
    TRADE,
    TRADES,
    is_series,
    return_links,
    split,
    trade_links,
)
from coinswarm.memory.store.among import ByNumber, among, listing
from coinswarm.memory.store.engine import IDLE_SECONDS, translated
from coinswarm.memory.store.models import CertificateRow, DailyReturn, Regime, SpaceRow, Trade, TradePattern, VectorRow
from coinswarm.memory.store.statement import NOW, POSTGRES, Statement
from coinswarm.memory.store.tables import LogRow

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from decimal import Decimal

    from sqlalchemy import BindParameter, Connection, Engine

    from coinswarm.memory.store.engine import Place
    from coinswarm.memory.store.line import Line, Lines, Question, Row
    from coinswarm.memory.store.log import SqlLog

_EPISODE = (
    Trade.id, Trade.agent_id, Trade.symbol, Trade.side, Trade.decided_ns, Trade.known_ns, Trade.result_ppm,
    Trade.risk_ppm, Trade.stopped, Trade.regime_id, Trade.quality_bp,
)  # fmt: skip
_LOG: BindParameter[int] = bindparam("log")
_TRADES = ByNumber(lambda names: select(*_EPISODE, Trade.slippage_bps).where(Trade.log == _LOG, names(Trade.id, "ids")))
_OF_PATTERN = Statement(
    select(*_EPISODE, Trade.slippage_bps, TradePattern.written_ns)
    .join(TradePattern, (TradePattern.log == Trade.log) & (TradePattern.trade == Trade.id))
    .where(Trade.log == _LOG, TradePattern.pattern == bindparam("pattern"))
    .order_by(TradePattern.number)
)
_LAST = select(func.max(TradePattern.number)).where(
    TradePattern.log == _LOG, TradePattern.pattern == bindparam("pattern")
)
_ALONE = (
    select(
        NOW,
        func.set_config("idle_in_transaction_session_timeout", str(round(IDLE_SECONDS * 1000)), literal(value=True)),
    )
    .select_from(LogRow)
    .where(LogRow.id == _LOG)
    .with_for_update(key_share=True)
)
"""Locks, for who writes trades to PostgreSQL, and sees to it that nobody who stands still keeps the others waiting;
PostgreSQL's clock."""
_SERIES = (
    select(DailyReturn.day, DailyReturn.return_ppm)
    .where(DailyReturn.log == _LOG, DailyReturn.series == bindparam("series"))
    .order_by(DailyReturn.day)
)
_SERIES_TOLD = Statement(_SERIES)
_CERTIFICATES = Statement(
    select(CertificateRow.agent_id, CertificateRow.digest, CertificateRow.tier)
    .where(CertificateRow.log == _LOG, CertificateRow.revoked.is_(False))
    .order_by(CertificateRow.number)
)
_SPACES = Statement(select(SpaceRow.name, SpaceRow.dimension).where(SpaceRow.log == _LOG).order_by(SpaceRow.name))
_VECTORS = ByNumber(
    lambda names: select(VectorRow.digest, VectorRow.data).where(
        VectorRow.log == _LOG, names(VectorRow.digest, "digests")
    )
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

    :param engine, place, lines: of the store; :param log: whose they are.
    """

    def __init__(self, engine: Engine, place: Place, lines: Lines, log: SqlLog) -> None:
        self._place, self._lines, self._swarm, self._log, self._clock = place, lines, log.cluster, log.number, log.clock
        self._writing = engine.execution_options(writes=True)
        if engine.dialect.name == POSTGRES:  # whatever the server's default: see ``line``
            self._writing = self._writing.execution_options(isolation_level="READ COMMITTED")

    def add_trades(self, trades: Sequence[ClosedTrade]) -> tuple[Reference, ...]:
        """Write closed trades, all or none; where each can be cited from.

        They come last in the records of their patterns, by when they were known: what was cited before stays.

        :raises DataError: for another trade under an id that is there.
        """
        rows = {trade.episode.id: _trade_row(trade) for trade in trades}
        links = [
            {"trade": trade.episode.id, "pattern": pattern}
            for trade in sorted(trades, key=lambda one: (one.episode.known_ns, one.episode.id))
            for pattern in sorted(set(trade.patterns))
        ]
        with translated(self._place), self._writing.begin() as connection:
            now_ns = self._alone(connection)
            new = self._new(connection, Trade, "id", rows)
            self._insert(connection, Trade, [rows[one] for one in new])
            self._insert(
                connection,
                TradePattern,
                self._numbered(connection, [link for link in links if link["trade"] in new], now_ns),
            )
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
        return tuple(cite_trade(trade.episode) for trade in trades)

    def _alone(self, connection: Connection) -> int:
        """Let nobody else write trades until the commit; what time it is by the store's clock."""
        now_ns = 0
        if connection.dialect.name == POSTGRES:  # on SQLite who writes is alone
            now_ns = connection.execute(_ALONE, {"log": self._log}).scalar_one()
        return self._clock() if self._clock else now_ns

    def _numbered(self, connection: Connection, links: list[dict[str, Any]], now_ns: int) -> list[dict[str, Any]]:
        """Links with their numbers in the records, for who writes alone.

        Else a number could appear after a higher one did, and what was cited meanwhile would be no beginning.
        """
        last: dict[str, int] = {}
        for pattern in {link["pattern"] for link in links}:
            found = connection.execute(_LAST, {"log": self._log, "pattern": pattern})
            last[pattern] = found.scalar_one() or 0
        numbered = []
        for link in links:
            last[link["pattern"]] += 1
            numbered.append({**link, "number": last[link["pattern"]], "written_ns": now_ns})
        return numbered

    def add_returns(self, series: str, first_day: int, returns_ppm: Sequence[int]) -> Reference:
        """Write returns of days that follow one another; where the record, up to there, can be cited from.

        :param series: ``returns/AGENT`` or ``trials/PATTERN/VARIANT``.
        :param first_day: days since 1970-01-01, UTC.
        :raises DataError: for another return on a day that is there, or a day that leaves a gap.
        :raises ValueError: for a place that is none of these, or without any return.
        """
        if not is_series(series) or not returns_ppm:
            message = f"{series!r} with {len(returns_ppm)} days is no record: it must be as returns/AGENT, with some"
            raise ValueError(message)
        rows = {
            day: {"series": series, "day": day, "return_ppm": value} for day, value in enumerate(returns_ppm, first_day)
        }
        with translated(self._place), self._writing.begin() as connection:
            found = connection.execute(_SERIES, {"log": self._log, "series": series})
            there = {row.day: row.return_ppm for row in found}
            if there and not min(there) <= first_day <= max(there) + 1:
                message = f"{series} goes from day {min(there)} to {max(there)}, and {first_day} does not follow"
                raise DataError(message, remedy="write every day, idle ones too, in order")
            new = self._new(connection, DailyReturn, "day", rows, series=series)
            self._insert(connection, DailyReturn, [rows[day] for day in sorted(new)])
        whole = there | dict(enumerate(returns_ppm, first_day))
        return Reference(series, [*return_links(series, min(whole), [whole[day] for day in sorted(whole)])][-1])

    def add_certificate(self, agent: str, digest: str, tier: str) -> Reference:
        """Write an agent's certificate; where it can be cited from.

        :param tier: bronze, silver or gold.
        :raises DataError: for another tier under a digest that is there.
        """
        row = {"agent_id": agent, "digest": digest, "tier": tier}
        with translated(self._place), self._writing.begin() as connection:
            if self._new(connection, CertificateRow, "digest", {digest: row}, agent_id=agent):
                mine = CertificateRow.log == self._log, CertificateRow.agent_id == agent
                number = max(connection.execute(select(CertificateRow.number).where(*mine)).scalars(), default=0) + 1
                self._insert(connection, CertificateRow, [{**row, "number": number, "revoked": False}])
        return Reference(f"{CERTIFICATES}/{agent}", digest)

    def revoke_certificate(self, agent: str, digest: str) -> bool:
        """Let a certificate hold no more; whether it was there."""
        mine = CertificateRow.log == self._log, CertificateRow.agent_id == agent, CertificateRow.digest == digest
        with translated(self._place), self._writing.begin() as connection:
            return connection.execute(update(CertificateRow).where(*mine).values(revoked=True)).rowcount > 0

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

    @contextmanager
    def reader(self) -> Iterator[FactsRead]:
        """Read several things over one line."""
        with translated(self._place), self._lines.reading() as line:
            yield FactsRead(line, self._swarm, self._log)

    def cite_trades(self, pattern: str) -> Reference | None:
        """The trades of a pattern as they can be cited now; None where there are none."""
        place = f"{TRADES}/{pattern}"
        with self.reader() as read:
            found = read.trades(place)
        return Reference(place, [*trade_links(place, found)][-1]) if found else None


class Recorded(NamedTuple):
    """A trade in a record.

    :param slippage_bps: that was paid for it.
    :param since_ns: since when it was both known and written: before, nobody could cite it.
    """

    episode: Episode
    slippage_bps: int
    since_ns: int


class FactsRead:
    """Reads facts over a line.

    :param swarm, log: whose they are, as name and number.
    """

    def __init__(self, line: Line, swarm: str, log: int) -> None:
        self._line, self._swarm, self._log = line, swarm, log

    def trades(self, place: str) -> tuple[Episode, ...]:
        """The closed trades at a place, in the order in which they were written."""
        return tuple([one.episode for one in self.record(place)])

    def record(self, place: str) -> Sequence[Recorded]:
        """The same, with what is known of each beside."""
        return trades_of(self._line, self._log, place)

    def returns(self, series: str) -> tuple[int, tuple[int, ...]]:
        """The first day of a record of returns, and the returns of all its days; (0, ()) where there is none."""
        [found] = self._line.ask((_SERIES_TOLD, {"log": self._log, "series": series}))
        return (found[0][0], tuple(value for _, value in found)) if found else (0, ())

    def certificates(self) -> dict[str, tuple[str, str]]:
        """Agent -> digest and tier of its newest certificate that is not revoked."""
        [found] = self._line.ask((_CERTIFICATES, {"log": self._log}))
        return {agent: (digest, tier) for agent, digest, tier in found}

    def spaces(self) -> tuple[Space, ...]:
        """The spaces that the swarm has, by name."""
        [found] = self._line.ask((_SPACES, {"log": self._log}))
        return tuple(Space(self._swarm, name, dimension) for name, dimension in found)

    def vectors(self, digests: Iterable[str]) -> dict[str, bytes]:
        """The bytes under each digest that is known, and only if they are what it says."""
        [found] = self._line.ask(_VECTORS.asked({"digests": frozenset(digests)}, {"log": self._log}))
        return _sound(found)


class PrimedFacts(FactsRead):
    """The same, with what several proposals cite read at once; whatever else is asked for is read as ever.

    :param trades: ids of trades that are cited one by one; :param digests: of vectors.
    """

    def __init__(self, line: Line, swarm: str, log: int, *, trades: Iterable[str], digests: Iterable[str]) -> None:
        super().__init__(line, swarm, log)
        self._ids, self._digests = frozenset(trades), frozenset(digests)
        self._trades: dict[str, tuple[Recorded, ...]] = {}
        self._data: dict[str, bytes] = {}

    @property
    def questions(self) -> tuple[Question, Question]:
        """What it reads at once."""
        log = {"log": self._log}
        return _TRADES.asked({"ids": self._ids}, log), _VECTORS.asked({"digests": self._digests}, log)

    def learn(self, trades: list[Row], vectors: list[Row]) -> None:
        """Take in the answers."""
        self._trades = dict.fromkeys((f"{TRADE}/{one}" for one in self._ids), ())
        self._trades |= {f"{TRADE}/{row[0]}": (_recorded(row),) for row in trades}
        self._data = _sound(vectors)

    def record(self, place: str) -> Sequence[Recorded]:
        """The closed trades at a place."""
        found = self._trades.get(place)
        return super().record(place) if found is None else found

    def vectors(self, digests: Iterable[str]) -> dict[str, bytes]:
        """The bytes under each digest that is known, and only if they are what it says."""
        asked = frozenset(digests)
        if not asked <= self._digests:
            return super().vectors(asked)
        return {name: self._data[name] for name in asked if name in self._data}


def _sound(vectors: Iterable[Row]) -> dict[str, bytes]:
    """Digest -> bytes, where they are what it says."""
    return {name: data for name, data in vectors if sha256(data) == name}


def cite_trade(episode: Episode) -> Reference:
    """Where one trade can be cited from."""
    place = f"{TRADE}/{episode.id}"
    return Reference(place, [*trade_links(place, [episode])][-1])


def trades_of(line: Line, log: int, place: str) -> list[Recorded]:
    """The closed trades at a place, in the order in which they were written."""
    kind, whose = split(place)
    if kind == TRADE:
        [rows] = line.ask(_TRADES.asked({"ids": {whose}}, {"log": log}))
    elif kind == TRADES:
        [rows] = line.ask((_OF_PATTERN, {"log": log, "pattern": whose}))
    else:
        return []
    return [_recorded(row) for row in rows]


def _recorded(row: Row) -> Recorded:
    """Of a trade's columns, and when it was written where it is asked for as one of a pattern's."""
    agent, instrument, side, decided_ns, known_ns, result_ppm, risk_ppm, stopped, regime, quality_bp = row[1:11]
    episode = Episode(
        id=row[0],
        agent=agent,
        instrument=instrument,
        side=side,
        decided_ns=decided_ns,
        known_ns=known_ns,
        result_ppm=result_ppm,
        risk_ppm=risk_ppm,
        stopped=bool(stopped),  # SQLite has no truth values
        regime=regime,
        quality_bp=quality_bp,
    )
    return Recorded(episode, row[11], max((known_ns, *row[12:])))


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

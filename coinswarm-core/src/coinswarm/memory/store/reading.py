"""Facts as they are read, over a line: trades and their records, returns, certificates, spaces, vectors."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy import bindparam, select

from coinswarm.canonical import sha256
from coinswarm.domain.episode import Episode, Space
from coinswarm.memory.evidence.places import TRADE, TRADES, split
from coinswarm.memory.store.among import ByNumber
from coinswarm.memory.store.models import CertificateRow, DailyReturn, SpaceRow, Trade, TradePattern, VectorRow
from coinswarm.memory.store.statement import Statement

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sqlalchemy import BindParameter

    from coinswarm.memory.store.line import Line, Question, Row

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
SERIES = (
    select(DailyReturn.day, DailyReturn.return_ppm)
    .where(DailyReturn.log == _LOG, DailyReturn.series == bindparam("series"))
    .order_by(DailyReturn.day)
)
_SERIES_TOLD = Statement(SERIES)
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

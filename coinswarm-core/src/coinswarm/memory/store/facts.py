"""Facts that the session writes and voters work evidence out from: each written once, and never changed.

Writing the same again changes nothing, so that a session may write after a restart what it wrote before; writing
something else in its place is refused.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, func, select, update

from coinswarm.canonical import decimal_text, sha256
from coinswarm.domain.proposal import Reference
from coinswarm.errors import DataError
from coinswarm.memory.evidence.places import CERTIFICATES, TRADE, TRADES, is_series, return_links, trade_links
from coinswarm.memory.store.among import among, listing
from coinswarm.memory.store.engine import demand_texts, translated
from coinswarm.memory.store.models import CertificateRow, DailyReturn, Regime, SpaceRow, Trade, TradePattern, VectorRow
from coinswarm.memory.store.once import Once
from coinswarm.memory.store.reading import SERIES, FactsRead

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from decimal import Decimal

    from sqlalchemy import BindParameter, Engine

    from coinswarm.domain.episode import Episode, Space
    from coinswarm.memory.store.engine import Place
    from coinswarm.memory.store.line import Lines
    from coinswarm.memory.store.log import SqlLog
    from coinswarm.memory.store.once import Writing

_LOG: BindParameter[int] = bindparam("log")
_LAST = select(func.max(TradePattern.number)).where(
    TradePattern.log == _LOG, TradePattern.pattern == bindparam("pattern")
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

    Each ``add_…`` also raises ``AmbiguousError`` where nobody knows whether it was written (``once``): to write the
    same again is safe.

    :param engine, place, lines: of the store; :param log: whose they are.
    """

    def __init__(self, engine: Engine, place: Place, lines: Lines, log: SqlLog) -> None:
        self._place, self._lines, self._swarm, self._log = place, lines, log.cluster, log.number
        self._once = Once(engine, place, log)

    def add_trades(self, trades: Sequence[ClosedTrade]) -> tuple[Reference, ...]:
        """Write closed trades, all or none; where each can be cited from.

        They come last in the records of their patterns, by when they were known: what was cited before stays.

        :raises DataError: for another trade under an id that is there, or is given twice.
        """
        once: dict[str, ClosedTrade] = {}
        for trade in trades:
            if once.setdefault(trade.episode.id, trade) != trade:
                message = f"trade {trade.episode.id} is given twice, each time otherwise"
                raise DataError(message, remedy="a trade is written once: see which of the two is right")
        rows = {trade.episode.id: _trade_row(trade) for trade in trades}
        links = [
            {"trade": trade.episode.id, "pattern": pattern}
            for trade in sorted(once.values(), key=lambda one: (one.episode.known_ns, one.episode.id))
            for pattern in sorted(set(trade.patterns))
        ]
        with self._once.begun() as held:
            demand_texts(link["pattern"] for link in links)
            new = held.new(Trade, "id", rows)
            held.insert(Trade, [rows[one] for one in new])
            held.insert(TradePattern, self._numbered(held, [link for link in links if link["trade"] in new]))
            if len(new) < len(rows):
                found = select(TradePattern.trade, TradePattern.pattern).where(
                    TradePattern.log == _LOG, among(TradePattern.trade, "trades")
                )
                given = {"log": self._log, "trades": listing(rows.keys() - new)}
                there = {tuple(row) for row in held.connection.execute(found, given)}
                asked = {(link["trade"], link["pattern"]) for link in links if link["trade"] not in new}
                if there != asked:
                    message = f"trade {min(there ^ asked)[0]} is there already, with other patterns"
                    raise DataError(message, remedy="a trade is written once, with the patterns that it followed")
        return tuple(cite_trade(trade.episode) for trade in trades)

    def _numbered(self, held: Writing, links: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Links with their numbers in the records, for who writes alone.

        Else a number could appear after a higher one did, and what was cited meanwhile would be no beginning.
        """
        last: dict[str, int] = {}
        for pattern in {link["pattern"] for link in links}:
            found = held.connection.execute(_LAST, {"log": self._log, "pattern": pattern})
            last[pattern] = found.scalar_one() or 0
        numbered = []
        for link in links:
            last[link["pattern"]] += 1
            numbered.append({**link, "number": last[link["pattern"]], "written_ns": held.now_ns})
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
        with self._once.begun() as held:
            found = held.connection.execute(SERIES, {"log": self._log, "series": series})
            there = {row.day: row.return_ppm for row in found}
            if there and not min(there) <= first_day <= max(there) + 1:
                message = f"{series} goes from day {min(there)} to {max(there)}, and {first_day} does not follow"
                raise DataError(message, remedy="write every day, idle ones too, in order")
            new = held.new(DailyReturn, "day", rows, series=series)
            held.insert(DailyReturn, [rows[day] for day in sorted(new)])
        whole = there | dict(enumerate(returns_ppm, first_day))
        return Reference(series, [*return_links(series, min(whole), [whole[day] for day in sorted(whole)])][-1])

    def add_certificate(self, agent: str, digest: str, tier: str) -> Reference:
        """Write an agent's certificate; where it can be cited from.

        :param tier: bronze, silver or gold.
        :raises DataError: for another tier under a digest that is there.
        """
        row = {"agent_id": agent, "digest": digest, "tier": tier}
        with self._once.begun() as held:
            if held.new(CertificateRow, "digest", {digest: row}, agent_id=agent):
                mine = CertificateRow.log == self._log, CertificateRow.agent_id == agent
                number = (
                    max(held.connection.execute(select(CertificateRow.number).where(*mine)).scalars(), default=0) + 1
                )
                held.insert(CertificateRow, [{**row, "number": number, "revoked": False}])
        return Reference(f"{CERTIFICATES}/{agent}", digest)

    def revoke_certificate(self, agent: str, digest: str) -> bool:
        """Let a certificate hold no more; whether it was there."""
        mine = CertificateRow.log == self._log, CertificateRow.agent_id == agent, CertificateRow.digest == digest
        with self._once.begun() as held:
            return held.connection.execute(update(CertificateRow).where(*mine).values(revoked=True)).rowcount > 0

    def add_space(self, space: Space) -> None:
        """Make a space known.

        :raises DataError: for another width under a name that is there.
        :raises ValueError: for a space of another swarm.
        """
        if space.swarm != self._swarm:
            message = f"the space {space.name} is of {space.swarm}, but this is the memory of {self._swarm}"
            raise ValueError(message)
        rows = {space.name: {"name": space.name, "dimension": space.dimension}}
        with self._once.begun() as held:
            held.insert(SpaceRow, [rows[one] for one in held.new(SpaceRow, "name", rows)])

    def add_vectors(self, vectors: Sequence[bytes]) -> tuple[str, ...]:
        """Keep the bytes of vectors (float32, little-endian), all or none; the digest of each."""
        rows = {sha256(data): {"digest": sha256(data), "data": data} for data in vectors}
        with self._once.begun() as held:
            new = held.new(VectorRow, "digest", rows)
            held.insert(VectorRow, [rows[one] for one in new])
        return tuple(sha256(data) for data in vectors)

    def add_regime(self, regime: str, version: int, **fields: Any) -> None:  # noqa: ANN401 - the columns of ``Regime``
        """Write one version of a regime's definition.

        :param fields: columns of ``models.Regime``.
        :raises DataError: for another definition under a version that is there, or one out of turn.
        """
        row = {"id": regime, "version": version, "end_time": None, **fields}
        with self._once.begun() as held:
            known = select(Regime.version).where(Regime.log == self._log, Regime.id == regime)
            last = max(held.connection.execute(known).scalars(), default=0)
            if version > last + 1:
                message = f"version {version} of the regime {regime} comes after {last}"
                raise DataError(message, remedy=f"write version {last + 1}")
            new = held.new(Regime, "version", {version: row}, id=regime)
            held.insert(Regime, [row for _ in new])

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


def cite_trade(episode: Episode) -> Reference:
    """Where one trade can be cited from."""
    place = f"{TRADE}/{episode.id}"
    return Reference(place, [*trade_links(place, [episode])][-1])


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

"""What the swarm remembers: facts that the session wrote, and the state that accepted proposals made.

Facts (trades, daily returns, certificates, vectors, spaces, regimes) are written once and not changed; voters work
evidence out from them. State (patterns, episodes, agents) is a fold of the log and can be derived anew
at any time (``state``).
"""

from __future__ import annotations

from sqlalchemy import Boolean, CheckConstraint, ForeignKeyConstraint, Index, Integer, LargeBinary, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from coinswarm.memory.store.columns import Base, Key, LogId, MaybeNumber, Number, NumberKey, Words

# ── facts ──


class Trade(Base):
    """A closed trade, as the session's ledger has it.

    :ivar id: 64 hex digits, of the decision that began it; an episode made of it has the same.
    :ivar side: 1 long, -1 short.
    :ivar entry_price, exit_price: mean price of the fills, decimal text.
    :ivar pnl: after fees and funding, 1e-8 of the settlement currency.
    :ivar slippage_bps: paid on entry and exit, against the reference prices.
    :ivar entry_time, exit_time: of the first and the last fill.
    :ivar regime_id: the market's regime at the decision, or empty.
    :ivar decided_ns, known_ns, result_ppm, risk_ppm, stopped, quality_bp: as in ``domain.episode.Episode``.
    """

    __tablename__ = "trade"
    __table_args__ = (
        CheckConstraint("side IN (1, -1)", "side"),
        CheckConstraint("entry_time <= exit_time", "times"),
        CheckConstraint("decided_ns <= known_ns", "known"),
        CheckConstraint("risk_ppm >= 0", "risk"),
        CheckConstraint("quality_bp BETWEEN 0 AND 10000", "quality"),
        CheckConstraint("length(id) = 64", "id"),
    )

    log: Mapped[LogId]
    id: Mapped[Key]
    symbol: Mapped[Words]
    side: Mapped[int] = mapped_column(Integer)
    entry_price: Mapped[Words]
    exit_price: Mapped[Words]
    pnl: Mapped[Number]
    slippage_bps: Mapped[Number]
    entry_time: Mapped[Number]
    exit_time: Mapped[Number]
    agent_id: Mapped[Words]
    regime_id: Mapped[Words]
    decided_ns: Mapped[Number]
    known_ns: Mapped[Number]
    result_ppm: Mapped[Number]
    risk_ppm: Mapped[Number]
    stopped: Mapped[bool] = mapped_column(Boolean)
    quality_bp: Mapped[Number]
    patterns: Mapped[list[TradePattern]] = relationship(order_by="TradePattern.pattern", lazy="selectin")

    @property
    def pattern_ids(self) -> tuple[str, ...]:
        """The patterns that it followed."""
        return tuple(link.pattern for link in self.patterns)


class TradePattern(Base):
    """A pattern that a trade followed: the trade's place in the pattern's record.

    :ivar number: 1, 2, 3, …, in the order in which the trades of a pattern were committed, whenever they were known:
        what was cited of a record stays its beginning.
    :ivar written_ns: when that was, by the store's clock.
    """

    __tablename__ = "trade_pattern"
    __table_args__ = (
        ForeignKeyConstraint(["log", "trade"], ["trade.log", "trade.id"]),
        CheckConstraint("number > 0", "number"),
        UniqueConstraint("pattern", "log", "number"),
    )

    log: Mapped[LogId]
    trade: Mapped[Key]
    pattern: Mapped[Key]
    number: Mapped[Number]
    written_ns: Mapped[Number]


class DailyReturn(Base):
    """What an agent's ideas, or a variant of a pattern, earned on a day; a record has no gaps.

    :ivar series: where it is cited from: ``returns/AGENT`` or ``trials/PATTERN/VARIANT``.
    """

    __tablename__ = "daily_return"
    __table_args__ = (CheckConstraint("return_ppm > -1000000", "return"), CheckConstraint("day >= 0", "day"))

    log: Mapped[LogId]
    series: Mapped[Key]
    day: Mapped[NumberKey]
    return_ppm: Mapped[Number]


class CertificateRow(Base):
    """An agent's certificate.

    :ivar number: counts an agent's certificates; the newest that is not revoked holds.
    """

    __tablename__ = "certificate"
    __table_args__ = (
        CheckConstraint("tier IN ('bronze', 'silver', 'gold')", "tier"),
        UniqueConstraint("agent_id", "number", "log"),
    )

    log: Mapped[LogId]
    agent_id: Mapped[Key]
    digest: Mapped[Key]
    number: Mapped[Number]
    tier: Mapped[Words]
    revoked: Mapped[bool] = mapped_column(Boolean)


class SpaceRow(Base):
    """A space of vectors that the swarm has."""

    __tablename__ = "space"
    __table_args__ = (CheckConstraint("dimension > 0", "dimension"),)

    log: Mapped[LogId]
    name: Mapped[Key]
    dimension: Mapped[Number]


class VectorRow(Base):
    """The bytes of a vector, little-endian float32, under their SHA-256."""

    __tablename__ = "vector"

    log: Mapped[LogId]
    digest: Mapped[Key]
    data: Mapped[bytes] = mapped_column(LargeBinary)


class Regime(Base):
    """What a regime of the market is called for, and when it held; a new definition is a new version.

    :ivar volatility, spread, trend, session: in which range, in words.
    :ivar start_time, end_time: when it held; no end where it still does.
    """

    __tablename__ = "regime"
    __table_args__ = (
        CheckConstraint("version > 0", "version"),
        CheckConstraint("end_time IS NULL OR start_time <= end_time", "times"),
    )

    log: Mapped[LogId]
    id: Mapped[Key]
    version: Mapped[NumberKey]
    volatility: Mapped[Words]
    spread: Mapped[Words]
    trend: Mapped[Words]
    session: Mapped[Words]
    start_time: Mapped[Number]
    end_time: Mapped[MaybeNumber]


# ── state ──


class Pattern(Base):
    """A pattern as the quorum has it, with the statistics of the trades that its last proposal cites.

    :ivar id: its name in proposals; :ivar name: what it claims, in a line.
    :ivar sample_size: how many trades; the other numbers are None without any.
    :ivar mean_pnl, std_dev, tail_5pct, tail_95pct: of ``result_ppm``.
    :ivar sharpe: mean by standard deviation per trade, in millionths.
    :ivar win_rate, mean_slippage: basis points.
    :ivar regime: of all these trades, or empty where they differ.
    :ivar enabled: whether its stage lets it trade at full size.
    :ivar last_updated: the log's time.
    """

    __tablename__ = "pattern"
    __table_args__ = (CheckConstraint("sample_size >= 0", "sample_size"), CheckConstraint("version > 0", "version"))

    log: Mapped[LogId]
    id: Mapped[Key]
    name: Mapped[Words]
    sample_size: Mapped[Number]
    mean_pnl: Mapped[MaybeNumber]
    std_dev: Mapped[MaybeNumber]
    sharpe: Mapped[MaybeNumber]
    win_rate: Mapped[MaybeNumber]
    tail_5pct: Mapped[MaybeNumber]
    tail_95pct: Mapped[MaybeNumber]
    mean_slippage: Mapped[MaybeNumber]
    regime: Mapped[Words]
    enabled: Mapped[bool] = mapped_column(Boolean)
    last_updated: Mapped[Number]
    stage: Mapped[Words]
    capital_bp: Mapped[Number]
    variants: Mapped[Number]
    registered_ns: Mapped[Number]
    version: Mapped[Number]
    position: Mapped[Number]


class Episode(Base):
    """An episode that the quorum accepted.

    :ivar bot_id: the agent; :ivar embedding_id: digest of its vector, in ``vector``.
    :ivar action: ``long`` or ``short``; :ivar reward: ``result_ppm``; :ivar outcome: ``stopped`` or ``closed``.
    :ivar timestamp: when it was decided; :ivar weight: ``quality_bp``.
    :ivar body: all of it, as proposed: canonical JSON of ``domain.episode.Episode``.
    """

    __tablename__ = "episode"
    __table_args__ = (
        CheckConstraint("action IN ('long', 'short')", "action"),
        CheckConstraint("outcome IN ('stopped', 'closed')", "outcome"),
    )

    log: Mapped[LogId]
    id: Mapped[Key]
    bot_id: Mapped[Words]
    embedding_id: Mapped[Words]
    action: Mapped[Words]
    reward: Mapped[Number]
    outcome: Mapped[Words]
    timestamp: Mapped[Number]
    regime_id: Mapped[Words]
    weight: Mapped[Number]
    space: Mapped[Words]
    dimension: Mapped[Number]
    body: Mapped[Words]
    since: Mapped[Number]
    """Position of the entry that first accepted it."""
    position: Mapped[Number]


class AgentState(Base):
    """How an agent stood from one entry of the log to the next that changed it.

    :ivar id: ``AGENT@POSITION``.
    :ivar weights: its weight in basis points.
    :ivar thresholds: rules of the committee in force for it, as canonical JSON; none so far.
    :ivar regime_tags: regimes that it is weighed in, as canonical JSON; all where there is none.
    :ivar timestamp: the log's time; :ivar valid_until: of the entry that changed it, or None.
    :ivar seated: whether it is admitted; :ivar certificate: by which it is.
    """

    __tablename__ = "agent_state"
    __table_args__ = (
        CheckConstraint("valid_until IS NULL OR timestamp <= valid_until", "times"),
        Index(None, "agent_id", "log"),
    )

    log: Mapped[LogId]
    id: Mapped[Key]
    agent_id: Mapped[Words]
    weights: Mapped[Number]
    thresholds: Mapped[Words]
    regime_tags: Mapped[Words]
    timestamp: Mapped[Number]
    valid_until: Mapped[MaybeNumber]
    seated: Mapped[bool] = mapped_column(Boolean)
    certificate: Mapped[Words]
    position: Mapped[Number]
